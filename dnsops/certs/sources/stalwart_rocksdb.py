"""stalwart-rocksdb:DIR#ACME_ID - the data store of Stalwart 0.8 to 0.15, read while Stalwart has it open.

The settings are the column family "s". The database is opened read-only, through a private directory of symbolic links to
its files: the engine likes to leave a file of its own where it reads, and this is somebody else's live database.
Fails by: `ForUser` for no database, no such setting, another version, no rocksdict; `Later` when its files keep changing.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from dnsops.base.errors import ForUser, Later
from dnsops.certs.chain import Chain
from dnsops.certs.sources.door import Kind, Place, entries, near, split, unreadable
from dnsops.certs.sources.stalwart import NOT_HERE, setting, unpack

FAMILY = "s"
TRIES = 30
LONGEST_PAUSE = 0.25  # seconds between two tries
MOST_FILES = 200_000
MOST_PROVIDERS = 100
_NOT_LINKED = frozenset({"LOCK", "LOG", "rocksdict-config.json"})
_ADVICE = "give the directory of Stalwart's data store: the one with the file CURRENT in it"


class _Moved(Exception):
    """A compaction took a file away while we were opening: look again."""


@dataclass(frozen=True, slots=True)
class StalwartRocksDb(Place):
    """One ACME provider's certificate in one database."""

    path: Path
    acme_id: str

    def find(self, host: str) -> Chain:
        return unpack(self._value(), f"{self.path}#{self.acme_id}")

    def describe(self) -> str:
        return f"Stalwart's data store {self.path}, ACME provider {self.acme_id}"

    def _value(self) -> bytes:
        for number in range(1, TRIES + 1):
            try:
                return self._look()
            except _Moved:
                time.sleep(min(0.01 * number, LONGEST_PAUSE))
        raise Later(f"{self.path}: its files change faster than they can be read", timedelta(seconds=30))

    def _look(self) -> bytes:
        names = {entry.name for entry in entries(self.path, MOST_FILES, _ADVICE)}
        if "CURRENT" not in names:
            raise ForUser("is no RocksDB database: there is no file CURRENT in it", str(self.path), _ADVICE)
        _check_readable(self.path / "CURRENT")
        with tempfile.TemporaryDirectory(prefix="mailsrv-rocksdb-") as view:
            for name in names - _NOT_LINKED:
                (Path(view) / name).symlink_to((self.path / name).absolute())
            return self._get(view)

    def _get(self, view: str) -> bytes:
        engine = _engine()
        raw = engine.Options(raw_mode=True)
        raw.set_max_open_files(64)
        # even with a write-ahead log there: Stalwart is writing it
        access = engine.AccessType.read_only(False)
        with self._explaining(view):
            database = engine.Rdict(view, raw, {FAMILY: engine.Options(raw_mode=True)}, access)
            try:
                settings = database.get_column_family(FAMILY)
                value = settings.get(setting(self.acme_id).encode())
                providers = _providers(settings) if value is None else []
            finally:
                database.close()
        if value is None:
            raise self._absent(providers)
        return bytes(value)

    @contextmanager
    def _explaining(self, view: str) -> Iterator[None]:
        """The engine's own exceptions are bare `Exception`s: exactly those become ours, everything else goes on."""
        try:
            yield
        except BaseException as error:
            if type(error) is not Exception:
                raise
            raise self._explained(str(error).replace(view, str(self.path))) from None

    def _explained(self, text: str) -> Exception:
        if "No such file" in text:
            return _Moved()
        if "Column family not found" in text:
            return ForUser('has no column family "s": no data store of Stalwart 0.8 to 0.15', str(self.path), NOT_HERE)
        if "Permission denied" in text:
            return ForUser("cannot be read (Permission denied)", str(self.path), "run as root or as Stalwart's user")
        return ForUser(f"cannot be opened as RocksDB ({text[:200]})", str(self.path), NOT_HERE)

    def _absent(self, providers: list[str]) -> ForUser:
        what = f"no ACME provider named {self.acme_id} has a certificate there"
        if providers:
            return ForUser(what, str(self.path), near(self.acme_id, providers))
        return ForUser(f"holds no acme.* setting: {what}", str(self.path), NOT_HERE)


def _providers(settings: Any) -> list[str]:
    """The ACME ids that have a certificate there. Only names of settings are looked at."""
    cursor = settings.iter()
    cursor.seek(b"acme.")
    found: list[str] = []
    while cursor.valid() and cursor.key().startswith(b"acme.") and len(found) < MOST_PROVIDERS:
        key = cursor.key().decode("utf-8", "replace")
        if key.endswith(".cert"):
            found.append(key.removeprefix("acme.").removesuffix(".cert"))
        cursor.next()
    return found


def _check_readable(path: Path) -> None:
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise unreadable(path, error) from None


def _engine() -> Any:
    try:
        import rocksdict
    except ImportError:
        raise ForUser("reading RocksDB needs the package rocksdict", "", "pip install 'mailsrv[rocksdb]'") from None
    return rocksdict


def parse(kind: Kind, rest: str) -> StalwartRocksDb:
    path, acme_id = split(kind, rest, name_needed=True)
    return StalwartRocksDb(Path(path), acme_id)
