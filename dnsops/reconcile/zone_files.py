"""What the zone story keeps on disk: a ledger for each zone, and the ways back. Touches files; decides nothing.

    STATE/dns/ledger/example.org.json      STATE/dns/undo-20261126T120000Z-01.json

Fails by: `ForUser` with the path when something cannot be read or written, or is damaged. A damaged ledger is not begun
afresh: then records of ours would stay for ever as a stranger's, and nobody would know.
Limits: MOST_KEPT ways back; the oldest goes.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from dnsops.base import files
from dnsops.base.errors import ForUser
from dnsops.base.keeping import keep, recall
from dnsops.plan import ownership, saved
from dnsops.plan.ownership import Ledger
from dnsops.plan.saved import Saved
from dnsops.records import names

MOST_KEPT = 100
WRITE_ADVICE = "nothing is changed in DNS without it; free the disk, or run as the user that owns it"


class Ledgers:
    """`load` and `save` by zone. directory: STATE/dns."""

    def __init__(self, directory: Path) -> None:
        self._state, self._directory = directory.parent, directory / "ledger"

    def load(self, zone: str) -> Ledger:
        path = self._path(zone)
        try:
            found = recall(path, ownership.read, ownership.LARGEST) or Ledger(zone)
        except ValueError as error:
            raise ForUser(f"the ledger is damaged ({error})", str(path), _begin_again(zone)) from None
        if found.zone != zone:
            raise ForUser(f"it is the ledger of {found.zone}", str(path), _begin_again(zone))
        return found

    def save(self, ledger: Ledger) -> None:
        keep(self._state, self._path(ledger.zone), ownership.write(ledger), WRITE_ADVICE)

    def zones(self) -> list[str]:
        """Those in which something of ours may stand."""
        return sorted(path.name.removesuffix(".json") for path in self._directory.glob("*.json"))

    def _path(self, zone: str) -> Path:
        return self._directory / f"{names.canonical(zone)}.json"


class WaysBack:
    """What each run changed, so that it can be changed back."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def keep(self, way: Saved, now: datetime) -> Path:
        path = self._free(f"undo-{now:%Y%m%dT%H%M%SZ}")
        keep(self._directory.parent, path, saved.write(way), WRITE_ADVICE)
        for old in self._all()[:-MOST_KEPT]:
            old.unlink(missing_ok=True)
        return path

    def newest(self) -> Path:
        found = self._all()
        if not found:
            raise ForUser("there is no way back kept here", str(self._directory), "name its file: --undo FILE")
        return found[-1]

    def _all(self) -> list[Path]:
        return sorted(self._directory.glob("undo-*.json"))

    def _free(self, stem: str) -> Path:
        for number in range(1, MOST_KEPT):
            path = self._directory / f"{stem}-{number:02d}.json"
            if not path.exists():
                return path
        raise ForUser("too many runs in one second", str(self._directory), "try again")


def read_saved(path: Path) -> Saved:
    """A saved plan, or a way back."""
    try:
        return saved.read(files.read_bounded(path, saved.LARGEST))
    except OSError as error:
        raise ForUser(f"cannot be read ({error.strerror})", str(path), "name a file of `dns plan --out`") from None
    except ValueError as error:
        raise ForUser(f"is no saved plan ({error})", str(path), "name a file of `dns plan --out`") from None


def write_saved(path: Path, plan: Saved) -> None:
    """A plan for later, where a person wants it."""
    try:
        files.replace(path, saved.write(plan))
    except OSError as error:
        raise ForUser(f"cannot be written ({error.strerror})", str(path), "name another file") from None


def _begin_again(zone: str) -> str:
    return f"move it away: what stands in {zone} just as wanted is then adopted, and the rest is a stranger's"
