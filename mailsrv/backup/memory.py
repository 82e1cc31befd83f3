"""What a host remembers of its backups, below its state directory.

    STATE/backup/key            the secret behind the names of encrypted pieces; it is in the backups too
    STATE/backup/.known-...     the last encrypted backup's list, which the host itself could not read again
    STATE/backup/.last.json     the last backup that was whole: where and when
    STATE/backup/.scratch-...   copies of databases while a backup goes to a bucket

What begins with a dot is in no backup. All of it may be lost: then every body is read again, and nothing is laid there twice but
after the loss of the key. Fails by: `ForUser` where it cannot be written.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dnsops.base import files, keeping
from dnsops.base.errors import ForUser
from mailsrv.backup.place import LARGEST
from mailsrv.backup.snapshot import Snapshot, Unreadable

FOLDER = "backup"
KEY = 32  # octets
LONGEST = 65536  # octets of the note
_ADVICE = "run as the user that owns the state directory"


@dataclass(frozen=True)
class Note:
    """The last backup that was whole. finished: when."""

    name: str
    place: str
    finished: datetime


class Memory:
    """Of one state directory."""

    def __init__(self, state: Path) -> None:
        self.state, self.folder = state, state / FOLDER

    def prepare(self) -> Path:
        """The folder, made."""
        files.private_directory(self.folder)
        files.hand_over(self.state, self.folder)
        return self.folder

    def key(self) -> bytes:
        """Made when it is needed first."""
        path = self.folder / "key"
        try:
            known = bytes.fromhex(files.read_bounded(path, LONGEST).decode("ascii", "replace").strip())
        except FileNotFoundError:
            known = secrets.token_bytes(KEY)
            keeping.keep(self.state, path, known.hex().encode() + b"\n", _ADVICE)
        except ValueError:
            known = b""
        if len(known) != KEY:
            raise ForUser("this is no key of backups", str(path), "remove it: the next backup is then a whole new one")
        return known

    def known(self, place: str) -> Snapshot | None:
        """The last list of a place; None when it is lost."""
        try:
            return Snapshot.read(files.read_bounded(self._known(place), LARGEST))
        except (FileNotFoundError, Unreadable):
            return None

    def remember(self, place: str, snapshot: Snapshot) -> None:
        keeping.keep(self.state, self._known(place), snapshot.write(), _ADVICE)

    def note(self, note: Note) -> None:
        text = json.dumps({"name": note.name, "place": note.place, "finished": note.finished.isoformat()})
        keeping.keep(self.state, self.folder / ".last.json", text.encode() + b"\n", _ADVICE)

    def last(self) -> Note | None:
        """The note; None when there is none, and none that can be read."""
        try:
            said = json.loads(files.read_bounded(self.folder / ".last.json", LONGEST))
            finished = datetime.fromisoformat(str(said["finished"])).astimezone(UTC)
            return Note(str(said["name"]), str(said["place"]), finished)
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def _known(self, place: str) -> Path:
        return self.folder / f".known-{hashlib.sha256(place.encode()).hexdigest()[:16]}"
