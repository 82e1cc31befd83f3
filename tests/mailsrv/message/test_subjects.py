"""Base subjects by RFC 5256 2.1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsrv.message import limits
from mailsrv.message.subjects import base_subject

VECTORS = [  # decoded subject, base, a reply or forward
    ("Meeting", "meeting", False),
    ("Re: Meeting", "meeting", True),
    ("RE:Re: re : Meeting", "meeting", True),
    ("Fw: FWD: Meeting", "meeting", True),
    ("Meeting (fwd)", "meeting", True),
    ("Meeting (fwd) (FWD) ", "meeting", True),
    ("[list] Meeting", "meeting", False),
    ("[list] Re: [other] Meeting", "meeting", True),
    ("Re[2]: Meeting", "meeting", True),
    ("Re [blob] : Meeting", "meeting", True),
    ("[a] [b] Re: Meeting", "meeting", True),
    ("[fwd: Meeting]", "meeting", True),
    ("[Fwd: Re: [list] Meeting (fwd)]", "meeting", True),
    ("[only]", "[only]", False),
    ("[a][only]", "[only]", False),
    ("Re: [only]", "[only]", True),
    ("Re:", "", True),
    ("", "", False),
    ("  a \t  b ", "a b", False),
    ("Reply: x", "reply: x", False),
    ("Forward: x", "forward: x", False),
    ("Re x", "re x", False),
    ("[unclosed Re: x", "[unclosed re: x", False),
    ("(fwd)", "", True),
    ("[fwd: ]", "", True),
]


@pytest.mark.parametrize("decoded, base, answers", VECTORS)
def test_base_subjects(decoded: str, base: str, answers: bool) -> None:
    assert base_subject(decoded) == (base, answers)


@given(
    st.lists(st.sampled_from(["Re:", "fwd:", "[fwd:", "]", "[x]", "[", "(fwd)", " ", "a", "re", ":"]), max_size=30).map(
        "".join
    )
)
def test_a_base_subject_is_its_own_base(text: str) -> None:
    base = base_subject(text).base
    assert base_subject(base).base == base


@pytest.mark.parametrize("unit", ["[]", "re:", "[fwd:", "(fwd)", "[x] re", "[ ", "] "])
def test_no_subject_takes_long(unit: str) -> None:
    for _ in range(50):
        assert len(base_subject(unit * 100_000).base) <= limits.SUBJECT
