"""A header block: which fields stand where, found in one pass; values are unfolded when asked for. Pure.

Standard: RFC 5322 2.2, and what is really sent: bare LF, blanks before the colon, 8-bit bytes, lines that are no field.
Limits: `limits.HEADER` bytes and `limits.FIELDS` fields; `header_fields` alone reads whole headers, in linear time.
Never fails: what is no field is skipped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from mailsrv.message import limits

# a name and the blanks before its colon, the rest of the line and the lines that continue it; possessive, so that no input
# makes it go back
FIELD = re.compile(rb"^([^\s:]++[ \t]*+):([^\n]*+(?:\n[ \t][^\n]*+)*+)", re.MULTILINE)
_BLANKS = (b"\r\n", b"\n")


class Field(NamedTuple):
    """A field as it stands: its name in lower case, and where it begins, where its value does, and where its line end is."""

    name: bytes
    start: int
    value: int
    end: int


class Header:
    """The fields of one block: name in lower case -> their values as they stand, in the order of the fields.

    complete: no limit was met; who decides by the absence of a field asks for that too.
    found: all of them from the top as they stand, each name with the blanks behind it: what signatures are made of.
    """

    __slots__ = ("complete", "content", "end", "fields", "found", "start")

    def __init__(self, content: bytes, start: int, end: int) -> None:
        self.content, self.start, self.end = content, start, end
        self.fields: dict[bytes, list[bytes]] = {}
        found: list[tuple[bytes, bytes]] = FIELD.findall(content, start, min(end, start + limits.HEADER))
        self.complete = len(found) <= limits.FIELDS and end - start <= limits.HEADER
        self.found = found if self.complete else found[: limits.FIELDS]
        for name, value in self.found:
            key = name.lower().rstrip()
            if key in self.fields:
                self.fields[key].append(value)
            else:
                self.fields[key] = [value]

    def under(self, content: bytes, above: int) -> Header:
        """The same fields as they stand in `content`, whose first `above` bytes are fields of ours that nobody asks it for."""
        moved = Header.__new__(Header)
        moved.content, moved.start, moved.end = content, 0, self.end + above
        moved.fields, moved.found, moved.complete = self.fields, self.found, self.complete
        return moved

    def first(self, name: bytes) -> bytes | None:
        """The value of the topmost field of that name (in lower case), unfolded; None when there is none."""
        if name not in self.fields:
            return None
        value = self.fields[name][0].strip()
        return unfold(value) if b"\n" in value else value

    def every(self, name: bytes) -> list[bytes]:
        """The values of all fields of that name, unfolded, from the top."""
        return [unfold(value) for value in self.fields.get(name, ())]


def unfold(value: bytes) -> bytes:
    """A field's value on one line (RFC 5322 2.2.3), without the blanks around it."""
    return value.replace(b"\r\n", b"").replace(b"\n", b"").strip()


def fields(content: bytes) -> Iterator[Field]:
    """Every field of a whole message's header, however large, from the top."""
    for found in FIELD.finditer(content, 0, body_start(content, 0, len(content))):
        yield Field(found[1].lower().rstrip(), found.start(), found.start(2), found.end())


def without(content: bytes, unwanted: Callable[[Field], bool]) -> bytes:
    """The message without these fields; the rest byte for byte."""
    kept, position = [], 0
    for field in fields(content):
        if unwanted(field):
            kept.append(content[position : field.start])
            position = field.end + 1
    return b"".join([*kept, content[position:]]) if kept else content


def header(content: bytes) -> Header:
    """The header of a whole message."""
    return Header(content, 0, body_start(content, 0, len(content)))


def body_start(content: bytes, start: int, end: int) -> int:
    """Where the body begins: after the first blank line, or at the end when there is none."""
    if content.startswith(_BLANKS, start, end):
        return start + (1 if content.startswith(b"\n", start, end) else 2)
    crlf = content.find(b"\n\r\n", start, end)
    lf = content.find(b"\n\n", start, end if crlf < 0 else crlf + 2)
    if lf >= 0:
        return lf + 2
    return crlf + 3 if crlf >= 0 else end


def looks_like_field(content: bytes, start: int, end: int) -> bool:
    """Whether a header can begin here: a field, or the blank line that ends an empty one."""
    return content.startswith(_BLANKS, start, end) or FIELD.match(content, start, end) is not None


def header_fields(content: bytes, names: Collection[bytes | str], not_: bool = False) -> bytes:
    """BODY[HEADER.FIELDS] and, with `not_`, BODY[HEADER.FIELDS.NOT] (RFC 9051 6.4.5): bytes as they stand, and a blank line.

    `content` is a header block (or a whole message). All but the named fields includes lines that are no field.
    """
    end = body_start(content, 0, len(content))
    wanted = {name.encode("utf-8", "replace").lower() if isinstance(name, str) else name.lower() for name in names}
    spans = [(field.start, field.end) for field in fields(content) if field.name in wanted]
    pieces = (
        _between(content, spans, end)
        if not_
        else [content[start : _line_end(content, stop, end)] for start, stop in spans]
    )
    return b"".join([*(piece if piece.endswith(b"\n") or not piece else piece + b"\r\n" for piece in pieces), b"\r\n"])


def _between(content: bytes, spans: list[tuple[int, int]], end: int) -> list[bytes]:
    """What is left of a header without these fields and its blank line."""
    pieces, position = [], 0
    for start, stop in spans:
        pieces.append(content[position:start])
        position = _line_end(content, stop, end)
    last = content[position:end]
    return [*pieces, _without_blank_line(last) if end > position else b""]


def _without_blank_line(block: bytes) -> bytes:
    for blank in (b"\n\r\n", b"\n\n"):
        if block.endswith(blank):
            return block[: 1 - len(blank)]
    return b"" if block in (b"\r\n", b"\n") else block


def _line_end(content: bytes, position: int, end: int) -> int:
    """After the line end that follows a field's value (whose CR belongs to the match)."""
    return position + 1 if position < end else end
