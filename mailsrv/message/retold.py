"""What a stored message tells of its own arrival: who brought it, from where, and what came - read back from our trace fields. Pure.

Standards: RFC 5321 4.4 (Received, Return-Path), as `received` writes them. Limits: `limits.HEADER`.
Fails by: None for a message whose topmost Received is not in our form, or which came from one of our own users.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailsrv.message.header import fields, header

_OURS = re.compile(
    rb"from (?P<helo>\S{1,255}) \((?:\S{1,255} )?\[(?:IPv6:)?(?P<address>[0-9A-Fa-f.:]{2,45})\]\) by \S{1,255} with \S{1,40}"
    rb" id (?P<id>[0-9a-f]{8,64})"
)
_PATH = re.compile(rb"<(?P<sender>[^<>]{0,320})>")


@dataclass(frozen=True, slots=True)
class Retold:
    """address, helo, sender: as the session had them.  id: what our log calls it.  content: the message as it came."""

    id: str
    address: str
    helo: str
    sender: str
    content: bytes


def retold(content: bytes) -> Retold | None:
    """How a message came to us."""
    ours = next((field for field in fields(content) if field.name == b"received"), None)
    if ours is None:
        return None
    found = _OURS.match(b" ".join(content[ours.value : ours.end].split()))
    if found is None:
        return None
    path = _PATH.search(header(content).first(b"return-path") or b"")
    return Retold(
        found["id"].decode(),
        found["address"].decode(),
        found["helo"].decode("ascii", "replace"),
        path["sender"].decode("utf-8", "replace") if path else "",
        content[ours.end + 1 :],
    )
