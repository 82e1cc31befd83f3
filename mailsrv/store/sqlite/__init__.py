"""Mailboxes, messages and the queue in one SQLite database: `SqliteStore(directory)`."""

from mailsrv.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
