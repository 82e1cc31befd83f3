"""Answers kept as long as they may be: what reading a resolver's reply costs is paid once in its TTL.

    resolver = Remembered(validator, time.monotonic)        a `Resolver` like the one that it asks

A validator's own cache answers in a millisecond of CPU - a thread, a packet, its records; a mail asks for a dozen. What
is kept here lives no longer than the TTL that the answer came with, which in a cache has run down already, so nobody sees
anything older than the resolver itself would tell. Several who ask for the same at a time share one question.
Standards: RFC 2181 8 (TTL), RFC 2308 5 (negative answers). Bogus and failed answers are never kept, nor are those with TTL 0.
Limits: MOST answers, ROOM characters for all of them, an hour each; the oldest make room for the latest. Fails by: as the resolver does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from dnsops.resolve.answer import Answer, Question, Resolver, Security

MOST = 10_000
LONGEST = 3600  # seconds
ROOM = 32 << 20  # characters, each record's own costs included; strangers choose how long their records are
PART = 100  # an answer that would take more than this part of it is not kept
OVERHEAD = 200  # of each record and each answer
KEPT = (Security.SECURE, Security.INSECURE)

Key = tuple[str, str]


class _Kept(NamedTuple):
    answer: Answer
    until: float
    weight: int


class Remembered:
    """A resolver in front of a resolver. `clock`: seconds that only grow."""

    def __init__(self, resolver: Resolver, clock: Callable[[], float], most: int = MOST, room: int = ROOM) -> None:
        self._resolver, self._clock, self._most, self._room = resolver, clock, most, room
        self.weight = 0  # of all that is kept
        self._kept: dict[Key, _Kept] = {}  # the latest last
        self._asking: dict[Key, asyncio.Task[Answer]] = {}

    def known(self, question: Question) -> Answer | None:
        """What needs no asking now."""
        kept = self._kept.get((question.name, question.type))
        return kept.answer if kept is not None and self._clock() < kept.until else None

    async def ask(self, name: str, type_name: str) -> Answer:
        known = self.known(Question(name, type_name))
        if known is not None:
            return known
        key = name, type_name
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.get_running_loop().create_task(self._ask(key))
        return await asyncio.shield(task)  # who gives up takes nobody else's answer along

    async def _ask(self, key: Key) -> Answer:
        try:
            answer = await self._resolver.ask(*key)
        finally:
            del self._asking[key]
        self._forget(key)
        weight = _weight(answer)
        if answer.security in KEPT and answer.ttl > 0 and weight <= self._room // PART:
            self._kept[key] = _Kept(answer, self._clock() + min(answer.ttl, LONGEST), weight)
            self.weight += weight
            while len(self._kept) > self._most or self.weight > self._room:
                self._forget(next(iter(self._kept)))
        return answer

    def _forget(self, key: Key) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self.weight -= kept.weight


def _weight(answer: Answer) -> int:
    return OVERHEAD + sum(len(str(item)) + OVERHEAD for item in answer.items)
