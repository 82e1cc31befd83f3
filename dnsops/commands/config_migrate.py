"""A configuration of an old version is brought to the newest: looked at, and written so that a kill leaves the old file or the new.

Kept: the text as it was beside it, mode, owner; a symbolic link goes on pointing where it did.
Fails by: `Misconfigured` for what cannot be read or migrated, `ForUser` for what cannot be written, `Later` when an editor
was faster. What would come out is loaded first: a file that would be refused is not written.
"""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from pathlib import Path

from dnsops.base import files
from dnsops.base.errors import ForUser, Later
from dnsops.base.settings import tree, versions
from dnsops.base.settings.load import check
from dnsops.records import names


@dataclass(frozen=True, slots=True)
class Move:
    """What would be done. before: the file's bytes; told: empty when there is nothing to do."""

    file: Path
    before: bytes
    after: bytes
    version: int
    newest: int
    told: tuple[str, ...]
    diff: str


def looked_at(file: str) -> Move:
    path = Path(file)
    before = tree.octets(path)
    moved = versions.migrated(before, path)
    after = moved.text.encode()
    check(tree.parse(after, path), names.host)
    lines = (before.decode("utf-8-sig").splitlines(keepends=True), moved.text.splitlines(keepends=True))
    told = difflib.unified_diff(*lines, f"{file} (version {moved.version})", f"{file} (version {versions.current()})")
    diff = "".join(line if line.endswith("\n") else line + "\n" for line in told)
    return Move(path, before, after, moved.version, versions.current(), moved.told, diff)


def written(move: Move) -> str:
    """Write it; where the file as it was is kept."""
    path = Path(os.path.realpath(move.file))
    try:
        status = path.stat()
        kept = _kept(path, move, status)
        with files.replacing(path, status.st_mode & 0o7777) as file:
            file.write(move.after)
            _given(file.fileno(), status)
            if tree.octets(path) != move.before:
                raise Later(f"{path}: somebody else has just changed it")
    except OSError as error:
        where = str(error.filename or path)
        raise ForUser(f"cannot be written ({error.strerror})", where, "run it as who owns the file, or root") from None
    return str(kept)


def _kept(path: Path, move: Move, status: os.stat_result) -> Path:
    """The copy; one of the same content is there after a kill, one of another content stays."""
    for n in range(1, 1000):
        copy = path.with_name(f"{path.name}.version-{move.version}" + (f".{n}" if n > 1 else ""))
        if _same(copy, move.before):
            return copy
        if os.path.lexists(copy):
            continue
        with files.replacing(copy, status.st_mode & 0o7777) as file:
            file.write(move.before)
            _given(file.fileno(), status)
        return copy
    raise ForUser("a thousand copies of old versions are here already", str(path.parent), "remove some")


def _same(copy: Path, data: bytes) -> bool:
    """Read only when it has the size."""
    regular = not copy.is_symlink() and copy.is_file()
    return regular and copy.stat().st_size == len(data) and copy.read_bytes() == data


def _given(handle: int, status: os.stat_result) -> None:
    now = os.fstat(handle)
    if (now.st_uid, now.st_gid) != (status.st_uid, status.st_gid):
        os.fchown(handle, status.st_uid, status.st_gid)
