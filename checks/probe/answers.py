"""The book as a resolver, for flows and fetchers of other rooms that ask one: a `Lookup` said as an `Answer`.

A bogus one has no records here, as everywhere but in checks. Standards: those of `dnsops.resolve.answer`.
Fails by: nothing; records that make no sense are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from checks.facts import Lookup, Question
from checks.probe.book import Book
from dnsops.base.errors import ForUser
from dnsops.records import rdata
from dnsops.records.rdata import Rdata
from dnsops.resolve import answer as resolving
from dnsops.resolve.answer import Answer, Security

_ESCAPED = re.compile(rb"\\(\d{3}|.)", re.DOTALL)


class Answers:
    """A `dnsops.resolve.answer.Resolver`. accurate: asked as `Question.accurate` says."""

    by = "the checks"

    def __init__(self, book: Book, accurate: bool = False) -> None:
        self._book, self._accurate = book, accurate

    async def ask(self, name: str, type_name: str) -> Answer:
        """What the book has, or gets, of it."""
        return said(await self._book.answer(Question(name, type_name, self._accurate)))

    async def answer(self, question: resolving.Question) -> Answer:
        """The same by its question: what drives a flow."""
        return await self.ask(question.name, question.type)


def said(found: Lookup) -> Answer:
    """As other rooms have it."""
    if not found.answered:
        return resolving.failed(found.name, found.type, found.why or found.rcode)
    items = frozenset[Rdata]() if found.security is Security.BOGUS else frozenset(_items(found))
    rcode = "SERVFAIL" if found.security is Security.BOGUS else found.rcode
    return Answer(
        found.name, found.type, found.security, rcode, items, canonical=found.canonical, why=found.why, ede=found.ede
    )


def _items(found: Lookup) -> Iterator[Rdata]:
    for record in found.records:
        try:
            yield rdata.txt(octets(record)) if found.type == "TXT" else rdata.parse(found.type, record)
        except ForUser:
            continue


def octets(record: str) -> bytes:
    """A TXT record's text without its escapes."""
    return _ESCAPED.sub(_unescaped, record.encode("ascii", "replace"))


def _unescaped(match: re.Match[bytes]) -> bytes:
    return bytes((int(match[1]) & 0xFF,)) if len(match[1]) == 3 else match[1]
