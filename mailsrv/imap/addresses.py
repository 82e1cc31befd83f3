"""The first address of an ENVELOPE, for SORT: its mailbox (RFC 5256 3) and what is displayed of it (RFC 5957). Pure."""

from __future__ import annotations

from mailsrv.imap.grammar.cursor import Cursor, Unreadable
from mailsrv.message.words import text

PLACE = {"from": 2, "to": 5, "cc": 6}


def first_mailbox(envelope: bytes, field: str) -> str:
    """The part before the @, "" when there is no address."""
    _, mailbox, _ = first(envelope, field)
    return mailbox.lower()


def display_name(envelope: bytes, field: str) -> str:
    """The name, or else the address."""
    name, mailbox, host = first(envelope, field)
    shown = name or (f"{mailbox}@{host}" if mailbox else "")
    return shown.casefold()


def first(envelope: bytes, field: str) -> tuple[str, str, str]:
    """Name, mailbox and host of the first address."""
    cursor = Cursor(envelope)
    try:
        cursor.expect(b"(")
        for _ in range(PLACE[field]):
            skip_value(cursor)
            cursor.blanks()
        if not cursor.skip(b"(("):
            return "", "", ""
        name, _, mailbox, host = (value(cursor) for _ in range(4))
    except Unreadable:
        return "", "", ""
    return text(name), mailbox.decode("utf-8", "replace"), host.decode("utf-8", "replace")


def value(cursor: Cursor) -> bytes:
    cursor.blanks()
    return cursor.nstring() or b""


def skip_value(cursor: Cursor) -> None:
    """A string, NIL, or a list of addresses."""
    if not cursor.stands(b"("):
        cursor.nstring()
        return
    depth = 0
    while True:
        if cursor.skip(b"("):
            depth += 1
        elif cursor.skip(b")"):
            depth -= 1
            if not depth:
                return
        elif not cursor.skip(b" "):
            cursor.nstring()
