"""What the disk or SQLite may do to us, and the sentence a peer may read about it: no path, no name of an exception.

Standards: security promise P-04; RFC 3463 (the callers make 4.3.x of `Later`).
"""

from __future__ import annotations

import errno

import apsw

from dnsops.base.errors import Later

# Not ours to mend: after one of these the whole group is `Later`. Everything else SQLite raises is a bug.
TROUBLE = (
    OSError,
    MemoryError,
    apsw.BusyError,
    apsw.CantOpenError,
    apsw.ConnectionClosedError,
    apsw.CorruptError,
    apsw.FullError,
    apsw.InterruptError,
    apsw.IOError,
    apsw.LockedError,
    apsw.NoMemError,
    apsw.NotADBError,
    apsw.PermissionsError,
    apsw.ProtocolError,
    apsw.ReadOnlyError,
)


def later(error: BaseException) -> Later:
    """The mail store's word for a peer."""
    return Later(f"the mail store is not available: {reason(error)}")


def reason(error: BaseException) -> str:
    """One of a few plain reasons."""
    if isinstance(error, OSError):
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        return "its disk is full" if full else "its disk failed"
    for kinds, text in REASONS:
        if isinstance(error, kinds):
            return text
    return "its disk failed"


REASONS = (
    ((apsw.FullError,), "its disk is full"),
    ((apsw.BusyError, apsw.LockedError, apsw.ProtocolError, apsw.InterruptError), "another program holds its database"),
    ((apsw.CorruptError, apsw.NotADBError), "its database is damaged"),
    ((apsw.ReadOnlyError, apsw.PermissionsError), "its disk is read-only"),
    ((apsw.NoMemError, MemoryError), "there is not enough memory"),
)
