"""What one backup holds: each file as a list of pieces, each piece known by its digest. Pure.

    text = snapshot.write()        JSON of a line a file, the last line the digest of all before
    Snapshot.read(text)            the same again, or `Unreadable`

Limits: MOST files, PATH octets of a name. A name leads nowhere outside the place it is restored to.
Fails by: `Unreadable`.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import PurePosixPath

FORM = "mailsrv-backup 1"
PIECE = 1 << 18  # octets of a piece; the last of a file is shorter
MOST = 20_000_000
PATH = 4096
DIGEST = re.compile(r"[0-9a-f]{64}")
NAME = re.compile(r"[0-9]{8}T[0-9]{6}Z")


class Unreadable(ValueError):
    """Not a list of a backup's files, or not the whole of one."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file (pieces), or a symbolic link (target). path: below the place; mode: permission bits."""

    path: str
    mode: int
    size: int = 0
    pieces: tuple[str, ...] = ()
    target: str = ""


@dataclass(frozen=True)
class Snapshot:
    """name: the second (UTC) at which it was begun.  key: of the pieces' digests, hexadecimal; "" where they are plain SHA-256."""

    name: str
    entries: tuple[Entry, ...]
    key: str = ""

    @property
    def pieces(self) -> set[str]:
        return {piece for entry in self.entries for piece in entry.pieces}

    @property
    def size(self) -> int:
        return sum(entry.size for entry in self.entries)

    def write(self) -> bytes:
        rows = [json.dumps([FORM, self.name, len(self.entries), *([self.key] if self.key else [])])]
        rows += [json.dumps([e.path, e.mode, e.size, list(e.pieces), e.target]) for e in self.entries]
        text = "".join(row + "\n" for row in rows).encode()
        return text + hashlib.sha256(text).hexdigest().encode() + b"\n"

    @classmethod
    def read(cls, data: bytes) -> Snapshot:
        body = body_of(data)
        try:
            form, name, count, *key = json.loads(body.split(b"\n", 1)[0])
            rows = [json.loads(line) for line in body.splitlines()[1:]]
        except (ValueError, TypeError, RecursionError):
            raise Unreadable("it is no list of files") from None
        if form != FORM:
            raise Unreadable(f"it is of the form {str(form)[:40]!r}, and this program reads {FORM!r}")
        if not isinstance(name, str) or not NAME.fullmatch(name) or count != len(rows) or count > MOST or len(key) > 1:
            raise Unreadable("its first line is not as it should be")
        if key and not (isinstance(key[0], str) and DIGEST.fullmatch(key[0])):
            raise Unreadable("its key is not as it should be")
        return cls(name, tuple(map(_entry, rows)), *key)


def body_of(data: bytes) -> bytes:
    """All but the last line, which is its digest."""
    body, digest = data[:-65], data[-65:].strip()
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise Unreadable("its digest does not match: it is damaged, or was cut off")
    return body


def _entry(row: object) -> Entry:
    match row:
        case [str(path), int(mode), int(size), list(pieces), str(target)] if (
            inside(path)
            and 0 <= mode <= 0o777
            and size >= 0
            and (not target or inside(target))
            and len(pieces) == -(-size // PIECE)
            and all(isinstance(piece, str) and DIGEST.fullmatch(piece) for piece in pieces)
        ):
            return Entry(path, mode, size, tuple(pieces), target)
    raise Unreadable(f"a file in it is not as it should be: {str(row)[:80]}")


def inside(path: str) -> bool:
    """Whether a relative path stays below the place it is taken from."""
    whole = PurePosixPath(path)
    return 0 < len(path) <= PATH and "\0" not in path and not whole.is_absolute() and ".." not in whole.parts
