"""certbot:NAME - a lineage of certbot: live/NAME/fullchain.pem, a link to the newest in archive/NAME.

Fails by: `ForUser`; when the lineage is not there, with the names of those that are.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from dnsops.base.errors import ForUser
from dnsops.certs.chain import Chain
from dnsops.certs.sources.door import Kind, Place, entries, incomplete, near, read_chain, unreadable

DIRECTORY = "/etc/letsencrypt"
MOST_LINEAGES = 10_000


@dataclass(frozen=True, slots=True)
class Certbot(Place):
    """One lineage's directory under live/."""

    path: Path

    def find(self, host: str) -> Chain:
        try:
            there = self.path.is_dir()
        except OSError as error:
            raise unreadable(self.path, error) from None
        if not there:
            raise self._absent()
        return read_chain(self.path / "fullchain.pem", "see `certbot certificates`", self.path / "privkey.pem")

    def describe(self) -> str:
        return f"certbot's {self.path}"

    def _absent(self) -> ForUser:
        lineages = entries(
            self.path.parent, MOST_LINEAGES, "is certbot installed here? set CERTBOT_DIR if it is elsewhere"
        )
        names = [entry.name for entry in lineages if entry.is_dir()]
        return ForUser(
            f"certbot has no certificate named {self.path.name}", str(self.path), near(self.path.name, names)
        )


def parse(kind: Kind, rest: str) -> Certbot:
    if not rest or (not rest.startswith("/") and "/" in rest) or rest in (".", ".."):
        raise incomplete(kind, rest)
    return Certbot(Path(os.environ.get("CERTBOT_DIR") or DIRECTORY) / "live" / rest)
