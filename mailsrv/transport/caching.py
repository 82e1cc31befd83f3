"""MTA-STS policies on disk: one JSON file a domain, so that they outlive restarts and whatever happens to the DNS.

    {"domain": "example.org", "id": "...", "policy": "version: STSv1\\r\\n...", "fetched": ..., "used": ...}     times in epoch seconds

Standard: RFC 8461 3.3 (a policy holds for max_age), 10.2 (keeping it is what makes the first fetch the only weak moment).
Limits: 10 000 domains; beyond that the one that ends first goes.
Fails by: silence. A file that cannot be read is no policy, one that cannot be written is kept in memory.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dnsops.base import files
from dnsops.base.errors import ForUser
from dnsops.records.txt.mtasts import LARGEST, Sts

MOST = 10_000  # domains
SHORTEST = timedelta(minutes=5)  # else a max_age of 0 would mean one fetch for each message
LARGEST_FILE = LARGEST * 8  # JSON may write one byte as six


@dataclass(frozen=True, slots=True)
class Kept:
    """A policy, under which id it came, when it was fetched and when last asked for."""

    domain: str
    id: str
    sts: Sts
    fetched: datetime
    used: datetime

    @property
    def ends(self) -> datetime:
        return self.fetched + max(timedelta(seconds=self.sts.max_age), SHORTEST)

    @classmethod
    def parse(cls, data: bytes) -> Kept:
        """A file's content; ValueError for what is none."""
        try:
            found = json.loads(data)
            texts = [found[key] for key in ("domain", "id", "policy")]
            times = [datetime.fromtimestamp(int(found[key]), UTC) for key in ("fetched", "used")]
            if not all(isinstance(text, str) for text in texts):
                raise ValueError("not a policy that was kept")
            return cls(texts[0], texts[1], Sts.parse(texts[2].encode()), times[0], times[1])
        except (KeyError, TypeError, OverflowError, OSError, RecursionError, ForUser):
            raise ValueError("not a policy that was kept") from None

    def __str__(self) -> str:
        times = {"fetched": int(self.fetched.timestamp()), "used": int(self.used.timestamp())}
        return json.dumps({"domain": self.domain, "id": self.id, "policy": str(self.sts), **times}, indent=1) + "\n"


class Cache:
    """The policies; without a directory only in memory."""

    def __init__(self, directory: Path | None = None, most: int = MOST) -> None:
        self._directory, self._most = directory, most
        self._kept: dict[str, Kept] = {}
        self._load()

    def get(self, domain: str, now: datetime) -> Kept | None:
        """The policy of a domain while it holds; asking for it is using it."""
        kept = self._kept.get(domain)
        if kept is None or now >= kept.ends:
            return None
        self._kept[domain] = kept = replace(kept, used=max(kept.used, now))
        return kept

    def put(self, kept: Kept) -> None:
        """Remembered from now on; `save` makes it durable."""
        self._kept[kept.domain] = kept
        while len(self._kept) > self._most:
            self.drop(min(self._kept.values(), key=lambda one: one.ends).domain)

    def save(self, kept: Kept) -> None:
        """Onto the disk, where there is a directory; waits for the disk, so a thread may do it."""
        if self._directory is not None:
            with contextlib.suppress(OSError):
                files.replace(self._path(self._directory, kept.domain), str(kept).encode())

    def drop(self, domain: str) -> None:
        self._kept.pop(domain, None)
        if self._directory is not None:
            with contextlib.suppress(OSError):
                self._path(self._directory, domain).unlink(missing_ok=True)

    def __iter__(self) -> Iterator[Kept]:
        return iter(list(self._kept.values()))

    def _load(self) -> None:
        if self._directory is None:
            return
        with contextlib.suppress(OSError):
            files.private_directory(self._directory)
            for path in sorted(self._directory.glob("*.json"))[: self._most]:
                with contextlib.suppress(OSError, ValueError):
                    kept = Kept.parse(files.read_bounded(path, LARGEST_FILE))
                    if self._path(self._directory, kept.domain) == path:
                        self._kept[kept.domain] = kept

    @staticmethod
    def _path(directory: Path, domain: str) -> Path:
        """Canonical names have no slash; the longest are too long for a file's name."""
        name = domain if len(domain) <= 200 else hashlib.sha256(domain.encode()).hexdigest()
        return directory / f"{name}.json"
