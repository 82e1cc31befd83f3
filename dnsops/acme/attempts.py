"""How often a name failed lately: no more than MOST_FAILURES an hour, however often somebody asks.

    STATE/acme/failures.json      {"mx1.example.org": [seconds since 1970, ...]}

Authorities bar who fails more often (Let's Encrypt: five validations an hour and name). The memory outlives restarts; a damaged
one is forgotten. Fails by: `Later`, with the time when the next attempt is free.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from dnsops.base import files, versioned
from dnsops.base.errors import ForUser, Later
from dnsops.base.keeping import keep

VERSION = 1
MOST_FAILURES = 4  # one less than the authorities': another machine of ours may fail too
HOUR = 3600.0
SPREAD = 300.0  # seconds: who waited together does not come back together

Failures = Mapping[str, tuple[float, ...]]


class Attempts:
    """The memory on disk."""

    def __init__(self, state: Path) -> None:
        self._state, self._path = state, state / "acme" / "failures.json"

    def check(self, names: Iterable[str], now: datetime) -> None:
        """`Later` when one of the names has failed too often."""
        known = lately(self._load(), now.timestamp())
        full = {name: known[name] for name in names if len(known.get(name, ())) >= MOST_FAILURES}
        if full:
            name = max(full, key=lambda one: full[one][-MOST_FAILURES])
            wait = full[name][-MOST_FAILURES] + HOUR - now.timestamp() + random.uniform(0, SPREAD)  # noqa: S311 (no secret)
            raise Later(f"{name} could not be validated {MOST_FAILURES} times within an hour", timedelta(seconds=wait))

    def failed(self, names: Iterable[str], now: datetime) -> None:
        known = dict(lately(self._load(), now.timestamp()))
        for name in names:
            known[name] = (*known.get(name, ()), now.timestamp())
        self._save(known)

    def went_well(self, names: Iterable[str], now: datetime) -> None:
        known = lately(self._load(), now.timestamp())
        if known.keys() & set(names):
            self._save({name: times for name, times in known.items() if name not in set(names)})

    def _load(self) -> Failures:
        try:
            return versioned.read(files.read_bounded(self._path, versioned.LARGEST), VERSION, "failures", _failures)
        except (OSError, ValueError):
            return {}

    def _save(self, known: Failures) -> None:
        # without it one attempt more is made: no reason to stop
        with suppress(ForUser):
            data = versioned.write(VERSION, names={name: list(known[name]) for name in known})
            keep(self._state, self._path, data, "")


def lately(known: Failures, now: float) -> Failures:
    """Of the last hour; a time in the future is none (the clock was turned)."""
    recent = {name: tuple(one for one in times if now - HOUR < one <= now) for name, times in known.items()}
    return {name: times for name, times in recent.items() if times}


def _failures(data: dict[str, dict[str, list[float]]]) -> Failures:
    return {str(name): tuple(sorted(map(float, times))) for name, times in data["names"].items()}
