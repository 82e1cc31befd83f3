"""What the story of a certificate needs from outside, as one value, and the journals of its tries on disk. Touches files."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dnsops.acme.door import Authority, Solver
from dnsops.base import files, versioned
from dnsops.base.errors import ForUser
from dnsops.base.log import Log
from dnsops.certs.generations import Generation, Generations
from dnsops.reconcile.certificate_target import Target, Turn
from dnsops.records import names
from dnsops.resolve.answer import Resolver
from dnsops.rollover import certificate_journal as form
from dnsops.rollover.certificate_journal import Journal


class Journals:
    """One file a host, DIRECTORY/HOST.json. A damaged one is said, and begun anew: the next try is made at once."""

    def __init__(self, directory: Path, log: Log) -> None:
        self._directory, self._log = directory, log

    def load(self, host: str) -> Journal:
        path = self._path(host)
        try:
            found = form.read(files.read_bounded(path, versioned.LARGEST))
            if found.host == host:
                return found
            why = f"it is the journal of {found.host}"
        except FileNotFoundError:
            return Journal(host)
        except OSError as error:
            raise ForUser(f"cannot be read ({error.strerror})", str(path), "run as the user that owns it") from None
        except ValueError as error:
            why = str(error)
        self._log("certificate.journal.damaged", file=str(path), why=why, now="it is begun anew")
        return Journal(host)

    def save(self, journal: Journal) -> None:
        path, data = self._path(journal.host), form.write(journal)
        try:
            files.private_directory(self._directory)
            if not path.exists() or path.read_bytes() != data:
                files.replace(path, data)
                files.hand_over(self._directory.parent, self._directory, path)
        except OSError as error:
            advice = "nothing is ordered without it; free the disk, or name another place with --state"
            raise ForUser(f"cannot be written ({error.strerror})", str(path), advice) from None

    def _path(self, host: str) -> Path:
        return self._directory / f"{names.host(host)}.json"


@dataclass(frozen=True)
class World:
    """keys, journals: our memory.  authority, solver: opened when there is something to ask or to show; both block.

    turn: let the next pair become current, if everybody may know its key.  install: tell the server of the current pair;
    "" or what went wrong.
    """

    resolver: Resolver
    keys: Generations
    journals: Journals
    authority: Callable[[], Authority]
    solver: Callable[[Target], Solver]
    turn: Callable[[Target], Awaitable[Turn]]
    install: Callable[[Sequence[str], Generation], Awaitable[str]]
    now: Callable[[], datetime]
    log: Log
