"""What a stranger's message costs `mailsrv serve`, with and without asking who it is from: CPU seconds of the whole process.

tests/lab/enter.sh .venv/bin/python -m tests.bench.authenticated [2KB] [1MB] [cold] [--messages N]

Every message carries a valid RSA-2048 signature, its client passes SPF and has a name, its domain has a DMARC policy that asks
for reports. The DNS is the lab's: knot answers, the server's own libunbound validates. DOMAINS senders take turns, as on a
server that has been up for a while; `cold` has each message come from a domain that nobody has heard of.
Two servers take turns, of which one trusts the sender; the figures are medians of ROUNDS turns.
The sender is a process beside the server on the same cores: read CPU, not rates. LAB_DIR=DIR keeps the store on a disk.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import dns.rdata
import dns.rdataset
import dns.update

from dnsops.records import rdata
from mailsrv.auth.keys import Signer
from mailsrv.auth.signing import sign
from tests.bench.authentication import HEADER, text
from tests.lab.dnstree import DnsTree
from tests.lab.mailserver import DOMAIN, MailServer
from tests.lab.network import MX, Unavailable, private_network
from tests.lab.pki import Pki
from tests.mailsrv.auth.signers import pem

CONNECTIONS = 10
USERS = [f"u{number}" for number in range(10)]
DOMAINS = 20
ROUNDS = 5
POOL = 200  # different messages of a small size
# RFC 2544: no documentation address, for those have no names in libunbound whatever the DNS says
SENDER, REVERSE = "198.18.0.25", "25.0.18.198.in-addr.arpa"
HELO = "out.example.org"
TTL = 3600
MOST_AT_ONCE = 100  # records in an update
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Load:
    """messages: so many, each of `size` octets.  domains: so many senders take turns.  cold: nobody has heard of them."""

    name: str
    size: int
    messages: int
    domains: int = DOMAINS
    cold: bool = False


@dataclass(frozen=True)
class Cost:
    """cpu: milliseconds of the server for a message.  rate: messages a second."""

    cpu: float
    rate: float


LOADS = (Load("2KB", 2048, 3000), Load("1MB", 1 << 20, 100), Load("cold", 2048, 400, 401, cold=True))


def main() -> int:
    arguments = argparse.ArgumentParser(prog="tests.bench.authenticated")
    arguments.add_argument("loads", nargs="*", metavar="|".join(load.name for load in LOADS))
    arguments.add_argument("--messages", type=int, default=0)
    asked = arguments.parse_args()
    wanted = [load for load in LOADS if not asked.loads or load.name in asked.loads]
    try:
        with private_network() as directory:
            report(directory, wanted, asked.messages)
    except Unavailable as reason:
        print(f"bench: no lab here: {reason}", file=sys.stderr)
        return 1
    return 0


def report(directory: Path, loads: Sequence[Load], messages: int = 0) -> None:
    """A line for each load: without authentication, with it, and what it adds."""
    with DnsTree(directory) as tree, Pki(directory) as pki:
        report_on(directory, tree, pki, loads, messages)


def report_on(directory: Path, tree: DnsTree, pki: Pki, loads: Sequence[Load], messages: int = 0) -> None:
    """The same on servers that are there."""
    subprocess.run(["ip", "address", "replace", f"{SENDER}/32", "dev", "lo"], check=True)
    populate(tree, max(load.domains for load in loads))
    for load in loads:
        plain, judged = beside(directory, pki, load, messages or load.messages)
        print(
            f"{load.name:5} c{CONNECTIONS}: {plain.cpu:7.3f} ms CPU a message without ({plain.rate:.0f}/s)"
            f" {judged.cpu:7.3f} ms with authentication ({judged.rate:.0f}/s), which is {judged.cpu - plain.cpu:.3f} more",
            flush=True,
        )


def beside(directory: Path, pki: Pki, load: Load, messages: int) -> tuple[Cost, Cost]:
    """Two servers, one of which trusts the sender, take turns: whatever else this machine does, it does to both."""
    pool = letters(load)
    costs: tuple[list[Cost], list[Cost]] = ([], [])
    names = {"plain": [f"{SENDER}/32"], "judged": []}
    servers = [
        MailServer(
            directory / f"{name}-{load.name}", pki=pki, address=MX, users=USERS, inbound={"trusted_networks": trusted}
        )
        for name, trusted in names.items()
    ]
    warm, each = pool[:1] if load.cold else pool, max(messages // ROUNDS, 1)
    with servers[0], servers[1]:
        for server in servers:
            asyncio.run(deliver(server.ports["smtp"], warm))
        for start in range(0, each * ROUNDS, each):
            batch = [pool[(number + load.cold) % len(pool)] for number in range(start, start + each)]
            for server, found in zip(servers, costs, strict=True):
                found.append(measured(server, batch))
    passed = sum(one.get("dmarc") == "pass" for one in servers[1].events("mail.judged"))
    if passed != len(warm) + each * ROUNDS:
        raise SystemExit(f"bench: {passed} of {len(warm) + each * ROUNDS} messages passed: {servers[1].log}")
    return middle(costs[0]), middle(costs[1])


def measured(server: MailServer, messages: Sequence[bytes]) -> Cost:
    before, begin = used(server.pid), time.perf_counter()
    asyncio.run(deliver(server.ports["smtp"], messages))
    wall = time.perf_counter() - begin
    return Cost((used(server.pid) - before) / len(messages) * 1000, len(messages) / wall)


def middle(costs: Sequence[Cost]) -> Cost:
    return Cost(median(one.cpu for one in costs), median(one.rate for one in costs))


def used(pid: int) -> float:
    """Seconds of CPU, of all threads and of children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICK


# the load


def letters(load: Load) -> list[bytes]:
    """Signed messages, each by the next sender."""
    count = max(load.domains, POOL if load.size < 100_000 else 4)
    now = datetime.now(UTC)
    room = load.size - len(HEADER) - 700  # what a signature takes
    made = []
    for number in range(count):
        domain = f"s{number % load.domains}.example.org"
        content = HEADER.replace(b"joe@a.example", f"joe@{domain}".encode()).replace(b"<1@", b"<%d@" % number)
        content += b"Number %d.\r\n" % number + text(room)
        signed = sign(content, [signer(domain)], now) + content
        made.append(f"MAIL FROM:<joe@{domain}>\r\n".encode() + b"\0" + signed.replace(b"\r\n.", b"\r\n..") + b".\r\n")
    return made


def signer(domain: str) -> Signer:
    return Signer.load(domain, "sel", pem())


async def deliver(port: int, messages: Sequence[bytes]) -> None:
    """All of them, over CONNECTIONS sessions."""
    waiting = iter(enumerate(messages))
    await asyncio.gather(*(_session(port, waiting) for _ in range(CONNECTIONS)))


async def _session(port: int, waiting: Iterator[tuple[int, bytes]]) -> None:
    reader, writer = await asyncio.open_connection(MX, port, local_addr=(SENDER, 0))
    await _replies(reader, 1)
    writer.write(f"EHLO {HELO}\r\n".encode())
    await _replies(reader, 1)
    for number, message in waiting:
        mail, _, content = message.partition(b"\0")
        writer.write(mail + f"RCPT TO:<{USERS[number % len(USERS)]}@{DOMAIN}>\r\nDATA\r\n".encode())
        await _replies(reader, 3)
        writer.write(content)
        await _replies(reader, 1)
    writer.write(b"QUIT\r\n")
    await _replies(reader, 1)
    writer.close()


async def _replies(reader: asyncio.StreamReader, count: int) -> None:
    while count:
        line = await reader.readline()
        if line[:1] not in (b"2", b"3"):
            raise SystemExit(f"bench: the server said {line!r}")
        count -= line[3:4] != b"-"


# the DNS


def populate(tree: DnsTree, domains: int) -> None:
    """What the senders publish, and the client's own names."""
    key = str(rdata.txt(str(signer("example.org").record)))
    spf = f'"v=spf1 ip4:{SENDER} -all"'
    lines = [(HELO, "A", SENDER), (HELO, "TXT", spf)]
    for domain in (f"s{number}.example.org" for number in range(domains)):
        lines += [
            (domain, "TXT", spf),
            (f"sel._domainkey.{domain}", "TXT", key),
            (f"_dmarc.{domain}", "TXT", f'"v=DMARC1; p=reject; rua=mailto:reports@{domain}"'),
        ]

    for start in range(0, len(lines), MOST_AT_ONCE):
        publish(tree, lines[start : start + MOST_AT_ONCE])
    tree.wait_for(lines[-1][0], "TXT", [lines[-1][2]])
    tree.replace(REVERSE, "PTR", f"{HELO}.", ttl=TTL)


def publish(tree: DnsTree, lines: Sequence[tuple[str, str, str]]) -> None:
    """One update."""

    def work(message: dns.update.UpdateMessage) -> None:
        for name, kind, data in lines:
            message.replace(f"{name}.", dns.rdataset.from_rdata_list(TTL, [dns.rdata.from_text("IN", kind, data)]))

    if tree.update("example.org", work):
        raise SystemExit("bench: the update of example.org was refused")


if __name__ == "__main__":
    sys.exit(main())
