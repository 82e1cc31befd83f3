"""What is known about our host and domains before the records are made from it. Pure values.

`dnsops.reconcile.wanted.gather(settings, state)` fills a `House`; `dnsops.wanted.union.wanted(house)` makes the records.
All names canonical (records/names), addresses as text. Fails by: `ForUser` for a records.other_mx that is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dnsops.base.errors import ForUser
from dnsops.dkim.ring import Role, Selector
from dnsops.records import names
from dnsops.records.tlsa import Tlsa

if TYPE_CHECKING:
    from dnsops.base.settings.records import Records


@dataclass(frozen=True, slots=True)
class Signing:
    """One DKIM selector of a domain, and what its generation is for now."""

    domain: str
    selector: Selector
    role: Role


@dataclass(frozen=True, slots=True)
class Association:
    """One TLSA record of a port of the host. coming: for the next key, which is not served yet."""

    port: int
    record: Tlsa
    coming: bool = False


@dataclass(frozen=True, slots=True)
class AcmeFacts:
    """Who issues our certificates. issuers: the authority's names in CAA records, the first is the one to write.

    account: its URI, "" before there is one.  methods: validation methods that we use (RFC 8657 4).
    names: the further names of the certificate, wildcards too.  contact: a mail address, or "".
    persist: whether _validation-persist records are wished.
    """

    issuers: tuple[str, ...] = ()
    account: str = ""
    methods: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    contact: str = ""
    persist: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """A service for mail programs, by its SRV label: imaps 993."""

    label: str
    port: int


@dataclass(frozen=True, slots=True)
class House:
    """The host, its domains, and what the records are made of.

    addresses: the host's, public ones.  detected: they were found on this machine's interfaces, and not written down.
    sources: addresses that mail leaves from besides those.  relay: the next hop that all mail leaves by, or "".
    services: what mail programs may use here.  web: whether HTTPS for the web names is answered (by us or a proxy).
    dmarc_to, tls_to: where reports go, "" for each domain's postmaster.  display_name: the provider's, for people.
    zones: the zones that we may write, None while that is not known; then everything at or below a domain of ours is.
    ttl: seconds, of new records.
    """

    hostname: str
    domains: tuple[str, ...]
    records: Records
    addresses: tuple[str, ...] = ()
    detected: bool = False
    sources: tuple[str, ...] = ()
    relay: str = ""
    signing_domains: tuple[str, ...] = ()
    signings: tuple[Signing, ...] = ()
    tlsa: tuple[Association, ...] = ()
    acme: AcmeFacts = AcmeFacts()
    services: tuple[Service, ...] = ()
    web: bool = True
    dmarc_to: str = ""
    tls_to: str = ""
    display_name: str = ""
    zones: tuple[str, ...] | None = None
    ttl: int = 300

    @property
    def target(self) -> str:
        """The host as rdata has it: absolute."""
        return f"{self.hostname}."

    def held(self, name: str) -> bool:
        """Whether a name lies in a zone that is ours to write."""
        return any(names.under(name, zone) for zone in self.places)

    @property
    def places(self) -> tuple[str, ...]:
        """The zones that we may write; while nobody has said which, our domains that lie below none of the others."""
        if self.zones is not None:
            return self.zones
        ours = self.domains or (self.hostname,)
        return tuple(name for name in ours if not any(name != other and names.under(name, other) for other in ours))

    def port_of(self, label: str) -> int | None:
        """The port of a service, None when it is not offered."""
        return next((service.port for service in self.services if service.label == label), None)

    @property
    def other_mx(self) -> tuple[tuple[int, str], ...]:
        """Further mail hosts: preference and name."""
        return tuple(map(_preference, self.records.other_mx))


def _preference(text: str) -> tuple[int, str]:
    """`20 mx2.example.net`."""
    number, _, host = text.strip().partition(" ")
    if not number.isdecimal() or int(number) > 65535 or not host.strip():
        raise ForUser(f"not a preference and a host: {text[:80]!r}", "records.other_mx", "write 20 mx2.example.net")
    return int(number), names.host(host, "records.other_mx")
