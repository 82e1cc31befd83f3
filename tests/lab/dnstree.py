"""A signed DNS tree with a validating resolver: knot (primary and a secondary of example.org) and unbound.

    with private_network() as directory, DnsTree(directory) as tree:
        tree.replace("_25._tcp.mx1.example.org", "TLSA", "3 1 1 ...")
        assert tree.secure("_25._tcp.mx1.example.org", "TLSA")

Changes go in by RFC 2136 with TSIG (RFC 8945). The resolver has no cache unless it is given one, so that a change is seen
at once: knot answers NOERROR shortly before the signed copy is visible, therefore `replace` and its like wait for it.
Fails by: `Unavailable` when a server does not come up, `TimeoutError` when a change is never seen.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Self

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.query
import dns.rcode
import dns.rdata
import dns.rdataset
import dns.rdatatype
import dns.tsigkeyring
import dns.update
import dns.zone

from tests.lab import dns_conf as conf
from tests.lab import zones
from tests.lab.cloudflare_store import Changed, Rrsets, difference
from tests.lab.dns_conf import TSIG_ALGORITHM, TSIG_NAME, TSIG_SECRET
from tests.lab.network import PRIMARY, RESOLVER, SECONDARY, Unavailable, needs, search_path
from tests.lab.program import Program, listening, wait_until

KEYRING = dns.tsigkeyring.from_text({TSIG_NAME: TSIG_SECRET})
PROBE = "mx1.example.org"
MADE_BY_SIGNER = ("SOA", "DNSKEY", "RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "CDS", "CDNSKEY")
Servers = Iterable[str]


class DnsTree:
    """The servers and what one does with them. `cache` is the longest time, in seconds, that the resolver keeps answers."""

    def __init__(self, directory: Path, cache: int = 0) -> None:
        self.directory, self.cache = directory / "dns", cache
        self.reverse: dict[str, str] = {}  # names of addresses, as the resolver tells them: no zone has them
        self.trust_anchor, self.root_hints = self.directory / "anchor.ds", self.directory / "hints"
        self.tsig_file = self.directory / "tsig.key"
        self.primary, self.secondary = self._knot("primary"), self._knot("secondary")
        unbound = ["unbound", "-d", "-p", "-c", str(self.directory / "unbound.conf")]
        self.resolver = Program("unbound", unbound, self.directory / "unbound.log")
        self._variables = {"MAILSRV_TRUST_ANCHOR": self.trust_anchor, "MAILSRV_ROOT_HINTS": self.root_hints}

    # life

    def start(self) -> Self:
        if missing := needs("knotd", "keymgr", "knotc", "unbound"):
            raise Unavailable(missing)
        with ExitStack() as undo:
            undo.callback(self.stop)
            self._write_files()
            self.primary.start(lambda: _signed(PRIMARY))
            self.start_secondary()
            self._start_resolver()
            os.environ.update({name: str(path) for name, path in self._variables.items()})
            undo.pop_all()
        return self

    def stop(self) -> None:
        for program in (self.resolver, self.secondary, self.primary):
            program.stop()
        for name in self._variables:
            os.environ.pop(name, None)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start_secondary(self) -> None:
        self.secondary.start(lambda: _signed(SECONDARY))

    def lag(self) -> None:
        """The secondary answers, but follows no change until `follow`."""
        self._knotc("secondary", "zone-freeze", "example.org")

    def follow(self) -> None:
        self._knotc("secondary", "zone-thaw", "example.org")
        self._knotc("secondary", "zone-refresh", "example.org")

    def restart_resolver(self, cache: int, reverse: Mapping[str, str] | None = None) -> None:
        """Another resolver, empty, that keeps answers for up to `cache` seconds. reverse: names of addresses; None: as they are."""
        self.cache, self.reverse = cache, self.reverse if reverse is None else dict(reverse)
        self.resolver.stop()
        self._write("unbound.conf", self._resolver_conf())
        self._start_resolver()

    def _start_resolver(self) -> None:
        self.resolver.start(lambda: listening(RESOLVER, 53) and self.secure(PROBE, "A"))

    # questions

    def ask(self, name: str, kind: str, server: str = RESOLVER) -> dns.message.Message:
        """The answer of one server, DNSSEC records included."""
        query = dns.message.make_query(name, kind, want_dnssec=True)
        query.flags |= dns.flags.AD
        return dns.query.udp_with_fallback(query, server, timeout=8)[0]

    def texts(self, name: str, kind: str, server: str = RESOLVER) -> set[str]:
        """The data of an RRset, aliases followed by the server."""
        code = dns.rdatatype.from_text(kind)
        return {
            data.to_text(chunksize=0)
            for rrset in self.ask(name, kind, server).answer
            if rrset.rdtype == code
            for data in rrset
        }

    def secure(self, name: str, kind: str) -> bool:
        """Whether the resolver has a validated answer."""
        try:
            answer = self.ask(name, kind)
        except dns.exception.Timeout:
            return False
        return bool(answer.flags & dns.flags.AD) and bool(answer.answer)

    # changes

    def update(self, zone: str, work: Callable[[dns.update.UpdateMessage], None]) -> dns.rcode.Rcode:
        """One RFC 2136 transaction at the primary; `work` fills it."""
        message = dns.update.UpdateMessage(zone)
        message.use_tsig(KEYRING, TSIG_NAME, algorithm=TSIG_ALGORITHM)
        work(message)
        rcode = dns.query.tcp(message, PRIMARY, timeout=8).rcode()
        _notify(zone)
        return rcode

    def replace(self, name: str, kind: str, *texts: str, ttl: int = zones.TTL, servers: Servers = ()) -> None:
        """The RRset shall be these; none: it shall go. Waits until the servers (all of them, unless given) say so."""
        wanted = [dns.rdata.from_text("IN", kind, text, origin=dns.name.root, relativize=False) for text in texts]
        rdataset = dns.rdataset.from_rdata_list(ttl, wanted) if wanted else None
        self._commit(zone_of(name), {(name, kind): rdataset})
        self.wait_for(name, kind, [data.to_text(chunksize=0) for data in wanted], servers)

    def wait_for(self, name: str, kind: str, texts: Iterable[str], servers: Servers = ()) -> None:
        """Until exactly these are answered by each server; by default all that are there, the resolver last."""
        wanted = set(texts)

        def answered(server: str) -> bool:
            return self.texts(name, kind, server) == wanted

        for server in servers or self._servers(zone_of(name)):
            wait_until(partial(answered, server), f"{name} {kind} at {server} to be {sorted(wanted)}")

    def axfr(self, zone: str, server: str = PRIMARY) -> list[tuple[str, int, dns.rdata.Rdata]]:
        """Everything in a zone: owner (no final dot), TTL, data."""
        transfer = dns.query.xfr(
            server, zone, keyring=KEYRING, keyname=TSIG_NAME, keyalgorithm=TSIG_ALGORITHM, lifetime=8, relativize=False
        )
        whole = dns.zone.from_xfr(transfer, relativize=False)
        return [(name.to_text(omit_final_dot=True), ttl, data) for name, ttl, data in whole.iterate_rdatas()]

    def restore(self, zone: str = "example.org") -> None:
        """The zone as it was at the start; the secondary awake."""
        self.secondary.thaw()
        if zone == "example.org":
            self.follow()
        built = dns.zone.from_text(zones.text(zone), origin=f"{zone}.", relativize=False)
        first = _rrsets((name.to_text(True), ttl, data) for name, ttl, data in built.iterate_rdatas())
        self._commit(zone, difference(self._present(zone), first))

        def restored(server: str) -> bool:
            return not difference(self._present(zone, server), first)

        for server in self._servers(zone)[:-1]:
            wait_until(partial(restored, server), f"{zone} at {server} to be as before")

    def _present(self, zone: str, server: str = PRIMARY) -> Rrsets:
        return _rrsets(self.axfr(zone, server))

    # the backend of the Cloudflare API; zones that are in no tree live in the API only

    def read(self, zone: str) -> list[tuple[str, int, dns.rdata.Rdata]]:
        return self.axfr(zone) if zone in zones.DELEGATED else []

    def write(self, zone: str, changed: Changed) -> None:
        """RRsets as they shall be, as one transaction; returns when the primary answers it signed."""
        if zone not in zones.DELEGATED:
            return
        self._commit(zone, changed)
        (name, kind), rdataset = list(changed.items())[-1]
        self.wait_for(name, kind, [data.to_text(chunksize=0) for data in rdataset or ()], [PRIMARY])

    def _commit(self, zone: str, changed: Changed) -> None:
        """One transaction. Two where an alias comes or goes: knot judges it by what was there before."""
        aliases = {name for name, kind in changed if kind == "CNAME"}
        first = {key: value for key, value in changed.items() if value is None and key[0] in aliases}
        for part in (first, {key: value for key, value in changed.items() if key not in first}):
            if part:
                self._must(zone, part)

    def _must(self, zone: str, changed: Changed) -> None:
        def work(message: dns.update.UpdateMessage) -> None:
            for (name, kind), rdataset in changed.items():
                if rdataset is None or kind != "CNAME":  # RFC 2136 3.4.2.2: an added CNAME replaces
                    message.delete(_absolute(name), kind)
                if rdataset is not None:
                    message.add(_absolute(name), rdataset)

        if rcode := self.update(zone, work):
            raise RuntimeError(f"update of {zone} refused: {dns.rcode.to_text(rcode)}")

    def _servers(self, zone: str) -> list[str]:
        return [PRIMARY, SECONDARY, RESOLVER] if zone == "example.org" else [PRIMARY, RESOLVER]

    # files

    def _knot(self, role: str) -> Program:
        return Program(
            f"knotd ({role})", ["knotd", "-c", str(self.directory / f"{role}.conf")], self.directory / f"{role}.log"
        )

    def _knotc(self, role: str, *words: str) -> str:
        return _run("knotc", "-b", "-s", str(self.directory / role / "run" / "knot.sock"), *words)

    def _write(self, name: str, text: str) -> None:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def _resolver_conf(self) -> str:
        return conf.unbound(self.directory, self.cache, self.reverse)

    def _write_files(self) -> None:
        for role in ("primary", "secondary"):
            for part in ("run", "db", "zones"):
                (self.directory / role / part).mkdir(parents=True, exist_ok=True)
        self._write("primary.conf", conf.primary(self.directory / "primary"))
        self._write("secondary.conf", conf.secondary(self.directory / "secondary"))
        self._write_zones()
        self._write("hints", zones.hints())
        self._write("unbound.conf", self._resolver_conf())
        self._write("tsig.key", conf.TSIG_FILE)
        self.tsig_file.chmod(0o600)

    def _write_zones(self) -> None:
        ds = {zone: self._make_key(zone) for zone in zones.SIGNED_BY_SERVER}
        for zone in zones.BROKEN:
            text, ds[zone] = zones.broken(zone)
            self._write(f"primary/zones/{zone}.zone", text)
        for zone in (*zones.DELEGATED[:3], "unsigned.org"):
            self._write(f"primary/zones/{zone}.zone", zones.text(zone))
        self._write("primary/zones/org.zone", zones.org(ds))
        self._write("primary/zones/root.zone", zones.root(ds))
        self._write("anchor.ds", ds[""].replace(". DS", ". IN DS"))

    def _make_key(self, zone: str) -> str:
        """A key for the server to sign with; its DS line."""
        keymgr = ("keymgr", "-c", str(self.directory / "primary.conf"), f"{zone}.")
        _run(*keymgr, "generate", "algorithm=13", "ksk=yes", "zsk=yes")
        lines = _run(*keymgr, "ds").splitlines()
        return next(line for line in lines if line.split()[4] == "2") + "\n"  # digest type 2: SHA-256


def zone_of(name: str) -> str:
    """Which of the lab's zones holds a name."""
    return next(zone for zone in (*zones.DELEGATED, "org", "") if f".{name}".endswith(f".{zone}" if zone else ""))


def _notify(zone: str) -> None:
    """Tell the secondary, and do not wait for its word: knot itself notifies one second after a change."""
    message = dns.message.make_query(zone, "SOA", flags=dns.flags.AA)
    message.set_opcode(dns.opcode.NOTIFY)
    message.use_tsig(KEYRING, TSIG_NAME, algorithm=TSIG_ALGORITHM)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(message.to_wire(), (SECONDARY, 53))


def _signed(server: str) -> bool:
    if not listening(server, 53):
        return False
    query = dns.message.make_query(PROBE, "A", want_dnssec=True)
    try:
        answer = dns.query.udp(query, server, timeout=0.5)
    except dns.exception.DNSException:
        return False
    return any(rrset.rdtype == dns.rdatatype.RRSIG for rrset in answer.answer)


def _rrsets(lines: Iterable[tuple[str, int, dns.rdata.Rdata]]) -> Rrsets:
    """What people wrote, not the signer."""
    rrsets: Rrsets = {}
    for name, ttl, data in lines:
        if data.rdtype.name not in MADE_BY_SIGNER:
            empty = dns.rdataset.Rdataset(data.rdclass, data.rdtype, ttl=ttl)
            rrsets.setdefault((name, data.rdtype.name), empty).add(data, ttl)
    return rrsets


def _absolute(name: str) -> dns.name.Name:
    return dns.name.from_text(name)


def _run(*command: str) -> str:
    environment = {**os.environ, "PATH": search_path()}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise Unavailable(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()}")
    return done.stdout
