"""The ledgers on disk: one file a place, under the state directory. Touches files; decides nothing.

Fails by: starting afresh when a ledger is damaged (every wait begins again, ownership is the marks'), and saying so.
"""

from __future__ import annotations

from pathlib import Path

from dnsops.base import files
from dnsops.base.errors import ForUser
from dnsops.base.log import Log
from dnsops.rollover import ledger as form
from dnsops.rollover.ledger import Ledger
from dnsops.rollover.machine import Phase


class Ledgers:
    """`load` and `save` by place."""

    def __init__(self, directory: Path, log: Log) -> None:
        self._directory, self._log = directory, log

    def load(self, place: str) -> Ledger:
        path = self._path(place)
        try:
            return form.read(files.read_bounded(path, form.LARGEST))
        except FileNotFoundError:
            return Ledger(place)
        except ValueError as error:
            self._log("tlsa.ledger.damaged", file=str(path), why=str(error), now="every wait begins again")
            return Ledger(place)
        except OSError as error:
            raise ForUser(f"cannot be read ({error.strerror})", str(path), "run as the user that owns it") from None

    def unsettled(self, place: str) -> bool:
        """Whether anything is under way there, or nothing is known yet."""
        try:
            stages = self.load(place).life.stages.values()
        except ForUser:
            return True
        return not stages or any(stage.phase in (Phase.ASKED, Phase.RETIRING) for stage in stages)

    def save(self, ledger: Ledger) -> None:
        path = self._path(ledger.place)
        data = form.write(ledger)
        try:
            files.private_directory(self._directory)
            if not path.exists() or path.read_bytes() != data:
                files.replace(path, data)
        except OSError as error:
            advice = "nothing is changed in DNS without it; free the disk, or name another place with --state"
            raise ForUser(f"cannot be written ({error.strerror})", str(path), advice) from None

    def _path(self, place: str) -> Path:
        return self._directory / f"{place.replace('*', 'wildcard')}.json"
