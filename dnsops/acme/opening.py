"""From the configuration to an authority and a solver.

    authority = open_authority(settings.acme, state, log)
    solver = solver_for(settings.acme, state, log, provider)      # provider: of settings.dns, or None
    pem = authority.issue(Wish(names, csr), solver)

Nothing is asked before it is needed. Fails by: `Misconfigured` for a challenge that cannot be met as configured.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from dnsops.acme import dns01, lasting
from dnsops.acme.accounts import Binding, Terms
from dnsops.acme.answers import AlpnAnswers, HttpAnswers
from dnsops.acme.authority import Acme, World
from dnsops.acme.dns01 import Dns01
from dnsops.acme.door import Solver
from dnsops.acme.seeing import TRUSTED
from dnsops.base.errors import Misconfigured
from dnsops.base.log import Log
from dnsops.base.settings import acme as settings
from dnsops.providers.door import Provider
from dnsops.records.txt.caa import PERSIST
from dnsops.records.txt.texts import texts
from dnsops.resolve.choice import resolver
from dnsops.resolve.settings import Settings as Resolving


def open_authority(given: settings.Acme, state: Path, log: Log, resolving: Resolving | None = None) -> Acme:
    """The configured authority. resolving: how `_validation-persist` records are looked up, with `persist`."""
    binding = Binding(given.eab.key_id, given.eab.hmac_key) if given.eab else None
    terms = Terms(given.contact or "", given.agree_to_terms, binding)
    known = Lasting(resolving) if given.persist else None
    return Acme(given.directory, terms, World(state, log, persisted=known), given.roots)


def solver_for(
    given: settings.Acme, state: Path, log: Log, provider: Provider | None, resolving: Resolving | None = None
) -> Solver:
    """How names are proven. provider: who holds the zones; None when nobody is configured."""
    match given.challenge:
        case "http-01":
            return HttpAnswers(state)
        case "tls-alpn-01":
            return AlpnAnswers(state)
        case "dns-01" if provider is None:
            raise Misconfigured("dns-01 needs a provider", "acme.challenge", "set dns, or acme.challenge: http-01")
    return Dns01(provider, state, log, dns01.outside(resolving)) if provider else HttpAnswers(state)


class Lasting:
    """Asks the resolver for a persistent validation. Blocking."""

    def __init__(self, resolving: Resolving | None) -> None:
        self._resolving = resolving

    def __call__(self, name: str, issuers: tuple[str, ...], wildcard: bool, account_uri: str) -> bool:
        return lasting.lasts(asyncio.run(self._texts(name)), issuers, account_uri, wildcard, time.time())

    async def _texts(self, name: str) -> list[str]:
        async with resolver(self._resolving) as asking:
            answer = await asking.ask(f"{PERSIST}.{name}", "TXT")
        return texts(answer.items) if answer.security in TRUSTED else []
