"""BIND beside the tree: a zone that it signs inline and that takes updates, and zones whose DNSSEC is about to break.

    with Bind(directory, tree) as bind:           # after the tree; its zones are delegated from org
        assert tree.secure("mx1.bind.org", "A")

    bind.org      signed inline by BIND, DS at the parent                      secure; RFC 2136 with the tree's key
    late.org      signatures end in a day, of a life of a month               secure, and not for long
    old.org       RSASHA1 of 1024 bits, DS with SHA-1, NSEC3 of 12 rounds      whatever the resolver thinks of SHA-1
    stale.org     the parent's DS is of a key that the zone has no more       bogus
    pending.org   signed, with CDS, no DS yet                                 insecure
Fails by: `Unavailable` when named does not come up.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Self

import dns.dnssec
import dns.dnssectypes
import dns.exception
import dns.name
import dns.rdata
import dns.rdataset
import dns.rdatatype
import dns.update
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.lab.dns_conf import TSIG_ALGORITHM, TSIG_NAME, TSIG_SECRET
from tests.lab.dnstree import DnsTree
from tests.lab.network import BIND, MX, PRIMARY, Unavailable, needs
from tests.lab.program import Program, listening, wait_until
from tests.lab.zones import TTL

SIGNED = "bind.org"
BY_THE_PARENT = ("NS", "DS")


@dataclass(frozen=True)
class Made:
    """How a zone is signed here. digest: of its DS, "" for none. days: its signatures' life after now."""

    algorithm: str = "ECDSAP256SHA256"
    digest: str = "SHA256"
    days: float = 30
    strange_ds: bool = False
    cds: bool = False
    iterations: int | None = None


MADE = {
    "late.org": Made(days=1),
    "old.org": Made("RSASHA1NSEC3SHA1", "SHA1", iterations=12),
    "stale.org": Made(strange_ds=True),
    "pending.org": Made(digest="", cds=True),
}


class Bind:
    """One named. Its zones are delegated from org while it runs."""

    def __init__(self, directory: Path, tree: DnsTree) -> None:
        self.directory, self.tree = directory / "bind", tree
        command = ["named", "-g", "-c", str(self.directory / "named.conf")]
        self.program = Program("named", command, self.directory / "named.log")

    def start(self) -> Self:
        if missing := needs("named"):
            raise Unavailable(missing)
        self.directory.mkdir(parents=True, exist_ok=True)
        ds = {zone: self._make(zone, how) for zone, how in MADE.items()}
        (self.directory / f"{SIGNED}.zone").write_text(text(SIGNED))
        (self.directory / "named.conf").write_text(configuration(self.directory))
        with ExitStack() as undo:
            undo.callback(self.stop)
            self.program.start(self._signed)
            ds[SIGNED] = self._ds_of_signed()
            for zone, line in ds.items():
                self._delegate(zone, line)
            undo.pop_all()
        return self

    def stop(self) -> None:
        for zone in (SIGNED, *MADE):
            self.tree.update("org", partial(_undelegate, zone=zone))
        self.program.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _make(self, zone: str, how: Made) -> str:
        """Sign a zone and write its file; the rdata of its DS, "" for none."""
        private, dnskey = _key(how.algorithm)
        built = dns.zone.from_text(text(zone), origin=f"{zone}.", relativize=False)
        if how.cds:
            cds = dns.dnssec.make_cds(f"{zone}.", dnskey, "SHA256")
            built.replace_rdataset(f"{zone}.", dns.rdataset.from_rdata(TTL, cds))
        if how.iterations is not None:
            parameters = dns.rdata.from_text("IN", "NSEC3PARAM", f"1 0 {how.iterations} -")
            built.replace_rdataset(f"{zone}.", dns.rdataset.from_rdata(TTL, parameters))
        now = datetime.now(UTC)
        with built.writer() as transaction:
            dns.dnssec.sign_zone(
                built,
                transaction,
                keys=[(private, dnskey)],
                dnskey_ttl=TTL,
                inception=now - timedelta(days=29),
                expiration=now + timedelta(days=how.days),
                policy=dns.dnssec.allow_all_policy,
            )
        (self.directory / f"{zone}.zone").write_text(built.to_text(relativize=False))
        shown = _key(how.algorithm)[1] if how.strange_ds else dnskey
        policy = dns.dnssec.allow_all_policy
        return dns.dnssec.make_ds(f"{zone}.", shown, how.digest, policy=policy).to_text() if how.digest else ""

    def _signed(self) -> bool:
        """Whether BIND answers with signatures."""
        if not listening(BIND, 53):
            return False
        try:
            answer = self.tree.ask(f"mx1.{SIGNED}", "A", BIND)
        except (OSError, dns.exception.DNSException):
            return False
        return any(rrset.rdtype == dns.rdatatype.RRSIG for rrset in answer.answer)

    def _ds_of_signed(self) -> str:
        """Of its one key: CDS comes only when all signatures are surely everywhere."""
        [text] = self.tree.texts(SIGNED, "DNSKEY", BIND)
        key = dns.rdata.from_text("IN", "DNSKEY", text)
        return dns.dnssec.make_ds(f"{SIGNED}.", key, "SHA256").to_text()

    def _delegate(self, zone: str, ds: str) -> None:
        """In the parent, which signs it."""
        self.tree.update("org", partial(_delegate, zone=zone, ds=ds))
        wanted = {ds} if ds else set()
        wait_until(lambda: self.tree.texts(zone, "DS", PRIMARY) == wanted, f"the DS of {zone}")


def _delegate(message: dns.update.UpdateMessage, zone: str, ds: str) -> None:
    message.add(f"{zone}.", TTL, "NS", f"ns.{zone}.")
    message.add(f"ns.{zone}.", TTL, "A", BIND)
    if ds:
        message.add(f"{zone}.", TTL, "DS", ds)


def _undelegate(message: dns.update.UpdateMessage, zone: str) -> None:
    for kind in BY_THE_PARENT:
        message.delete(f"{zone}.", kind)
    message.delete(f"ns.{zone}.", "A")


def text(zone: str) -> str:
    return ZONE.format(zone=zone, ttl=TTL, address=BIND, mx=MX)


def configuration(home: Path) -> str:
    static = "".join(f'zone "{zone}" {{ type primary; file "{home}/{zone}.zone"; }};\n' for zone in MADE)
    key = {"key": TSIG_NAME, "algorithm": TSIG_ALGORITHM, "secret": TSIG_SECRET}
    return NAMED_CONF.format(home=home, address=BIND, zone=SIGNED, static=static, **key)


def _key(algorithm: str) -> tuple[ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, dns.rdata.Rdata]:
    kind = dns.dnssectypes.Algorithm[algorithm]
    if algorithm.startswith("ECDSA"):
        curve = ec.generate_private_key(ec.SECP256R1())
        return curve, dns.dnssec.make_dnskey(curve.public_key(), kind, flags=257)
    number = rsa.generate_private_key(65537, 1024)
    return number, dns.dnssec.make_dnskey(number.public_key(), kind, flags=257)


ZONE = """$ORIGIN {zone}.
$TTL {ttl}
@ SOA ns hostmaster 1 3600 600 86400 2
@ NS ns
ns A {address}
@ MX 10 mx1
mx1 A {mx}
"""
NAMED_CONF = """options {{
    directory "{home}";
    pid-file none;
    listen-on {{ {address}; }};
    listen-on-v6 {{ none; }};
    recursion no;
    allow-transfer {{ key {key}; }};
    notify no;
    dnssec-validation no;
    session-keyfile none;
}};
controls {{ }};
key {key} {{ algorithm {algorithm}; secret "{secret}"; }};
dnssec-policy quick {{
    keys {{ csk key-directory lifetime unlimited algorithm ecdsap256sha256; }};
    publish-safety 0;
    parent-ds-ttl 0;
    dnskey-ttl 60;
    max-zone-ttl 60;
    zone-propagation-delay 0;
    parent-propagation-delay 0;
}};
zone "{zone}" {{
    type primary;
    file "{home}/{zone}.zone";
    key-directory "{home}";
    dnssec-policy quick;
    inline-signing yes;
    update-policy {{ grant {key} zonesub ANY; }};
}};
{static}"""
