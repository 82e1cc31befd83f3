"""BODY and BODYSTRUCTURE as IMAP text, and the part numbers with their offsets, from which every section is answered. Pure.

Standard: RFC 9051 7.5.2 (fetch BODYSTRUCTURE) and 6.4.5 (sections), RFC 3516 (BINARY). Text without a charset is said to
be US-ASCII, as its default is (RFC 2045 5.2).

`parts` is JSON: {"": [0, body, end, encoding], "1": [header, body, end, encoding], "2": [header, body, end, encoding, text]}
The fifth number stands for a message inside: where its own body begins ("2.TEXT"; "2.HEADER" is from `body` to there).
A message that is no multipart has its body as part 1 (in it: "1"; inside part 2: "2.1").
Fails by a value: `section` gives None where no such part is.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import NamedTuple

from mailsrv.message import limits
from mailsrv.message.envelope import envelope
from mailsrv.message.imaptext import NIL, nstring, string
from mailsrv.message.parameters import MOST_KEPT, SHORT, Media, Parameters, disposition
from mailsrv.message.scan import Part

_US_ASCII = b'("CHARSET" "US-ASCII")'
_LANGUAGE = re.compile(rb"[A-Za-z0-9-]++")
_SPEC = re.compile(r"((?:[1-9][0-9]{0,9}(?:\.|\Z))*+)(?:(HEADER|TEXT|MIME)(?:\.FIELDS(?:\.NOT)?)?)?\Z", re.IGNORECASE)


class Row(NamedTuple):
    """A part's line in the table."""

    start: int
    body: int
    end: int
    encoding: str
    text: int | None = None


def structures(part: Part) -> tuple[bytes, bytes]:
    """BODY and BODYSTRUCTURE."""
    if part.children:
        return _multipart(part)
    head = _head(part)
    inner: tuple[bytes, bytes] = (b"", b"")
    if part.embedded:
        letter = envelope(part.embedded.header)
        basic, extended = structures(part.embedded)
        inner = (b" %b %b %d" % (letter, basic, part.lines), b" %b %b %d" % (letter, extended, part.lines))
    elif part.media.type == b"TEXT":
        lines = b" %d" % part.lines
        inner = (lines, lines)
    md5 = part.header.first(b"content-md5")
    return head + inner[0] + b")", b"%b%b %b %b)" % (head, inner[1], nstring(md5), _extension(part))


def _multipart(part: Part) -> tuple[bytes, bytes]:
    both = [structures(child) for child in part.children]
    subtype = string(part.media.subtype)
    basic = b"(%b %b)" % (b"".join([one for one, _ in both]), subtype)
    extended = b"".join([one for _, one in both])
    return basic, b"(%b %b %b %b)" % (extended, subtype, _parameters(part.media.parameters), _extension(part))


def _head(part: Part) -> bytes:
    """The fields every part has that is no multipart, without the closing parenthesis."""
    first, media = part.header.first, part.media
    size = len(media.type) + len(media.subtype) + sum([len(name) + len(value) for name, value in media.parameters])
    return b"(%b %b %b %b %d" % (
        _kept_kind(media) if size <= SHORT else _kind(media),
        nstring(first(b"content-id")),
        nstring(first(b"content-description")),
        string(part.encoding),
        part.size,
    )


def _kind(media: Media) -> bytes:
    """Type, subtype and parameters."""
    shown = _parameters(media.parameters)
    if media.type == b"TEXT" and not media.get(b"CHARSET"):
        shown = _US_ASCII if shown is NIL else _US_ASCII[:-1] + b" " + shown[1:]
    return b"%b %b %b" % (string(media.type), string(media.subtype), shown)


_kept_kind = lru_cache(MOST_KEPT)(_kind)


def _extension(part: Part) -> bytes:
    """Disposition, language and location."""
    fields = part.header.fields
    if not (b"content-disposition" in fields or b"content-language" in fields or b"content-location" in fields):
        return b"NIL NIL NIL"
    first = part.header.first
    word = disposition(first(b"content-disposition"))
    shown = b"(%b %b)" % (string(word[0]), _parameters(word[1])) if word else NIL
    return b"%b %b %b" % (shown, _languages(first(b"content-language")), nstring(first(b"content-location")))


def _languages(value: bytes | None) -> bytes:
    found = [string(one) for one in _LANGUAGE.findall(value or b"")[: limits.LANGUAGES]]
    if len(found) > 1:
        return b"(%b)" % b" ".join(found)
    return found[0] if found else NIL


def _parameters(pairs: Parameters) -> bytes:
    if not pairs:
        return NIL
    return b"(%b)" % b" ".join([string(name) + b" " + string(value) for name, value in pairs])


def parts(message: Part) -> str:
    """The table of offsets, as JSON."""
    table = {"": Row(0, message.body, message.end, _encoding(message))}
    _enter(message, table)
    rows = [f'"{number}":{_row_text(row)}' for number, row in table.items()]
    return "{" + ",".join(rows) + "}"


def _row_text(row: Row) -> str:
    text = "" if row.text is None else f",{row.text}"
    return f'[{row.start},{row.body},{row.end},"{row.encoding}"{text}]'  # an encoding is letters, digits and "._+-"


def _enter(message: Part, table: dict[str, Row]) -> None:
    """The numbered parts of a message, which may stand inside another."""
    if message.children:
        _enter_children(message, table)
    else:
        _enter_one(message, f"{message.number}.1" if message.number else "1", table)


def _enter_children(multipart: Part, table: dict[str, Row]) -> None:
    for child in multipart.children:
        _enter_one(child, child.number, table)
        if child.children:
            _enter_children(child, table)


def _enter_one(part: Part, number: str, table: dict[str, Row]) -> None:
    text = part.embedded.body if part.embedded else None
    table[number] = Row(part.start, part.body, part.end, _encoding(part), text)
    if part.embedded:
        _enter(part.embedded, table)


def _encoding(part: Part) -> str:
    return part.encoding.decode("ascii", "replace").lower()


def section(parts: str, spec: str) -> tuple[int, int] | None:
    """Where a section stands, as start and length: "", "HEADER", "TEXT", "1.2", "1.2.MIME", "2.HEADER", "2.TEXT".

    HEADER.FIELDS gives the header it picks from. None: there is no such part, or this part has no such section.
    """
    found = _SPEC.match(spec)
    row = _row(parts, found[1]) if found else None
    if found is None or row is None or (spec.endswith(".") and not found[2]):
        return None
    number, word = found[1], (found[2] or "").upper()
    span = _of_part(row, word) if number else _of_message(row, word)
    return (span[0], span[1] - span[0]) if span else None


def _of_message(row: Row, word: str) -> tuple[int, int] | None:
    return {"": (row.start, row.end), "HEADER": (row.start, row.body), "TEXT": (row.body, row.end)}.get(word)


def _of_part(row: Row, word: str) -> tuple[int, int] | None:
    """HEADER and TEXT are of the message inside; a part that is none has neither."""
    if word in ("", "MIME"):
        return (row.start, row.body) if word else (row.body, row.end)
    if row.text is None:
        return None
    return (row.body, row.text) if word == "HEADER" else (row.text, row.end)


def encoding(parts: str, number: str) -> str | None:
    """The transfer encoding of a part in lower case, for BINARY; None: there is no such part."""
    row = _row(parts, number)
    return row.encoding if row else None


def _row(parts: str, number: str) -> Row | None:
    """One line of the table, without reading the others: a message may have a thousand."""
    key = f'"{number.rstrip(".")}":['
    at = parts.find(key)
    if at < 0:
        return None
    return Row(*json.loads(parts[at + len(key) - 1 : parts.index("]", at) + 1]))
