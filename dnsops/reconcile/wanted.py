"""Fills a `House` from the configuration and from what lies on this machine's disk. Touches files, sends nothing.

    house = gather(settings, state)      wanted(house)
    house = replace(house, zones=...)    once it is known which zones can be written

What is not there yet (keys, certificates, an account) is left out, and the union says so. What is there and cannot be read is
for a person: `ForUser`, for records made from half the truth would take others away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dnsops.base import files, versioned
from dnsops.base.errors import ForUser
from dnsops.base.log import Log
from dnsops.base.settings.words import loopback
from dnsops.certs.chain import association, spki_association
from dnsops.certs.generations import Generation, Generations
from dnsops.dkim.keys import Keys
from dnsops.reconcile.interfaces import global_addresses
from dnsops.reconcile.ledgers import Ledgers
from dnsops.records import names, rdata
from dnsops.records.names import tlsa_owner
from dnsops.records.rdata import Record
from dnsops.records.tlsa import Tlsa
from dnsops.rollover.machine import Phase
from dnsops.wanted.house import AcmeFacts, Association, House, Service, Signing

if TYPE_CHECKING:
    from dnsops.base.settings.model import Settings

FormOf = tuple[int, int, int]
ACCOUNT_VERSION = 1
MAIL_SERVICES = ("submissions", "submission", "imaps", "imap")
DEFAULT_FORM = (3, 1, 1)
# Authorities, by the host of their directory, as they name themselves in caaIdentities (RFC 8555 7.1.1)
IDENTITIES = {
    "acme-v02.api.letsencrypt.org": "letsencrypt.org",
    "acme-staging-v02.api.letsencrypt.org": "letsencrypt.org",
    "acme.zerossl.com": "sectigo.com",
    "acme.sectigo.com": "sectigo.com",
    "dv.acme-v02.api.pki.goog": "pki.goog",
    "dv.acme-v02.test-api.pki.goog": "pki.goog",
    "acme.ssl.com": "ssl.com",
    "api.buypass.com": "buypass.com",
    "acme-api.actalis.com": "actalis.it",
}


def gather(settings: Settings, state: Path, here: Callable[[], Iterable[str]] = global_addresses) -> House:
    """state: the state directory, with dkim/, certs/, tlsa/ and acme/ in it; each may be missing.

    here: this machine's public addresses, asked when the configuration has none.
    """
    records, addresses = settings.records, tuple(settings.records.addresses)
    found = addresses or tuple(here())
    return House(
        hostname=settings.hostname,
        domains=settings.domains,
        records=records,
        addresses=found,
        detected=bool(found) and not addresses,
        sources=tuple(address for address in settings.queue.bind if address not in found),
        relay=_relay(settings),
        signing_domains=settings.signing_domains,
        signings=tuple(_signings(settings.signing_domains, Keys(state / "dkim"))),
        tlsa=associations(settings, state),
        acme=acme_facts(state, settings),
        services=tuple(_services(settings)),
        web=_web(settings),
        dmarc_to=records.reports_to or settings.reports.addresses.dmarc or "",
        tls_to=records.reports_to or settings.reports.addresses.tls or "",
        display_name=settings.web.display_name or "",
        ttl=settings.dns.ttl if settings.dns else 300,
    )


def acme_facts(state: Path, settings: Settings) -> AcmeFacts:
    """Who issues our certificates, and with which account; nobody where certificates come from elsewhere."""
    acme = settings.acme
    if not acme.issue or settings.tls.certificate:
        return AcmeFacts(contact=acme.contact or "")
    account = _account(state, acme.directory)
    known = account.get("identities") or [IDENTITIES.get(urlsplit(acme.directory).hostname or "", "")]
    return AcmeFacts(
        issuers=tuple(names.canonical(str(name)) for name in known if name),
        account=str(account.get("uri") or ""),
        methods=_methods(settings),
        names=tuple(map(names.canonical, acme.names)),
        contact=acme.contact or "",
        persist=acme.persist,
    )


def associations(settings: Settings, state: Path) -> tuple[Association, ...]:
    """The TLSA records of the host's ports: of our own keys, or those that the story keeps for a certificate from elsewhere."""
    host = settings.hostname
    forms = {
        port: [_form(text) for text in target.forms]
        for target in settings.targets
        if target.host == host
        for port in target.ports
    }
    ports = sorted({*settings.records.tlsa_ports, *forms})
    ours = Generations(state / "certs")
    keys = ((ours.current(host), False), (ours.next(host), True))
    made = [
        Association(port, record, coming)
        for port in ports
        for generation, coming in keys
        if generation
        for record in _records(generation, forms.get(port, [DEFAULT_FORM]))
    ]
    return tuple(made) or tuple(_kept(host, ports, Ledgers(state / "tlsa", Log())))


def standing_tlsa(settings: Settings, ledgers: Ledgers) -> tuple[Record, ...]:
    """TLSA records of the host that the story keeps or is taking away: whatever its stage, they are ours."""
    owners = (tlsa_owner(settings.hostname, port) for port in settings.records.tlsa_ports)
    return tuple(
        Record(owner, "TLSA", 0, rdata.parse("TLSA", str(record)))
        for owner in owners
        for record in sorted(ledgers.load(owner).life.stages)
    )


def _records(generation: Generation, forms: Iterable[FormOf]) -> Iterator[Tlsa]:
    """Each form that the key, or its certificate once it has one, can fill."""
    for usage, selector, matching in forms:
        certificates = generation.chain.certificates if generation.chain else ()
        if (usage, selector) == (3, 1):
            yield spki_association(generation.spki, usage, matching)
        elif len(certificates) > (place := 0 if usage == 3 else 1):
            yield association(certificates[place], usage, selector, matching)


def _kept(host: str, ports: Iterable[int], ledgers: Ledgers) -> Iterator[Association]:
    """What the TLSA story has published and still wants; what it is taking away is not wished any more."""
    for port in ports:
        stages = ledgers.load(tlsa_owner(host, port)).life.stages
        for record in sorted(stages):
            if stages[record].phase is not Phase.RETIRING:
                yield Association(port, record)


def _form(text: str) -> FormOf:
    usage, selector, matching = map(int, text.split())
    return usage, selector, matching


def _signings(domains: Iterable[str], keys: Keys) -> Iterator[Signing]:
    for domain in domains:
        for generation in keys.ring(domain).generations:
            for selector in generation.selectors:
                yield Signing(domain, selector, generation.role)


def _services(settings: Settings) -> Iterator[Service]:
    """What mail programs of others than this machine can reach."""
    for label in MAIL_SERVICES:
        listener = getattr(settings.listeners, label)
        if listener.enabled and not all(map(loopback, listener.bind)):
            yield Service(label, listener.port)


def _web(settings: Settings) -> bool:
    """Whether the web names are answered, by our own listener or by a proxy in front of it."""
    return settings.listeners.https.enabled or settings.listeners.web.enabled


def documented(settings: Settings) -> House:
    """As much of it as the policy and the documents on the web say: from the configuration alone, so that they never fail."""
    return House(
        hostname=settings.hostname,
        domains=settings.domains,
        records=settings.records,
        services=tuple(_services(settings)),
        web=_web(settings),
        display_name=settings.web.display_name or "",
    )


def _relay(settings: Settings) -> str:
    """The next hop of all mail, where it is a server of somebody."""
    hop = settings.queue.next_hop or ""
    return "" if hop == "local" else hop


def _methods(settings: Settings) -> tuple[str, ...]:
    """How we prove names (RFC 8657 4)."""
    if settings.acme.challenge != "auto":
        return (settings.acme.challenge,)
    return ("dns-01",) if settings.dns else ("http-01",)


def _account(state: Path, directory: str) -> dict[str, Any]:
    """The account at an authority, as issuing keeps it: STATE/acme/AUTHORITY/account.json. Empty before the first."""
    for path in sorted((state / "acme").glob("*/account.json")):
        try:
            # the key is in it, too, and is forgotten here
            found = versioned.read(files.read_bounded(path, versioned.LARGEST), ACCOUNT_VERSION, "an account", _public)
        except OSError as error:
            raise ForUser(f"cannot be read ({error.strerror})", str(path), "run as the user who owns it") from None
        except ValueError as error:
            raise ForUser(f"is damaged ({error})", str(path), "restore it, or move it away") from None
        if found["directory"] == directory:
            return found
    return {}


def _public(document: dict[str, Any]) -> dict[str, Any]:
    return {"directory": document["directory"], "uri": document["uri"], "identities": document.get("identities", [])}
