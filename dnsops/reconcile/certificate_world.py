"""What the story of a certificate needs from outside, as one value, and the journals of its tries on disk. Touches files."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dnsops.acme.door import Authority, Solver
from dnsops.base.keeping import keep, recall
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
            found = recall(path, form.read) or Journal(host)
            if found.host == host:
                return found
            why = f"it is the journal of {found.host}"
        except ValueError as error:
            why = str(error)
        self._log("certificate.journal.damaged", file=str(path), why=why, now="it is begun anew")
        return Journal(host)

    def save(self, journal: Journal) -> None:
        advice = "nothing is ordered without it; free the disk, or name another place with --state"
        keep(self._directory.parent, self._path(journal.host), form.write(journal), advice)

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
