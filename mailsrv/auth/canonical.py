"""The one form of a header and a body that signer and verifier both hash: simple and relaxed. Pure.

Standard: RFC 6376 3.4 and 3.7. Content is taken with CRLF as its line end, as SMTP carries it; nothing else ends a line of a body.
Time and memory are linear in the content, whatever it is: each pass runs in C, and a body is taken in pieces of lines.
Limits: `readable` says which headers a verifier reads. Never fails.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from operator import methodcaller

from mailsrv.message.header import FIELD, Header, body_start

PIECE = 256 << 10  # octets of a body that are rewritten at once: they stay in a processor's cache
LARGEST_HEADER = 1 << 20  # octets; ten thousand recipients fit
MOST_LINES = 20_000
SHORT = 16 << 10  # octets of a field whose words may all be objects of their own
MOST_KEPT = 512  # a mailer's headers have one shape
FEW = 100  # names of a shape that is kept
PASSES = 3  # each halves all runs of blanks; what is longer then is rare enough for a regular expression
CRLF = b"\r\n"
_BLANKS = re.compile(rb"  +")
_BEGINS_BLANK = methodcaller("startswith", b" ")
_EMPTY_LINES = re.compile(rb"(?:\n\r)*+")  # of a text that is read from its end
# RFC 6376 3.7: the value of b= and all blanks around it count as not there
_SIGNATURE_FIRST = re.compile(rb"([ \t\r\n]*+b[ \t\r\n]*+=)[^;]*+")
_SIGNATURE = re.compile(rb"(;[ \t\r\n]*+b[ \t\r\n]*+=)[^;]*+")


def readable(content: bytes, head: Header | None = None) -> bool:
    """Whether the header is small enough for a stranger's signatures to be looked at: reading it keeps others waiting."""
    end = head.end if head else body_start(content, 0, len(content))
    return end <= LARGEST_HEADER and content.count(b"\n", 0, end) <= MOST_LINES


def mentions(content: bytes, *names: bytes) -> bool:
    """Whether the header may have a field of one of these names (in lower case); unsigned mail is done with here."""
    head = content[: body_start(content, 0, len(content))].lower()
    return any([name in head for name in names])  # noqa: C419 - a list costs less than a generator


class Fields:
    """The fields of a header, from the top; each is brought into a form once, however many signatures name it.

    head: the header of `content`, complete, where that has been read.
    """

    __slots__ = ("_keys", "_plain", "_relaxed", "_simple", "body", "found", "places")

    def __init__(self, content: bytes, head: Header | None = None) -> None:
        self.body = head.end if head else body_start(content, 0, len(content))
        self.found: list[tuple[bytes, bytes]] = head.found if head else FIELD.findall(content, 0, self.body)
        self.places: dict[bytes, list[int]] = {}
        places = self.places
        self._keys = [name.lower().rstrip() for name, _ in self.found]
        for place, key in enumerate(self._keys):
            if key in places:
                places[key].append(place)
            else:
                places[key] = [place]
        self._plain = _is_plain(content, self.body)
        self._relaxed: dict[int, bytes] = {}
        self._simple: dict[int, bytes] = {}

    def named(self, name: bytes) -> list[int]:
        """Where the fields of that name (in lower case) stand, from the top."""
        return self.places.get(name, [])

    def value(self, place: int) -> bytes:
        """As it stands, folded, without the line end."""
        return self.found[place][1].removesuffix(b"\r")

    def chosen(self, names: Iterable[bytes], relaxed: bool) -> bytes:
        """The fields that h= means, in their form: each time a name stands there, the next one from the bottom (5.4.2)."""
        if relaxed and not self._relaxed:
            self._relax()
        signed, keys = tuple(names), tuple(self._keys)
        places = _kept_meant(signed, keys) if len(signed) + len(keys) <= FEW else _meant(signed, keys)
        return b"".join([self.form(place, relaxed) for place in places])

    def form(self, place: int, relaxed: bool) -> bytes:
        """One field in its form, with a line end."""
        made = self._relaxed if relaxed else self._simple
        form = made.get(place)
        if form is None:
            form = made[place] = self._form(*self.found[place], relaxed)
        return form

    def _relax(self) -> None:
        """All fields of a usual header at once: a few passes in C, where each field alone takes several steps."""
        values = b"\0".join([value for _, value in self.found])
        if not self._plain or len(values) > SHORT or values.count(b"\0") >= len(self.found):
            return
        pieces = b" ".join(values.split()).split(b"\0")
        forms = [b"%b:%b\r\n" % (key, piece.strip(b" ")) for key, piece in zip(self._keys, pieces, strict=True)]
        self._relaxed = dict(enumerate(forms))

    def unsigned(self, place: int, relaxed: bool) -> bytes:
        """A signature's own field in its form, its b= empty, without a line end (RFC 6376 3.7)."""
        name, value = self.found[place]
        value = value.removesuffix(b"\r")
        own = _SIGNATURE_FIRST.match(value) or _SIGNATURE.search(value)
        if own:
            value = value[: own.end(1)] + value[own.end() :]
        return self._form(name, value, relaxed).removesuffix(CRLF)

    def _form(self, name: bytes, value: bytes, relaxed: bool) -> bytes:
        if not relaxed:
            return b"%b:%b\r\n" % (name, value.removesuffix(b"\r"))
        if self._plain and len(value) <= SHORT:
            return name.lower().rstrip() + b":" + b" ".join(value.split()) + CRLF
        return b"%b:%b\r\n" % (name.lower().rstrip(), _relaxed_value(value))


def _meant(signed: Iterable[bytes], keys: Iterable[bytes]) -> list[int]:
    """Where the fields stand that h= means, in a header of these names."""
    left: dict[bytes, list[int]] = {}
    for place, key in enumerate(keys):
        left.setdefault(key, []).append(place)
    return [left[name].pop() for name in signed if left.get(name)]


_kept_meant = lru_cache(MOST_KEPT)(_meant)


def relaxed_field(name: bytes, value: bytes) -> bytes:
    """A field of ours in relaxed form, with its line end."""
    return b"%b:%b\r\n" % (name.lower(), _relaxed_value(value))


def body_hash(content: bytes, start: int, relaxed: bool) -> bytes:
    """SHA-256 of the body, which begins at `start`, in its form (RFC 6376 3.4.3, 3.4.4)."""
    digest = hashlib.sha256()
    empty_lines, seen = 0, not relaxed  # a body of nothing is one line end in simple form, and nothing in relaxed form
    for piece in _pieces(content, start):
        formed = _relaxed_lines(piece) if relaxed else piece
        kept = _end_of_text(formed)
        if kept:
            if empty_lines:
                digest.update(CRLF * empty_lines)
            digest.update(memoryview(formed)[:kept])
            empty_lines, seen = 0, True
        empty_lines += (len(formed) - kept) // 2
    if seen:
        digest.update(CRLF)
    return digest.digest()


def _is_plain(content: bytes, end: int) -> bool:
    """Whether blanks and line ends are all the white space that this header has."""
    return (
        content.find(b"\v", 0, end) < 0
        and content.find(b"\f", 0, end) < 0
        and content.count(b"\r", 0, end) == content.count(CRLF, 0, end)
    )


def _relaxed_value(value: bytes) -> bytes:
    unfolded = value.removesuffix(b"\r").replace(CRLF, b"").replace(b"\n", b"")
    return _single_blanks(unfolded).strip(b" ")


def _pieces(content: bytes, start: int) -> Iterator[bytes]:
    """A body in pieces of whole lines."""
    end = len(content)
    while start < end:
        line_end = content.find(CRLF, start + PIECE) if start + PIECE < end else -1
        stop = line_end + 2 if line_end >= 0 else end
        yield content[start:stop]
        start = stop


def _relaxed_lines(lines: bytes) -> bytes:
    formed = _single_blanks(lines)
    if b" \r\n" in formed:
        formed = formed.replace(b" \r\n", CRLF)
    return formed.removesuffix(b" ")


def _single_blanks(text: bytes) -> bytes:
    """Every run of blanks as one space."""
    if b"\t" in text:
        text = text.replace(b"\t", b" ")
    for _ in range(PASSES):
        if b"  " not in text:
            return text
        pieces = text.split(b"  ")  # and joined again: half of what `replace` costs, which looks through it twice
        text = b" ".join(pieces)
        if b"" not in pieces and not any(map(_BEGINS_BLANK, pieces)):  # no run was longer than two
            return text
    return _BLANKS.sub(b" ", text)


def _end_of_text(lines: bytes) -> int:
    """Where the line ends that end a text begin."""
    if not lines.endswith(b"\r\n\r\n"):
        return len(lines) - 2 if lines.endswith(CRLF) else len(lines)
    rest = lines[len(lines.rstrip(CRLF)) :]
    return len(lines) - _EMPTY_LINES.match(rest[::-1]).end()  # type: ignore[union-attr]
