"""Houses for tests: the one of the example configuration, and any other by what differs; and random ones by a seed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any

from dnsops.base.settings.records import Records
from dnsops.dkim.ring import Role, Selector
from dnsops.records import names
from dnsops.records.tlsa import Tlsa
from dnsops.records.txt.dkim import DkimKey
from dnsops.wanted.house import AcmeFacts, Association, House, Service, Signing

ACCOUNT = "https://acme-v02.api.letsencrypt.org/acme/acct/7"
NOW = datetime(2026, 11, 26, tzinfo=UTC)
RSA = Selector("202611r-k7x2q", "rsa", str(DkimKey(bytes(range(256)) + bytes(38), "rsa")))
ED25519 = Selector("202611e-k7x2q", "ed25519", str(DkimKey(bytes(32), "ed25519")))
SERVED, COMING = Tlsa(3, 1, 1, bytes([1]) * 32), Tlsa(3, 1, 1, bytes([2]) * 32)
LETS_ENCRYPT = AcmeFacts(("letsencrypt.org",), ACCOUNT, ("dns-01",), (), "user1@example.org")
IMPLICIT = (Service("submissions", 465), Service("imaps", 993))


def records(**settings: Any) -> Records:
    """The section of the configuration."""
    spelled = {"context": {"spell": names.canonical}}
    return Records.model_validate(settings, **spelled)


def house(settings: dict[str, Any] | None = None, **others: Any) -> House:
    """The example's, but for what is given. settings: of `records`."""
    example = House(
        hostname="mx1.example.org",
        domains=("example.org",),
        records=records(**(settings or {})),
        addresses=("192.0.2.25", "2001:db8::25"),
        signing_domains=("example.org",),
        signings=(Signing("example.org", RSA, Role.CURRENT), Signing("example.org", ED25519, Role.CURRENT)),
        tlsa=tuple(
            Association(port, record, record is COMING) for port in (25, 465, 993) for record in (SERVED, COMING)
        ),
        acme=LETS_ENCRYPT,
        services=IMPLICIT,
    )
    return replace(example, **others)


def random_house(seed: int) -> House:
    """Any house that a configuration may say, odd ones more often than in life."""
    dice = Random(seed)
    pool = [
        "example.org",
        "example.net",
        "xn--bcher-kva.example",
        "mail.example.org",
        "sub.example.net",
        "mx1.example.org",
    ]
    domains = tuple(dice.sample(pool, dice.randint(0, 4)))
    hosts = ["mx1.example.org", "example.org", "mail.example.org", "mx.elsewhere.example", "autoconfig.example.net"]
    addresses = tuple(dice.sample(["192.0.2.25", "192.0.2.26", "2001:db8::25", "2001:db8::26"], dice.randint(0, 3)))
    settings: dict[str, Any] = {
        "other_mx": dice.sample(
            ["20 mx2.example.net", "5 Backup.Example.ORG.", "20 mail.example.org"], dice.randint(0, 2)
        ),
        "parked": dice.sample(
            ["www.example.org", "mail.example.org", "autoconfig.example.org", "a.example.net"], dice.randint(0, 3)
        ),
        "reports_to": dice.choice(
            [None, "r@example.org", "r@example.net", "jörg@bücher.example", "a,b;c@elsewhere.example"]
        ),
        "dmarc": dice.choice(
            [None, "v=DMARC1; p=none; rua=mailto:a@b.example,mailto:c@example.org!10m; ruf=mailto:d@e.example"]
        ),
        "spf": dice.choice([None, "v=spf1 mx include:_spf.example.net -all"]),
        "caa": dice.random() < 0.8,
        "caa_issuers": dice.sample(["letsencrypt.org", "Sectigo.com", "letsencrypt.org."], dice.randint(0, 2)),
        "client_setup": dice.random() < 0.8,
        "client_name": dice.random() < 0.8,
        "web_services": dice.sample(["jmap", "caldavs", "carddavs"], dice.randint(0, 3)),
        "bimi": dice.choice([None, {"location": "https://example.org/logo.svg"}]),
        "mta_sts": {"mode": dice.choice(["enforce", "testing", "none"])},
    }
    wild = ("*.example.org",) if dice.random() < 0.3 else ()
    facts = AcmeFacts(
        ("letsencrypt.org",), dice.choice(["", ACCOUNT]), dice.choice([("dns-01",), ("http-01",), ()]), wild
    )
    return house(
        settings,
        hostname=dice.choice(hosts),
        domains=domains,
        addresses=addresses,
        sources=tuple(dice.sample(["192.0.2.99", "2001:db8::99"], dice.randint(0, 2))),
        signings=tuple(Signing(d, RSA, dice.choice(list(Role))) for d in domains),
        acme=dice.choice([AcmeFacts(), facts, replace(facts, persist=True)]),
        services=tuple(dice.sample([*IMPLICIT, Service("submission", 587), Service("imap", 143)], dice.randint(0, 4))),
        web=dice.random() < 0.8,
        dmarc_to=settings["reports_to"] or "",
        tls_to=settings["reports_to"] or "",
        zones=dice.choice(
            [None, ("example.org",), ("example.org", "example.net", "xn--bcher-kva.example", "elsewhere.example"), ()]
        ),
        ttl=dice.choice([60, 300, 3600]),
    )
