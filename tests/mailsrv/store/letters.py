"""Messages for the store's tests."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from mailsrv.store.door import Digest, Hop, Message, Place

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SENT = datetime(2025, 12, 31, 23, 59, 58, tzinfo=UTC).astimezone()
INBOX = Place("alice")
# where nothing survives: for tests that are not about that, and would wait for the disk
QUICK = next((place for place in ("/dev/shm",) if os.access(place, os.W_OK)), None)


def letter(
    text: str = "hello",
    *places: Place,
    hops: tuple[Hop, ...] = (),
    size: int = 0,
    replaces: tuple[int, int] | None = None,
) -> Message:
    """A message whose subject and words are `text`."""
    head = f"Subject: {text}\r\n\r\n{text}\r\n".encode()
    digest = Digest(
        envelope=b'("env" "%s")' % text.encode(),
        bodystructure=b'("text" "plain" ext)',
        body=b'("text" "plain")',
        parts='{"1": [0, 2, 3]}',
        preview=text[:20],
        text=text,
        subject=text.lower(),
        base=text.lower(),
        sender="bob <bob@example.com>",
        to="alice@example.org",
        cc="carol@example.net",
        sent=SENT,
        message_id=f"<{text}@example.com>",
        references=("<a@x>", "<b@x>"),
    )
    content = head + b"\x00\xff" * ((size - len(head)) // 2)
    received = NOON + timedelta(milliseconds=123)
    return Message(
        content,
        digest,
        received,
        places or (() if hops else (INBOX,)),
        hops,
        "bob@example.com",
        ("RET=HDRS",),
        replaces,
    )
