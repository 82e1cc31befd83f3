"""What Python's own parser (compat32) makes of a message, in our words: media types by part number, and the parts' bytes."""

from __future__ import annotations

import email
from email.message import Message


def parts(content: bytes) -> dict[str, tuple[str, bytes]]:
    """Part number -> media type in lower case, and the body as it stands ("" for what has parts of its own)."""
    found: dict[str, tuple[str, bytes]] = {}
    _enter(email.message_from_bytes(content), "", found)
    return found


def _enter(message: Message, prefix: str, found: dict[str, tuple[str, bytes]]) -> None:
    if message.get_content_maintype() == "multipart" and message.is_multipart():
        _enter_children(message, prefix, found)
    else:
        _enter_one(message, f"{prefix}.1" if prefix else "1", found)


def _enter_children(multipart: Message, prefix: str, found: dict[str, tuple[str, bytes]]) -> None:
    for place, child in enumerate(multipart.get_payload(), 1):
        assert isinstance(child, Message)
        number = f"{prefix}.{place}" if prefix else str(place)
        _enter_one(child, number, found)
        if child.get_content_maintype() == "multipart" and child.is_multipart():
            _enter_children(child, number, found)


def _enter_one(part: Message, number: str, found: dict[str, tuple[str, bytes]]) -> None:
    payload = part.get_payload()
    body = payload.encode("ascii", "surrogateescape") if isinstance(payload, str) else b""
    found[number] = (part.get_content_type(), body)
    if part.get_content_type() == "message/rfc822" and isinstance(payload, list):
        inner = payload[0]
        assert isinstance(inner, Message)
        _enter(inner, number, found)
