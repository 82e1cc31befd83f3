"""What commands cost, measured on the lab's real servers: wall and CPU seconds, and memory, of child processes.

make bench          (= tests/lab/enter.sh .venv/bin/python -m tests.bench)
"""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import dns.rdata
import dns.rdataset
import dns.update

from dnsops.certs.chain import association, from_pem
from tests.bench import authenticated
from tests.lab.dnstree import DnsTree
from tests.lab.mx import Mx
from tests.lab.network import MX, MX6, Unavailable, private_network
from tests.lab.pki import Pki

RUNS = 5
CROWD = 200


@dataclass(frozen=True)
class Cost:
    """One run of a child process. memory: its largest resident set, MB."""

    wall: float
    cpu: float
    memory: float


# The peak is read from inside: what wait4 tells of a spawned child counts its parent's memory as well.
CHILD = """
import atexit, sys
peak = sys.argv.pop(1)
atexit.register(lambda: open(peak, "w").write(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0]))
from mailsrv.command import main
sys.exit(main(sys.argv[1:]))
"""


def measure(words: Sequence[str], status: int = 0) -> Cost:
    """Run a command of ours; its output goes to a file, so that nobody waits for a pipe."""
    with tempfile.TemporaryFile() as output, tempfile.NamedTemporaryFile() as peak:
        begin = time.perf_counter()
        child = os.posix_spawn(
            sys.executable,
            [sys.executable, "-c", CHILD, peak.name, *words],
            dict(os.environ),
            file_actions=[(os.POSIX_SPAWN_DUP2, output.fileno(), 1)],
        )
        _, ended, usage = os.wait4(child, 0)
        wall = time.perf_counter() - begin
        output.seek(0)
        if os.waitstatus_to_exitcode(ended) != status:
            raise SystemExit(f"mailsrv {' '.join(words[:3])}: {output.read().decode()[-2000:]}")
        memory = int(Path(peak.name).read_text()) / 1024
    return Cost(wall, usage.ru_utime + usage.ru_stime, memory)


def repeated(words: Sequence[str], runs: int = RUNS) -> Cost:
    """The median of several runs, after one that warms the caches of the disk."""
    measure(words)
    costs = [measure(words) for _ in range(runs)]
    return Cost(median(c.wall for c in costs), median(c.cpu for c in costs), max(c.memory for c in costs))


def row(what: str, cost: Cost, wanted: str) -> None:
    print(
        f"{what:44} {cost.wall:7.3f} s wall {cost.cpu:7.3f} s CPU {cost.memory:6.1f} MB   target: {wanted}", flush=True
    )


def main() -> int:
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # the lab's servers run in this process
    from tests.bench import zones  # it measures as we do

    row("mailsrv --help", repeated(["--help"]), "<= 0.15 s")
    zones.main()
    try:
        with ExitStack() as stack:
            on_servers(stack)
    except Unavailable as reason:
        print(f"bench: no lab here: {reason}", file=sys.stderr)
        return 1
    return 0


def on_servers(stack: ExitStack) -> None:
    directory = stack.enter_context(private_network())
    tree = stack.enter_context(DnsTree(directory))
    pki = stack.enter_context(Pki(directory))
    mx = stack.enter_context(Mx())
    credentials = pki.issue(["*.example.org"])
    pem = directory / "crowd.pem"
    pem.write_bytes(credentials.chain)
    record = str(association(from_pem(credentials.chain, "").certificates[0]))
    for address in (MX, MX6):
        mx.listen(address, 25, credentials)
    tree.replace("_25._tcp.mx1.example.org", "TLSA", record)
    row("mailsrv ask NAME TLSA", repeated(["ask", "_25._tcp.mx1.example.org", "TLSA"]), "")
    one = reconciling(pem, directory / "one", ["mx1.example.org"])
    row("tlsa reconcile, one host in sync", repeated(one), "<= 0.6 s CPU, <= 80 MB")
    hosts = [f"h{number}.example.org" for number in range(1, CROWD + 1)]
    for number in range(1, CROWD + 1):
        mx.listen(f"203.0.113.{number}", 25, credentials)
    populate(tree, hosts, record)
    many = reconciling(pem, directory / "many", hosts)
    row(f"tlsa reconcile, {CROWD} hosts in sync", repeated(many, 3), "<= 10 s")
    authenticated.report_on(directory, tree, pki, authenticated.LOADS)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        f"(the lab's own {CROWD} mail servers used {used.ru_utime + used.ru_stime:.1f} s CPU of these two cores meanwhile)"
    )


def reconciling(pem: Path, state: Path, hosts: Sequence[str]) -> list[str]:
    names = [word for host in hosts for word in ("--host", host)]
    return ["tlsa", "reconcile", "--json", "--source", f"pem:{pem}", "--state", str(state), *names]


def populate(tree: DnsTree, hosts: Sequence[str], record: str) -> None:
    """Address and TLSA records of all hosts, in one update."""

    def work(message: dns.update.UpdateMessage) -> None:
        for number, host in enumerate(hosts, 1):
            for name, kind, text in ((host, "A", f"203.0.113.{number}"), (f"_25._tcp.{host}", "TLSA", record)):
                message.replace(f"{name}.", dns.rdataset.from_rdata_list(60, [dns.rdata.from_text("IN", kind, text)]))

    if tree.update("example.org", work):
        raise SystemExit(f"bench: the update was refused: {json.dumps(hosts[:3])}")
    tree.wait_for(f"_25._tcp.{hosts[-1]}", "TLSA", [record])


if __name__ == "__main__":
    sys.exit(main())
