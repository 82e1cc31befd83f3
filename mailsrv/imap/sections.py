"""Octets of a message: which slice a section is, and how it is written (RFC 9051 6.4.5, BINARY: RFC 3516). Pure.

Offsets come from the digest's table of parts, so that only the slice is read.
Fails by: None where there is no such part, which is written as NIL; `Refused` with UNKNOWN-CTE for an encoding nobody knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mailsrv.imap import writers
from mailsrv.imap.grammar.fetch import Form, Octets, Section, Text
from mailsrv.imap.replies import Refused
from mailsrv.message.header import header_fields
from mailsrv.message.structure import encoding, section
from mailsrv.message.transfer import decoded

HEADERS = (Text.FIELDS, Text.FIELDS_NOT)


@dataclass(frozen=True, slots=True)
class Slice:
    """Octets start..start+length of the content. `whole`: they are the answer as they stand."""

    start: int
    length: int
    whole: bool


def slice_of(item: Octets, size: int, parts: str) -> Slice | None:
    """What must be read for this item."""
    span = (0, size) if item.section == Section() else section(parts, spec(item.section))
    if span is None:
        return None
    start, length = span
    if item.form is not Form.BODY or item.section.text in HEADERS:
        return Slice(start, length, whole=False)
    if item.partial is None:
        return Slice(start, length, whole=True)
    first, count = min(item.partial[0], length), item.partial[1]
    return Slice(start + first, min(count, length - first), whole=True)


def spec(wanted: Section) -> str:
    """The section's name as the table of parts knows it."""
    word = "HEADER" if wanted.text in HEADERS else wanted.text.value
    return ".".join(filter(None, (wanted.part, word)))


def answer(item: Octets, octets: bytes, parts: str) -> bytes:
    """The item's value, from the octets of its slice."""
    if item.section.text in HEADERS:
        octets = header_fields(octets, item.section.fields, not_=item.section.text is Text.FIELDS_NOT)
        return writers.literal(cut(octets, item.partial))
    if item.form is Form.BODY:
        return writers.literal(octets)
    plain = octets if not item.section.part else decoded(encoding(parts, item.section.part) or "", octets)
    if plain is None:
        raise Refused("nobody knows this transfer encoding", b"UNKNOWN-CTE")
    if item.form is Form.SIZE:
        return b"%d" % len(plain)
    return writers.literal8(cut(plain, item.partial))


def whole(item: Octets, contents: Sequence[bytes]) -> list[bytes]:
    """The item's values for messages as they stand."""
    if item.partial is not None:
        contents = [cut(one, item.partial) for one in contents]
    return [b"{%d}\r\n%b" % (len(one), one) for one in contents]


def cut(octets: bytes, partial: tuple[int, int] | None) -> bytes:
    return octets if partial is None else octets[partial[0] : partial[0] + partial[1]]


NOTHING = {Form.BODY: b"NIL", Form.BINARY: b"NIL", Form.SIZE: b"0"}
