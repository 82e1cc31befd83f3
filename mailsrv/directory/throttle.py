"""How long a login attempt must wait: growing delays per network, per account, and per account and network. A machine.

An attempt counts as a failure from its start until it proves good, so that many at once gain nothing. A success takes back
its own attempt and no other: who owns one account must not guess at the next for free. A network (IPv4 address, IPv6 /64)
from which an account was entered lately is familiar to it, and then only their common count matters: neither a neighbour's
forgotten telephone nor a stranger's guessing locks anyone out.
Names are counted as they are given, known or not: the delays tell nobody which are. `now`: seconds of a steady clock.
Limits: 100 000 counts and 50 000 familiar pairs, the longest untouched go first. Fails by: nothing.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

Key: TypeAlias = tuple[str, ...]
K = TypeVar("K")
V = TypeVar("V")

MOST_COUNTS = 100_000
MOST_FAMILIAR = 50_000
FAMILIAR_FOR = 30 * 86400.0


@dataclass(frozen=True, slots=True)
class Pace:
    """`free` failures without a delay, then `first` seconds, doubled each time up to `longest`; forgotten after `forgets`."""

    free: int
    first: float
    longest: float
    forgets: float

    def delay(self, failures: int) -> float:
        if failures <= self.free:
            return 0.0
        return min(self.longest, self.first * 2.0 ** min(failures - self.free - 1, 60))


NETWORK = Pace(free=10, first=1, longest=900, forgets=3600)
ACCOUNT = Pace(free=20, first=1, longest=30, forgets=3600)  # short: else strangers could lock the owner out
PAIR = Pace(free=5, first=1, longest=900, forgets=3600)
_PACES = {"network": NETWORK, "account": ACCOUNT, "pair": PAIR}


class Lately(OrderedDict[K, V], Generic[K, V]):
    """A table of the last `most` keys that were set."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > self.most:
            self.popitem(last=False)


@dataclass
class Throttle:
    """The counts of one server."""

    counts: Lately[Key, tuple[int, float]] = field(default_factory=lambda: Lately(MOST_COUNTS))
    familiar: Lately[Key, float] = field(default_factory=lambda: Lately(MOST_FAMILIAR))

    def wait(self, peer: str, name: str, now: float) -> float:
        """Seconds until this peer may try this name; 0: now."""
        return max((self._left(key, now) for key in self._keys(network(peer), name, now)), default=0.0)

    def begin(self, peer: str, name: str, now: float) -> None:
        """An attempt starts: a failure until `succeeded` says otherwise."""
        for key in _all_keys(network(peer), name):
            self.counts[key] = (self._count(key, now) + 1, now)

    def succeeded(self, peer: str, name: str, now: float) -> None:
        """The attempt that `begin` counted was good."""
        place = network(peer)
        self.familiar[place, name] = now
        for key in _all_keys(place, name):
            self._take_back(key, now)

    def withdrawn(self, peer: str, name: str, now: float) -> None:
        """The attempt that `begin` counted never came to a verdict."""
        for key in _all_keys(network(peer), name):
            self._take_back(key, now)

    def _take_back(self, key: Key, now: float) -> None:
        left = self._count(key, now) - 1
        if left > 0:
            self.counts[key] = (left, self.counts[key][1])
        else:
            self.counts.pop(key, None)

    def _keys(self, place: str, name: str, now: float) -> Iterator[Key]:
        met = self.familiar.get((place, name))
        if met is not None and now - met < FAMILIAR_FOR:
            yield ("pair", place, name)
        else:
            yield from _all_keys(place, name)

    def _count(self, key: Key, now: float) -> int:
        failures, last = self.counts.get(key, (0, now))
        return failures if now - last < _PACES[key[0]].forgets else 0

    def _left(self, key: Key, now: float) -> float:
        _, last = self.counts.get(key, (0, now))
        return max(0.0, last + _PACES[key[0]].delay(self._count(key, now)) - now)


def _all_keys(place: str, name: str) -> tuple[Key, ...]:
    return ("network", place), ("account", name), ("pair", place, name)


def network(peer: str) -> str:
    """What counts as one peer: an IPv4 address, also when written as IPv6, or an IPv6 /64."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return peer[:64]
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((address, 64), strict=False))
