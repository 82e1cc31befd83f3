"""What deciding on a hop's TLS costs: CPU and wall time a decision, with the lab's resolver warm and with a DNS in memory.

tests/lab/enter.sh .venv/bin/python -m tests.bench.policy
"""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from dnsops.records.txt.mtasts import Mode, Sts
from dnsops.resolve.answer import Resolver, Security
from dnsops.resolve.choice import resolver
from dnsops.resolve.memory import MemoryDns
from mailsrv.transport.caching import Cache, Kept
from mailsrv.transport.fetching import Fetcher
from mailsrv.transport.host import Host
from mailsrv.transport.mtasts import StsPolicies
from mailsrv.transport.noting import Notes
from mailsrv.transport.policies import Policed
from tests.lab.dnstree import DnsTree
from tests.lab.network import private_network

TIMES = 1000


def now() -> datetime:
    return datetime.now(UTC)


def policed(asked: Resolver) -> Policed:
    cache = Cache()
    cache.put(Kept("unsigned.org", "1", Sts(Mode.ENFORCE, ("mx1.unsigned.org",), 86400), now(), now()))
    return Policed(asked, StsPolicies(asked, Fetcher(asked), cache, now), Notes(now))


async def row(what: str, work: Callable[[], Awaitable[object]]) -> None:
    await work()
    before, begin = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    for _ in range(TIMES):
        await work()
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{what:44} {cpu / TIMES * 1e6:8.0f} us CPU {wall / TIMES * 1e6:8.0f} us wall")


async def rows() -> None:
    dane = Host("mx1.example.org", ("192.0.2.25",), canonical="mx1.example.org", proven=True)
    plain = Host("mx1.unsigned.org", ("192.0.2.25",), canonical="mx1.unsigned.org")
    async with resolver() as asked:
        policies = policed(asked)
        await row("warm resolver: one question", lambda: asked.ask("mx1.example.org", "A"))
        await row("warm resolver: DANE", lambda: policies.policy("example.org", dane, True))
        await row("warm resolver: MTA-STS, kept", lambda: policies.policy("unsigned.org", plain, False))
    memory = MemoryDns({"example.org": Security.SECURE})
    memory.put("_25._tcp.mx1.example.org", "TLSA", "3 1 1 " + "aa" * 32)
    memory.put("_mta-sts.unsigned.org", "TXT", '"v=STSv1; id=1;"')
    policies = policed(memory)
    await row("in memory: DANE", lambda: policies.policy("example.org", dane, True))
    await row("in memory: MTA-STS, kept", lambda: policies.policy("unsigned.org", plain, False))


def main() -> None:
    with private_network() as directory, DnsTree(directory, cache=300) as tree:
        tree.replace("_mta-sts.unsigned.org", "TXT", '"v=STSv1; id=1;"')
        asyncio.run(rows())


if __name__ == "__main__":
    main()
