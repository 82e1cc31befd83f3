"""Facts of whole domains as a prober would bring them: the situations of internet.nl's runs, without a network.

A `Scene` is built from the good domain (two name servers, one mail host, everything right); a test changes what it is about.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from checks.facts import (
    Addresses,
    Facts,
    Hashes,
    Key,
    Lookup,
    MailHost,
    Question,
    Reached,
    Route,
    Routing,
    Tls,
    Validity,
    Version,
)
from dnsops.certs.chain import association
from dnsops.resolve.answer import Security

NOW = datetime(2026, 7, 14, 12, tzinfo=UTC)
DOMAIN, HOST = "good.test", "mx.good.test"
GOOD_SUITES = ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@cache
def _key(kind: str, which: str) -> PrivateKey:
    """which: so that different certificates have different keys."""
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, int(kind[3:]))
    return ec.generate_private_key({"p256": ec.SECP256R1, "p224": ec.SECP224R1}[kind]())


@cache
def certificate(
    host: str, kind: str = "p256", issuer: str = "the intermediate", digest: str = "sha256", self_signed: bool = False
) -> bytes:
    """DER of a certificate that is good for a month around NOW."""
    key = _key(kind, host)
    signer = key if self_signed else _key("p256", issuer)
    names = [x509.DNSName(host)] if "." in host else []
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(host))
        .issuer_name(_name(host if self_signed else issuer))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(signer, getattr(hashes, digest.upper())()).public_bytes(Encoding.DER)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def chain(host: str, kind: str = "p256", digest: str = "sha256") -> tuple[bytes, ...]:
    """Of a host, with its intermediate."""
    return certificate(host, kind, digest=digest), certificate("the intermediate", issuer="the root")


def good_tls(host: str = HOST, certificates: tuple[bytes, ...] = ()) -> Tls:
    """Everything right."""
    return Tls(
        host,
        "192.0.2.10",
        reachable=True,
        offered=True,
        versions=frozenset({Version.TLS12, Version.TLS13}),
        suites={Version.TLS12: GOOD_SUITES},
        keys=(Key(GOOD_SUITES[0], "secp256r1", 256),),
        hashes=Hashes(),
        secure_renegotiation=True,
        ems=True,
        chain=certificates or chain(host),
        trusted=True,
        name_matches=True,
    )


def tls13_only(seen: Tls) -> Tls:
    """The same, without anything older."""
    return replace(
        seen,
        versions=frozenset({Version.TLS13}),
        suites={},
        keys=(),
        hashes=Hashes(asked=False),
        secure_renegotiation=None,
        ems=None,
    )


def located(name: str, number: int, dead: bool = False, v4_only: bool = False) -> Addresses:
    """A host with an address of each family. dead: the IPv6 one does not answer."""
    v4, v6 = f"192.0.2.{number}", f"2001:db8::{number:x}"
    tried = (Reached(v4, True), *(() if v4_only else (Reached(v6, not dead),)))
    return Addresses(name, (v4,), () if v4_only else (v6,), tried)


SERVERS = (located("ns1.good.test", 1), located("ns2.good.test", 2))


def answer(
    name: str, type_name: str, *records: str, security: Security = Security.SECURE, rcode: str = "NOERROR"
) -> Lookup:
    """As a resolver gives it."""
    return Lookup(name, type_name, rcode, security, records)


def page(told: Lookup, accurate: bool = False) -> dict[Question, Lookup]:
    """A line of the book."""
    return {Question(told.name, told.type, accurate): told}


def tlsa(host: str, *records: str) -> dict[Question, Lookup]:
    """A host's TLSA records, proven, and that the name is there."""
    owner = f"_25._tcp.{host}"
    return page(answer(owner, "TLSA", *records), True) | page(answer(owner, "A"))


def of_host(host: str, certificates: tuple[bytes, ...], caa: bool = True) -> dict[Question, Lookup]:
    """The book's pages about a good host: signed, with 3 1 1 of its key and of another, and CAA."""
    other = association(certificate("another.test"))
    pages = page(answer(host, "SOA"), True) | tlsa(host, str(association(certificates[0])), str(other))
    pages |= page(answer(host, "CAA", *(('0 issue "ca.example"',) if caa else ())))
    return pages | page(answer(host.partition(".")[2], "CAA")) | page(answer("test", "CAA"))


def of_domain(
    domain: str, *mx: str, spf: str = "v=spf1 mx -all", dmarc: str = "v=DMARC1; p=reject", dkim: bool = True
) -> dict[Question, Lookup]:
    """The book's pages about a good domain."""
    told = [
        answer(domain, "MX", *mx),
        answer(domain, "A"),
        answer(domain, "AAAA"),
        answer(domain, "TXT", *((spf,) if spf else ())),
        answer(f"_dmarc.{domain}", "TXT", *((dmarc,) if dmarc else ())),
        answer(f"_domainkey.{domain}", "TXT", rcode="NOERROR" if dkim else "NXDOMAIN"),
    ]
    pages = page(answer(domain, "SOA"), True)
    for one in told:
        pages |= page(one)
    return pages


def routed(addresses: set[str], validity: Validity | None = Validity.VALID, roas: int = 1) -> dict[str, Routing]:
    """validity: None for addresses that nobody announces."""
    routes = () if validity is None else (Route(64500, "192.0.2.0/24", validity, roas, reason="as"),)
    return {address: Routing(address, routes, roas if validity is None else 0) for address in addresses}


def good() -> Facts:
    """The good domain."""
    return domain(DOMAIN, {HOST: good_tls()}, servers=SERVERS)


def domain(
    name: str,
    hosts: dict[str, Tls],
    servers: tuple[Addresses, ...] = (),
    dead: tuple[str, ...] = (),
    pages: dict[Question, Lookup] | None = None,
    **words: str,
) -> Facts:
    """A domain with these mail hosts. dead: hosts whose IPv6 address does not answer.  pages: other pages of the book."""
    book = of_domain(name, *(f"10 {host}." for host in hosts), dkim=bool(hosts), **words)
    for host, seen in hosts.items():
        book |= of_host(host, seen.chain, caa=host == HOST) if seen.chain else {}
    found = tuple(
        MailHost(located(host, 10 + place, host in dead), hosts[host], SERVERS)
        for place, host in enumerate(sorted(hosts))
    )
    addresses = {address for one in (*servers, *SERVERS, *(one.addresses for one in found)) for address in one.all}
    return Facts(name, NOW, servers, found, book | (pages or {}), routed(addresses))


def changed(facts: Facts, tls: Tls) -> Facts:
    """With another TLS at the first host."""
    return replace(facts, hosts=(replace(facts.hosts[0], tls=tls), *facts.hosts[1:]))


def noted(facts: Facts, *pages: dict[Question, Lookup]) -> Facts:
    """With other pages in the book."""
    book = dict(facts.book)
    for one in pages:
        book |= one
    return replace(facts, book=book)
