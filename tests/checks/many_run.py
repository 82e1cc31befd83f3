"""A run over many domains of a world in memory, as a program that can be killed: `python -m tests.checks.many_run DOMAINS JOURNAL`.

It prints the most memory that it took, in KiB, and how many domains are in the journal.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from checks.facts import Evidence, Tls, Version
from checks.journal import Journal
from checks.many import check_each, listed
from checks.report.document import result
from tests.checks.probe.memory import Memory, mail_domain


class Talkative(Memory):
    """Its servers say much about themselves."""

    async def look_tls(self, host: str, address: str) -> Tls:
        seen = await super().look_tls(host, address)
        lines = tuple(f"{host} line {number} " + "x" * 200 for number in range(120))
        return replace(seen, versions=frozenset(Version), chain=(bytes(2000), bytes(1500)), evidence=Evidence(lines))


async def run(domains: tuple[str, ...], path: Path) -> int:
    records = {}
    for domain in domains:
        records |= mail_domain(domain, f"mx1.{domain}", f"mx2.{domain}", "mx.shared.example")
    world = Talkative(records).world()
    with Journal.opened(path) as journal:
        left = [domain for domain in domains if domain not in journal.done]
        async with aclosing(check_each(left, world)) as each:
            async for done in each:
                assert done.report is not None, done.trouble
                journal.add(done.domain, result(done.report))
        return sum(1 for _ in journal.results())


if __name__ == "__main__":
    count = asyncio.run(run(listed(Path(sys.argv[1])), Path(sys.argv[2])))
    # not getrusage: what that tells of a child that was spawned counts its parent's memory as well
    status = Path("/proc/self/status").read_text()
    print(status.partition("VmHWM:")[2].split()[0], count)
