"""Mailsrv-Decision: what is written can be read again, whatever strangers put into it; and nobody else writes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsrv.auth.decide import Action, Decision, Reason
from mailsrv.receive import told
from mailsrv.receive.told import MOST, Step, Told, read, without_forged, written

TEXTS = st.text(max_size=80)
REASONS = st.builds(Reason, TEXTS, TEXTS, TEXTS, st.none(), st.none(), st.booleans())
HARMLESS = st.text("abc XYZ.-+@0123456789/_", min_size=1, max_size=40).map(str.strip).filter(bool)
PLAIN = st.builds(Reason, HARMLESS, HARMLESS, HARMLESS | st.just(""), st.none(), st.none(), st.booleans())


def of(*reasons: Reason, action: str = "junk") -> bytes:
    return written(Decision(Action.JUNK, reasons), action)


def again(field: bytes) -> Told:
    found = read(field + b"From: a@b.test\r\n\r\nbody\r\n")
    assert found is not None
    return found


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_as_the_module_shows_it() -> None:
    field = of(
        Reason("dmarc", "fail", "example.org asks for quarantine"),
        Reason("spf mail", "softfail", "no term matched", outweighed=True),
    )
    assert b" ".join(field.split()) == (
        b"Mailsrv-Decision: junk; dmarc=fail (example.org asks for quarantine); [spf mail=softfail (no term matched)]"
    )


@given(st.lists(PLAIN, max_size=12))
def test_what_is_written_is_read_again(reasons: list[Reason]) -> None:
    found = again(of(*reasons))
    assert found == Told(
        "junk",
        tuple(
            Step(squeezed(one.what), one.outcome.replace(" ", "-"), squeezed(one.why), one.outweighed)
            for one in reasons
        ),
    )


@given(st.lists(REASONS, max_size=12))
def test_no_text_makes_a_step_a_field_or_a_line_of_its_own(reasons: list[Reason]) -> None:
    field = of(*reasons)
    assert field.endswith(b"\r\n")
    assert all(line[:1] == b" " for line in field.removesuffix(b"\r\n").split(b"\r\n")[1:])
    assert b"\0" not in field
    found = again(field)
    assert found.action == "junk"
    assert len(found.steps) <= len(reasons)


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        ("a" * 60 + "." + "b" * 60 + ".example", "the configuration says so"),
        ("x" * 253, "as long as a domain may be"),
        ("fail", "y" * 900),
        ("fail", "; dmarc=pass (forged); [spf"),
    ],
)
def test_long_and_strange_words_are_read_too(outcome: str, why: str) -> None:
    [step] = again(of(Reason("sender", outcome, why))).steps
    assert (step.what, step.outcome) == ("sender", outcome)


def test_there_is_a_limit_to_steps() -> None:
    assert len(again(of(*[Reason("dkim a.test", "fail")] * (MOST + 5))).steps) == MOST


@pytest.mark.parametrize(
    ("field", "found"),
    [
        (b"", None),
        (b"Mailsrv-Decision:\r\n", Told("")),
        (b"Mailsrv-Decision: junk\r\n", Told("junk")),
        (b"mailsrv-decision : junk;\r\n dmarc=fail\r\n", Told("junk", (Step("dmarc", "fail"),))),
        (b"Mailsrv-Decision: junk; nothing; =; a=b (c\r\n", Told("junk")),
        (b"Mailsrv-Decision: \xff\xfe; a=b\r\n", Told("\ufffd\ufffd", (Step("a", "b"),))),
        (b"Mailsrv-Decision: junk; a=" + b"(" * 50_000 + b"\r\n", Told("junk")),
    ],
)  # fmt: skip
def test_what_a_message_says_of_itself(field: bytes, found: Told | None) -> None:
    assert read(field + b"From: a@b.test\r\n\r\nMailsrv-Decision: junk\r\n") == found


@pytest.mark.parametrize(
    "forged",
    [
        b"Mailsrv-Decision: accept\r\n",
        b"MAILSRV-DECISION : accept;\r\n\tdmarc=pass (forged)\r\n",
        b"Mailsrv-Decision: accept\r\n" * 20,
        b"X: y\r\n" * 2000 + b"Mailsrv-Decision: accept\r\n",
    ],
)
def test_what_others_wrote_under_our_name_goes(forged: bytes) -> None:
    rest = b"From: a@b.test\r\n\r\nMailsrv-Decision: of the body\r\n"
    kept = b"".join(line + b"\r\n" for line in forged.split(b"\r\n") if line.startswith(b"X:"))
    assert without_forged(forged + rest) == kept + rest


@given(st.binary(max_size=300))
def test_any_octets(content: bytes) -> None:
    without_forged(content)
    read(content)
    assert read(without_forged(b"Mailsrv-Decision: accept\r\nX: y\r\n\r\n")) is None
    assert told.NAME.lower().encode() == told.KEY
