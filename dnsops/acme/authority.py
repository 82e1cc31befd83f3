"""An ACME server with our account there: `Authority` of the door, put together.

Standards: RFC 8555, RFC 9773. Blocking; nothing is asked before something is wanted, and the directory is read once.
Fails by: `ForUser`, `Later`, as the rooms that it calls say.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from dnsops.acme import accounts, ari, words
from dnsops.acme.accounts import Accounts, Terms
from dnsops.acme.attempts import Attempts
from dnsops.acme.door import Solver, Window, Wish
from dnsops.acme.exchange import Exchange
from dnsops.acme.ordering import Ordering, Persisted
from dnsops.acme.orders import Orders
from dnsops.acme.refusals import Refusal
from dnsops.acme.signing import AccountKey
from dnsops.acme.talk import Plain, Sleep, Talk
from dnsops.base.keeping import alone
from dnsops.base.log import Log


@dataclass(frozen=True, slots=True)
class World:
    """What an authority is given. persisted: (name, issuers, wildcard, account URI) -> whether a lasting record stands there."""

    state: Path
    log: Log
    sleep: Sleep = time.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    persisted: Callable[[str, tuple[str, ...], bool, str], bool] | None = None


class Acme:
    """directory: the server's address.  roots: a PEM file for a private authority."""

    def __init__(self, directory: str, terms: Terms, world: World, roots: Path | None = None) -> None:
        self.url, self._terms, self._world = directory, terms, world
        self._accounts, self._attempts = Accounts(world.state), Attempts(world.state)
        self._roots = roots

    @property
    def account_uri(self) -> str:
        """As it is on disk; registered now when it is not yet."""
        known = self._accounts.load(self.url)
        return known.uri if known and known.uri else self._talk.account

    def issue(self, wish: Wish, solver: Solver) -> bytes:
        world = self._world
        orders = Orders(world.state, self._accounts.path(self.url).with_name("order.json"))
        ordering = Ordering(self._talk, solver, self._attempts, orders, world.log, world.now, self._persisted())
        chain = ordering.chain(wish)
        world.log("acme.issued", names=list(wish.names), until=f"{chain.not_after:%Y-%m-%dT%H:%M:%SZ}")
        return b"".join(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in chain.certificates)

    def window(self, certificate: bytes) -> Window | None:
        """None too when what it says cannot be meant; the log has why."""
        place, name = self._plain.directory.renewal_info, ari.identifier(certificate)
        # RFC 9773 4.3: not after the certificate's end
        if not place or not name or x509.load_der_x509_certificate(certificate).not_valid_after_utc < self._world.now():
            return None
        try:
            reply = self._plain.get(f"{place}/{name}")
            return ari.window(words.document(reply.body), certificate, reply.wait)
        except (ari.Odd, Refusal, words.Malformed) as error:
            self._world.log("acme.window.ignored", certificate=name, why=str(error), now="its age decides")
            return None

    def close(self) -> None:
        self._exchange.close()

    @cached_property
    def _exchange(self) -> Exchange:
        return Exchange(self._roots)

    @cached_property
    def _plain(self) -> Plain:
        return Plain(self._exchange, self.url, self._world.sleep)

    @cached_property
    def _talk(self) -> Talk:
        """Signed by our account, which is registered and checked."""
        with alone(self._world.state, self._accounts.path(self.url).with_name("lock")):
            account = self._accounts.enter(self.url)
            key = AccountKey(account.key, str(self._accounts.path(self.url)))
            talk = Talk(self._exchange, self.url, key, self._world.sleep)
            accounts.settle(talk, self._accounts, account, self._terms)
        return talk

    def _persisted(self) -> Persisted | None:
        asked, account = self._world.persisted, self._talk.account
        if asked is None:
            return None
        return lambda name, issuers, wildcard: asked(name, tuple(issuers), wildcard, account)
