"""Places where a zone stands, one for each provider, all with the same strangers' records in example.org."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import dns.name
import dns.query
import dns.rdatatype
import dns.tsig
import dns.update
import dns.zone

from dnsops.base.secrets import Secret
from dnsops.providers.cloudflare import Cloudflare
from dnsops.providers.door import Held, Mark, Provider
from dnsops.providers.exchange import Exchange, Server
from dnsops.providers.memory import Memory
from dnsops.providers.octodns import OctoDns
from dnsops.providers.rfc2136 import Rfc2136
from dnsops.providers.tsig import Key
from dnsops.providers.zonefile import ZoneFile
from dnsops.records.rdata import Record, parse, strings, txt
from tests.lab.cloudflare_api import CloudflareApi
from tests.lab.program import Program

ZONE = "example.org"
SECRET = "c2VjcmV0IGZvciBhIHRlc3Qgb2YgbWFpbHNydiBvbmx5"
KEY = Key("mailsrv", "hmac-sha256", Secret(SECRET))

Facts = frozenset[tuple[str, str, str]]


def record(name: str, type_name: str, text: str, ttl: int = 300) -> Record:
    return Record(name, type_name, ttl, parse(type_name, text))


STRANGERS = (
    record("example.org", "MX", "10 mx.example.org.", 3600),
    record("example.org", "TXT", '"v=spf1 mx -all"', 3600),
    record("mx.example.org", "A", "192.0.2.25", 3600),
    record("_25._tcp.mx2.example.org", "TLSA", "2 1 1 " + "22" * 32, 3600),
)
TEXT = f"""; example.org, kept by hand
$ORIGIN {ZONE}.
$TTL 3600
@       IN SOA ns hostmaster (
            2026010101  ; serial
            3600 900 604800 300 )
        IN NS  ns
ns      IN A   192.0.2.53
; the mail
@       IN MX  10 mx
        IN TXT "v=spf1 mx -all"
mx      IN A   192.0.2.25    ; a machine
_25._tcp.mx2 IN TLSA 2 1 1 {"22" * 32}
"""


@dataclass(frozen=True)
class Place:
    """A provider, and a look at the zone that goes past it.

    takes: what it can hold.  seen: facts as they look there.  patience: how many changes in a row can be waited for.
    """

    provider: Provider
    facts: Callable[[], Facts]
    reset: Callable[[], None]
    marks: bool
    takes: Callable[[Record], bool] = lambda record: True
    seen: Callable[[Facts], Facts] = lambda facts: facts
    patience: int = 5


# what is no one's record: the zone's own, and its signer's
BONES = ("SOA", "NS", "DNSKEY", "RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "CDS", "CDNSKEY", "TYPE65534")


def facts(records: Iterable[Record]) -> Facts:
    """What stands there, but for the zone's own bones."""
    return frozenset(
        (r.name, r.type, str(r.data)) for r in records if r.type not in BONES and r.name != "ns.example.org"
    )


def memory() -> Place:
    held = [Held(one, Mark.FOREIGN) for one in STRANGERS]
    provider = Memory([ZONE], held)
    return Place(
        provider,
        lambda: facts(one.record for one in provider.read(ZONE, below=True)),
        lambda: provider.__init__([ZONE], held),  # type: ignore[misc]
        True,
    )


def zonefile(path: Path) -> Place:
    path.write_text(TEXT)
    provider = ZoneFile(path)
    return Place(
        provider,
        lambda: _zone_facts(dns.zone.from_text(path.read_text(), ZONE, relativize=False)),
        lambda: path.write_text(TEXT) and None,
        True,
    )


def cloudflare(api: CloudflareApi) -> Place:
    def reset() -> None:
        for entry in list(api.records(ZONE)):
            api.erase(ZONE, entry.id)
        for stranger in STRANGERS:
            stand(api, stranger)

    def look() -> Facts:
        return facts(
            Record(one.name, one.type, one.ttl, parse(one.type, one.rdata.to_text())) for one in api.records(ZONE)
        )

    reset()
    return Place(Cloudflare(Secret(api.token), api.url, sleep=lambda _: None), look, reset, True)


def octodns(api: CloudflareApi, folder: Path) -> Place:
    """Cloudflare again, by octoDNS's plugin."""
    through = cloudflare(api)
    api.rate(1_000_000)  # it makes one call for each record
    file = folder / "production.yaml"
    file.write_text(OCTODNS.format(token=api.token, url=api.url))
    provider = OctoDns(file, "there", sleep=lambda _: None)

    def takes(one: Record) -> bool:
        return one.type not in ("URI", "SMIMEA") and not (one.type == "TXT" and "\\" in str(one.data))

    return Place(provider, lambda: _joined(through.facts()), through.reset, False, takes, _joined, patience=1)


def _joined(known: Facts) -> Facts:
    """octoDNS cuts the sum of a TXT record's strings anew, and not as others do."""
    return frozenset(
        (name, kind, str(txt(b"".join(strings(parse(kind, text))))) if kind == "TXT" else text)
        for name, kind, text in known
    )


def stand(api: CloudflareApi, stranger: Record) -> None:
    """Somebody's record, made by hand."""
    body: dict[str, object] = {"content": str(stranger.data)}
    if stranger.type == "MX":
        priority, host = str(stranger.data).split()
        body = {"content": host, "priority": int(priority)}
    api.edit(ZONE, stranger.type, stranger.name, ttl=stranger.ttl, **body)


class NameServer:
    """A real name server with example.org, which one key may change and transfer."""

    def __init__(self, program: Program, port: int) -> None:
        self.program, self.port = program, port

    @property
    def place(self) -> Place:
        provider = Rfc2136(Exchange(Server("127.0.0.1", self.port), KEY), sleep=lambda _: None)
        self.reset()
        return Place(provider, lambda: _zone_facts(self.zone()), self.reset, False)

    def zone(self) -> dns.zone.Zone:
        zone = dns.zone.Zone(ZONE, relativize=False)
        query, _ = dns.xfr.make_query(zone, keyring=self.key)
        dns.query.inbound_xfr("127.0.0.1", zone, query, port=self.port, lifetime=5)
        return zone

    def reset(self) -> None:
        """As the file has it."""
        update = dns.update.UpdateMessage(ZONE, keyring=self.key)
        for name, rdataset in self.zone().iterate_rdatasets():
            if dns.rdatatype.to_text(rdataset.rdtype) not in BONES and name.to_text() != "ns.example.org.":
                update.delete(name, rdataset.rdtype)
        for stranger in STRANGERS:
            update.add(f"{stranger.name}.", stranger.ttl, stranger.type, str(stranger.data))
        assert dns.query.tcp(update, "127.0.0.1", port=self.port, timeout=5).rcode() == 0

    @property
    def key(self) -> dns.tsig.Key:
        return dns.tsig.Key(f"{KEY.name}.", SECRET, f"{KEY.algorithm}.")

    def answers(self) -> bool:
        try:
            return self.zone().get_soa() is not None
        except (OSError, EOFError, dns.exception.DNSException):
            return False


def _zone_facts(zone: dns.zone.Zone) -> Facts:
    return facts(
        Record(
            name.to_text(omit_final_dot=True).lower(),
            dns.rdatatype.to_text(data.rdtype),
            ttl,
            parse(dns.rdatatype.to_text(data.rdtype), data.to_text(chunksize=0)),
        )
        for name, ttl, data in zone.iterate_rdatas()
    )


def free_port() -> int:
    """A port that is free for UDP and TCP now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        return int(udp.getsockname()[1])


def knot(folder: Path) -> NameServer:
    port = free_port()
    _zone_folder(folder)
    (folder / "knot.conf").write_text(KNOT.format(folder=folder, port=port, secret=SECRET))
    return NameServer(Program("knotd", ["knotd", "-c", str(folder / "knot.conf")], folder / "log"), port)


def bind(folder: Path) -> NameServer:
    return _bind(folder, "allow-update { key mailsrv; };")


def bind_signing(folder: Path) -> NameServer:
    """It signs what the updates bring, and lets the key do what a policy says."""
    words = f'key-directory "{folder}"; dnssec-policy default; inline-signing no;'
    return _bind(folder, words + " update-policy { grant mailsrv zonesub ANY; };")


def _bind(folder: Path, how: str) -> NameServer:
    port = free_port()
    _zone_folder(folder)
    (folder / "named.conf").write_text(BIND.format(folder=folder, port=port, secret=SECRET, how=how))
    return NameServer(Program("named", ["named", "-g", "-c", str(folder / "named.conf")], folder / "log"), port)


def _zone_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "example.org.zone").write_text(TEXT)


OCTODNS = """providers:
  there:
    class: octodns_cloudflare.CloudflareProvider
    token: {token}
    api_url: {url}
    pagerules: false
    retry_count: 0
    retry_period: 0
zones:
  example.org.: {{targets: [there]}}
  notexample.org.: {{targets: [there]}}
"""
KNOT = """server:
    listen: 127.0.0.1@{port}
    rundir: {folder}
    user: root:root
    tcp-workers: 1
    udp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: {folder}
    journal-db-max-size: 20M
    kasp-db-max-size: 10M
    timer-db-max-size: 10M
control:
    listen: {folder}/sock
key:
  - id: mailsrv
    algorithm: hmac-sha256
    secret: {secret}
  - id: reader
    algorithm: hmac-sha256
    secret: {secret}
acl:
  - id: change
    key: mailsrv
    action: [update, transfer]
zone:
  - domain: example.org
    storage: {folder}
    file: example.org.zone
    acl: change
    zonefile-sync: -1
    zonefile-load: difference-no-serial
    journal-content: all
"""
BIND = """options {{
    directory "{folder}";
    pid-file none;
    listen-on port {port} {{ 127.0.0.1; }};
    listen-on-v6 {{ none; }};
    recursion no;
    allow-query {{ any; }};
    allow-transfer {{ key mailsrv; }};
    notify no;
    dnssec-validation no;
    session-keyfile none;
}};
controls {{ }};
key mailsrv {{ algorithm hmac-sha256; secret "{secret}"; }};
key reader {{ algorithm hmac-sha256; secret "{secret}"; }};
zone "example.org" {{
    check-integrity no;  // or an MX whose host has no address yet is refused, and the model knows no such rule
    type primary;
    file "{folder}/example.org.zone";
    {how}
}};
"""
