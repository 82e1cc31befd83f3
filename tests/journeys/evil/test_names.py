"""Name servers that lie, flood and go in circles, on the ways that mail takes: S-DNS-03 to 08 of security.md, by libunbound."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

import dns.message
import pytest

from dnsops.base.errors import Later
from dnsops.base.flow import Flow, arun
from dnsops.resolve import libunbound
from dnsops.resolve.answer import Answer, Question, Resolver, Security
from mailsrv.auth.decide import Action, Rules, decide
from mailsrv.auth.story import Means, Origin, authenticate
from mailsrv.auth.verdicts import Arc, Authentication, Dkim, Result
from mailsrv.message.header import Header
from mailsrv.send.route import Ours, Route, Router, Way
from mailsrv.send.verdict import Fate, Verdict
from mailsrv.transport.caching import Cache
from mailsrv.transport.fetching import Fault
from mailsrv.transport.mtasts import StsPolicies
from mailsrv.transport.outcome import Trouble
from tests.dnsops.resolve.stub import Reply, Stub
from tests.journeys.evil import names
from tests.journeys.evil.names import FORGERIES, LIE, always, forgeries, lying, truncated
from tests.journeys.evil.signed import keytrap

pytestmark = pytest.mark.skipif(libunbound.load() is None, reason="libunbound8 is not installed")

T = TypeVar("T")
SHORT = 0.6  # seconds for a question that is never answered


def under(
    udp: Reply, ask: Callable[[Resolver], Awaitable[T]], tcp: Reply | None = None, deadline: float = 10
) -> tuple[T, Stub]:
    async def story() -> tuple[T, Stub]:
        async with lying(udp, tcp, deadline) as (resolver, stub):
            return await ask(resolver), stub

    return asyncio.run(story())


async def route(resolver: Resolver) -> Way:
    """Where mail for example.net goes."""

    async def ask(question: Question) -> Answer:
        return await resolver.ask(question.name, question.type)

    return await arun(Router(Ours(loopback=False)).route("n.example.net"), ask)


def unsigned(content: bytes, now: datetime, head: Header) -> Flow[Question, Answer, tuple[tuple[Dkim, ...], Arc]]:
    """A message without signatures asks for no keys."""
    yield from ()
    return (), Arc(Result.NONE)


async def origin(resolver: Resolver) -> Authentication:
    """Who sent a mail from example.net."""
    content = b"From: ann@n.example.net\r\n\r\nhello\r\n"
    means = Means(resolver, unsigned, "mx.us.org")
    return await authenticate(
        content, Origin("192.0.2.1", "m.example.net", "a@n.example.net"), means, datetime.now(UTC)
    )


async def sts(resolver: Resolver) -> object:
    class NoWeb:
        async def fetch(self, domain: str) -> Fault:
            return Fault(Trouble.STS_POLICY_FETCH_ERROR, "never asked")

    policies = StsPolicies(resolver, NoWeb(), Cache(), lambda: datetime.now(UTC))
    try:
        return await policies.find("n.example.net")
    finally:
        await policies.close()


def later(found: object) -> bool:
    return isinstance(found, Verdict) and (found.fate, found.code) == (Fate.LATER, "4.4.3")


# S-DNS-08


@pytest.mark.parametrize("forgery", FORGERIES)
def test_s_dns_08_a_forged_mx_is_no_mx_and_no_bounce(forgery: str) -> None:
    found, stub = under(forgeries([forgery]), route, deadline=SHORT)
    assert later(found), found
    assert {query.question[0].rdtype.name for _, query in stub.heard} == {"MX"}, "nor is the A record tried"


@pytest.mark.parametrize("forgery", ["another id", "less"])
def test_s_dns_08_the_true_answer_is_waited_for(forgery: str) -> None:
    """What the kernel would let through, and a forger can send ahead of the truth."""
    mx, a = always("MX", "10 mx.example.net."), always("A", "192.0.2.25")

    def said(query: dns.message.Message) -> list[bytes]:
        truth = mx if query.question[0].rdtype.name == "MX" else a
        return [FORGERIES[forgery](query), *truth(query)]

    found, _ = under(said, route)
    assert isinstance(found, Route), found
    assert [(host.name, host.addresses) for host in found.hosts] == [("mx.example.net", ("192.0.2.25",))]


def test_s_dns_08_junk_behind_an_answer_adds_nothing_to_it() -> None:
    def said(query: dns.message.Message) -> list[bytes]:
        truth = (
            always("MX", "10 mx.example.net.") if query.question[0].rdtype.name == "MX" else always("A", "192.0.2.25")
        )
        return [truth(query)[0] + b"\x00\x01\x02 junk " * 500]

    found, _ = under(said, route, deadline=SHORT)
    assert later(found) or (isinstance(found, Route) and LIE not in str(found))


@pytest.mark.parametrize("forgery", FORGERIES)
def test_s_dns_08_forged_policies_are_later_and_never_absent(forgery: str) -> None:
    found, _ = under(forgeries([forgery]), origin, deadline=SHORT)
    assert (found.mail.result, found.helo.result, found.dmarc.result) == (Result.TEMPERROR,) * 3
    assert decide(found, [], Rules()).action is Action.LATER


@pytest.mark.parametrize("forgery", FORGERIES)
def test_s_dns_08_a_forged_mta_sts_record_is_later(forgery: str) -> None:
    with pytest.raises(Later):
        under(forgeries([forgery]), sts, deadline=SHORT)


# S-DNS-04


MOST = 40  # questions at the server, retries included, for one question of ours


@pytest.mark.parametrize(
    "said", [names.aliases(20), names.all_aliases(20), names.round_and_round], ids=["chain", "chain in one", "loop"]
)
def test_s_dns_04_aliases_without_end_are_later_and_cost_a_few_questions(said: Reply) -> None:
    found, stub = under(truncated, route, said)
    assert later(found), found
    assert len(stub.heard) <= MOST
    verdicts, stub = under(truncated, origin, said)
    assert (verdicts.mail.result, verdicts.dmarc.result) == (Result.TEMPERROR, Result.TEMPERROR)
    assert len(stub.heard) <= 10 * MOST


@pytest.mark.parametrize("said", [names.ever_deeper, names.to_a_thousand], ids=["dname", "nxns"])
def test_s_dns_04_names_that_grow_and_referrals_to_a_thousand_lead_nowhere(said: Reply) -> None:
    """Nobody is asked who is not there to be asked; libunbound makes "nothing" of it, which its owner could say as well."""
    found, stub = under(truncated, route, said)
    assert isinstance(found, Verdict)
    assert found.code in ("4.4.3", "5.4.4")
    assert len(stub.heard) <= MOST
    verdicts, stub = under(truncated, origin, said)
    assert {verdicts.mail.result, verdicts.dmarc.result} <= {Result.TEMPERROR, Result.NONE}
    assert len(stub.heard) <= 10 * MOST


def test_s_dns_04_a_short_chain_is_followed() -> None:
    async def ask(resolver: Resolver) -> Answer:
        return await resolver.ask("n.example.net", "A")

    found, _ = under(names.aliases(7), ask)
    assert (found.canonical, [str(item) for item in found.items]) == ("n7.example.net", ["127.0.0.1"])


# S-DNS-05

SPF = "v=spf1 ip4:192.0.2.0/24 -all"


@pytest.mark.parametrize(
    "texts, result",
    [
        ([f'"v=spf1 ip4:198.51.100.{number} x={number} -all"' for number in range(500)], Result.PERMERROR),
        ([" ".join(['"v=spf1 "', *['"ip4:198.51.100.1 "'] * 3000, '"-all"'])], Result.PERMERROR),
        ([" ".join([f'"{"y" * 60}"'] * 1000), f'"{SPF}"'], Result.PASS),
        ([*(f'"verification={number}"' for number in range(999)), f'"{SPF}"'], Result.PASS),
        ([f'"{number}"' for number in range(3600)], Result.TEMPERROR),  # more than anybody honest has
    ],
    ids=["500 SPF", "64 KiB of SPF", "1000 strings", "1000 texts", "3600 texts"],
)
def test_s_dns_05_explosions_of_texts_are_bounded_on_the_wire_too(texts: list[str], result: Result) -> None:
    found, _ = under(truncated, origin, always("TXT", *texts))
    assert found.mail.result is result, found.mail
    assert found.dmarc.result in (Result.NONE, Result.TEMPERROR)


# S-DNS-07


@pytest.mark.parametrize(
    "target",
    [r"a\000b.example.net.", r"a\032b.example.net.", r"a\.b.example.net.", r"\255\254.example.net.", r"\"\$\(id\)\".example.net.", "x" * 63 + "." + "y" * 63 + "." + "z" * 63 + "." + "w" * 61 + "."],
    ids=["NUL", "blank", "dot", "octets", "shell", "long"],
)  # fmt: skip
def test_s_dns_07_mail_hosts_with_impossible_names_on_the_wire(target: str) -> None:
    """Nothing is asked for that the server did not say, and the mail comes back rather than going elsewhere."""
    found, stub = under(always("MX", f"10 {target}"), route)
    assert isinstance(found, Verdict)
    assert (found.fate, found.code) == (Fate.FAILED, "5.4.4")
    assert str(found).isprintable()
    asked = {names.name_of(query) for _, query in stub.heard}
    assert asked <= {"n.example.net.", target.lower()}


# S-DNS-12


@pytest.mark.parametrize(
    "targets",
    [
        [rf"p{number}.example.net." for number in range(1000)],
        [r"a\000b.example.net.", r"<script>.example.net.", r"\`id\`.example.net.", r"\013\010x:.example.net."],
    ],
    ids=["1000", "odd"],
)
def test_s_dns_12_reverse_names_are_a_few_and_printable(targets: list[str]) -> None:
    found, stub = under(truncated, origin, always("PTR", *targets))
    assert found.iprev.result is not Result.PASS
    assert str(found.iprev).isprintable()
    asked = {names.name_of(query) for _, query in stub.heard if query.question[0].rdtype.name in ("A", "AAAA")}
    assert len(asked & set(targets)) <= 3


# S-DNS-03


@pytest.mark.parametrize("keys, signatures", [(1, 1), (100, 100)], ids=["good", "keytrap"])
def test_s_dns_03_keys_and_signatures_without_number_prove_nothing_and_end(keys: int, signatures: int) -> None:
    """CVE-2023-50387: left to libunbound, in its own thread and within our time for a question."""

    async def story() -> tuple[Answer, int]:
        trap, anchor = keytrap("trap.example.net", keys, signatures)
        async with lying(truncated, trap, 5, anchor) as (resolver, _):
            turns = asyncio.create_task(counting())
            found = await resolver.ask("www.trap.example.net", "TXT")
            turns.cancel()
            return found, len(turns_taken)

    async def counting() -> None:
        turns_taken.clear()
        while True:
            turns_taken.append(1)
            await asyncio.sleep(0)

    turns_taken: list[int] = []
    found, turns = asyncio.run(story())
    assert found.security in ((Security.SECURE,) if keys == 1 else (Security.BOGUS, Security.FAILED)), found
    assert turns > 10, "the loop went round all the while"
