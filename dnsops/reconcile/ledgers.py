"""The ledgers on disk: one file a place, under the state directory. Touches files; decides nothing.

Fails by: starting afresh when a ledger is damaged (every wait begins again, what was published before is left alone), and
saying so.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from dnsops.base import files, versioned
from dnsops.base.errors import ForUser
from dnsops.base.keeping import keep, recall
from dnsops.base.log import Log
from dnsops.rollover import ledger as form
from dnsops.rollover.ledger import Ledger
from dnsops.rollover.machine import Phase

LONGEST_NAME = 200  # of a file, before `.json` and what a temporary file adds; file systems take 255 bytes
PLAIN = re.compile(r"[a-z0-9_*-][a-z0-9_.*-]*")


class Ledgers:
    """`load` and `save` by place."""

    def __init__(self, directory: Path, log: Log) -> None:
        self._directory, self._log = directory, log

    def load(self, place: str) -> Ledger:
        path = self._path(place)
        try:
            return self._read(path, place)
        except ValueError as error:
            self._log("tlsa.ledger.damaged", file=str(path), why=str(error), now="every wait begins again")
            return Ledger(place)

    def unsettled(self, place: str) -> bool:
        """Whether anything is under way there, or nothing is known yet."""
        try:
            stages = self._read(self._path(place), place).life.stages.values()
        except (ForUser, ValueError):
            return True
        return not stages or any(stage.phase in (Phase.ASKED, Phase.RETIRING) for stage in stages)

    def owners(self) -> frozenset[str]:
        """Every owner name for whose port some record is kept."""
        ledgers = [self._readable(path) for path in self._directory.glob("*.json")]
        return frozenset(name for ledger in ledgers for names in ledger.users.values() for name in names)

    def save(self, ledger: Ledger) -> None:
        advice = "nothing is changed in DNS without it; free the disk, or name another place with --state"
        keep(self._directory.parent, self._path(ledger.place), form.write(ledger), advice)

    def _read(self, path: Path, place: str) -> Ledger:
        """ValueError for what is no ledger of this place."""
        found = recall(path, form.read) or Ledger(place)
        if found.place != place:
            raise ValueError(f"it is the ledger of {found.place}")
        return found

    def _readable(self, path: Path) -> Ledger:
        """A ledger, or an empty one: who decides about its place says what is wrong with it."""
        try:
            return form.read(files.read_bounded(path, versioned.LARGEST))
        except (OSError, ValueError):
            return Ledger("")

    def _path(self, place: str) -> Path:
        """A name comes from the DNS, where it may hold slashes and be longer than a file's name."""
        fits = len(place) <= LONGEST_NAME and PLAIN.fullmatch(place)
        digest = hashlib.sha256(place.encode()).hexdigest()
        odd = f"{re.sub(r'[^a-z0-9_-]+', '-', place)[: LONGEST_NAME - 66]}-{digest}"
        return self._directory / f"{place if fits else odd}.json"
