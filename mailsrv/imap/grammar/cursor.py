"""The words of RFC 9051 9: atoms, strings, literals, numbers, lists; read one after the other from one command. Pure.

Fails by: `Unreadable`, which `parse` turns into a BAD answer. Its text is ours; nothing of the client's bytes is in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from dnsops.base.errors import Deliberate

T = TypeVar("T")

ATOM = re.compile(rb"[!#$&\'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~]+")  # atom-specials are: ( ) { SP CTL % * " \ ]
ASTRING = re.compile(rb"[!#$&\'+,\-./0-9:;<=>?@A-Z\[\]^_`a-z|}~]+")  # an atom, and ]
TAG = re.compile(rb"[!#$&',\-./0-9:;<=>?@A-Z\[\]^_`a-z|}~]+")  # an astring without +
LIST_MAILBOX = re.compile(rb"[!#$&\'+,\-./0-9:;<=>?@A-Z\[\]^_`a-z|}~%*\x80-\xff]+")
QUOTED = re.compile(rb'"((?:[^\r\n"\\\x00]|\\["\\])*)"')
LITERAL = re.compile(rb"(~?)\{([0-9]{1,20})[+-]?\}\r?\n")
DIGITS = re.compile(rb"[0-9]+")
ESCAPED = re.compile(rb"\\(.)")
UINT32, UINT63 = (1 << 32) - 1, (1 << 63) - 1


class Unreadable(Deliberate):
    """The command is not IMAP; says what was expected."""


class Cursor:
    """A place in a command."""

    __slots__ = ("at", "data", "utf8")

    def __init__(self, data: bytes, utf8: bool = False) -> None:
        self.data, self.at, self.utf8 = data, 0, utf8

    def take(self, pattern: re.Pattern[bytes], what: str) -> bytes:
        found = pattern.match(self.data, self.at)
        if found is None:
            raise Unreadable(f"{what} expected")
        self.at = found.end()
        return found[0]

    def skip(self, text: bytes) -> bool:
        """Past `text` (any case) if it stands here."""
        end = self.at + len(text)
        if self.data[self.at : end].upper() != text:
            return False
        self.at = end
        return True

    def expect(self, text: bytes) -> None:
        if not self.skip(text):
            raise Unreadable(f"{text.decode()!r} expected")

    def space(self) -> None:
        if not self.skip(b" "):
            raise Unreadable("a space expected")

    def end(self) -> None:
        self.blanks()
        if self.at != len(self.data):
            raise Unreadable("too many arguments")

    def blanks(self) -> None:
        """Clients put spaces at the end of a line."""
        while self.skip(b" "):
            pass

    @property
    def ended(self) -> bool:
        return self.at >= len(self.data)

    def stands(self, text: bytes) -> bool:
        return self.data.startswith(text, self.at)

    def atom(self) -> bytes:
        return self.take(ATOM, "an atom")

    def word(self) -> str:
        """An atom that names something of the protocol, in capitals."""
        return self.atom().decode("ascii").upper()

    def number(self, most: int = UINT32) -> int:
        digits = self.take(DIGITS, "a number")
        if len(digits) > 20 or int(digits) > most:
            raise Unreadable("the number is too large")
        return int(digits)

    def string(self) -> bytes:
        """Quoted or literal."""
        if self.stands(b'"'):
            return self.quoted()
        if self.stands(b"{") or self.stands(b"~{"):
            return self.literal()
        raise Unreadable("a string expected")

    def astring(self) -> bytes:
        found = ASTRING.match(self.data, self.at)
        if found is None or self.stands(b"~{"):
            return self.string()
        self.at = found.end()
        return found[0]

    def nstring(self) -> bytes | None:
        return None if self.skip(b"NIL") else self.string()

    def quoted(self) -> bytes:
        found = QUOTED.match(self.data, self.at)
        if found is None:
            raise Unreadable("the quoted string does not end, or holds what it must not")
        self.at = found.end()
        return ESCAPED.sub(rb"\1", found[1]) if b"\\" in found[1] else found[1]

    def literal(self, binary: bool = False) -> bytes:
        """A literal; NUL only in one that was announced with ~ (RFC 9051 4.3, literal8)."""
        found = LITERAL.match(self.data, self.at)
        if found is None:
            raise Unreadable("a literal expected")
        start, size = found.end(), int(found[2])
        data = self.data[start : start + size]
        if len(data) != size:
            raise Unreadable("the literal is not whole")
        if not found[1] and b"\0" in data:
            raise Unreadable("a literal with NUL must be a literal8, ~{n}")
        if found[1] and not binary:
            raise Unreadable("no literal8 here")
        self.at = start + size
        return data

    def text(self) -> str:
        """An astring in UTF-8."""
        return decoded(self.astring())

    def listed(self, read: Callable[[Cursor], T], most: int, empty: bool = False) -> tuple[T, ...]:
        """( a b c ), `most` at most."""
        self.expect(b"(")
        found: list[T] = []
        self.blanks()
        while not self.skip(b")"):
            if len(found) >= most:
                raise Unreadable(f"more than {most} in one list")
            if found:
                self.separated()
            found.append(read(self))
            self.blanks()
        if not found and not empty:
            raise Unreadable("the list is empty")
        return tuple(found)

    def separated(self) -> None:
        if self.data[self.at - 1 : self.at] not in (b" ", b")"):
            raise Unreadable("a space expected")


def decoded(octets: bytes) -> str:
    """UTF-8, of which ASCII is a part."""
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        raise Unreadable("not UTF-8") from None
