"""The names that one host's certificate shall be for, in the order of their weight. Pure.

Standards: RFC 8461 3.3 (mta-sts); for where mail programs look there are drafts only.
Limits: MOST names, as authorities have them: those beyond are left out and told.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dnsops.records import names

if TYPE_CHECKING:
    from dnsops.base.settings.model import Settings

MOST = 100


def wanted(settings: Settings) -> tuple[str, ...]:
    """The host, the web names that our records lead to, and what a person added."""
    labels = _labels(settings)
    web = [f"{label}.{domain}" for label in labels for domain in settings.domains]
    return ordered([settings.hostname, *settings.acme.names, *web])


def ordered(texts: Iterable[str]) -> tuple[str, ...]:
    """Each once, in the one spelling; without those that a wildcard among them stands for, but for the first, the host."""
    first, *others = dict.fromkeys(names.canonical(text) for text in texts)
    known = frozenset(others)
    return (first, *(name for name in others if f"*.{name.partition('.')[2]}" not in known - {name}))


def _labels(settings: Settings) -> tuple[str, ...]:
    """Labels of names below each domain that answer by HTTPS."""
    wish = settings.records
    return (
        *(("mta-sts",) if wish.mta_sts.mode != "none" else ()),
        *(("autoconfig", "autodiscover") if wish.client_setup else ()),
        *(("mail",) if wish.client_name else ()),
        *(("ua-auto-config",) if wish.client_setup else ()),
    )
