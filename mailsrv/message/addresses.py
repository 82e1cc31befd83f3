"""Address lists, fast for what is common and never slow for what is not: names, routes, groups, comments. Pure.

Standards: RFC 5322 3.4 with the obsolete forms of 4.4, RFC 6532 for UTF-8; each byte is looked at once.
Limits: `most` entries, and `limits.TOKENS` words for each; a list that goes on ends with an address without a host, so that
a caller who must know them all finds a stranger among them. Comments nest by a counter, not a stack.
Never fails: what is no address becomes one without a host, as it stood.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from mailsrv.message import charsets, limits, words

# NAME <LOCAL@HOST>  or  LOCAL@HOST , up to the next comma: nearly all there is
_COMMON = re.compile(
    rb"""[ \t]*+(?:(?:"([^"\\]*+)"|([^"<>@,:;()\\\[\]]*+))[ \t]*+<([^\s"<>@,:;()\\\[\]]++)@([^\s"<>@,:;()\\\[\]]++)>
      |([^\s"<>@,:;()\\\[\]]++)@([^\s"<>@,:;()\\\[\]]++))[ \t]*+(?:,|\Z)""",
    re.VERBOSE,
)
_TOKEN = re.compile(
    rb"""(?P<gap>\s++)|"(?P<quoted>(?:[^"\\]++|\\.)*+)"?|(?P<comment>\()|(?P<literal>\[[^\]]*+\]?)
      |(?P<atom>[^\s"()<>\[,:;@\\]++)|(?P<mark>[<>,:;@])|\\(?P<pair>.)|(?P<stray>[\\)])""",
    re.VERBOSE | re.DOTALL,
)
_NOTHING = b" \t,;"
_EMPTY = re.compile(rb"[\s,;]*+")
_IN_COMMENT = re.compile(rb"[()]|\\.", re.DOTALL)
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)


class Address(NamedTuple):
    """One address; quoting taken away, encoded words as they are. A group's beginning: only `mailbox`; its end: nothing."""

    name: bytes | None
    route: bytes | None
    mailbox: bytes | None
    host: bytes | None

    @property
    def spec(self) -> str:
        """LOCAL@HOST as text."""
        mailbox, host = charsets.text(self.mailbox or b""), charsets.text(self.host or b"")
        return f"{mailbox}@{host}" if host else mailbox


GROUP_END = Address(None, None, None, None)


def addresses(value: bytes, most: int = limits.ADDRESSES) -> list[Address]:
    """The addresses of one unfolded field, groups marked before and after their members."""
    found: list[Address] = []
    common = _COMMON.match(value)
    if common and common.end() == len(value) and most > 0:  # one alone
        return [_common(common)]
    slow = _Slow(value, found, most)
    position = 0
    for _ in range(most):
        position = _EMPTY.match(value, position).end()  # type: ignore[union-attr]
        if position == len(value):
            return found
        if len(found) >= most:
            break
        common = _COMMON.match(value, position)
        if common:
            found.append(_common(common))
            position = common.end()
        else:
            position = slow.read(position)
    if value[position:].strip(_NOTHING):
        found.append(_stranger(value, position))
    return found


def _stranger(value: bytes, position: int) -> Address:
    """What is too much to be read."""
    return Address(None, None, value[position : position + limits.IDENTIFIER].strip(), b"")


def _common(found: re.Match[bytes]) -> Address:
    quoted, phrase, local, host, bare_local, bare_host = found.groups()
    if bare_local is not None:
        return Address(None, None, bare_local, bare_host)
    if quoted is None:
        quoted = phrase.strip()
        if b"\t" in quoted or b"  " in quoted:
            quoted = b" ".join(quoted.split())
    return Address(quoted or None, None, local, host)


def people(found: Iterable[Address]) -> list[Address]:
    """Without the marks of groups."""
    return [address for address in found if address.host is not None]


def shown(found: Iterable[Address]) -> str:
    """For SORT and SEARCH: every address, then its name and address together; what precedes the first "@" sorts."""
    entries = [_entry(address) for address in found if address.host is not None]
    line = b", ".join(entries)
    return (
        line.decode("ascii")
        if line.isascii() and b"=?" not in line and b"\0" not in line
        else ", ".join(map(words.text, entries))
    )


def _entry(address: Address) -> bytes:
    name, _, mailbox, host = address
    spec = b"%b@%b" % (mailbox or b"", host) if host else mailbox or b""
    return b"%b %b <%b>" % (spec, name, spec) if name else spec


class _Slow:
    """One entry, or a group with all its members, read token by token. Byte arrays, because they grow in linear time."""

    def __init__(self, value: bytes, found: list[Address], most: int) -> None:
        self.value, self.found, self.most = value, found, most
        self.tokens = most * limits.TOKENS
        self.in_group = False

    def _begin(self) -> None:
        self.phrase: list[bytearray] = []  # words before < or @
        self.local: bytearray | None = None  # empty within a route
        self.host = bytearray()
        self.route: bytes | None = None
        self.name = self.comment = b""
        self.angle = self.closed = self.gap = False

    def read(self, position: int) -> int:
        """Up to the separator that ends the entry."""
        self._begin()
        while position < len(self.value) and len(self.found) < self.most:
            self.tokens -= 1
            if self.tokens < 0:
                self.found.append(_stranger(self.value, position))
                return len(self.value)
            token = _TOKEN.match(self.value, position)
            if token is None:
                raise AssertionError("the pattern has a place for every byte")
            position = token.end()
            kind, text = token.lastgroup, token[token.lastgroup or 0]
            if kind == "mark":
                if self._mark(text):
                    return position
            elif kind == "comment":
                position = self._comment(position)
            elif kind == "gap":
                self.gap = True
            elif kind == "quoted":
                self._word(_QUOTED_PAIR.sub(rb"\1", text))
            elif kind != "stray":
                self._word(text)
        self._finish()
        self._end_group()
        return position

    def _comment(self, start: int) -> int:
        depth, position = 1, start
        while depth:
            mark = _IN_COMMENT.search(self.value, position)
            self.tokens -= 1
            if mark is None or self.tokens < 0:
                return len(self.value) if mark is None else position
            depth += {b"(": 1, b")": -1}.get(mark[0], 0)
            position = mark.end()
        self.comment = self.comment or self.value[start : position - 1].strip()
        self.gap = True
        return position

    def _word(self, text: bytes) -> None:
        gap, self.gap = self.gap, False
        if self.closed:
            return
        if self.local is not None:
            if not gap or not self.host or text.startswith(b".") or self.host.endswith((b".", b"@", b",")):
                self.host += text
        elif self.phrase and not gap:
            self.phrase[-1] += text
        else:
            self.phrase.append(bytearray(text))

    def _mark(self, mark: bytes) -> bool:
        """Whether the entry ends here."""
        in_route = self.angle and self._routed() and not self.closed  # <@a,@b:local@host>
        match mark:
            case b"<" if not self.angle:
                self.name = self._words()
                self.phrase, self.local, self.host = [], None, bytearray()
                self.angle = True
            case b">":
                self.closed = self.angle
            case b"@" if not self.closed:
                self._at()
            case b":" if in_route:
                self.route, self.local, self.host = b"@" + self.host, None, bytearray()
            case b":" if not self.angle and self.local is None and not self.in_group:
                self.found.append(Address(None, None, self._words(), None))
                self.in_group = True
                self._begin()
            case b"," if in_route:
                self.host += b","
            case b"," | b";":
                return self._separate(mark)
        return False

    def _separate(self, mark: bytes) -> bool:
        self._finish()
        self._begin()
        if mark == b";":
            self._end_group()
        return not self.in_group

    def _end_group(self) -> None:
        if self.in_group and len(self.found) < self.most:
            self.found.append(GROUP_END)
        self.in_group = False

    def _at(self) -> None:
        if self._routed():
            self.host += b"@"
        elif self.local is not None:  # the last @ divides
            self.local += b"@" + self.host
            self.host = bytearray()
        else:
            self.local = self._local_part()
            self.name = self.name if self.angle else self._words()

    def _local_part(self) -> bytearray:
        """The last word, with those that dots join to it over blanks (obs-local-part)."""
        if self.angle:
            return bytearray(self._words())
        local = self.phrase.pop() if self.phrase else bytearray()
        joined = [local]
        while self.phrase and (joined[-1].startswith(b".") or self.phrase[-1].endswith(b".")):
            joined.append(self.phrase.pop())
        return bytearray().join(reversed(joined))

    def _routed(self) -> bool:
        return self.local is not None and not self.local

    def _words(self) -> bytes:
        return b" ".join(self.phrase).strip()

    def _finish(self) -> None:
        """The entry as an address, unless it is empty."""
        if self.local is None and (self.phrase or self.angle):
            self.local = bytearray(self._words())
        if self.local is not None and len(self.found) < self.most:
            name = self.name or self.comment or None
            self.found.append(Address(name, self.route, bytes(self.local), bytes(self.host)))
