"""The zones of the lab as text, good ones and broken ones. Pure, but for the keys that the broken ones are signed with.

    example.org   signed, NSEC3                            secure
    nsec.org      signed, NSEC                             secure
    nods.org      signed, no DS at the parent              insecure
    unsigned.org  plain                                    insecure
    bogus.org     TLSA changed under a good key            bogus, EDE 6
    expired.org   signatures expired days ago             bogus, EDE 7
    missig.org    signature of the TLSA record removed     bogus, EDE 10
and their parents "." and "org.". Each has mx1 (192.0.2.25) with a TLSA record that belongs to no key.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum

import dns.dnssec
import dns.dnssectypes
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec

from tests.lab.network import MX, MX2, MX6, PRIMARY, PRIMARY6, SECONDARY

TTL = 60
NEGATIVE_TTL = 2  # seconds, so that "there is no such name" does not linger
NOBODY = "3 1 1 " + "ab" * 32  # the association of no key at all
DELEGATED = ("example.org", "nsec.org", "nods.org", "unsigned.org", "bogus.org", "expired.org", "missig.org")
SIGNED_BY_SERVER = ("", "org", "example.org", "nsec.org", "nods.org")
WITHOUT_DS = ("nods.org", "unsigned.org")

SOA = f"@ SOA ns1.example.org. hostmaster.example.org. 1 3600 600 86400 {NEGATIVE_TTL}\n"
COMMON = f"""@ A {MX}
@ MX 10 mx1
mx1 A {MX}
_25._tcp.mx1 TLSA {NOBODY}
"""
ONE_SERVER = f"@ NS ns1\nns1 A {PRIMARY}\nns1 AAAA {PRIMARY6}\n"
EXAMPLE = f"""{ONE_SERVER}@ NS ns2
ns2 A {SECONDARY}
mx1 AAAA {MX6}
mx2 A {MX2}
@ TXT "v=spf1 mx -all"
alias A {MX}
_25._tcp.alias CNAME _dane
_dane TLSA {NOBODY}
*.wild A {MX}
*.wild TLSA {NOBODY}
"""


class Damage(Enum):
    BOGUS = "the TLSA record was changed after signing"
    EXPIRED = "all signatures expired days ago"
    MISSING = "the TLSA record has no signature"


BROKEN = {"bogus.org": Damage.BOGUS, "expired.org": Damage.EXPIRED, "missig.org": Damage.MISSING}


def text(zone: str) -> str:
    """Master file text of a zone that the server signs, or that nobody signs."""
    return _head(zone) + (EXAMPLE if zone == "example.org" else ONE_SERVER) + COMMON


def org(ds: Mapping[str, str]) -> str:
    """The parent of them all; `ds` has the DS lines of each zone that has some."""
    lines = "@ NS ns1.example.org.\n"
    for zone in DELEGATED:
        servers = ["ns1", "ns2"] if zone == "example.org" else ["ns1"]
        lines += _delegation(zone, servers) + (ds[zone] if zone not in WITHOUT_DS else "")
    return _head("org") + lines


def root(ds: Mapping[str, str]) -> str:
    glue = f"{{}} A {PRIMARY}\n{{}} AAAA {PRIMARY6}\n"
    names = ("ns.root-servers.lab.", "ns1.example.org.")
    lines = f"@ NS {names[0]}\norg. NS {names[1]}\n" + "".join(glue.format(name, name) for name in names)
    return _head("") + lines + ds["org"]


def hints() -> str:
    return f". 3600 NS ns.root-servers.lab.\nns.root-servers.lab. 3600 A {PRIMARY}\n"


def broken(zone: str, now: datetime | None = None) -> tuple[str, str]:
    """A zone signed here and then damaged: its text and its DS line."""
    damage, now = BROKEN[zone], now or datetime.now(UTC)
    built = dns.zone.from_text(text(zone), origin=f"{zone}.", relativize=False)
    key = ec.generate_private_key(ec.SECP256R1())
    dnskey = dns.dnssec.make_dnskey(key.public_key(), dns.dnssectypes.Algorithm.ECDSAP256SHA256, flags=257)
    # unbound forgives a tenth of a signature's life, up to a day (val-sig-skew-max)
    expiry = now - timedelta(days=3) if damage is Damage.EXPIRED else now + timedelta(days=30)
    with built.writer() as transaction:
        dns.dnssec.sign_zone(
            built,
            transaction,
            keys=[(key, dnskey)],
            dnskey_ttl=TTL,
            inception=now - timedelta(days=30),
            expiration=expiry,
        )
    _damage(built, damage)
    return built.to_text(relativize=False), f"{zone}. DS {dns.dnssec.make_ds(zone + '.', dnskey, 'SHA256')}\n"


def _damage(zone: dns.zone.Zone, damage: Damage) -> None:
    node = zone[dns.name.from_text("_25._tcp.mx1", zone.origin)]
    tlsa, rrsig = dns.rdatatype.TLSA, dns.rdatatype.RRSIG
    if damage is Damage.BOGUS:
        forged = dns.rdata.from_text("IN", "TLSA", NOBODY.replace("ab", "cd"))
        node.replace_rdataset(dns.rdataset.from_rdata(TTL, forged))
    if damage is Damage.MISSING:
        node.delete_rdataset(dns.rdataclass.IN, rrsig, tlsa)


def _head(zone: str) -> str:
    return f"$ORIGIN {zone}.\n$TTL {TTL}\n{SOA}"


def _delegation(zone: str, servers: list[str]) -> str:
    lines = "".join(f"{zone}. NS {server}.{zone}.\n" for server in servers)
    glue = {"ns1": f"A {PRIMARY}\nns1.{zone}. AAAA {PRIMARY6}", "ns2": f"A {SECONDARY}"}
    return lines + "".join(f"{server}.{zone}. {glue[server]}\n" for server in servers)
