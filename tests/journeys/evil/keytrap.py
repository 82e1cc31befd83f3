"""A zone whose validation costs keys times signatures: CVE-2023-50387, "KeyTrap".

    said, anchor = keytrap("trap.example.net", 100, 100)        what its server says, and its DS record

All keys but the first share a key tag (RFC 4034 B), and so do the signatures: each might be by each. With 1, 1 it is a good zone.
"""

from __future__ import annotations

import secrets
import struct
from datetime import UTC, datetime, timedelta

import dns.dnssec
import dns.dnssectypes
import dns.message
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.DNSKEY
import dns.rrset
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.dnsops.resolve.stub import Reply

RSASHA256 = dns.dnssectypes.Algorithm.RSASHA256
TTL = 60


def keytrap(zone: str, keys: int, signatures: int) -> tuple[Reply, str]:
    apex = dns.name.from_text(zone)
    secret = ec.generate_private_key(ec.SECP256R1())
    first = dns.dnssec.make_dnskey(secret.public_key(), dns.dnssectypes.Algorithm.ECDSAP256SHA256, flags=257)
    weak = rsa.generate_private_key(65537, 1024)
    second = dns.dnssec.make_dnskey(weak.public_key(), RSASHA256, flags=256)
    tag = dns.dnssec.key_id(second)
    others = [second, *(_key(tag) for _ in range(keys - 1))]
    now = datetime.now(UTC)
    life = {"inception": now - timedelta(days=1), "expiration": now + timedelta(days=1)}

    dnskeys = dns.rrset.from_rdata_list(apex, TTL, [first, *others])
    texts = dns.rrset.from_text(dns.name.from_text(f"www.{zone}"), TTL, "IN", "TXT", '"trapped"')
    by_first = dns.dnssec.sign(dnskeys, secret, apex, first, **life)
    good = dns.dnssec.sign(texts, weak, apex, second, **life)
    signed = [good] if signatures == 1 else [_signature(good) for _ in range(signatures)]
    held = {
        (dnskeys.name, dns.rdatatype.DNSKEY): [dnskeys, dns.rrset.from_rdata(dnskeys.name, TTL, by_first)],
        (texts.name, dns.rdatatype.TXT): [texts, dns.rrset.from_rdata_list(texts.name, TTL, signed)],
    }

    def said(query: dns.message.Message) -> list[bytes]:
        made = dns.message.make_response(query)
        made.answer = held.get((query.question[0].name, query.question[0].rdtype), [])
        return [made.to_wire(max_size=65535)]

    return said, f"{zone}. IN DS {dns.dnssec.make_ds(apex, first, 'SHA256')}\n"


def _key(tag: int) -> dns.rdata.Rdata:
    """An RSA key of 1024 bits that nobody holds, with this tag: a sum of 16-bit words, so that the last one makes up the rest."""
    while True:
        modulus = b"\x80" + secrets.token_bytes(125)
        found = dns.dnssec.key_id(_dnskey(modulus, 0))
        word = (tag - found) & 0xFFFF
        if word & 1 and dns.dnssec.key_id(made := _dnskey(modulus, word)) == tag:
            return made


def _dnskey(modulus: bytes, word: int) -> dns.rdtypes.ANY.DNSKEY.DNSKEY:
    octets = b"\x03\x01\x00\x01" + modulus + struct.pack("!H", word)
    return dns.rdtypes.ANY.DNSKEY.DNSKEY(dns.rdataclass.IN, dns.rdatatype.DNSKEY, 256, 3, RSASHA256, octets)


def _signature(good: dns.rdata.Rdata) -> dns.rdata.Rdata:
    """The same, wrong."""
    wrong: dns.rdata.Rdata = good.replace(signature=b"\x00" + secrets.token_bytes(127))
    return wrong
