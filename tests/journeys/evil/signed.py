"""Small zones that are signed, with what no name server would load, and what their servers say; each with its DS record.

    said, anchor = signed("example.net", ("_25._tcp.mx.example.net", "TLSA", [b"\\x03\\x01\\x01", ...]))
    said, anchor = keytrap("trap.example.net", 100, 100)        validation costs keys times signatures: CVE-2023-50387

In a keytrap all keys but the first share a key tag (RFC 4034 B), and so do the signatures: each might be by each.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Callable, Sequence
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
Rdatas = Sequence[bytes]


def signed(zone: str, *sets: tuple[str, str, Rdatas]) -> tuple[Reply, str]:
    """A good zone that holds these RRsets (name, type, rdata as it stands on the wire), and nothing else can be asked for."""
    return _served(zone, [_set(*one) for one in sets], [], lambda signature: [signature])


def keytrap(zone: str, keys: int, signatures: int) -> tuple[Reply, str]:
    """`www` of it has a text. With one key and one signature it is a good zone."""
    text = _set(f"www.{zone}", "TXT", [b"\x07trapped"])
    more = range(keys - 1)
    return _served(
        zone,
        [text],
        more,
        lambda signature: [signature] if signatures == 1 else [_wrong(signature) for _ in range(signatures)],
    )


def _served(
    zone: str,
    sets: list[dns.rrset.RRset],
    more: Sequence[int],
    times: Callable[[dns.rdata.Rdata], list[dns.rdata.Rdata]],
) -> tuple[Reply, str]:
    """A key that the anchor means signs the keys; one of RSA signs the rest; `more` keys look like that one."""
    apex = dns.name.from_text(zone)
    secret, second_secret = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 1024)
    first = dns.dnssec.make_dnskey(secret.public_key(), dns.dnssectypes.Algorithm.ECDSAP256SHA256, flags=257)
    second = dns.dnssec.make_dnskey(second_secret.public_key(), RSASHA256, flags=256)
    now = datetime.now(UTC)
    life = {"inception": now - timedelta(days=1), "expiration": now + timedelta(days=1)}

    tag = dns.dnssec.key_id(second)
    keys = dns.rrset.from_rdata_list(apex, TTL, [first, second, *(_key(tag) for _ in more)])
    held = {
        (apex, dns.rdatatype.DNSKEY): [keys, _signatures(keys, [dns.dnssec.sign(keys, secret, apex, first, **life)])]
    }
    for one in sets:
        by = dns.dnssec.sign(one, second_secret, apex, second, **life)
        held[one.name, one.rdtype] = [one, _signatures(one, times(by))]

    def said(query: dns.message.Message) -> list[bytes]:
        made = dns.message.make_response(query)
        made.answer = held.get((query.question[0].name, query.question[0].rdtype), [])
        return [made.to_wire(max_size=65535)]

    return said, f"{zone}. IN DS {dns.dnssec.make_ds(apex, first, 'SHA256')}\n"


def _set(name: str, kind: str, rdatas: Rdatas) -> dns.rrset.RRset:
    """Rdata of any form: dnspython would refuse to make some of it."""
    code = dns.rdatatype.from_text(kind)
    items = [dns.rdata.GenericRdata(dns.rdataclass.IN, code, one) for one in rdatas]
    return dns.rrset.from_rdata_list(dns.name.from_text(name), TTL, items)


def _signatures(of: dns.rrset.RRset, signatures: list[dns.rdata.Rdata]) -> dns.rrset.RRset:
    return dns.rrset.from_rdata_list(of.name, TTL, signatures)


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


def _wrong(good: dns.rdata.Rdata) -> dns.rdata.Rdata:
    """The same, wrong."""
    wrong: dns.rdata.Rdata = good.replace(signature=b"\x00" + secrets.token_bytes(127))
    return wrong
