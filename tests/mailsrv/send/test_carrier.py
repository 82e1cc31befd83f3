"""One attempt over several hosts: who is asked next, who is never asked, and which session carries it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import pytest

from dnsops.base.errors import Later
from dnsops.resolve.answer import Security
from dnsops.resolve.memory import MemoryDns
from mailsrv.send.carrier import Carried, Carrier
from mailsrv.send.client import Patience, Peer
from mailsrv.send.connections import Connections
from mailsrv.send.letter import Letter, Recipient
from mailsrv.send.nexthop import NextHop
from mailsrv.send.route import Ours, Router
from mailsrv.send.verdict import Verdict
from mailsrv.transport.host import Host
from mailsrv.transport.policy import Policies, Policy
from tests.mailsrv.send.sink import ALL, DROP, Sink

T = TypeVar("T")
PATIENCE = Patience(connect=5, handshake=5, greeting=5, command=5, data=5, block=5, final=5, goodbye=1)
CONTENT = b"Subject: x\r\n\r\nhello\r\n"
ONE = [Recipient(1, "x@example.net")]
TWO = [*ONE, Recipient(2, "y@example.net")]


async def carried(
    *sinks: Sink,
    recipients: Sequence[Recipient] = ONE,
    letters: Sequence[Letter] = (),
    policies: Policies | None = None,
) -> list[Carried]:
    """An attempt for each letter: sink number n is the MX of preference n, on 127.0.0.n of one port."""
    async with AsyncExitStack() as stack:
        dns = MemoryDns({"example.net": Security.SECURE})
        port = 0
        for number, sink in enumerate(sinks):
            sink.port, sink.address = port, f"127.0.0.{number + 1}"
            await stack.enter_async_context(sink)
            port = sink.port
            dns.put(f"mx{number}.example.net", "A", sink.address)
        dns.put("example.net", "MX", *(f"{number} mx{number}.example.net." for number in range(len(sinks))))
        connections = Connections("us.example.org", PATIENCE)
        carrier = Carrier(Router(Ours(loopback=False), port=port), dns, connections, policies)
        found = []
        for letter in letters or [Letter.of("a@example.org", (), CONTENT)]:

            async def load(letter: Letter = letter) -> Letter:
                return letter

            found.append(await carrier.carry("example.net", load, recipients))
        await carrier.close()
        return found


def run(story: Coroutine[Any, Any, T]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(15):
            return await story

    return asyncio.run(bounded())


def short(verdicts: dict[int, Verdict]) -> dict[int, tuple[str, str]]:
    return {number: (verdict.fate.name, verdict.code) for number, verdict in verdicts.items()}


OK = {1: ("DELIVERED", "2.0.0")}


@pytest.mark.parametrize(
    "says",
    [
        {"greeting": DROP}, {"greeting": "554 go away"}, {"greeting": "421 busy"}, {"EHLO": DROP}, {"MAIL": "450 wait"}, {"MAIL": DROP},
        {"RCPT": DROP}, {"DATA": "451 wait"}, {"DATA": DROP}, {"RCPT": "421 closing"},
    ],
    ids=str,
)  # fmt: skip
def test_the_next_host_is_asked_when_the_first_did_not_get_the_message(says: dict[str, Any]) -> None:
    first, second = Sink(says), Sink()
    (found,) = run(carried(first, second))
    assert (short(found.verdicts), found.unreached) == (OK, None)
    assert (len(first.messages), len(second.messages)) == (0, 1)


@pytest.mark.parametrize(
    "says,expected",
    [
        ({".": DROP}, ("LATER", "4.4.2")),  # it may have it: P-03
        ({".": "451 4.3.0 wait"}, ("LATER", "4.3.0")),
        ({".": "554 5.7.1 spam"}, ("FAILED", "5.7.1")),
        ({"RCPT": "450 4.2.0 greylisted"}, ("LATER", "4.2.0")),
        ({"RCPT": "550 5.1.1 no"}, ("FAILED", "5.1.1")),
        ({"MAIL": "550 5.7.1 no"}, ("FAILED", "5.7.1")),
    ],
    ids=str,
)
def test_nobody_else_is_asked_when_the_domain_has_spoken(says: dict[str, Any], expected: tuple[str, str]) -> None:
    first, second = Sink(says), Sink()
    (found,) = run(carried(first, second))
    assert short(found.verdicts) == {1: expected}
    assert second.connections == 0


def test_while_one_host_may_take_it_later_nothing_is_final() -> None:
    (found,) = run(carried(Sink({"greeting": "554 5.7.1 no"}), Sink({"greeting": "421 4.3.2 busy"})))
    assert short(found.verdicts) == {1: ("LATER", "4.3.2")}
    assert found.unreached == found.verdicts[1]
    (found,) = run(carried(Sink({"greeting": "554 5.7.1 no"}), Sink({"greeting": "554 5.7.1 no"})))
    assert (short(found.verdicts), found.unreached) == ({1: ("FAILED", "5.7.1")}, None)


def test_a_host_that_lacks_what_the_message_needs_does_not_decide_for_the_others() -> None:
    eight = Letter.of("a@example.org", (), "Subject: x\r\n\r\nhällo\r\n".encode())
    (found,) = run(carried(Sink({}, ()), Sink(), letters=[eight]))
    assert short(found.verdicts) == OK
    (found,) = run(carried(Sink({}, ()), Sink({}, ()), letters=[eight]))
    assert short(found.verdicts) == {1: ("FAILED", "5.6.3")}


def test_three_hosts_that_answer_are_asked_and_no_more() -> None:
    sinks = [Sink({"MAIL": "450 4.7.1 wait"}) for _ in range(5)]
    (found,) = run(carried(*sinks))
    assert short(found.verdicts) == {1: ("LATER", "4.7.1")}
    assert found.unreached is None  # they talk to us: others may fare better
    assert [sink.connections for sink in sinks] == [1, 1, 1, 0, 0]


def test_a_session_carries_the_next_message_too() -> None:
    sink = Sink()
    found = run(carried(sink, letters=[Letter.of("a@example.org", (), CONTENT)] * 5))
    assert [(short(one.verdicts), one.unreached) for one in found] == [(OK, None)] * 5
    assert (sink.connections, len(sink.messages)) == (1, 5)


@pytest.mark.parametrize(
    "says", [{"MAIL": ["250 ok", DROP, "250 ok"]}, {"MAIL": ["250 ok", "421 too many", "250 ok"]}], ids=str
)
def test_a_session_that_ended_while_it_waited_costs_nothing(says: dict[str, Any]) -> None:
    sink = Sink(says)
    found = run(carried(sink, letters=[Letter.of("a@example.org", (), CONTENT)] * 2))
    assert [short(one.verdicts) for one in found] == [OK] * 2
    assert (sink.connections, len(sink.messages)) == (2, 2)


@pytest.mark.parametrize("offers,connections", [((*ALL, "LIMITS MAILMAX=2"), 3), (ALL, 1)])
def test_a_session_ends_when_the_peer_wants_it(offers: tuple[str, ...], connections: int) -> None:
    sink = Sink({}, offers)
    run(carried(sink, letters=[Letter.of("a@example.org", (), CONTENT)] * 5))
    assert (sink.connections, len(sink.messages)) == (connections, 5)


def test_many_recipients_go_in_as_many_transactions_as_it_takes() -> None:
    sink = Sink({}, (*ALL, "LIMITS RCPTMAX=3"))
    recipients = [Recipient(number, f"x{number}@example.net") for number in range(10)]
    (found,) = run(carried(sink, recipients=recipients))
    assert {fate for fate, _ in short(found.verdicts).values()} == {"DELIVERED"}
    assert [len(message.rcpts) for message in sink.messages] == [3, 3, 3, 1]


def test_whoever_is_crowded_out_for_ever_waits() -> None:
    sink = Sink({"RCPT": ["250 ok", "452 4.5.3 too many"]}, ALL)
    (found,) = run(carried(sink, recipients=TWO))
    assert short(found.verdicts) == {1: ("DELIVERED", "2.0.0"), 2: ("LATER", "4.5.3")}


class Rule:
    """One policy for all, or none to be had."""

    def __init__(self, policy: Policy | None) -> None:
        self._policy = policy

    async def policy(self, domain: str, host: Host, proven: bool) -> Policy:
        if self._policy is None:
            raise Later("the TLSA records are bogus")
        return self._policy


@pytest.mark.parametrize("policy,code", [(None, "4.7.5"), (Policy(must_encrypt=True), "4.7.4")])
def test_a_policy_that_is_unknown_or_not_met_means_later(policy: Policy | None, code: str) -> None:
    sink = Sink()
    (found,) = run(carried(sink, policies=Rule(policy)))
    assert short(found.verdicts) == {1: ("LATER", code)}
    assert sink.messages == []


@pytest.mark.parametrize(
    "offers,tls,code", [(ALL, False, "5.7.10"), ((*ALL, "STARTTLS", "REQUIRETLS"), True, "5.7.10")]
)
def test_requiretls_goes_back_where_tls_is_absent_or_with_a_stranger(
    offers: tuple[str, ...], tls: bool, code: str, tls_server: Any
) -> None:
    sink = Sink({}, offers, tls_server if tls else None)
    (found,) = run(carried(sink, letters=[Letter.of("a@example.org", ("REQUIRETLS",), CONTENT)]))
    assert short(found.verdicts) == {1: ("FAILED", code)}
    assert sink.messages == []


def test_a_smarthost_gets_what_is_for_any_domain() -> None:
    async def story() -> tuple[Carried, Sink]:
        async with Sink() as sink:
            router = Router(next_hop=NextHop("127.0.0.1", sink.port))
            carrier = Carrier(router, MemoryDns({}), Connections("us", PATIENCE))
            assert carrier.lane("a.org") == carrier.lane("b.org") == f"127.0.0.1:{sink.port}"

            async def load() -> Letter:
                return Letter.of("a@example.org", (), CONTENT)

            found = await carrier.carry("a.org", load, [Recipient(1, "x@a.org"), Recipient(2, "y@b.org")])
            await carrier.close()
            return found, sink

    found, sink = run(story())
    assert {fate for fate, _ in short(found.verdicts).values()} == {"DELIVERED"}
    assert sink.messages[0].rcpts == ["RCPT TO:<x@a.org>", "RCPT TO:<y@b.org>"]


def test_idle_sessions_say_goodbye_and_are_not_too_many() -> None:
    async def story() -> list[list[str]]:
        async with AsyncExitStack() as stack:
            sinks = [await stack.enter_async_context(Sink()) for _ in range(3)]
            connections = Connections("us", PATIENCE, idle=0.1, most_idle=2)
            for sink in sinks:
                connections.give_back(await connections.open(Peer("mx", "127.0.0.1", sink.port)))
            await asyncio.sleep(0.05)
            early = [sink.commands[-1] for sink in sinks]
            while any(sink.at_once for sink in sinks):
                await asyncio.sleep(0.01)
            await connections.close()
            return [early, [sink.commands[-1] for sink in sinks]]

    assert run(story()) == [["QUIT", "EHLO us", "EHLO us"], ["QUIT", "QUIT", "QUIT"]]
