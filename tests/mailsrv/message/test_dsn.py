"""Delivery status notifications: three parts that programs read, and nothing a remote server can put into them."""

from __future__ import annotations

import email
from dataclasses import replace
from datetime import UTC, datetime
from email.message import Message

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsrv.message import limits
from mailsrv.message.digest import digest
from mailsrv.message.dsn import Fate, Outcome, Report, notification

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
ORIGINAL = b"From: a@example.org\r\nSubject: hello\r\n\r\nbody\r\n"
FAILED = Fate(
    "bob@far.test", Outcome.FAILED, "5.1.1", "550 5.1.1 no such user", "mx.far.test", "rfc822;bob+2Bx@far.test", NOW
)
DELAYED = Fate("eve@slow.test", Outcome.DELAYED, "4.4.1", "connection timed out", until=NOW)
REPORT = Report("mx1.example.org", "a@example.org", (FAILED,), NOW, "t0k3n", ORIGINAL, NOW, "QQ+2B1")


def parsed(report: Report) -> Message:
    content = notification(report)
    assert content is not None
    return email.message_from_bytes(content)


def blocks(message: Message) -> list[dict[str, str]]:
    """The machine's part: one dict of fields each block."""
    part = message.get_payload(1)
    assert isinstance(part, Message)
    return [
        {name: str(value) for name, value in block.items()}
        for block in part.get_payload()
        if isinstance(block, Message)
    ]


def test_a_failure_says_what_the_rfcs_want() -> None:
    message = parsed(REPORT)
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "delivery-status"
    assert (message["Auto-Submitted"], message["To"]) == ("auto-replied", "<a@example.org>")
    assert message["Message-ID"] == "<t0k3n@mx1.example.org>"
    assert [part.get_content_type() for part in message.get_payload() if isinstance(part, Message)] == [
        "text/plain",
        "message/delivery-status",
        "message/rfc822",
    ]
    assert blocks(message) == [
        {
            "Original-Envelope-Id": "QQ+1",
            "Reporting-MTA": "dns; mx1.example.org",
            "Arrival-Date": "Sun, 22 Nov 2026 20:00:00 +0000",
        },
        {
            "Original-Recipient": "rfc822; bob+x@far.test",
            "Final-Recipient": "rfc822; bob@far.test",
            "Action": "failed",
            "Status": "5.1.1",
            "Remote-MTA": "dns; mx.far.test",
            "Diagnostic-Code": "smtp; 550 5.1.1 no such user",
            "Last-Attempt-Date": "Sun, 22 Nov 2026 20:00:00 +0000",
        },
    ]
    letter = message.get_payload(0)
    assert isinstance(letter, Message)
    assert "<bob@far.test> could not be delivered\r\n    mx.far.test said: 550 5.1.1 no such user" in str(
        letter.get_payload()
    )


@pytest.mark.parametrize(
    "report, kind, has_body",
    [
        (REPORT, "message/rfc822", True),
        (replace(REPORT, full=True), "message/rfc822", True),
        (replace(REPORT, full=False), "text/rfc822-headers", False),
        (replace(REPORT, content=ORIGINAL + b"x" * limits.RETURNED_UNASKED), "text/rfc822-headers", False),
        (replace(REPORT, content=ORIGINAL + b"x" * limits.RETURNED_UNASKED, full=True), "message/rfc822", True),
        (replace(REPORT, content=ORIGINAL + b"x" * limits.RETURNED, full=True), "text/rfc822-headers", False),
        (replace(REPORT, fates=(DELAYED,), full=True), "text/rfc822-headers", False),
        (replace(REPORT, fates=(DELAYED, FAILED), full=True), "message/rfc822", True),
        (replace(REPORT, utf8=True), "message/global", True),
        (replace(REPORT, utf8=True, full=False), "message/global-headers", False),
    ],
)
def test_the_message_comes_back_as_asked(report: Report, kind: str, has_body: bool) -> None:
    content = notification(report) or b""
    assert f"Content-Type: {kind}\r\n".encode() in content
    assert (b"\r\nbody\r\n" in content) is has_body
    assert b"Subject: hello\r\n" in content


@pytest.mark.parametrize(
    "fates, subject, actions",
    [
        ((DELAYED,), "Delayed mail: still being tried", ["delayed"]),
        ((DELAYED, FAILED), "Undelivered mail returned to sender", ["delayed", "failed"]),
        ((Fate("x@y.test", Outcome.DELIVERED),), "Successful mail delivery report", ["delivered"]),
        (
            (Fate("x@y.test", Outcome.RELAYED), Fate("l@y.test", Outcome.EXPANDED)),
            "Successful mail delivery report",
            ["relayed", "expanded"],
        ),
    ],
)
def test_every_outcome_has_its_words(fates: tuple[Fate, ...], subject: str, actions: list[str]) -> None:
    message = parsed(replace(REPORT, fates=fates))
    assert message["Subject"] == subject
    found = blocks(message)[1:]
    assert [block["Action"] for block in found] == actions
    digits = {"failed": "5", "delayed": "4"}
    assert all(block["Status"][0] == digits.get(block["Action"], "2") for block in found)


def test_a_delay_says_until_when() -> None:
    message = parsed(replace(REPORT, fates=(DELAYED,)))
    assert blocks(message)[1]["Will-Retry-Until"] == "Sun, 22 Nov 2026 20:00:00 +0000"
    assert blocks(message)[1]["Diagnostic-Code"] == "x-local; connection timed out"


UTF8 = Fate("jörg@bücher.test", Outcome.FAILED, reply="grün", orcpt="utf-8;j\\x{F6}rg@b\\x{FC}cher.test")


def test_utf8_addresses_go_where_they_may() -> None:
    """RFC 6533 3."""
    plain = blocks(parsed(replace(REPORT, fates=(UTF8,))))[1]
    assert plain["Final-Recipient"] == plain["Original-Recipient"] == "utf-8; j\\x{F6}rg@b\\x{FC}cher.test"
    assert plain["Diagnostic-Code"] == "x-local; gr?n"
    content = notification(replace(REPORT, fates=(UTF8,), utf8=True)) or b""
    assert "Final-Recipient: utf-8; jörg@bücher.test\r\n".encode() in content
    assert "Original-Recipient: utf-8; jörg@bücher.test\r\n".encode() in content
    assert b"Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: 8bit\r\n" in content


def test_8bit_content_is_said_to_be_so_at_every_level() -> None:
    content = notification(replace(REPORT, content=ORIGINAL + b"\xff\r\n")) or b""
    assert content.count(b"Content-Transfer-Encoding: 8bit\r\n") == 2
    assert b"\xff" in content


def test_no_notification_answers_a_notification() -> None:
    assert notification(replace(REPORT, sender="")) is None
    assert notification(replace(REPORT, fates=())) is None


def test_recipients_are_limited() -> None:
    message = parsed(replace(REPORT, fates=(FAILED,) * (limits.REPORTED + 1)))
    assert len(blocks(message)) == limits.REPORTED + 1


@given(st.text(max_size=200), st.text(max_size=100), st.text(max_size=60), st.binary(max_size=200))
def test_nothing_handed_in_adds_a_field_or_a_part(reply: str, recipient: str, words: str, content: bytes) -> None:
    fate = replace(FAILED, reply=reply, recipient=recipient, remote=words, orcpt=words, status=words)
    report = replace(
        REPORT,
        fates=(fate,),
        envid=words,
        content=content,
        sender=recipient.encode("ascii", "ignore").decode() or "a@b.test",
    )
    found = notification(report)
    assert found is not None
    first = found.index(b"--=_t0k3n")
    names = [line.split(b":")[0] for line in found[:first].split(b"\r\n") if line and not line.startswith(b" ")]
    assert set(names) == {
        b"From",
        b"To",
        b"Subject",
        b"Auto-Submitted",
        b"Date",
        b"Message-ID",
        b"MIME-Version",
        b"Content-Type",
    } | (set() if found.isascii() else {b"Content-Transfer-Encoding"})
    machine = found.split(b"--=_t0k3n.0\r\n")[2]
    lines = machine.partition(b"\r\n\r\n")[2].split(b"\r\n")
    known = (
        b"Original-",
        b"Reporting-MTA",
        b"Arrival-Date",
        b"Final-Recipient",
        b"Action",
        b"Status",
        b"Remote-MTA",
        b"Diagnostic-Code",
        b"Last-Attempt-Date",
    )
    assert all(line.startswith((*known, b" ")) or not line for line in lines)
    assert digest(found).bodystructure.startswith(b'(("TEXT" "PLAIN"')
