"""Authentication-Results: what we found, written for those who read the mail; and others' fields, read, or taken away.

    Results.of(verdicts, "mx1.example.org")     ->  str(...) for a field of our own and for ARC, `field` for the whole field
    Results.parse(text)                         ->  what a sealer says that it saw
    without_forged(content, "mx1.example.org")  ->  the message without fields that claim to be ours

Standards: RFC 8601 2.2 (grammar), 2.7 (methods), 5 (forged fields), RFC 8617 (arc), RFC 6008 (header.b), RFC 6532.
What a peer chose stands as a plain word or in quotes, without control characters and at most LONGEST_VALUE long.
Limits when reading: LONGEST octets, MOST_STATEMENTS; comments nest by a counter. Never fails; `parse` gives None for no such field.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from dnsops.base.errors import ForUser
from dnsops.records import names
from mailsrv.auth.signature import SHOWN
from mailsrv.auth.verdicts import Arc, Authentication, Dkim, Dmarc, Iprev, Result, Spf, unmarked
from mailsrv.message import compose
from mailsrv.message.header import body_start

NAME = b"authentication-results"
LONGEST = 64 << 10
LONGEST_VALUE = 255
LONGEST_COMMENT = 120
MOST_STATEMENTS = 100
MOST_PROPERTIES = 16
MOST_KEPT = 1024  # statements whose lines are kept
MOST_OF_A_NAME = 300  # words and marks
_B, _ANY_B = "header.b", "." * SHOWN
_FIELD = re.compile(rb"^authentication-results[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)\n?", re.MULTILINE | re.IGNORECASE)
# RFC 2045 5.1: a token; and LOCAL@DOMAIN as RFC 8601 2.2 lets it stand in a property
_TOKEN = re.compile(r"[!#$%&'*+.0-9A-Z^_`a-z{|}~-]+\Z")
_ADDRESS = re.compile(r"(?:[!#$%&'*+/=?^_`{|}~0-9A-Za-z-]+(?:\.[!#$%&'*+/=?^_`{|}~0-9A-Za-z-]+)*)?@[0-9A-Za-z._-]+\Z")
_PIECE = re.compile(
    r"""(?P<gap>[ \t\r\n]++)|(?P<open>\()|(?P<close>\))|"(?P<quoted>(?:[^"\\]++|\\.)*+)"|(?P<mark>[;=/@.])
      |(?P<word>[^ \t\r\n()";=/@.\\]++)|(?P<stray>.)""",
    re.VERBOSE | re.DOTALL,
)
_IN_COMMENT = re.compile(r"[()]|\\.", re.DOTALL)
_PAIR = re.compile(r"\\(.)", re.DOTALL)
_HARMLESS = str.maketrans('"\\;()', "'/,[]")
_UNFOLDED = {code: " " if chr(code) in "\t\r\n" else None for code in (*range(32), *range(127, 160))}


@dataclass(frozen=True, slots=True)
class Statement:
    """One method's result. properties: (`smtp.mailfrom`, value) and others, values without their quotes."""

    method: str
    result: str
    properties: tuple[tuple[str, str], ...] = ()
    comment: str = ""
    reason: str = ""

    def get(self, name: str) -> str:
        """A property's value; "" where there is none."""
        return next((value for given, value in self.properties if given == name), "")

    def __str__(self) -> str:
        words = [f"{self.method}={self.result}"]
        if self.comment:
            words.append(f"({_commented(self.comment)})")
        if self.reason:
            words.append(f"reason={_quoted(self.reason)}")
        return " ".join(words + [f"{name}={_value(value)}" for name, value in self.properties if value])

    @property
    def folded(self) -> bytes:
        """As lines of a field, after the first one."""
        return compose.folded(str(self))


@dataclass(frozen=True, slots=True)
class Results:
    """A whole field: whose it is (authserv-id, without quotes), and what each method found."""

    server: str
    statements: tuple[Statement, ...] = ()

    @classmethod
    def of(cls, found: Authentication, server: str, address: str = "") -> Results:
        """What our own verdicts come to. `address`: the client's, "" where it is nobody's business."""
        return cls(server, tuple(_statements(found, address)))

    @classmethod
    def parse(cls, text: str) -> Results | None:
        """The value of an Authentication-Results, or of an ARC-Authentication-Results after its instance."""
        parts = _parts(text) if len(text) <= LONGEST else None
        server = _server(parts[0]) if parts else None
        if parts is None or server is None or len(parts) > MOST_STATEMENTS:
            return None
        read = [_statement(part) for part in parts[1:]]
        return cls(server, tuple(statement for statement in read if statement))

    def every(self, method: str) -> Iterator[Statement]:
        return (statement for statement in self.statements if statement.method == method)

    def __str__(self) -> str:
        """On one line; `field` folds it, and so does `arc.seal`."""
        return "; ".join([_value(self.server), *(map(str, self.statements) if self.statements else ["none"])])

    @property
    def field(self) -> bytes:
        """With its name and line end, to be put above the message: each method begins a line."""
        if not self.statements:
            return compose.field("Authentication-Results", str(self))
        return b";\r\n".join([_named(self.server), *self._lines]) + b"\r\n"

    @property
    def _lines(self) -> list[bytes]:
        """Of most methods the next message will say the same."""
        return [_lines_of_signature(one) if one.method == "dkim" else _kept_lines(one) for one in self.statements]


@lru_cache(16)
def _named(server: str) -> bytes:
    """The first line; a process has one name."""
    return compose.field("Authentication-Results", _value(server))[:-2]


def _lines_of_signature(statement: Statement) -> bytes:
    """The next one by this signer differs in header.b alone, which is last, and mostly a word as long as any other."""
    *others, (name, b) = statement.properties or [("", "")]
    if name != _B or len(b) != len(_ANY_B) or not _TOKEN.match(b):
        return statement.folded
    alike = (*others, (_B, _ANY_B))
    lines = _kept_lines(Statement(statement.method, statement.result, alike, statement.comment, statement.reason))
    return lines[: -len(_ANY_B)] + b.encode()


@lru_cache(MOST_KEPT)
def _kept_lines(statement: Statement) -> bytes:
    return statement.folded


def without_forged(content: bytes, server: str) -> bytes:
    """The message without each Authentication-Results that claims our name, in any spelling; the rest byte for byte.

    A field whose name cannot be read, but in which ours stands, goes too (RFC 8601 5).
    """
    end = body_start(content, 0, len(content))
    if NAME not in content[:end].lower():
        return content
    ours = _canonical(server)
    kept, position = [], 0
    for field in _FIELD.finditer(content, 0, end):
        if _claims(field[1], ours):
            kept.append(content[position : field.start()])
            position = field.end()
    return b"".join([*kept, content[position:]]) if position else content


def _claims(value: bytes, ours: str) -> bool:
    text = value.decode("utf-8", "replace").translate(_UNFOLDED)
    pieces = _head(text)
    server = _server(pieces) if pieces is not None else None
    if server is not None:
        return _canonical(server) == ours
    told = text if pieces is None else "".join(piece.text for piece in pieces)
    return ours in "".join(told.lower().split())


def _canonical(server: str) -> str:
    """One spelling for a name: case, IDN forms, a final dot."""
    try:
        return names.canonical(server)
    except ForUser:
        return server.strip().lower().removesuffix(".")


# what we write


def _statements(found: Authentication, address: str) -> Iterator[Statement]:
    if found.iprev.result is not Result.NONE:
        yield _iprev(found.iprev, address)
    for spf in (found.helo, found.mail):
        if spf.result is not Result.NONE or spf.domain:
            yield _spf(spf)
    if found.dkim:
        yield from (_dkim(one) for one in found.dkim)
    else:
        yield Statement("dkim", "none")
    if found.arc.result is not Result.NONE:
        yield _arc(found.arc)
    if found.dmarc.domain:
        yield _dmarc(found.dmarc)


@lru_cache(MOST_KEPT)
def _iprev(found: Iprev, address: str) -> Statement:
    return Statement("iprev", found.result.value, (("policy.iprev", address),), found.name, found.why)


@lru_cache(MOST_KEPT)
def _spf(found: Spf) -> Statement:
    name = "smtp.helo" if found.helo else "smtp.mailfrom"
    return Statement("spf", found.result.value, ((name, found.identity or found.domain),), reason=found.why)


def _dkim(found: Dkim) -> Statement:
    kept = _of_signer(*unmarked((found,)))
    return Statement(kept.method, kept.result, (*kept.properties, (_B, found.b)), kept.comment, kept.reason)


@lru_cache(MOST_KEPT)
def _of_signer(found: Dkim) -> Statement:
    """All but header.b."""
    notes = [f"{found.bits} bits" if found.bits else "", "testing" if found.testing else ""]
    properties = (
        ("header.d", found.domain),
        ("header.i", found.identity),
        ("header.s", found.selector),
        ("header.a", found.algorithm),
    )
    return Statement("dkim", found.result.value, properties, ", ".join(filter(None, notes)), found.why)


def _arc(found: Arc) -> Statement:
    newest = f"i={found.seals[-1].instance} d={found.seals[-1].domain}" if found.seals else ""
    return Statement("arc", found.result.value, (), newest, found.why)


@lru_cache(MOST_KEPT)
def _dmarc(found: Dmarc) -> Statement:
    wish = f"p={found.wish.value}" if found.record else ""
    return Statement("dmarc", found.result.value, (("header.from", found.domain),), wish, found.why)


def _value(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE and (_TOKEN.match(text) or _ADDRESS.match(text)) else _quoted(text)


def _quoted(text: str) -> str:
    """In quotes, without what could end them for a reader who knows no quoted pairs, or none at all."""
    return '"' + compose.one_line(text[:LONGEST_VALUE]).translate(_HARMLESS) + '"'


def _commented(text: str) -> str:
    return compose.one_line(text[:LONGEST_COMMENT]).translate(_HARMLESS)


# what others wrote


@dataclass(frozen=True, slots=True)
class _Piece:
    """A word (quoted or not), or a mark; comments and blanks are left out. after_gap: it does not touch what is before it."""

    text: str
    mark: bool
    after_gap: bool


def _scan(text: str) -> Iterator[_Piece | None]:
    """Words and marks; None at its end for what is no sequence of words, marks and whole comments."""
    position, gap = 0, False
    while position < len(text):
        piece = _PIECE.match(text, position)
        end = piece.end() if piece else None
        if piece and piece.lastgroup == "open":
            end = _comment_end(text, position + 1)
        if piece is None or end is None or piece.lastgroup in ("close", "stray"):
            yield None
            return
        position = end
        if piece.lastgroup in ("gap", "open"):
            gap = True
            continue
        quoted = piece["quoted"]
        told = piece.group() if quoted is None else _PAIR.sub(r"\1", quoted)
        yield _Piece(told, piece.lastgroup == "mark", gap)
        gap = False


def _head(text: str) -> list[_Piece] | None:
    """What stands before the first semicolon; None for what cannot be read, or is too much to be a name."""
    found: list[_Piece] = []
    for piece in _scan(text[:LONGEST]):
        if piece is None or len(found) >= MOST_OF_A_NAME:
            return None
        if piece.mark and piece.text == ";":
            return found
        found.append(piece)
    return found if len(text) <= LONGEST else None


def _comment_end(text: str, position: int) -> int | None:
    depth = 1
    for mark in _IN_COMMENT.finditer(text, position):
        depth += {"(": 1, ")": -1}.get(mark.group(), 0)
        if not depth:
            return mark.end()
    return None


def _parts(text: str) -> list[list[_Piece]] | None:
    """The pieces between semicolons; None for what cannot be read."""
    parts: list[list[_Piece]] = [[]]
    for piece in _scan(text):
        if piece is None:
            return None
        if piece.mark and piece.text == ";":
            parts.append([])
        else:
            parts[-1].append(piece)
    return parts


def _joined(pieces: list[_Piece]) -> tuple[str, int]:
    """The first value, of pieces that touch each other, and how many they are."""
    count = next((n for n, piece in enumerate(pieces) if n and piece.after_gap), len(pieces))
    return "".join(piece.text for piece in pieces[:count]), count


def _server(pieces: list[_Piece]) -> str | None:
    """authserv-id, and perhaps a version."""
    if not pieces:
        return None
    name, count = _joined(pieces)
    rest = pieces[count:]
    return name if not rest or (len(rest) == 1 and rest[0].text.isdigit()) else None


def _statement(pieces: list[_Piece]) -> Statement | None:
    """`method [/version] = result [reason = value] *(type.property = value)`; None for `none` and for anything else."""
    pairs = _pairs(pieces)
    if not pairs:
        return None
    (method, result), *properties = pairs
    given = tuple((name, value) for name, value in properties if "." in name)[:MOST_PROPERTIES]
    reason = next((value for name, value in properties if name == "reason"), "")
    return Statement(method.partition("/")[0], result.lower(), given, reason=reason)


def _pairs(pieces: list[_Piece]) -> list[tuple[str, str]] | None:
    """NAME = VALUE, again and again, with blanks anywhere around the marks."""
    found: list[tuple[str, str]] = []
    position = 0
    while position < len(pieces):
        equals = next((n for n in range(position, len(pieces)) if pieces[n].mark and pieces[n].text == "="), None)
        if equals is None or equals == position or equals + 1 == len(pieces) or len(found) > MOST_PROPERTIES:
            return None
        value, count = _joined(pieces[equals + 1 :])
        found.append(("".join(piece.text for piece in pieces[position:equals]).lower(), value))
        position = equals + 1 + count
    return found
