"""Root no more: the ports are open and the keys are read, so the server becomes an ordinary user before it hears a word.

    become(user)                 for good
    become(user, reading=True)   and may still read whatever is there: for an import of another program's mail

Standards: setresuid(2), setgroups(2), capabilities(7), prctl(2) PR_SET_NO_NEW_PRIVS.
Fails by: `Misconfigured` for a user who is not there or may not enter the state directory.
"""

from __future__ import annotations

import ctypes
import os
import pwd
from pathlib import Path

from dnsops.base import files
from dnsops.base.errors import ForUser, Misconfigured

USUAL = "mailsrv"
_NO_NEW_PRIVS = 38  # prctl(2)
_KEEP_CAPABILITIES = 8
_CAPABILITIES_3 = 0x20080522  # capset(2): two sets of effective, permitted, inheritable
_DAC_READ_SEARCH = 1 << 2  # capabilities(7)


def whom(configured: str | None, root: bool | None = None) -> pwd.struct_passwd | None:
    """The user to become; None to stay who we are: only root can become another, and only where that user exists."""
    if not (os.geteuid() == 0 if root is None else root):
        return None
    name = configured or USUAL
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        if configured is None:
            return None
        raise Misconfigured(
            f"there is no user {name}", "user", f"make one: useradd --system --home /var/lib/mailsrv {name}"
        ) from None
    return None if user.pw_uid == 0 else user


def hand_over(state: Path, user: pwd.struct_passwd) -> None:
    """The state directory and what root left in it belong to the user from now on; symbolic links are not followed."""
    files.private_directory(state)
    try:
        if state.stat().st_uid == 0:
            _give(state, user)
    except OSError as error:
        raise ForUser(f"cannot be given to {user.pw_name} ({error.strerror})", str(state)) from None


def _give(path: Path, user: pwd.struct_passwd) -> None:
    os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    for folder, names, others in os.walk(path):
        for name in (*names, *others):
            os.chown(Path(folder, name), user.pw_uid, user.pw_gid, follow_symlinks=False)


def become(user: pwd.struct_passwd, reading: bool = False) -> None:
    """For good: groups first, all three ids, and no way to new privileges. `reading`: keep CAP_DAC_READ_SEARCH, and only it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if reading:
        libc.prctl(_KEEP_CAPABILITIES, 1, 0, 0, 0)
    os.initgroups(user.pw_name, user.pw_gid)
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    os.environ.update(HOME=user.pw_dir, USER=user.pw_name, LOGNAME=user.pw_name)
    libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    if reading:
        header, sets = (
            (ctypes.c_uint32 * 2)(_CAPABILITIES_3, 0),
            (ctypes.c_uint32 * 6)(_DAC_READ_SEARCH, _DAC_READ_SEARCH),
        )
        libc.capset(header, sets)  # where it is not granted, what cannot be read is said file by file
    if os.geteuid() == 0 or os.getegid() == 0:
        raise ForUser("is still root", user.pw_name, "give it a user id of its own")
