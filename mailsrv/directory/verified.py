"""Passwords that were checked a moment ago: right ones are not hashed again, and a wrong one is not another guess. A machine.

An entry is a keyed hash over the account's name, its stored passwords, the day, and the password that was given, under a
key of this process: it belongs to one account alone (CVE-2025-30189), tells nothing when memory leaks, and is void as soon
as a stored password changes. Limits: 20 000 entries; right ones last 5 minutes, wrong ones 10. Fails by: nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from mailsrv.directory.throttle import Lately

MOST = 20_000
RIGHT_FOR = 300.0
WRONG_FOR = 600.0


@dataclass
class Verified:
    """key: 16 to 64 random octets of this process."""

    key: bytes = field(repr=False)
    _right: Lately[tuple[str, bytes], tuple[float, str]] = field(default_factory=lambda: Lately(MOST), repr=False)
    _wrong: Lately[bytes, float] = field(default_factory=lambda: Lately(MOST), repr=False)

    def mark(self, name: str, stored: bytes, day: str, password: bytes) -> bytes:
        """What stands for this password of this name."""
        made = hashlib.blake2b(key=self.key, digest_size=32)
        for part in (name.encode(), stored, day.encode(), password):
            made.update(len(part).to_bytes(4, "big") + part)
        return made.digest()

    def right(self, account: str, mark: bytes, now: float) -> str | None:
        """Which of the account's passwords this was lately, by its name; None: none."""
        since, by = self._right.get((account, mark), (now - RIGHT_FOR, ""))
        return by if now - since < RIGHT_FOR else None

    def wrong(self, mark: bytes, now: float) -> bool:
        """Whether exactly this was refused lately."""
        since = self._wrong.get(mark)
        return since is not None and now - since < WRONG_FOR

    def note(self, account: str | None, mark: bytes, now: float, by: str = "") -> None:
        """A verdict: right for that account, by its password of that name, or wrong (None)."""
        if account is None:
            self._wrong[mark] = now
        else:
            self._right[account, mark] = (now, by)

    def forget(self, account: str) -> None:
        """The account's password was changed, or it was closed."""
        for key in [key for key in self._right if key[0] == account]:
            del self._right[key]
