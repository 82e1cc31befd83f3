"""The Store in memory, for tests: `MemoryStore()`."""

from mailsrv.store.memory.store import MemoryStore

__all__ = ["MemoryStore"]
