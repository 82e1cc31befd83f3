r"""What another IMAP server says, read with a bound: one response is lines and literals, one after the other. Pure.

    read([b"* 2 FETCH (UID 7 BODY[] {3}", b"abc", b")"])     Answer("*", "FETCH", 2, [["UID", "7", "BODY[]", b"abc"]])
    read([b"A1 NO [LIMIT] slowly, please"])                  Answer("A1", "NO", code="LIMIT", text="slowly, please")

Values: atoms and numbers are str, strings and literals bytes, NIL is None, a parenthesis a list.
Standards: RFC 9051 7 and 9, RFC 3501 as far as servers still speak it. Limits: MOST values, DEEPEST parentheses.
Fails by: `Unreadable`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from mailsrv.imap.grammar.cursor import Cursor, Unreadable
from mailsrv.imap.grammar.dates import read_date_time

Value: TypeAlias = "str | bytes | list[Value] | None"
MOST, DEEPEST = 100_000, 20
CONDITIONS = frozenset({"OK", "NO", "BAD", "BYE", "PREAUTH"})
MARKER = re.compile(rb"~?\{([0-9]{1,12})\+?\}\Z")  # at the end of a line: a literal of that length follows
_WORD = re.compile(rb'\s*(?:(?P<open>\()|(?P<close>\))|"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<atom>[^\s()"{][^\s()"]*))')
_ESCAPED = re.compile(rb"\\(.)")
_HEAD = re.compile(rb"(\S{1,64}) +(?:([0-9]{1,12}) +)?([A-Za-z0-9-]+)(?: +|\Z)")
_CODE = re.compile(r"\[([A-Za-z0-9-]+)(?: ([^\]]*))?\] ?")


@dataclass(frozen=True)
class Answer:
    """One response. tag: "*", "+", or of the command that it ends; number: what stands before EXISTS, FETCH, EXPUNGE."""

    tag: str
    kind: str
    number: int = 0
    values: list[Value] = field(default_factory=list)
    code: str = ""
    argument: str = ""
    text: str = ""


def literal(line: bytes) -> int | None:
    """How long a literal follows this line; None for none."""
    found = MARKER.search(line)
    return int(found[1]) if found else None


def read(parts: Sequence[bytes]) -> Answer:
    """A whole response: a line, and then a literal and the line after it, as often as there are literals."""
    line = parts[0]
    if line.startswith(b"+"):
        return Answer("+", "", text=line[1:].strip().decode("ascii", "replace"))
    head = _HEAD.match(line)
    if head is None:
        raise Unreadable("a response expected")
    kind, tag = head[3].decode().upper(), head[1].decode("ascii", "replace")
    rest = line[head.end() :]
    if kind in CONDITIONS:
        return _condition(tag, kind, rest.decode("utf-8", "replace"))
    return Answer(tag, kind, int(head[2] or 0), _values([rest, *parts[1:]]))


def _condition(tag: str, kind: str, text: str) -> Answer:
    code = _CODE.match(text)
    if code is None:
        return Answer(tag, kind, text=text)
    return Answer(tag, kind, code=code[1].upper(), argument=code[2] or "", text=text[code.end() :])


def _values(parts: Sequence[bytes]) -> list[Value]:
    """Parentheses become lists."""
    top: list[Value] = []
    open_: list[list[Value]] = [top]
    for count, word in enumerate(_words(parts)):
        if count >= MOST or len(open_) > DEEPEST:
            raise Unreadable("the response has too many words")
        if word == _OPEN:
            inner: list[Value] = []
            open_[-1].append(inner)
            open_.append(inner)
        elif word != _CLOSE:
            open_[-1].append(word)
        elif len(open_) == 1:
            raise Unreadable("a parenthesis that nobody opened")
        else:
            open_.pop()
    if len(open_) > 1:
        raise Unreadable("a parenthesis is missing")
    return top


_OPEN, _CLOSE = "(", ")"


def _words(parts: Sequence[bytes]) -> Iterator[str | bytes | None]:
    for line, following in zip(parts[::2], [*parts[1::2], None], strict=True):
        if following is None:
            yield from _line(line)
        else:
            yield from _line(MARKER.sub(b"", line))
            yield following


def _line(line: bytes) -> Iterator[str | bytes | None]:
    at, end = 0, len(line.rstrip())
    while at < end:
        found = _WORD.match(line, at)
        if found is None or found.end() == at:
            raise Unreadable("a word expected")
        at = found.end()
        if found["open"]:
            yield _OPEN
        elif found["close"]:
            yield _CLOSE
        elif found["quoted"] is not None:
            yield _ESCAPED.sub(rb"\1", found["quoted"])
        else:
            atom = found["atom"].decode("latin-1")
            yield None if atom.upper() == "NIL" else atom


def pairs(value: Value) -> dict[str, Value]:
    """NAME value NAME value, as FETCH and STATUS have them; names in capitals."""
    if not isinstance(value, list) or len(value) % 2:
        raise Unreadable("a list of names and values expected")
    return {name.upper(): each for name, each in zip(value[::2], value[1::2], strict=True) if isinstance(name, str)}


def number(value: Value, most: int = (1 << 32) - 1) -> int:
    """A number that is one."""
    if (
        not isinstance(value, str)
        or not value.isascii()
        or not value.isdecimal()
        or len(value) > 20
        or int(value) > most
    ):
        raise Unreadable("a number expected")
    return int(value)


def octets(value: Value) -> bytes:
    """A string, however it was written; a mailbox may be called 42 or NIL."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("latin-1")
    if value is None:
        return b"NIL"
    raise Unreadable("a string expected")


def words(value: Value) -> list[str]:
    """A list of atoms, such as flags."""
    if not isinstance(value, list):
        raise Unreadable("a list expected")
    return [each for each in value if isinstance(each, str)]


def moment(value: Value) -> datetime | None:
    """INTERNALDATE; None for one that no calendar has."""
    try:
        return read_date_time(Cursor(b'"' + octets(value) + b'"'))
    except Unreadable:
        return None
