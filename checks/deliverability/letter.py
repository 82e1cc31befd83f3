"""A message taken apart for scoring: header, texts, pages, attached files. Pure.

Standards: RFC 5322, 2045 to 2047, 2183. Never fails. Limits: those of `mailsrv.message.limits`; TEXT octets of a part and PIECES
parts are read as text; what lies beyond is counted only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from checks.deliverability.html import Page
from mailsrv.message import charsets, parameters, transfer, words
from mailsrv.message.header import Header, header
from mailsrv.message.scan import Part, scan

TEXT = 1 << 20
PIECES = 50


@dataclass(frozen=True, slots=True)
class File:
    """An attached file. name: as the message has it, "" for none.  size: in octets as they travel."""

    name: str
    type: str
    size: int


@dataclass(frozen=True)
class Letter:
    """One message; `content` has CRLF."""

    content: bytes

    @cached_property
    def head(self) -> Header:
        return header(self.content)

    @cached_property
    def root(self) -> Part:
        return scan(self.content)

    @cached_property
    def leaves(self) -> tuple[Part, ...]:
        return tuple(self.root.leaves())

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """What stands in text/plain parts that are no files."""
        return tuple(_text(part) for part in self._shown(b"PLAIN"))

    @cached_property
    def pages(self) -> tuple[Page, ...]:
        return tuple(Page(_text(part)) for part in self._shown(b"HTML"))

    @cached_property
    def files(self) -> tuple[File, ...]:
        """Everything that is no text to be read in place, in order."""
        return tuple(_file(part) for part in self.leaves if part.media.type != b"TEXT" or _name(part))

    @property
    def alternative(self) -> bool:
        """Whether a part anywhere says the same in several ways."""
        return b"ALTERNATIVE" in {part.media.subtype for part in _multiparts(self.root)}

    @property
    def words(self) -> str:
        """What a reader reads: the plain text, else the page's."""
        return "\n".join(self.texts) or "\n".join(page.text for page in self.pages)

    def value(self, name: bytes) -> str:
        """A field as people read it; "" for none."""
        return words.text(self.head.first(name) or b"")

    def _shown(self, subtype: bytes) -> list[Part]:
        found = (part for part in self.leaves if part.media.type == b"TEXT" and part.media.subtype == subtype)
        return [part for part in found if not _name(part)][:PIECES]


def body_of(part: Part) -> bytes:
    """Its first TEXT octets without transfer encoding; as they stand when nobody knows the encoding."""
    source = part.header.content[part.body : min(part.end, part.body + TEXT)]
    found = transfer.decoded(part.encoding, source)
    return source if found is None else found


def charset_of(part: Part) -> str:
    return part.media.get(b"CHARSET").decode("ascii", "replace").strip().lower()


def _text(part: Part) -> str:
    return charsets.text(body_of(part), charset_of(part))


def _name(part: Part) -> str:
    said = parameters.disposition(part.header.first(b"content-disposition"))
    name = (said and parameters.get(said[1], b"FILENAME")) or part.media.get(b"NAME")
    attached = said is not None and said[0] == b"ATTACHMENT"
    return words.text(name) if name else "(without a name)" if attached else ""


def _file(part: Part) -> File:
    kind = b"%b/%b" % (part.media.type, part.media.subtype)
    return File(_name(part), kind.decode("ascii", "replace").lower(), part.size)


def _multiparts(part: Part) -> list[Part]:
    return [part, *(deeper for child in part.children for deeper in _multiparts(child))] if part.children else []
