"""The order that is under way: who was killed, or told to wait, goes on with it, and burns no second certificate.

    STATE/acme/DIRECTORY/order.json      the order's address, what it is for, since when

Only an order for the same key, names and profile counts, and none that is older than OLDEST: the same key may be certified again
one day. Standards: RFC 8555 7.1.3 (an order's address outlives its connection). A damaged memory is no memory.
Fails by: `ForUser` when it cannot be written.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dnsops.acme.door import Wish
from dnsops.base import files, versioned
from dnsops.base.keeping import keep

VERSION = 1
OLDEST = 86400.0  # seconds


class Orders:
    """The memory on disk, for one authority. path: its file."""

    def __init__(self, state: Path, path: Path) -> None:
        self._state, self._path = state, path

    def under_way(self, wish: Wish, now: float) -> str:
        """The address of the order for this wish; "" when there is none."""
        try:
            url, digest, since = versioned.read(
                files.read_bounded(self._path, versioned.LARGEST), VERSION, "an order", _fields
            )
        except (OSError, ValueError):
            return ""
        return url if digest == _digest(wish) and 0 <= now - since < OLDEST else ""

    def begun(self, url: str, wish: Wish, now: float) -> None:
        data = versioned.write(VERSION, url=url, digest=_digest(wish), since=now)
        keep(self._state, self._path, data, "nothing is ordered without it; free the disk")

    def over(self) -> None:
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def _digest(wish: Wish) -> str:
    """Of what an order is for; the request itself has another signature each time."""
    key = x509.load_pem_x509_csr(wish.csr).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(b"\0".join([key, *sorted(map(str.encode, wish.names)), wish.profile.encode()])).hexdigest()


def _fields(data: dict[str, str]) -> tuple[str, str, float]:
    return str(data["url"]), str(data["digest"]), float(data["since"])
