"""Patterns of addresses: what they take, what is no pattern, and that none of them can take long."""

from __future__ import annotations

import re
import string
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnsops.base.settings.patterns import BadPattern, pattern

FEW = settings(max_examples=60, deadline=None)
MATCHES = [
    # pattern, address, whether
    ("user1+*@example.org", "user1+shop@example.org", True),
    ("user1+*@example.org", "user1+@example.org", True),
    ("user1+*@example.org", "user1@example.org", False),
    ("User1+*@Example.ORG", "user1+x@example.org", True),
    ("*@example.org", "anybody@example.org", True),
    ("*@example.org", "x@example.org@evil.test", False),  # a quoted @ never helps a star over the border
    ("@example.org", "anybody@example.org", True),
    ("@example.org", "anybody@sub.example.org", False),
    ("*@*.example.org", "a@sub.example.org", True),
    ("*@*.example.org", "a@example.org", False),
    ("a?c@x.org", "abc@x.org", True),
    ("a?c@x.org", "ac@x.org", False),
    ("a.c@x.org", "abc@x.org", False),  # a dot is a dot
    (r"re:(sales|info)[0-9]*@example\.org", "info12@example.org", True),
    (r"re:(sales|info)[0-9]*@example\.org", "infos@example.org", False),
    (r"re:^a+b?@x$", "aaab@x", True),
    (r"re:a@x", "xa@x", False),  # always the whole address
    (r"re:[A-C.]{2,3}@x", "a.b@x", True),
    (r"re:[^0-9]+@x", "a1@x", False),
    (r"re:\w+\+\d{2}@x", "ab_1+42@x", True),
    (r"re:a{2,}@x", "a@x", False),
    (r"re:a{2,}@x", "aaaa@x", True),
    (r"re:a{0,1}@x", "@x", True),
    ("re:p\u00e4ivi@x", "pa\u0308ivi@x", False),  # who matches brings the address composed
]


@pytest.mark.parametrize("text, address, taken", MATCHES)
def test_what_a_pattern_takes(text: str, address: str, taken: bool) -> None:
    local, _, domain = address.rpartition("@")
    assert pattern(text).matches(local, domain) is taken


@pytest.mark.parametrize(
    "text, said",
    [
        ("user1", "no domain"),
        ("user1@", "no domain"),
        ("a" * 300 + "@x", "longer than 256"),
        ("re:", "nothing behind"),
        ("re:(a", "a )"),
        ("re:a)", "without its ("),
        ("re:*a", "means nothing"),
        ("re:a**", "repeat of a repeat"),
        ("re:a+?", "repeat of a repeat"),
        (r"re:(a)\1", "not read here"),
        ("re:(?=a)b", "only group"),
        (r"re:\Wx", "not read here"),
        ("re:[b-a]", "no range"),
        ("re:[a", "a ]"),
        ("re:[]", "holds nothing"),
        ("re:a{9", "wants numbers"),
        ("re:a{,3}", "wants numbers"),
        ("re:a{99}", "at most 64"),
        ("re:a{3,2}", "few to many"),
        ("re:((a{64}){64}){64}", "too large"),
        ("re:" + "(" * 60 + ")" * 60, "levels"),
        ("re:a\\", "behind \\"),
    ],
)
def test_what_is_no_pattern(text: str, said: str) -> None:
    with pytest.raises(BadPattern, match=re.escape(said)):
        pattern(text)


@pytest.mark.parametrize(
    "text", [r"re:(a|a)*b@x", r"re:(a*)*b@x", r"re:(a|aa)+b@x", "re:((a+)+)+b@x", "*a*a*a*a*a*a*b@x"]
)
def test_the_patterns_that_stop_others_end_here(text: str) -> None:
    """Each step looks at each state once: were it exponential, this test would not end."""
    assert not pattern(text).matches("a" * 250, "x")


def test_a_long_address_is_not_looked_at() -> None:
    assert not pattern("*@x.org").matches("a" * 400, "x.org")


@given(st.text(max_size=60))
@FEW
def test_any_text_is_a_pattern_or_is_refused(text: str) -> None:
    for written in (text, "re:" + text):
        with suppress(BadPattern):
            pattern(written).matches("user1", "example.org")


_ATOMS = st.sampled_from([*"abc", ".", "[ab]", "[^a]", r"\d", r"\."])


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    joined = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        joined.map("".join),
        joined.map(lambda parts: "(" + "|".join(parts) + ")"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,2}"])).map(lambda pair: f"({pair[0]}){pair[1]}"),
    )


@given(st.recursive(_ATOMS, _grown, max_leaves=6), st.text("abc.1", max_size=6))
@FEW
def test_expressions_mean_what_they_mean_to_re(expression: str, local: str) -> None:
    ours = pattern(f"re:{expression}@x").matches(local, "x")
    assert ours == bool(re.fullmatch(f"(?:{expression})@x", f"{local}@x", re.DOTALL))


@given(st.text(string.ascii_lowercase + "*?", min_size=1, max_size=8), st.text(string.ascii_lowercase, max_size=8))
@FEW
def test_globs_mean_what_they_mean_to_fnmatch(glob: str, local: str) -> None:
    from fnmatch import fnmatchcase

    assert pattern(f"{glob}@x").matches(local, "x") == fnmatchcase(local, glob)
