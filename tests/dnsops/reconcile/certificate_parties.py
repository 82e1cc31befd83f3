"""Who a certificate is about, besides us, in a small world: the zone that its provider shows the DNS, and the authority."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509

from dnsops.acme.door import Challenge, Kind, Window
from dnsops.acme.door import Wish as Order
from dnsops.providers.door import Change, Held
from dnsops.providers.memory import Memory
from dnsops.records.rdata import Record, txt
from tests.dnsops import certificates

if TYPE_CHECKING:
    from tests.dnsops.reconcile.certificate_world import World

ZONE, HOST, OWNER = "example.org", "mx1.example.org", "_25._tcp.mx1.example.org"
NAMES = (HOST, "mta-sts.example.org", "autoconfig.example.org")
TTL = 3600
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Zone:
    """The provider; what it holds the DNS shows. Every write may die or fail, before its effect or after."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.memory = Memory([ZONE])
        self.came: Counter[tuple[str, str]] = Counter()  # how often each record appeared, and went
        self.went: Counter[tuple[str, str]] = Counter()

    @property
    def there(self) -> frozenset[tuple[str, str]]:
        """Every record: name and text."""
        return frozenset((one.record.name, str(one.record.data)) for one in self.memory.read(ZONE, below=True))

    def read(self, name: str, type_name: str = "", below: bool = False) -> tuple[Held, ...]:
        self._world.fault("provider.read")
        return self.memory.read(name, type_name, below)

    def write(self, change: Change) -> None:
        self._world.fault("provider.write")
        self._world.remember()
        before = self.there
        self.memory.write(change)
        for record in (*change.add, *change.remove):
            items = frozenset(held.record.data for held in self.memory.read(record.name, record.type))
            self._world.dns.hold(record.name, record.type, items, TTL)
        self.came.update(self.there - before)
        self.went.update(before - self.there)
        self._world.fault("provider.written")

    def challenges(self) -> list[str]:
        """Where challenges stand."""
        held = self.memory.read(ZONE, "TXT", below=True)
        return sorted(one.record.name for one in held if one.record.name.startswith("_acme-challenge."))


class InTheZone:
    """A solver that keeps no book: what it sweeps is all that stands there."""

    kind: Kind = "dns-01"

    def __init__(self, zone: Zone) -> None:
        self._zone = zone

    def show(self, challenges: Sequence[Challenge]) -> None:
        self._zone.write(Change(add=tuple(self._record(one) for one in challenges)))

    def remove(self, challenges: Sequence[Challenge]) -> None:
        self._zone.write(Change(remove=tuple(self._record(one) for one in challenges)))

    def sweep(self) -> None:
        held = self._zone.read(ZONE, "TXT", below=True)
        left = tuple(one.record for one in held if one.record.name.startswith("_acme-challenge."))
        if left:
            self._zone.write(Change(remove=left))

    @staticmethod
    def _record(challenge: Challenge) -> Record:
        return Record(f"_acme-challenge.{challenge.name}", "TXT", 60, txt(challenge.text))


class Issuer:
    """The authority. down: why it answers nothing. life: days of the next certificate. advice: what ARI says."""

    account_uri = "https://ca.example/account/1"

    def __init__(self, world: World) -> None:
        self._world = world
        self.down: Exception | None = None
        self.life = 90
        self.advice: Callable[[x509.Certificate], Window | None] = lambda certificate: None
        self.orders: list[Order] = []

    def issue(self, wish: Order, solver: InTheZone) -> bytes:
        self._world.fault("order")
        if self.down:
            raise self.down
        self.orders.append(wish)
        shown = [Challenge("dns-01", name.removeprefix("*."), name, f"proof-{name}") for name in wish.names]
        try:
            solver.show(shown)
            for one in shown:
                answered = self._world.dns.records[f"_acme-challenge.{one.name}", "TXT"].items
                assert txt(one.text) in answered
        finally:
            if not self._world.dead:
                solver.remove(shown)
        self._world.fault("issued")
        public = x509.load_pem_x509_csr(wish.csr).public_key()
        start = self._world.now.wall - timedelta(hours=1)
        made = certificates.issue(public, *wish.names, start=start, days=self.life)
        return certificates.pem(*made)

    def window(self, certificate: bytes) -> Window | None:
        self._world.fault("window")
        if self.down:
            raise self.down
        return self.advice(x509.load_der_x509_certificate(certificate))
