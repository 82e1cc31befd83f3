"""What one job of the writer works with: the open transaction, the moment, and what must be told or tidied after the commit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import apsw

from mailsrv.store.door import Change, Row


@dataclass(slots=True)
class Work:
    """`changes`: for the watchers. `unneeded`: files of bodies that nobody refers to. `unindexed`: rows for the index."""

    db: apsw.Connection
    now: datetime
    changes: list[Change] = field(default_factory=list)
    unneeded: list[str] = field(default_factory=list)
    unindexed: int = 0

    def all(self, sql: str, *values: Any) -> list[Any]:
        return self.db.execute(sql, values).fetchall()

    def first(self, sql: str, *values: Any) -> Any:
        """The first row or None; the statement is run to its end."""
        rows = self.db.execute(sql, values).fetchall()
        return rows[0] if rows else None

    def run(self, sql: str, *values: Any) -> None:
        self.db.execute(sql, values)

    def each(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self.db.executemany(sql, rows)

    def changed(self, account: str, mailbox: int, rows: Sequence[Row] = (), gone: Sequence[int] = ()) -> None:
        self.changes.append(Change(account, mailbox, tuple(rows), tuple(gone)))

    def happened(self, account: str, mailbox: int, kind: str) -> None:
        self.changes.append(Change(account, mailbox, kind=kind))


Job = Callable[[Work], Any]


def seconds(moment: datetime) -> int:
    """As the tables keep moments; a naive one is UTC."""
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def moment(kept: int) -> datetime:
    return datetime.fromtimestamp(kept, UTC)
