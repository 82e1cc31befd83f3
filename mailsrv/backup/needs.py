"""What an encrypted backup needs to lie there, readable without its identity: files by name and size, nothing of what is in them. Pure.

    text = needs.write()       JSON of a line a file, the last line the digest of all before
    Needs.read(text)           the same again, or `Unreadable`

Limits: MOST pieces. Fails by: `Unreadable`.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass

from mailsrv.backup.snapshot import MOST, NAME, Unreadable, body_of

FORM = "mailsrv-backup-needs 1"
SEALED = re.compile(r"([0-9a-f]{64})-([0-9a-f]{64})\.age")  # the piece's keyed digest, and the SHA-256 of the file


@dataclass(frozen=True)
class Needs:
    """name: of the backup.  files, size: of what is in it.  digest: SHA-256 of its list's file.  pieces: name -> octets."""

    name: str
    files: int
    size: int
    digest: str
    pieces: dict[str, int]

    def write(self) -> bytes:
        head = [FORM, self.name, self.files, self.size, self.digest, len(self.pieces)]
        text = "".join(json.dumps(row) + "\n" for row in (head, *map(list, self.pieces.items()))).encode()
        return text + hashlib.sha256(text).hexdigest().encode() + b"\n"

    @classmethod
    def read(cls, data: bytes) -> Needs:
        try:
            head, *rows = [json.loads(line) for line in body_of(data).splitlines()]
        except (ValueError, TypeError, RecursionError) as error:
            raise error if isinstance(error, Unreadable) else Unreadable("it is no list of needs") from None
        match head:
            case [str(form), str(name), int(files), int(size), str(digest), int(count)] if (
                form == FORM
                and NAME.fullmatch(name)
                and files >= 0
                and size >= 0
                and re.fullmatch(r"[0-9a-f]{64}", digest)
                and count == len(rows) <= MOST
            ):
                return cls(name, files, size, digest, dict(map(_piece, rows)))
        raise Unreadable("its first line is not as it should be")


def _piece(row: object) -> tuple[str, int]:
    match row:
        case [str(name), int(size)] if SEALED.fullmatch(name) and size >= 0:
            return name, size
    raise Unreadable(f"a piece in it is not as it should be: {str(row)[:80]}")
