"""Acquaintances read a moment ago, kept up with what is noted since: most mail comes from who wrote just now. Pure.

    lately.find(keys, now)          their rows, or None
    reading = lately.begin(keys)    they are asked for: changes are collected from now on, until
    lately.end(reading, rows, now)  they are there, as they were when the reading began
    lately.noted(key, change)       a line of the table changes

A key is an account and a correspondent, as the ledger spells them.
Limits: MOST rows, the oldest go; LASTING seconds each, so what another process writes is seen that much later at most.
Fails by: None.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple, TypeAlias

MOST = 10_000
LASTING = 30.0  # seconds

Key: TypeAlias = "tuple[str, str]"
Keys: TypeAlias = "tuple[Key, ...]"


class Change(NamedTuple):
    """column: received or sent, a count that goes up by `value`; mark, which becomes it."""

    column: str
    value: int


class Row(NamedTuple):
    """A line of the table. mark: the number of a `reputation.Mark`."""

    received: int = 0
    sent: int = 0
    mark: int = 0

    def changed(self, change: Change) -> Row:
        match change.column:
            case "received":
                return self._replace(received=self.received + change.value)
            case "sent":
                return self._replace(sent=self.sent + change.value)
        return self._replace(mark=change.value)


@dataclass(frozen=True)
class Reading:
    """One look into the file. changes: of each key, noted since it began."""

    keys: Keys
    changes: tuple[list[Change], ...]


class Lately:
    """Rows by their keys."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._rows: dict[Key, tuple[Row, float]] = {}  # and until when; the latest last
        self._open: dict[Key, list[list[Change]]] = {}  # of each reading under way

    def find(self, keys: Keys, now: float) -> list[Row] | None:
        found = [self._rows.get(key) for key in keys]
        rows = [row for row, until in filter(None, found) if now < until]
        return rows if len(rows) == len(keys) else None

    def begin(self, keys: Keys) -> Reading:
        reading = Reading(keys, tuple([] for _ in keys))
        for key, changes in zip(keys, reading.changes, strict=True):
            self._open.setdefault(key, []).append(changes)
        return reading

    def end(self, reading: Reading, rows: Sequence[Row], now: float) -> None:
        """rows: none of them where they could not be read."""
        for key, changes in zip(reading.keys, reading.changes, strict=True):
            left = [one for one in self._open.pop(key) if one is not changes]
            if left:
                self._open[key] = left
        for key, row, changes in zip(reading.keys, rows, reading.changes, strict=False):
            self._keep(key, reduce(Row.changed, changes, row), now + LASTING)

    def noted(self, key: Key, change: Change) -> None:
        for changes in self._open.get(key, ()):
            changes.append(change)
        if key in self._rows:
            row, until = self._rows[key]
            self._rows[key] = row.changed(change), until

    def _keep(self, key: Key, row: Row, until: float) -> None:
        self._rows.pop(key, None)
        self._rows[key] = row, until
        if len(self._rows) > self._most:
            del self._rows[next(iter(self._rows))]
