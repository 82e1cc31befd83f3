"""What other processes did in the same database, told as our own changes are: other workers, `mailsrv message import`, `queue retry`.

    PRAGMA data_version unchanged        nobody else has committed: nothing is read
    it differs                           what is newer than the modseq we know, of the accounts that somebody watches

Others' news are told before our own of the same mailbox, so that UIDs are heard of in their order. What we did ourselves since the
last look may be told twice, which a reader of news (an `Index`) does not mind. Subscriptions and metadata of others are not told.
Fails by: what the connection raises; the next look then finds all of it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import apsw

from mailsrv.store.door import Change
from mailsrv.store.sqlite import ledger
from mailsrv.store.sqlite.keywords import Decoder
from mailsrv.store.sqlite.ledger import KEPT, Kept

_ALL = "SELECT name, modseq FROM account"
_BOXES = """SELECT account.name, account.modseq, mailbox.id, mailbox.name, mailbox.modseq, selectable
    FROM account LEFT JOIN mailbox ON mailbox.account = account.id WHERE account.name IN carray(?)"""
_GONE = "SELECT uid FROM expunged WHERE mailbox = ? AND modseq > ? ORDER BY uid"


@dataclass(frozen=True, slots=True)
class _Box:
    name: str
    modseq: int
    selectable: bool


@dataclass
class Elsewhere:
    """What we know of the accounts: up to which modseq, and of watched ones which mailboxes there are. For the writer's thread."""

    version: int | None = None
    modseqs: dict[str, int] = field(default_factory=dict)
    boxes: dict[str, dict[int, str]] = field(default_factory=dict)

    def begin(self, db: apsw.Connection) -> None:
        """A new connection: its count of versions is its own, so the next look is a whole one; the first knows everything."""
        if not self.modseqs:
            self.modseqs = {str(name): int(str(modseq)) for name, modseq in db.execute(_ALL)}
            self.version = _version(db)
        else:
            self.version = None

    def behind(self, db: apsw.Connection) -> bool:
        """Whether somebody else has committed since the last look at everything."""
        return self.version != _version(db)

    def look(self, db: apsw.Connection, watched: Collection[str]) -> list[Change]:
        """All that others did to who is watched; inside a transaction of `db`."""
        version = _version(db)
        if version == self.version:
            self._meet(db, [name for name in watched if name and name not in self.boxes])
            return []
        changes = self.part(db, watched)
        self.version = version
        for name in self.boxes.keys() - set(watched):
            del self.boxes[name]
        return [Change("", 0, kind="queue"), *changes]

    def part(self, db: apsw.Connection, accounts: Collection[str]) -> list[Change]:
        """The same for some accounts, and there may be more elsewhere."""
        changes: list[Change] = []
        for name, (modseq, boxes) in _standing(db, accounts).items():
            since = self.modseqs.get(name, 0)
            changes += self._names(name, boxes)
            for number, box in boxes.items():
                if box.modseq > since and box.selectable:
                    changes.append(_news(db, name, number, since))
            self.modseqs[name], self.boxes[name] = modseq, {number: box.name for number, box in boxes.items()}
        return changes

    def ours(self, changes: Sequence[Change]) -> None:
        """We told this ourselves, and were not behind."""
        for change in changes:
            if change.account not in self.boxes:
                continue
            if change.kind in ("created", "renamed", "deleted"):
                del self.boxes[change.account]
            elif change.rows:
                highest = max(row.modseq for row in change.rows)
                self.modseqs[change.account] = max(self.modseqs.get(change.account, 0), highest)

    def _meet(self, db: apsw.Connection, names: Sequence[str]) -> None:
        """Somebody began to watch, and nobody else has committed since: how it stands now is how it stood then."""
        for name, (modseq, boxes) in _standing(db, names).items():
            self.modseqs[name], self.boxes[name] = modseq, {number: box.name for number, box in boxes.items()}

    def _names(self, account: str, now: dict[int, _Box]) -> list[Change]:
        """Mailboxes that came, went, or are called otherwise."""
        before = self.boxes.get(account)
        if before is None:
            return []
        kinds = dict.fromkeys(now.keys() - before.keys(), "created")
        kinds |= dict.fromkeys(before.keys() - now.keys(), "deleted")
        kinds |= {number: "renamed" for number in now.keys() & before.keys() if now[number].name != before[number]}
        return [Change(account, number, kind=kind) for number, kind in sorted(kinds.items())]


def _version(db: apsw.Connection) -> int:
    return int(str(db.execute("PRAGMA data_version").fetchall()[0][0]))


def _standing(db: apsw.Connection, accounts: Collection[str]) -> dict[str, tuple[int, dict[int, _Box]]]:
    """Of each account its modseq and its mailboxes; one that is gone has neither."""
    names = [name for name in accounts if name]
    found: dict[str, tuple[int, dict[int, _Box]]] = {name: (0, {}) for name in names}
    if not names:
        return found
    rows: Any = db.execute(_BOXES, (apsw.carray(tuple(names), flags=apsw.SQLITE_CARRAY_TEXT),))
    for account, modseq, number, name, highest, selectable in rows:
        boxes = found[account][1]
        if number is not None:
            boxes[number] = _Box(name, highest, bool(selectable))
        found[account] = (modseq, boxes)
    return found


def _news(db: apsw.Connection, account: str, mailbox: int, since: int) -> Change:
    decoder = Decoder(db, mailbox)
    found: Any = db.execute(KEPT + "AND modseq > ? ORDER BY uid", (mailbox, since))
    rows = tuple(ledger.row(decoder, Kept(*each)) for each in found)
    gone = tuple(int(str(uid)) for (uid,) in db.execute(_GONE, (mailbox, since)))
    return Change(account, mailbox, rows, gone)
