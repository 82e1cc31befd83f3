"""Which DKIM selectors are known of a domain: those that the user names, and for a domain of ours those that sign its mail now.

Before the first keys sign, those that are announced: they are what the zone must have by then.

Standard: RFC 6376 3.1. Fails by: nothing; keys that cannot be read name no selector, and `mailsrv dkim` says what is wrong with them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from dnsops.base.errors import Deliberate

if TYPE_CHECKING:
    from dnsops.base.settings import Settings


def known(named: Sequence[str], settings: Settings | None) -> Callable[[str], tuple[str, ...]]:
    """For each domain, its selectors."""
    ours = frozenset(settings.signing_domains) if settings else frozenset[str]()

    def of(domain: str) -> tuple[str, ...]:
        signing = _signing(domain, settings) if settings and domain in ours else ()
        return tuple(dict.fromkeys((*named, *signing)))

    return of


def _signing(domain: str, settings: Settings) -> tuple[str, ...]:
    from dnsops.base.places import state_directory
    from dnsops.dkim.keys import Keys

    with suppress(Deliberate):
        ring = Keys(state_directory(settings.state.directory) / "dkim").ring(domain)
        generation = ring.current or ring.next
        return tuple(selector.name for selector in generation.selectors) if generation else ()
    return ()
