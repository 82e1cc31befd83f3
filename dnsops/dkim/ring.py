"""The ring of a domain's DKIM keys: its generations, each of one selector an algorithm, and which of them signs. Pure.

    made        NEXT ----------> CURRENT ----------> RETIRED ----------------> GONE ------> (forgotten)
                published        signs, since its    stays for mail            its records
                                 records are ripe    on its way                are gone

A selector is never used again: its name ends with random letters, and its record's text never changes.
Standards: RFC 6376 3.1 (selectors), 3.6.1 (a key is revoked by an empty p=).
Limits: those of `versioned`, MOST generations. Fails by: ValueError from `read`, with what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any

from dnsops.base import versioned
from dnsops.records.txt.dkim import DkimKey
from dnsops.records.txt.dkim import owner as owner_of

VERSION = 1
MOST = 64
ALGORITHMS = ("rsa", "ed25519")
_SELECTOR = re.compile(r"(?=.{1,120}\Z)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")
_NAME = re.compile(r"[a-z0-9-]{1,40}")


class Role(Enum):
    """What a generation is for now; the value is for people."""

    NEXT = "on its way into the DNS, signs nothing yet"
    CURRENT = "signs"
    RETIRED = "signs no more, stays for mail on its way"
    GONE = "its records are gone"


@dataclass(frozen=True, slots=True, order=True)
class Selector:
    """A selector and the text of its record, for as long as the selector lives."""

    name: str
    algorithm: str
    text: str

    def owner(self, domain: str) -> str:
        """Where its record stands."""
        return owner_of(self.name, domain)

    @property
    def revoked(self) -> Selector:
        """The same selector when nobody is to believe its signatures any more."""
        return replace(self, text=str(DkimKey(b"", self.algorithm)))


@dataclass(frozen=True, slots=True)
class Generation:
    """Keys that are made, serve and go together. since: when it took its role, on the wall's clock.

    leaked: a person says that somebody else has the keys, so that their records must not wait for mail on its way.
    """

    name: str
    role: Role
    since: datetime
    selectors: tuple[Selector, ...]
    leaked: bool = False

    @property
    def algorithms(self) -> frozenset[str]:
        return frozenset(selector.algorithm for selector in self.selectors)


@dataclass(frozen=True, slots=True)
class Ring:
    """All generations of a domain, oldest first; one CURRENT and one NEXT at the most."""

    domain: str
    generations: tuple[Generation, ...] = ()

    def of(self, role: Role) -> tuple[Generation, ...]:
        return tuple(generation for generation in self.generations if generation.role is role)

    @property
    def current(self) -> Generation | None:
        """Those that sign; None before the first are known to the world."""
        return next(iter(self.of(Role.CURRENT)), None)

    @property
    def next(self) -> Generation | None:
        """Those on their way."""
        return next(iter(self.of(Role.NEXT)), None)

    @property
    def selectors(self) -> tuple[Selector, ...]:
        return tuple(selector for generation in self.generations for selector in generation.selectors)

    def added(self, generation: Generation) -> Ring:
        return replace(self, generations=(*self.generations, generation))

    def promoted(self, now: datetime) -> Ring:
        """The next generation signs, its predecessor no more."""
        steps = {Role.NEXT: Role.CURRENT, Role.CURRENT: Role.RETIRED}
        return self._each(lambda one: replace(one, role=steps[one.role], since=now) if one.role in steps else one)

    def leaked(self) -> Ring:
        """Whatever has signed may be somebody else's by now."""
        known = (Role.CURRENT, Role.RETIRED)
        return self._each(lambda one: replace(one, leaked=True) if one.role in known else one)

    def gone(self, name: str, now: datetime) -> Ring:
        """The records of a retired generation have left the DNS."""
        return self._each(lambda one: replace(one, role=Role.GONE, since=now) if one.name == name else one)

    def without(self, name: str) -> Ring:
        return replace(self, generations=tuple(one for one in self.generations if one.name != name))

    def _each(self, change: Callable[[Generation], Generation]) -> Ring:
        return replace(self, generations=tuple(map(change, self.generations)))


def fit(selector: str) -> bool:
    """Whether a ring may name it."""
    return bool(_SELECTOR.fullmatch(selector))


def write(ring: Ring) -> bytes:
    """The ring as JSON; the same ring gives the same bytes."""
    generations = [
        {
            "name": one.name,
            "role": one.role.name,
            "since": one.since.isoformat(),
            "leaked": one.leaked,
            "selectors": [
                {"selector": key.name, "algorithm": key.algorithm, "text": key.text} for key in one.selectors
            ],
        }
        for one in ring.generations
    ]
    return versioned.write(VERSION, domain=ring.domain, generations=generations)


def read(data: bytes) -> Ring:
    """The inverse of `write`."""
    ring = versioned.read(data, VERSION, "a ring of keys", _ring)
    _check(ring)
    return ring


def _ring(document: dict[str, Any]) -> Ring:
    return Ring(str(document["domain"]), tuple(_generation(one) for one in document["generations"]))


def _generation(item: dict[str, object]) -> Generation:
    since = datetime.fromisoformat(str(item["since"]))
    if since.tzinfo is None:
        raise ValueError("a time without its zone")
    name = str(item["name"])
    if not _NAME.fullmatch(name):
        raise ValueError(f"not a generation's name: {name[:40]!r}")
    keys: list[dict[str, str]] = item["selectors"]  # type: ignore[assignment]
    selectors = tuple(_selector(key) for key in keys)
    return Generation(name, Role[str(item["role"])], since, selectors, item.get("leaked") is True)


def _selector(item: dict[str, str]) -> Selector:
    name, algorithm, text = item["selector"], item["algorithm"], item["text"]
    if not _SELECTOR.fullmatch(name) or algorithm not in ALGORITHMS:
        raise ValueError(f"not a selector of ours: {name[:40]!r} ({algorithm[:20]!r})")
    if DkimKey.parse(text).kind != algorithm:
        raise ValueError(f"{name}: its record is not of {algorithm}")
    return Selector(name, algorithm, text)


def _check(ring: Ring) -> None:
    """What a ring must be, whoever wrote its file."""
    if len(ring.generations) > MOST:
        raise ValueError(f"more than {MOST} generations")
    if len(ring.of(Role.CURRENT)) > 1 or len(ring.of(Role.NEXT)) > 1:
        raise ValueError("two generations in one role")
    names = [selector.name for selector in ring.selectors]
    if len(set(names)) != len(names) or not all(one.selectors for one in ring.generations):
        raise ValueError("a selector there twice, or a generation without one")
