"""A message's MIME structure with byte offsets, from one bounded scan; nothing is copied but headers. Pure.

Standards: RFC 2045, 2046 5.1 (boundaries), 5.2.1 (message/rfc822), RFC 6532 (message/global). Ends of line may be bare LF.

    message          header | body                         a part ends before the line end that precedes its boundary
    multipart        header | preamble (part)* epilogue     no boundary to be found: one text part, so that it can be read
    message/rfc822   header | header body                   `embedded` is the message inside

Boundaries are whole lines, so that a boundary may be another's beginning; an outer one ends everything inside it.
Limits: `limits.DEPTH`, `PARTS`, `BOUNDARY`, `WORK`; beyond them a part is opaque. Never fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailsrv.message import limits
from mailsrv.message.header import Header, body_start, looks_like_field
from mailsrv.message.parameters import MESSAGE, OPAQUE, PLAIN, Media, media

_REST_OF_DELIMITER = re.compile(rb"(--)?[ \t]*+\r?(?:\n|\Z)")
_TOKEN = re.compile(rb"[A-Za-z0-9._+-]+")
_MESSAGES = (b"RFC822", b"GLOBAL")


class Part:
    """A message or a part of one. `start`: of its header, `body`: of its body, `end`: of both. Encoding in upper case."""

    __slots__ = ("body", "children", "embedded", "encoding", "end", "header", "lines", "media", "number", "start")

    def __init__(self, header: Header, body: int, end: int, media: Media) -> None:
        self.header, self.start, self.body, self.end, self.media = header, header.start, body, end, media
        self.number = ""
        self.lines = 0  # of text and messages only
        self.children: list[Part] = []
        self.embedded: Part | None = None
        value = header.first(b"content-transfer-encoding")
        encoding = _TOKEN.search(value) if value else None
        self.encoding = encoding[0].upper() if encoding else b"7BIT"

    @property
    def size(self) -> int:
        return self.end - self.body

    def leaves(self) -> Iterator[Part]:
        """All parts that hold content themselves, in order, those of messages inside too."""
        for child in self.children or ((self.embedded,) if self.embedded else ()):
            yield from child.leaves()
        if not self.children and not self.embedded:
            yield self


def scan(content: bytes, head: Header | None = None) -> Part:
    """The whole message as a part, numbered by RFC 9051 6.4.5. head: its header, where that has been read."""
    root = _Scan(content).entity(0, len(content), PLAIN, 0, head)
    _number(root, "")
    return root


class _Scan:
    """What is left of the limits while one message is taken apart."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.parts = 0
        self.work = limits.WORK * len(content) + 2**20

    def entity(self, start: int, end: int, default: Media, depth: int, head: Header | None = None) -> Part:
        """A message or a part between two offsets, with all inside it."""
        self.parts += 1
        header = head or self._header(start, end, depth)
        part = Part(header, header.end, end, media(header.first(b"content-type"), default))
        if part.media.type == b"TEXT":
            part.lines = self._count(part)
        elif part.media.type in (b"MULTIPART", b"MESSAGE"):
            self._open(part, depth)
        return part

    def _header(self, start: int, end: int, depth: int) -> Header:
        headless = depth > 0 and not looks_like_field(self.content, start, end)
        return Header(self.content, start, start if headless else body_start(self.content, start, end))

    def _open(self, part: Part, depth: int) -> None:
        is_message = part.media.type == b"MESSAGE"
        if is_message and part.media.subtype not in _MESSAGES:
            return
        if depth >= limits.DEPTH or self.parts >= limits.PARTS or self.work < part.size:
            part.media = OPAQUE
        elif is_message:
            part.lines = self._count(part)
            part.embedded = self.entity(part.body, part.end, PLAIN, depth + 1)
        else:
            part.children = self._children(part, depth + 1) or [self._unread(part)]

    def _count(self, part: Part) -> int:
        self.work -= part.size
        return self.content.count(b"\n", part.body, part.end)

    def _children(self, part: Part, depth: int) -> list[Part]:
        default = MESSAGE if part.media.subtype == b"DIGEST" else PLAIN
        spans = self._spans(part.media.get(b"BOUNDARY"), part.body, part.end)
        return [self.entity(start, end, default, depth) for start, end in spans]

    def _unread(self, part: Part) -> Part:
        """The body of a multipart in which no part was found, as text."""
        self.parts += 1
        whole = Part(Header(self.content, part.body, part.body), part.body, part.end, PLAIN)
        whole.lines = self._count(whole)
        return whole

    def _spans(self, boundary: bytes, body: int, end: int) -> list[tuple[int, int]]:
        """Where the parts of a multipart begin and end; the last one allowed goes on to the end."""
        boundary = boundary.rstrip(b" \t")
        if not boundary or len(boundary) > limits.BOUNDARY:
            return []
        self.work -= end - body
        spans: list[tuple[int, int]] = []
        begun = -1
        for stop, after, closing in self._delimiters(b"\n--" + boundary, body, end):
            if begun >= 0:
                if not closing and self.parts + len(spans) + 1 >= limits.PARTS:
                    break
                spans.append((begun, max(begun, stop)))
            begun = -1 if closing else after
            if closing:
                break
        return [*spans, (begun, end)] if begun >= 0 else spans

    def _delimiters(self, needle: bytes, body: int, end: int) -> Iterator[tuple[int, int, bool]]:
        """Each delimiter line: where what precedes it ends, where the next line begins, whether it closes."""
        content = self.content
        at = content.find(needle, max(body - 1, 0), end)  # a body is preceded by its blank line's end
        while at >= 0:
            self.work -= limits.CANDIDATE
            rest = _REST_OF_DELIMITER.match(content, at + len(needle), end)
            if rest:
                yield (at - 1 if content[at - 1 : at] == b"\r" else at), rest.end(), rest[1] is not None
            if self.work < 0:
                return
            at = content.find(needle, rest.end() - 1 if rest else at + 1, end)


def _number(message: Part, prefix: str) -> None:
    """Part numbers of a message: its own is empty or the part's that holds it."""
    message.number = prefix
    if message.children:
        _number_children(message, prefix)
    elif message.embedded:
        _number(message.embedded, f"{prefix}.1" if prefix else "1")


def _number_children(multipart: Part, prefix: str) -> None:
    for place, child in enumerate(multipart.children, 1):
        child.number = f"{prefix}.{place}" if prefix else str(place)
        if child.children:
            _number_children(child, child.number)
        elif child.embedded:
            _number(child.embedded, child.number)
