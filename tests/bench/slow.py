"""How long `mailsrv check mail` takes for two fast mail hosts, and for what would keep it for ever, all with the web of a domain that is as bad.

    tests/lab/enter.sh .venv/bin/python -m tests.bench.slow

Zones are in memory; mail hosts and web servers are real. It asserts nothing.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from functools import partial
from time import monotonic

from checks.probe import opening, reach
from checks.probe.opening import Options
from checks.probe.tls.visit import Gate
from checks.run import check_mail
from tests.checks.probe.memory import Memory, mail_domain
from tests.checks.probe.test_hostile import WAYS, Conversation, serving
from tests.lab.mx import Mx
from tests.lab.network import private_network
from tests.lab.pki import Pki
from tests.lab.streams import start_server

WEB = "127.0.1.99"
LABELS = ("autoconfig", "autodiscover", "ua-auto-config", "mta-sts")


async def measured(name: str, hosts: int, ways: tuple[Conversation, ...], pki: Pki) -> None:
    """One domain: so many hosts; behind them who behaves as `ways` say, or who is there already when there is none."""
    named = [f"mx{number:02}.example.org" for number in range(hosts)]
    records = {key: value for key, value in mail_domain("example.org", *named).items() if key[1] != "AAAA"}
    records |= {(host, "A"): (f"127.0.1.{number + 1}",) for number, host in enumerate(named)}
    records |= {(f"{label}.example.org", "A"): (WEB,) for label in LABELS} | {("example.org", "A"): (WEB,)}
    records["_mta-sts.example.org", "TXT"] = ("v=STSv1; id=1",)
    gate = Gate()
    async with AsyncExitStack() as stack:
        for number in range(hosts if ways else 0):
            where = f"127.0.1.{number + 1}"
            await stack.enter_async_context(await start_server(serving(ways[number % len(ways)]), where, 25))
        for port in (80, 443):
            await stack.enter_async_context(await start_server(serving((ways or WAYS)[0]), WEB, port))
        options = Options(trust=pki.ca, local=True)
        look = opening.prober(options, gate)
        world = replace(
            Memory(records).world(options.budget),
            look_tls=look,
            try_host=partial(reach.mail_host, now=opening.now),
            local=True,
            roots=pki.ca,
            gate=gate,
        )
        began = monotonic()
        with suppress(TimeoutError):
            await check_mail("example.org", world)
        print(f"{name:44} {monotonic() - began:5.1f} s", flush=True)
        tasks = [one for one in asyncio.all_tasks() if one is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def main() -> int:
    with private_network() as directory, Pki(directory) as pki, Mx() as mx:
        _fast(pki, mx)
        silent, drips, *_ = WAYS
        for name, hosts, ways in (("12 hosts, five kinds of trap", 12, WAYS), ("12 silent hosts", 12, (silent,)), ("2 that drip", 2, (drips,))):  # fmt: skip
            asyncio.run(measured(f"{name}; silent web", hosts, ways, pki))
    return 0


def _fast(pki: Pki, mx: Mx) -> None:
    credentials = pki.issue([f"mx{number:02}.example.org" for number in range(2)])
    for number in range(2):
        mx.listen(f"127.0.1.{number + 1}", 25, credentials)
    asyncio.run(measured("2 fast hosts; silent web", 2, (), pki))
    for number in range(2):
        mx.close((f"127.0.1.{number + 1}", 25))


if __name__ == "__main__":
    raise SystemExit(main())
