"""1000 domains from a file, with real DNS and a real mail host: how long `mailsrv check mail --file` takes, how much memory, and a resume.

    tests/lab/enter.sh .venv/bin/python -m tests.bench.domains [COUNT]

The lab's knot serves `*.example.org` (a wildcard: MX, SPF; DMARC only where the name is one of its own), its unbound validates, and one
mail host answers with STARTTLS at two addresses. The run is killed after a third, and the same command goes on. It asserts nothing.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.lab.dnstree import DnsTree
from tests.lab.mx import Mx
from tests.lab.network import LOCAL_RESOLVER, MX, MX6, private_network
from tests.lab.pki import Pki

HOST, ZONE = "mx1.example.org", "example.org"
MIB = 1024


def main(count: int = 1000) -> int:
    with private_network() as directory, DnsTree(directory, cache=86400) as tree, Pki(directory) as pki, Mx() as mx:
        tree.replace(f"*.{ZONE}", "MX", f"10 {HOST}.")
        tree.replace(f"*.{ZONE}", "TXT", '"v=spf1 mx -all"')
        credentials = pki.issue([HOST])
        for address in (MX, MX6):
            mx.listen(address, 25, credentials)
        listing, journal = directory / "domains.txt", directory / "journal"
        listing.write_text("".join(f"d{number}.{ZONE}\n" for number in range(count)))
        words = [sys.executable, "-m", "mailsrv", "check", "mail", "--file", str(listing), "--journal", str(journal)]
        words += ["--json", "--no-history", "--resolver", LOCAL_RESOLVER, "--local", "--ca", str(pki.ca)]
        first = _killed(words, journal, count // 3)
        rest, results = _whole(words)
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / MIB
    print(f"{first} domains, killed; {count - first} more in {rest:.0f} s ({(count - first) / rest:.0f}/s)")
    print(f"{results} results in the document; {most:.0f} MB at the most")
    return 0


def _killed(words: list[str], journal: Path, after: int) -> int:
    """How many were done when it was killed."""
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, env={**os.environ}) as child:
        while child.poll() is None and _done(journal) < after:
            time.sleep(0.1)
        child.send_signal(signal.SIGKILL)
    return _done(journal)


def _whole(words: list[str]) -> tuple[float, int]:
    """Seconds of the run that goes on, and results in its document."""
    begin = time.monotonic()
    done = subprocess.run(words, capture_output=True, check=False)
    return time.monotonic() - begin, done.stdout.count(b'"schema"') and done.stdout.count(b'"mx"')


def _done(journal: Path) -> int:
    return max(0, journal.read_bytes().count(b"\n") - 1) if journal.exists() else 0


if __name__ == "__main__":
    raise SystemExit(main(*map(int, sys.argv[1:2])))
