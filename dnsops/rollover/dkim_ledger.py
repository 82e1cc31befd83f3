"""What we remember about one domain's selectors between two looks, as JSON text. Pure.

The ledger is a memory, not the truth: that is the ring of keys. Lost or damaged, every wait begins again.
Fails by: ValueError from `read`, with what is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from dnsops.base import versioned
from dnsops.base.moment import Moment
from dnsops.dkim.ring import Ring, Role, Selector
from dnsops.rollover import lives
from dnsops.rollover.machine import Life

VERSION = 1
LONGEST_WAIT = 1e10  # seconds


@dataclass(frozen=True, slots=True)
class Wait:
    """How long a generation has had its role, counted while this machine was up, on the clock that nobody can set.

    A reboot does not begin it again: a week must come to its end on a machine that boots every day. It loses what
    passed since the last look.
    """

    role: Role
    waited: timedelta
    seen: Moment

    def counted(self, now: Moment) -> Wait:
        return Wait(self.role, self.waited + (now.after(self.seen) or timedelta(0)), now)


@dataclass(frozen=True, slots=True)
class Ledger:
    """life: the records in our care.  waits: by generation."""

    domain: str
    life: Life[Selector] = field(default_factory=Life)
    waits: Mapping[str, Wait] = field(default_factory=dict)

    def counted(self, ring: Ring, now: Moment) -> dict[str, Wait]:
        """The waits of the ring's generations at this moment; a new role begins a new one."""
        found = {}
        for one in ring.generations:
            wait = self.waits.get(one.name)
            known = wait is not None and wait.role is one.role
            found[one.name] = wait.counted(now) if wait and known else Wait(one.role, timedelta(0), now)
        return found


def write(ledger: Ledger) -> bytes:
    """The ledger as JSON; the same ledger gives the same bytes."""
    life = lives.write(ledger.life, lambda one: f"{one.name} {one.algorithm} {one.text}")
    waits = {
        name: {"role": wait.role.name, "waited": wait.waited.total_seconds(), "seen": wait.seen.as_json()}
        for name, wait in sorted(ledger.waits.items())
    }
    return versioned.write(VERSION, domain=ledger.domain, **life, waits=waits)


def read(data: bytes) -> Ledger:
    """The inverse of `write`."""
    return versioned.read(data, VERSION, "a ledger", _ledger)


def _ledger(document: dict[str, Any]) -> Ledger:
    waits = {str(name): _wait(item) for name, item in document["waits"].items()}
    return Ledger(str(document["domain"]), lives.read(document, _selector), waits)


def _selector(text: str) -> Selector:
    name, algorithm, record = text.split(" ", 2)
    return Selector(name, algorithm, record)


def _wait(item: dict[str, Any]) -> Wait:
    waited = float(item["waited"])
    if not (math.isfinite(waited) and 0 <= waited <= LONGEST_WAIT):
        raise ValueError(f"a wait of {waited} seconds")
    return Wait(Role[item["role"]], timedelta(seconds=waited), lives.sane(Moment.from_json(item["seen"])))
