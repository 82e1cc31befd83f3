"""Fills a `House` from the configuration and from what lies on this machine's disk. Touches files, sends nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dnsops.wanted.house import AcmeFacts, House

if TYPE_CHECKING:
    from dnsops.base.settings.model import Settings


def gather(settings: Settings, state: Path) -> House:
    """state: the state directory, with dkim/, certs/ and acme/ in it; each may be missing."""
    return House(settings.hostname, settings.domains, settings.records, acme=acme_facts(state, settings))


def acme_facts(state: Path, settings: Settings) -> AcmeFacts:
    """Who issues our certificates, and with which account."""
    return AcmeFacts()
