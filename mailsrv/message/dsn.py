"""Delivery status notifications: what became of a message, for its sender and for the sender's programs. Pure.

Standards: RFC 3461 (NOTIFY, RET, ENVID, ORCPT), 3462/6522 (multipart/report), 3464 (message/delivery-status), 3834 (Auto-Submitted),
6533 (UTF-8 addresses). A notification's envelope sender is the null sender, and nothing is sent to the null sender: no loop.

    multipart/report; report-type=delivery-status
      text/plain                       for a person
      message/delivery-status          for programs       (message/global-delivery-status when the message is internationalized)
      message/rfc822 | text/rfc822-headers                (message/global | message/global-headers)

Limits: `limits.REPORTED` recipients, `limits.DIAGNOSTIC` characters of a remote's words, `limits.RETURNED` bytes returned.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from mailsrv.message import compose, dates, limits
from mailsrv.message.header import body_start

_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_UNITEXT = re.compile(r"\\x\{([0-9A-F]{2,6})\}")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\Z")
_WRAP = 900  # characters of a diagnostic before its line is folded


class Outcome(Enum):
    """RFC 3464 2.3.3; the value is what a person reads."""

    FAILED = "could not be delivered"
    DELAYED = "has not been delivered yet"
    DELIVERED = "was delivered"
    RELAYED = "was passed on to a server that does not report deliveries"
    EXPANDED = "was delivered to a list, which sent it on"

    @property
    def action(self) -> str:
        return self.name.lower()


_SUBJECTS = {
    Outcome.FAILED: "Undelivered mail returned to sender",
    Outcome.DELAYED: "Delayed mail: still being tried",
    Outcome.DELIVERED: "Successful mail delivery report",
    Outcome.RELAYED: "Successful mail delivery report",
    Outcome.EXPANDED: "Successful mail delivery report",
}
_INTRODUCTIONS = {
    Outcome.FAILED: "Your message could not be delivered to everyone. These addresses did not get it, and no more attempts will be made:",
    Outcome.DELAYED: "Your message has been delayed. You need not do anything: it is still being tried for these addresses:",
    Outcome.DELIVERED: "You asked to be told: your message was delivered to these addresses:",
    Outcome.RELAYED: "You asked to be told: your message was passed on, and no further report can be expected for these addresses:",
    Outcome.EXPANDED: "You asked to be told: your message was delivered to these lists:",
}
_WORST_FIRST = tuple(_SUBJECTS)
_STATUSES = {Outcome.FAILED: "5.0.0", Outcome.DELAYED: "4.0.0"}


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one recipient. `reply`: the last words about it, "550 5.1.1 no such user" or a sentence of our own.

    orcpt: as RCPT TO gave it, "rfc822;a+2Bb@c". remote: the server that answered, "" if the words are ours.
    """

    recipient: str
    outcome: Outcome
    status: str = ""  # enhanced, "5.1.1"
    reply: str = ""
    remote: str = ""
    orcpt: str = ""
    tried: datetime | None = None
    until: datetime | None = None  # for a delay: when it will be given up


@dataclass(frozen=True, slots=True)
class Report:
    """What a notification says. `sender`: the message's envelope sender, who gets it. full: RET=FULL; None: it was not said.

    token: something that never comes twice. utf8: the message came with SMTPUTF8. content: the message.
    """

    host: str
    sender: str
    fates: tuple[Fate, ...]
    now: datetime
    token: str
    content: bytes = b""
    received: datetime | None = None
    envid: str = ""  # as MAIL FROM gave it, in xtext
    full: bool | None = None
    utf8: bool = False


def notification(report: Report) -> bytes | None:
    """The message to send, with a null envelope sender; None when it would answer a notification."""
    if not report.sender or not report.fates:
        return None
    fates = report.fates[: limits.REPORTED]
    worst = min((fate.outcome for fate in fates), key=_WORST_FIRST.index)
    parts = [compose.text_part(_letter(report, fates)), _machine_part(report, fates), _returned(report, worst)]
    kind = "multipart/report; report-type=delivery-status"
    entity = compose.multipart(kind, compose.boundary(report.token, parts), parts)
    identifier = compose.message_id(report.token, report.host)
    return compose.message(_fields(report, worst), report.now, identifier, _eight_bit(entity))


def _eight_bit(entity: bytes) -> bytes:
    """A multipart that holds 8-bit parts says so (RFC 2045 6.4)."""
    return entity if entity.isascii() else compose.field("Content-Transfer-Encoding", "8bit") + entity


def _fields(report: Report, worst: Outcome) -> list[tuple[str, str]]:
    return [
        ("From", compose.mailbox("Mail Delivery System", f"mailer-daemon@{report.host}")),
        ("To", f"<{report.sender}>"),
        ("Subject", _SUBJECTS[worst]),
        ("Auto-Submitted", "auto-replied"),
    ]


def _letter(report: Report, fates: tuple[Fate, ...]) -> str:
    """The part for a person: worst news first."""
    pieces = [f"This is the mail server {report.host}."]
    for outcome in _WORST_FIRST:
        concerned = [fate for fate in fates if fate.outcome is outcome]
        if concerned:
            pieces += ["", _INTRODUCTIONS[outcome], "", *(_sentence(fate) for fate in concerned)]
    return "\n".join(pieces) + "\n"


def _sentence(fate: Fate) -> str:
    said = f"{fate.remote} said: " if fate.remote and fate.reply else ""
    why = f"\n    {said}{_words(fate.reply)}" if fate.reply else ""
    until = f"\n    It will be tried until {dates.written(fate.until)}." if fate.until else ""
    return f"  <{compose.one_line(fate.recipient)}> {fate.outcome.value}{why}{until}"


def _machine_part(report: Report, fates: tuple[Fate, ...]) -> bytes:
    """message/delivery-status: a block about the message, one about each recipient."""
    kind = "message/global-delivery-status" if report.utf8 else "message/delivery-status"
    blocks = [_about_message(report), *(_about_recipient(fate, report.utf8) for fate in fates)]
    body = b"\r\n".join(blocks)
    head = compose.field("Content-Type", kind)
    return head + _encoding(body) + b"\r\n" + body


def _about_message(report: Report) -> bytes:
    envid = unxtext(report.envid)
    return b"".join(
        [
            compose.field("Original-Envelope-Id", envid) if envid else b"",
            compose.field("Reporting-MTA", f"dns; {report.host}"),
            compose.field("Arrival-Date", dates.written(report.received)) if report.received else b"",
        ]
    )


def _about_recipient(fate: Fate, utf8: bool) -> bytes:
    status = fate.status if _STATUS.match(fate.status) else _STATUSES.get(fate.outcome, "2.0.0")
    return b"".join(
        [
            _original(fate.orcpt, utf8),
            compose.field("Final-Recipient", _typed(fate.recipient, utf8)),
            compose.field("Action", fate.outcome.action),
            compose.field("Status", status),
            compose.field("Remote-MTA", f"dns; {fate.remote}") if fate.remote else b"",
            _diagnostic(fate, utf8),
            compose.field("Last-Attempt-Date", dates.written(fate.tried)) if fate.tried else b"",
            compose.field("Will-Retry-Until", dates.written(fate.until)) if fate.until else b"",
        ]
    )


def _original(orcpt: str, utf8: bool) -> bytes:
    """Original-Recipient, when RCPT TO named one (RFC 3461 6.3 c)."""
    kind, parted, address = orcpt.partition(";")
    if not parted or not kind or not address:
        return b""
    plain = unutf8(address) if kind.strip().lower() == "utf-8" else unxtext(address)
    return compose.field("Original-Recipient", _typed(plain, utf8, kind.strip()))


def _typed(address: str, utf8: bool, kind: str = "rfc822") -> str:
    """An address with its type; beyond ASCII it is utf-8's, escaped where only ASCII may go (RFC 6533 3)."""
    if address.isascii():
        return f"{kind}; {address}"
    return f"utf-8; {address if utf8 else _escaped(address)}"


def _diagnostic(fate: Fate, utf8: bool) -> bytes:
    """The remote's words; only what a server answered is "smtp" (RFC 3464 2.3.6)."""
    if not fate.reply:
        return b""
    said = _words(fate.reply)
    said = said if utf8 else said.encode("ascii", "replace").decode()
    return compose.field("Diagnostic-Code", f"{'smtp' if fate.remote else 'x-local'}; {said}")


def _returned(report: Report, worst: Outcome) -> bytes:
    """The message or its header; whole only when something failed and that was asked for, or nothing was (RFC 3461 6.2)."""
    most = {True: limits.RETURNED, None: limits.RETURNED_UNASKED, False: -1}[report.full]
    whole = worst is Outcome.FAILED and len(report.content) <= most
    part = report.content if whole else _header(report.content)
    names = ("message/global", "message/global-headers") if report.utf8 else ("message/rfc822", "text/rfc822-headers")
    head = compose.field("Content-Type", names[not whole])
    return (
        head
        + compose.field("Content-Description", "Undelivered message" if whole else "Message header")
        + _encoding(part)
        + b"\r\n"
        + part
    )


def _header(content: bytes) -> bytes:
    """A header block, cut at a line's end when it is too long."""
    end = body_start(content, 0, len(content))
    if end <= limits.HEADER:
        return content[:end]
    return content[: content.rfind(b"\n", 0, limits.HEADER) + 1]


def _encoding(body: bytes) -> bytes:
    return b"" if body.isascii() else compose.field("Content-Transfer-Encoding", "8bit")


def _words(reply: str) -> str:
    return " ".join(compose.one_line(reply[: limits.DIAGNOSTIC]).split())


def unxtext(text: str) -> str:
    """xtext decoded (RFC 3461 4)."""
    return _XTEXT.sub(lambda found: _printable(int(found[1], 16)), text)


def _printable(code: int) -> str:
    return chr(code) if 0x20 <= code < 0x7F else "?"


def unutf8(text: str) -> str:
    r"""utf-8-addr-xtext decoded: \x{4E2D} is a character (RFC 6533 3)."""
    return _UNITEXT.sub(lambda found: _char(int(found[1], 16)), text)


def _char(code: int) -> str:
    return chr(code) if 0x20 <= code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"


def _escaped(address: str) -> str:
    return "".join(c if " " < c < "\x7f" and c not in "+=\\" else f"\\x{{{ord(c):02X}}}" for c in address)
