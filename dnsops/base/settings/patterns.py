"""Patterns of mail addresses: globs, and `re:` expressions, matched in time linear in the address. Pure.

    glob    user1+*@example.org      * any run, ? one character; local part and domain are matched apart, so * never leaps
            @example.org             the at sign; without a local part it is any at that domain
    re:     re:(sales|info)[0-9]*@example\\.org      the whole address: . [..] [^..] ( | ) * + ? {m,n} \\d \\w \\. and no more

An expression runs as Thompson's automaton: every state at once, nothing to go back to. There are no back references,
look-arounds or lazy forms, so no pattern can take long. Limits: 256 characters, 500 states, 32 levels, 64 repeats.
Fails by: `BadPattern`, with what is wrong in a sentence.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

LONGEST_PATTERN = 256
LONGEST_ADDRESS = 320  # what is longer matches nothing
MOST_STATES = 500
DEEPEST = 32
MOST_REPEATS = 64
_UPPER = re.compile(r"(?<!\\)[A-Z]")
_DIGITS = frozenset("0123456789")
_WORD = _DIGITS | frozenset("abcdefghijklmnopqrstuvwxyz_")
_CLASSES = {"d": _DIGITS, "w": _WORD}
_SPECIAL = frozenset("*+?{}()|[].\\^$")


class BadPattern(ValueError):
    """What is wrong with a pattern, as a sentence."""


@dataclass(frozen=True, slots=True)
class Set:
    """A character: one of these, or with `other` any but these."""

    chars: frozenset[str]
    other: bool = False


Edge: TypeAlias = "tuple[Set | None, int]"  # None: without a character
ANY = Set(frozenset(), other=True)


@dataclass(frozen=True)
class Pattern:
    """A pattern ready to match: `text` as it was written, and its automata with the parts of an address they take."""

    text: str
    whole: tuple[tuple[Edge, ...], ...] = ()
    local: tuple[tuple[Edge, ...], ...] = ()
    domain: tuple[tuple[Edge, ...], ...] = ()

    def matches(self, local: str, domain: str) -> bool:
        """Whether the address is meant. Both parts canonical: lower case."""
        if len(local) + len(domain) >= LONGEST_ADDRESS:
            return False
        if self.whole:
            return _runs(self.whole, f"{local}@{domain}")
        return _runs(self.local, local) and _runs(self.domain, domain)

    def __str__(self) -> str:
        return self.text


def pattern(text: str) -> Pattern:
    """The pattern of a text of the configuration."""
    if len(text) > LONGEST_PATTERN:
        raise BadPattern(f"longer than {LONGEST_PATTERN} characters")
    if text.startswith("re:"):
        return Pattern(text, whole=_Reader(folded(text[3:])).automaton())
    local, at, domain = folded(text).rpartition("@")
    if not at or not domain:
        raise BadPattern("no domain in it")
    return Pattern(text, local=_glob(local or "*"), domain=_glob(domain))


def folded(text: str) -> str:
    """As addresses are compared: composed (NFC), ASCII in lower case, but for what follows a backslash."""
    return _UPPER.sub(lambda found: found[0].lower(), unicodedata.normalize("NFC", text))


def _runs(states: tuple[tuple[Edge, ...], ...], text: str) -> bool:
    """All states at once; the last state is the end."""
    here = _closure(states, [0])
    for char in text:
        here = _closure(states, [to for n in here for on, to in states[n] if on and (char in on.chars) != on.other])
        if not here:
            return False
    return len(states) - 1 in here


def _closure(states: tuple[tuple[Edge, ...], ...], start: Iterable[int]) -> set[int]:
    found, waiting = set(start), list(start)
    while waiting:
        for on, to in states[waiting.pop()]:
            if on is None and to not in found:
                found.add(to)
                waiting.append(to)
    return found


def _glob(text: str) -> tuple[tuple[Edge, ...], ...]:
    nodes = [_GLOB.get(char) or Char(Set(frozenset(char))) for char in text]
    return _compile(Row(tuple(nodes)))


# an expression's tree


@dataclass(frozen=True)
class Char:
    on: Set


@dataclass(frozen=True)
class Row:
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Choice:
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Repeat:
    """At least `least`, at most `most` times; None: without end."""

    item: Node
    least: int
    most: int | None


Node: TypeAlias = "Char | Row | Choice | Repeat"
_GLOB: dict[str, Node] = {"*": Repeat(Char(ANY), 0, None), "?": Char(ANY)}


def _compile(node: Node) -> tuple[tuple[Edge, ...], ...]:
    """Thompson's construction, numbered so that the end is the last."""
    states = _States()
    last = states.after(node, states.new())
    end = states.new()
    states.edges[last].append((None, end))
    return tuple(tuple(edges) for edges in states.edges)


@dataclass
class _States:
    edges: list[list[Edge]] = field(default_factory=list)

    def new(self) -> int:
        if len(self.edges) >= MOST_STATES:
            raise BadPattern("too large once its repeats are written out")
        self.edges.append([])
        return len(self.edges) - 1

    def link(self, start: int, end: int, on: Set | None = None) -> int:
        self.edges[start].append((on, end))
        return end

    def after(self, node: Node, start: int) -> int:
        """The state behind `node` when it begins at `start`."""
        match node:
            case Char(on):
                return self.link(start, self.new(), on)
            case Row(items):
                for item in items:
                    start = self.after(item, start)
                return start
            case Choice(items):
                end = self.new()
                for item in items:
                    self.link(self.after(item, self.link(start, self.new())), end)
                return end
            case Repeat():
                return self.repeated(node, start)

    def repeated(self, node: Repeat, start: int) -> int:
        for _ in range(node.least):
            start = self.after(node.item, start)
        end = self.new()
        if node.most is None:
            again = self.link(start, self.new())
            self.link(self.after(node.item, again), again)
            return self.link(again, end)
        for _ in range(node.most - node.least):
            self.link(start, end)
            start = self.after(node.item, start)
        return self.link(start, end)


class _Reader:
    """The text of an expression -> its automaton; recursive descent."""

    def __init__(self, text: str) -> None:
        # the whole address is meant anyway
        self.text = text.removeprefix("^").removesuffix("$") if not text.endswith("\\$") else text.removeprefix("^")
        self.at = self.depth = 0

    def automaton(self) -> tuple[tuple[Edge, ...], ...]:
        if not self.text:
            raise BadPattern("nothing behind re:")
        node = self.choice()
        if self.at < len(self.text):
            raise BadPattern("a ) without its (")
        return _compile(node)

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def next(self, what: str) -> str:
        char = self.peek()
        if not char:
            raise BadPattern(f"it ends where {what} is wanted")
        self.at += 1
        return char

    def choice(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise BadPattern(f"more than {DEEPEST} levels of brackets")
        rows = [self.row()]
        while self.peek() == "|":
            self.at += 1
            rows.append(self.row())
        self.depth -= 1
        return Choice(tuple(rows)) if len(rows) > 1 else rows[0]

    def row(self) -> Node:
        return Row(tuple(self.items()))

    def items(self) -> Iterator[Node]:
        while self.peek() and self.peek() not in "|)":
            yield self.repeats(self.item())

    def item(self) -> Node:
        match self.next("a character"):
            case "(":
                if self.peek() == "?":
                    raise BadPattern("(? is not read here: brackets only group")
                inner = self.choice()
                if self.next("a )") != ")":
                    raise BadPattern("a ( without its )")
                return inner
            case "[":
                return Char(self.one_of())
            case ".":
                return Char(ANY)
            case "\\":
                return Char(Set(self.escaped()))
            case char if char in _SPECIAL:
                raise BadPattern(f"{char} stands where it means nothing; write \\{char}")
            case char:
                return Char(Set(frozenset(char)))

    def escaped(self) -> frozenset[str]:
        char = self.next("the character behind \\")
        if char.isalnum() and char not in _CLASSES:
            raise BadPattern(f"\\{char} is not read here")
        return _CLASSES.get(char, frozenset(char))

    def one_of(self) -> Set:
        other = self.peek() == "^"
        self.at += other
        chars: set[str] = set()
        while (char := self.next("a ]")) != "]":
            if char == "\\":
                chars |= self.escaped()
            elif self.peek() == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                chars |= _span(char, self.next("the end of a range"))
            else:
                chars.add(char)
        if not chars:
            raise BadPattern("[] holds nothing")
        return Set(frozenset(chars), other)

    def repeats(self, item: Node) -> Node:
        match self.peek():
            case "*" | "+" | "?" as sign:
                self.at += 1
                item = Repeat(item, int(sign == "+"), 1 if sign == "?" else None)
            case "{":
                item = self.counted(item)
            case _:
                return item
        if self.peek() and self.peek() in "*+?{":
            raise BadPattern("a repeat of a repeat")
        return item

    def counted(self, item: Node) -> Node:
        inside, closed, _ = self.text[self.at + 1 :].partition("}")
        least, comma, most = inside.partition(",")
        numbers = [part for part in (least, most) if part]
        if not closed or not least or any(not (n.isascii() and n.isdigit() and len(n) < 4) for n in numbers):
            raise BadPattern("{ wants numbers: {3} or {2,5}")
        self.at += len(inside) + 2
        top = int(most) if most else None if comma else int(least)
        if max(map(int, numbers)) > MOST_REPEATS or (top is not None and top < int(least)):
            raise BadPattern(f"{{{inside}}}: from few to many, and at most {MOST_REPEATS}")
        return Repeat(item, int(least), top)


def _span(first: str, last: str) -> set[str]:
    if not (first.isascii() and last.isascii() and first <= last):
        raise BadPattern(f"[{first}-{last}] is no range of ASCII characters")
    return {chr(n) for n in range(ord(first), ord(last) + 1)}
