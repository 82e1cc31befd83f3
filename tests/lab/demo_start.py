"""The demo's first promise: from an empty zone and a token to a served, verified mail host, by one command.

What `mailsrv quickstart` prints is shown as a person sees it, shortened where it is long. Fails by: `Unready`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from tests.lab.cloudflare_api import CloudflareApi
from tests.lab.mailserver import ROOT, MailServer
from tests.lab.network import MX, MX6
from tests.lab.program import listening, wait_until

LONGEST = 118  # characters of a line that is shown
KEPT = ("NS", "SOA")  # of a zone on its first day; and the name servers' addresses
PORTS = {"smtp": 25, "submission": 587, "submissions": 465, "imap": 143, "imaps": 993, "https": 443, "web": 80}


class Unready(Exception):
    """The first start did not come to its end."""


def emptied(api: CloudflareApi, domain: str, others: tuple[str, ...] = ()) -> None:
    """As on the zone's first day. others: names that belong to somebody else, and stay."""
    for record in api.records(domain):
        if record.type not in KEPT and not record.name.startswith("ns") and record.name not in others:
            api.erase(domain, record.id)


class Served(MailServer):
    """`mailsrv serve` with the configuration that quickstart wrote, on the addresses of the MX record."""

    def __init__(self, config: Path, state: Path, ca: Path) -> None:
        self.directory, self.address, self.around, self.options = config.parent, MX, (), ()
        self.state, self.log, self.config = state, config.parent / "serve.log", config
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.ports, self.ca = dict(PORTS), str(ca)
        self.password = (config.parent / "first-password").read_text().strip()
        self.settings, self.process, self._seen = {}, None, 0
        with config.open("a") as file:  # what the timers would do by themselves within the hour, the demo does at once
            file.write("timers: {run: false}\n")

    def write(self, **changes: object) -> None:
        """The configuration is a person's: it is not written here."""


def shown(text: str) -> list[str]:
    """What a command printed, without its log, each line short enough for a terminal."""
    lines = [line.rstrip() for line in text.splitlines() if not line.startswith("{")]
    return [line if len(line) <= LONGEST else line[: LONGEST - 3] + "..." for line in lines if line.strip()]


def validated(told: str) -> str:
    """From `dns verify --json`: how many records are seen, and that each is proven.."""
    checks = [one for one in json.loads(told)["checks"] if one["ours_to_write"]]
    wrong = [one for one in checks if one["state"] != "right" or one["security"] != "secure"]
    if wrong or not checks:
        raise Unready(f"not as wanted: {wrong}")
    return f"{len(checks)} records, at every name server, every one proven from the root"


def ready(addresses: Iterable[str] = (MX, MX6)) -> None:
    """Every port of the host answers."""
    for address in addresses:
        for port in (25, 465, 993, 443):
            wait_until(lambda address=address, port=port: listening(address, port), f"port {port}", 20)  # type: ignore[misc]
