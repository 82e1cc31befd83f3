"""How far a move came, kept below the state directory: a run that was killed is simply run again.

    journal = Journal.of(state, "imap", host, user, account)
    journal.entry(b"INBOX", 1700000000)       that of a mailbox under this UIDVALIDITY, new if it was another
    journal.keep()                            on disk when this returns

An entry is written after the store has committed. What a kill between the two leaves is in the mailbox at or above `after`, and there
it is looked for. Limits: MOST failed UIDs a mailbox. Fails by: `ForUser` from the disk; a damaged file is a new one, all is compared.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dnsops.base import keeping, versioned

VERSION, LARGEST = 1, 64 << 20
FOLDER = "moving"
MOST = 1000


@dataclass
class Entry:
    """A mailbox. done: every UID up to it came over or is among the failed; after: UIDNEXT of the target then."""

    uidvalidity: int
    done: int = 0
    after: int = 0
    failed: list[int] = field(default_factory=list)


@dataclass
class Journal:
    """Of one move from one account into another."""

    state: Path
    path: Path
    entries: dict[str, Entry] = field(default_factory=dict)

    @classmethod
    def of(cls, state: Path, *what: str) -> Journal:
        """As an earlier run left it."""
        name = hashlib.sha256("\0".join(what).encode()).hexdigest()[:16]
        path = state / FOLDER / f"{what[0]}-{name}.json"
        try:
            entries = keeping.recall(path, read, LARGEST)
        except ValueError:
            entries = None
        return cls(state, path, entries or {})

    def entry(self, mailbox: bytes, uidvalidity: int) -> Entry:
        key = mailbox.decode("latin-1")
        known = self.entries.get(key)
        if known is None or known.uidvalidity != uidvalidity:
            known = self.entries[key] = Entry(uidvalidity)
        return known

    def keep(self) -> None:
        mailboxes = {
            name: [one.uidvalidity, one.done, one.after, one.failed[:MOST]] for name, one in self.entries.items()
        }
        keeping.keep(self.state, self.path, versioned.write(VERSION, mailboxes=mailboxes), "look at the disk")


def read(data: bytes) -> dict[str, Entry]:
    """The entries of a journal's document; raises ValueError."""
    return versioned.read(data, VERSION, "a journal of a move", _entries, LARGEST)


def _entries(document: dict[str, Any]) -> dict[str, Entry]:
    found = {}
    for name, (uidvalidity, done, after, failed) in document["mailboxes"].items():
        found[str(name)] = Entry(int(uidvalidity), int(done), int(after), [int(uid) for uid in failed])
    return found
