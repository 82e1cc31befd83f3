"""`ask --transport` before anything is printed: what is foreseen, and what a probe finds."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

import pytest

from dnsops.resolve.answer import Security
from dnsops.resolve.memory import MemoryDns
from mailsrv.commands.ask import document
from mailsrv.send.encrypting import Contexts, contexts
from mailsrv.send.foreseen import Outlook, foresee, probe
from mailsrv.send.route import Ours, Router
from mailsrv.transport.noting import Notes
from mailsrv.transport.policies import Policed
from tests.mailsrv.send.sink import ALL, Sink

OWNER = "_25._tcp.mx1.example.org"
Weather = Callable[[MemoryDns], object]


def seen(weather: Weather) -> Outlook:
    dns = MemoryDns({"example.org": Security.SECURE})
    dns.put("example.org", "MX", "10 mx1.example.org.")
    dns.put("mx1.example.org", "A", "192.0.2.25")
    weather(dns)
    policies = Policed(dns, None, Notes(lambda: None))  # type: ignore[arg-type,return-value]
    return asyncio.run(foresee("example.org", Router(Ours()), dns, policies))


@pytest.mark.parametrize(
    "weather,policy,tlsa,well",
    [
        (lambda dns: dns.put(OWNER, "TLSA", "3 1 1 " + "aa" * 32), "dane", "", True),
        (lambda dns: None, "opportunistic", "mx1.example.org has no TLSA records", True),
        (lambda dns: dns.put(OWNER, "TLSA", "1 1 1 " + "aa" * 32), "encrypt", "", True),
    ],
)
def test_each_host_has_its_policy_and_the_reason(weather: Weather, policy: str, tlsa: str, well: bool) -> None:
    outlook = seen(weather)
    (host,) = document(outlook)["hosts"]  # type: ignore[misc]
    assert (host["policy"]["name"], host["tlsa"]["why"], outlook.well) == (policy, tlsa, well)  # type: ignore[index]
    assert (outlook.way, outlook.proven) == ("proven by DNSSEC", True)


def test_what_cannot_be_known_is_said() -> None:
    outlook = seen(lambda dns: dns.verdict(OWNER, Security.BOGUS, "forged") if OWNER else None)
    assert outlook.hosts[0].policy == "the TLSA records of mx1.example.org cannot be known now: forged"
    assert not outlook.well
    outlook = seen(lambda dns: dns.verdict("example.org", Security.BOGUS, "forged"))
    assert (outlook.hosts, outlook.verdict is not None) == ((), True)


@pytest.mark.parametrize("offers,trust", [((*ALL, "STARTTLS"), "encrypted"), (ALL, "plain")])
def test_a_probe_greets_and_sends_nothing(offers: tuple[str, ...], trust: str, tls_server: ssl.SSLContext) -> None:
    async def story() -> tuple[Outlook, Sink]:
        async with Sink({}, offers, tls_server) as sink:
            dns = MemoryDns({"example.org": Security.SECURE})
            dns.put("example.org", "MX", "10 mx1.example.org.")
            dns.put("mx1.example.org", "A", "127.0.0.1")
            policies = Policed(dns, None, Notes(lambda: None))  # type: ignore[arg-type,return-value]
            outlook = await foresee("example.org", Router(Ours(loopback=False), port=sink.port), dns, policies)
            return await probe(outlook, "us", Contexts(contexts().anyone, contexts().named)), sink

    outlook, sink = asyncio.run(story())
    probed = outlook.hosts[0].probed
    assert probed is not None
    assert (probed.trust, probed.names) == (trust, ("mx1.example.org",) if trust == "encrypted" else ())
    assert {command.split()[0] for command in sink.commands} <= {"EHLO", "STARTTLS", "QUIT"}
