"""The one bounded scan of a message at delivery: everything mailboxes and search will ever ask of it. Pure.

Standards: by its rooms (header, scan, envelope, structure, reading, subjects, identifiers, dates).
Limits: mailsrv/message/limits.py. Never fails: any bytes have a digest.
"""

from __future__ import annotations

from mailsrv.message import dates, identifiers, reading, structure, words
from mailsrv.message.envelope import Lists, envelope, lists
from mailsrv.message.header import Header
from mailsrv.message.scan import scan
from mailsrv.message.subjects import base_subject
from mailsrv.store.door import Digest


def digest(content: bytes, head: Header | None = None) -> Digest:
    """What there is to know about a message. head: its header, where that has been read."""
    message = scan(content, head)
    header = message.header
    people = lists(header)
    body, bodystructure = structure.structures(message)
    text, preview = reading.read(message)
    subject = words.text(header.first(b"subject") or b"")
    date = header.first(b"date")
    return Digest(
        envelope=envelope(header, people),
        bodystructure=bodystructure,
        body=body,
        parts=structure.parts(message),
        preview=preview,
        text=text,
        subject=subject.lower(),
        base=base_subject(subject).base,
        sender=_shown(people, b"from"),
        to=_shown(people, b"to"),
        cc=_shown(people, b"cc"),
        sent=dates.parse(date) if date else None,
        message_id=identifiers.message_id(header),
        references=identifiers.references(header),
    )


def _shown(people: Lists, name: bytes) -> str:
    return people[name].shown if name in people else ""
