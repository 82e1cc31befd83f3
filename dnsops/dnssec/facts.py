"""What is seen of one zone's DNSSEC: at its parent, at each of its servers, and by who validates. Pure values.

Standards: RFC 4033 to 4035, RFC 7344 (CDS, CDNSKEY).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from dnsops.records.dnssec import Ds, Key, Nsec3, Signature
from dnsops.resolve.answer import Security, Server

Place = tuple[str, str]  # a name and a type


@dataclass(frozen=True, slots=True)
class Cover:
    """One RRset as one server gives it. there: whether it exists. ttl: seconds."""

    place: Place
    there: bool
    ttl: int = 0
    signatures: tuple[Signature, ...] = ()

    def __str__(self) -> str:
        return " ".join(self.place)

    def until(self, now: datetime, good: frozenset[Key]) -> datetime | None:
        """Until when it can be validated with these keys: each of their algorithms may be the one that is looked at."""
        ends: dict[int, datetime] = {}
        for one in self.by(good):
            ends[one.algorithm] = max(ends.get(one.algorithm, one.until(now)), one.until(now))
        return min(ends.values(), default=None)

    def by(self, keys: frozenset[Key]) -> list[Signature]:
        """The signatures that one of these keys may have made."""
        known = {(key.tag, key.algorithm) for key in keys}
        return [one for one in self.signatures if (one.tag, one.algorithm) in known]

    def life(self, now: datetime) -> timedelta:
        """How long its longest signature is good for, from beginning to end."""
        return max((one.until(now) - one.since(now) for one in self.signatures), default=timedelta(0))


@dataclass(frozen=True, slots=True)
class View:
    """What one address of an authoritative server says. `why` it says nothing; unreachable: we have no route to it."""

    server: Server
    why: str = ""
    unreachable: bool = False
    serial: int | None = None
    keys: frozenset[Key] = frozenset()
    covers: tuple[Cover, ...] = ()
    nsec3: tuple[Nsec3, ...] = ()
    cds: frozenset[Ds] = frozenset()
    cdnskey: frozenset[Key] = frozenset()

    @property
    def heard(self) -> bool:
        return not self.why


@dataclass(frozen=True, slots=True)
class Facts:
    """One zone. security, why: of its SOA, by the validating resolver.

    parents: each server of the parent with its DS set, None when it was silent.  why_no_parent: why none could be asked.
    refused: RRsets that the validating resolver calls bogus, each with its reason.
    lagging: addresses that had not caught up after a second look either.
    """

    apex: str
    security: Security
    why: str = ""
    views: tuple[View, ...] = ()
    parents: tuple[tuple[Server, frozenset[Ds] | None], ...] = ()
    why_no_parent: str = ""
    why_no_servers: str = ""
    refused: tuple[tuple[Place, str], ...] = ()
    lagging: frozenset[str] = frozenset()

    @property
    def heard(self) -> tuple[View, ...]:
        return tuple(view for view in self.views if view.heard)

    @property
    def keys(self) -> frozenset[Key]:
        """Every key that any server shows."""
        return frozenset(key for view in self.heard for key in view.keys)

    @property
    def ds(self) -> frozenset[Ds] | None:
        """Every DS that any of the parent's servers shows; None when none of them answered."""
        known = [found for _, found in self.parents if found is not None]
        return frozenset().union(*known) if known else None

    @property
    def signed(self) -> bool:
        return bool(self.keys)

    def left(self, now: datetime) -> timedelta | None:
        """How long the signature that expires first is good for; None without signatures."""
        return min((until - now for until in self._ends(now)), default=None)

    def _ends(self, now: datetime) -> Iterable[datetime]:
        for view in self.heard:
            for cover in view.covers:
                if (until := cover.until(now, view.keys)) is not None:
                    yield until
