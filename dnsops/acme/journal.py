"""Which challenge records are ours and still out: written before the record is, struck out after it has gone.

    STATE/acme/challenges.json      [{"place": "_acme-challenge.example.org", "text": "...", "since": seconds since 1970}]

No provider must carry a mark for it, and nobody else's record can be in it: so a sweep removes ours and nothing else.
Limits: MOST entries. A damaged journal is kept beside the new one (challenges.json.damaged), and said.
Fails by: `ForUser` when it cannot be written; then no record is written either.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from dnsops.base import versioned
from dnsops.base.errors import ForUser
from dnsops.base.keeping import keep, recall
from dnsops.base.log import Log

VERSION = 1
MOST = 1000


@dataclass(frozen=True, slots=True)
class Out:
    """A TXT record that we wrote, or were about to. place: its owner, after aliases.  since: seconds since 1970."""

    place: str
    text: str
    since: float


class Journal:
    def __init__(self, state: Path, log: Log) -> None:
        self.state, self._path, self._log = state, state / "acme" / "challenges.json", log

    @property
    def lock(self) -> Path:
        return self._path.with_name("challenges.lock")

    def load(self) -> tuple[Out, ...]:
        try:
            return recall(self._path, lambda data: versioned.read(data, VERSION, "a journal", _entries)) or ()
        except ValueError as error:
            kept = self._path.with_name("challenges.json.damaged")
            with suppress(OSError):
                self._path.replace(kept)
            self._log("acme.journal.damaged", file=str(kept), why=str(error), now="look for _acme-challenge records")
            return ()

    def add(self, entries: Iterable[Out]) -> None:
        known = self.load()
        places = {(one.place, one.text) for one in known}
        self._save([*known, *(one for one in entries if (one.place, one.text) not in places)])

    def strike(self, entries: Iterable[Out]) -> None:
        gone = {(one.place, one.text) for one in entries}
        known = self.load()
        left = [one for one in known if (one.place, one.text) not in gone]
        if len(left) != len(known):
            self._save(left)

    def _save(self, entries: list[Out]) -> None:
        if len(entries) > MOST:
            advice = "look why the provider lets nothing be removed, then move the file away"
            raise ForUser(f"more than {MOST} challenge records are out", str(self._path), advice)
        advice = "no challenge is published without it; free the disk, or run as the user who owns it"
        keep(self.state, self._path, versioned.write(VERSION, out=[asdict(one) for one in entries]), advice)


def _entries(data: dict[str, list[dict[str, str]]]) -> tuple[Out, ...]:
    return tuple(Out(str(one["place"]), str(one["text"]), float(one["since"])) for one in data["out"][:MOST])
