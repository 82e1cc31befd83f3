"""The secrets of SRS: a file of lines, the first one signs, all of them are still believed.

    srs.key in the state directory, made at the first use, mode 0600; or the file of `srs.secret`

To change the secret put a new line above the old one, and take the old one away three weeks later.
Limits: 8 lines, 16 octets at least of each. Fails by: `Misconfigured`.
"""

from __future__ import annotations

import secrets as random
from pathlib import Path

from dnsops.base import files
from dnsops.base.errors import Misconfigured

FILE = "srs.key"
MOST, SHORTEST, LARGEST = 8, 16, 4096


def secrets(directory: Path, configured: Path | None = None) -> tuple[bytes, ...]:
    """The secrets, the current one first."""
    path = configured or directory / FILE
    try:
        if configured is None and not path.exists():
            _make(path)
        found = tuple(line.strip() for line in files.read_bounded(path, LARGEST).splitlines() if line.strip())
    except OSError as error:
        raise Misconfigured(f"the secrets of SRS cannot be read ({error.strerror})", str(path)) from None
    except ValueError:
        raise Misconfigured(f"longer than {LARGEST} octets", str(path), "one secret on each line") from None
    if not 0 < len(found) <= MOST or any(len(secret) < SHORTEST for secret in found):
        raise Misconfigured(
            f"not 1 to {MOST} lines of {SHORTEST} characters or more", str(path), "write one: openssl rand -hex 32"
        )
    return found


def _make(path: Path) -> None:
    """Of several processes that begin, the first one makes it."""
    files.private_directory(path.parent)
    new = path.with_name(f".{path.name}.{random.token_hex(4)}")
    files.replace(new, random.token_hex(32).encode() + b"\n")
    try:
        path.hardlink_to(new)
    except FileExistsError:
        pass
    finally:
        new.unlink()
    files.sync_directory(path.parent)
