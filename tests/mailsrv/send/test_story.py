"""From the queue to its end: delivered, or the sender knows, or still queued."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from datetime import datetime, timedelta
from email import message_from_bytes
from typing import Any

import pytest

from dnsops.base.errors import Later
from mailsrv.send.schedule import DAY, HOUR, MINUTE
from mailsrv.send.verdict import Verdict
from mailsrv.store.door import NEVER, Hop
from mailsrv.store.memory import MemoryStore
from tests.mailsrv.send.world import DARK, HERE, NO, NOON, RELAYED, TAKEN, WAIT, World


def run(story: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await story

    asyncio.run(bounded())


async def world(*args: Any, **kwargs: Any) -> World:
    made = World(*args, **kwargs)
    await made.store.account("a")
    await made.store.account("bob")
    return made


def actions(content: bytes) -> list[tuple[str, str, str]]:
    """(recipient, action, status) of each block of a notice."""
    parts = message_from_bytes(content).get_payload()
    assert isinstance(parts, list)
    blocks = parts[1].get_payload()
    assert isinstance(blocks, list)
    return [(str(b["Final-Recipient"]).split("; ")[1], str(b["Action"]), str(b["Status"])) for b in blocks[1:]]


def test_what_is_delivered_is_gone_and_nobody_is_told() -> None:
    async def story() -> None:
        here = await world()
        await here.send("x@example.net", "y@example.net", "z@example.com")
        await here.outbound.once()
        assert await here.queue() == ()
        assert sorted(here.carrier.attempts) == [
            ("example.com", ("z@example.com",)),
            ("example.net", ("x@example.net", "y@example.net")),
        ]
        assert await here.inbox() == []
        assert [json.loads(line)["event"] for line in here.said.getvalue().splitlines()] == ["send.delivered"] * 3

    run(story())


def test_who_is_refused_comes_back_once_with_all_of_them_in_one_notice() -> None:
    async def story() -> None:
        here = await world(lambda r: TAKEN if r.address.startswith("good") else NO)
        await here.send("x@example.net", "good@example.net", "y@example.net")
        await here.after(DAY)
        assert await here.queue() == ()
        (notice,) = await here.inbox()
        assert actions(notice) == [("x@example.net", "failed", "5.1.1"), ("y@example.net", "failed", "5.1.1")]
        assert b"550 5.1.1 nobody" in notice

    run(story())


def test_a_remote_sender_gets_the_notice_by_the_queue_and_its_failure_ends_there() -> None:
    """P-07: a notice has the null sender, and nobody is told of what becomes of it."""

    async def story() -> None:
        here = await world(lambda r: NO)
        await here.send("x@example.net", sender="far@example.com")
        await here.after(10 * DAY)
        assert await here.queue() == ()
        assert here.carrier.attempts == [("example.net", ("x@example.net",)), ("example.com", ("far@example.com",))]

    run(story())


def test_a_sender_whom_an_alias_has_rewritten_gets_the_notice_at_the_address_it_had() -> None:
    """SRS: the address of ours that the mail left with is nobody's; what it stands for is."""

    async def story() -> None:
        here = await world(lambda r: NO if r.address.startswith("x") else WAIT)
        await here.send("x@example.net", sender="SRS0=far@us.org")
        await here.outbound.once()
        [notice] = await here.queue()
        assert (notice.hop.recipient, notice.sender) == ("far@example.com", "")
        content = await here.store.content(notice.blob)
        assert message_from_bytes(content)["To"] == "<far@example.com>"
        assert actions(content) == [("x@example.net", "failed", "5.1.1")]

    run(story())


@pytest.mark.parametrize(
    "options,verdict,told",
    [
        ((), NO, ["failed"]),
        (("NOTIFY=FAILURE",), NO, ["failed"]),
        (("notify=success,failure",), NO, ["failed"]),
        (("NOTIFY=DELAY",), NO, []),
        (("NOTIFY=NEVER",), NO, []),
        (("NOTIFY=SUCCESS",), RELAYED, ["relayed"]),
        (("NOTIFY=SUCCESS",), TAKEN, []),  # the next host tells
        ((), RELAYED, []),
        ((), WAIT, ["delayed", "delayed", "failed"]),
        (("NOTIFY=FAILURE",), WAIT, ["failed"]),
        (("NOTIFY=DELAY",), WAIT, ["delayed", "delayed"]),
        (("NOTIFY=NEVER",), WAIT, []),
    ],
)
def test_notify_is_honoured(options: tuple[str, ...], verdict: Verdict, told: list[str]) -> None:
    async def story() -> None:
        here = await world(lambda r: verdict)
        await here.send(Hop("x@example.net", options))
        await here.after(6 * DAY)
        assert await here.queue() == ()
        assert [actions(notice)[0][1] for notice in await here.inbox()] == told

    run(story())


def test_envelope_id_original_recipient_and_the_returned_header_are_in_the_notice() -> None:
    async def story() -> None:
        here = await world(lambda r: NO)
        await here.send(Hop("x@example.net", ("ORCPT=rfc822;Old+2Bx@us.org",)), options=("ENVID=QQ+2B1", "RET=HDRS"))
        await here.outbound.once()
        (notice,) = await here.inbox()
        for line in (b"Original-Envelope-Id: QQ+1", b"Original-Recipient: rfc822; Old+x@us.org", b"Subject: hello"):
            assert line in notice
        assert b"\r\nhello\r\n" not in notice

    run(story())


def test_time_runs_out_and_the_last_words_are_told() -> None:
    async def story() -> None:
        here = await world(lambda r: WAIT)
        await here.send("x@example.net")
        await here.after(5 * DAY - MINUTE)
        (one,) = await here.queue()
        assert one.reason == "4.2.0 mx.example.net said: 450 4.2.0 wait"
        await here.after(MINUTE)
        assert await here.queue() == ()
        assert actions((await here.inbox())[-1]) == [("x@example.net", "failed", "4.4.7")]
        assert b"450 4.2.0 wait" in (await here.inbox())[-1]

    run(story())


def test_what_is_held_stays_and_is_tried_when_it_is_let_go() -> None:
    async def story() -> None:
        here = await world()
        await here.send("x@example.net")
        (one,) = await here.queue()
        await here.store.reschedule([one.id], NEVER)
        await here.after(30 * DAY)
        assert (len(await here.queue()), here.carrier.attempts) == (1, [])
        await here.store.reschedule([one.id], here.clock.now)
        await here.after(MINUTE)
        assert await here.queue() == ()

    run(story())


@pytest.mark.parametrize("recipient,mailbox,told", [("bob@us.org", 1, 0), ("nobody@us.org", 0, 1)])
def test_what_is_for_us_goes_to_its_mailbox_and_else_back(recipient: str, mailbox: int, told: int) -> None:
    async def story() -> None:
        here = await world(lambda r: HERE)
        await here.send(recipient)
        await here.outbound.once()
        assert await here.queue() == ()
        assert (len(await here.inbox("bob")), len(await here.inbox("a"))) == (mailbox, told)

    run(story())


def test_an_alias_that_leads_out_and_back_ends() -> None:
    async def story() -> None:
        here = await world(lambda r: HERE if r.address == "alias@us.org" else TAKEN)
        await here.send("alias@us.org")
        await here.outbound.once()
        assert [attempt[1] for attempt in here.carrier.attempts] == [("alias@us.org",), ("out@example.net",)]
        looped = b"Delivered-To: alias@us.org\r\nSubject: x\r\n\r\nx\r\n"
        await here.send("alias@us.org", content=looped)
        await here.outbound.once()
        assert [actions(notice)[0][1] for notice in await here.inbox()] == ["failed"]

    run(story())


def test_a_destination_where_nobody_was_reached_makes_all_that_goes_there_wait() -> None:
    async def story() -> None:
        here = await world(lambda r: DARK if r.address.endswith("net") else TAKEN, workers=1)
        for number in range(20):
            await here.send(f"x{number}@example.net")
            await here.send(f"x{number}@example.com")
        await here.outbound.once()
        domains = [domain for domain, _ in here.carrier.attempts]
        assert (domains.count("example.net"), domains.count("example.com")) == (1, 20)
        waiting = await here.queue()
        assert {(one.attempts, one.reason) for one in waiting} == {(1, "4.4.1 no answer")}
        assert len(waiting) == 20

    run(story())


def test_one_destination_does_not_fill_the_window() -> None:
    """5 workers hang at one destination with more mail than the window; the others are served meanwhile."""

    async def story() -> None:
        gate = asyncio.Event()
        here = await world(window=20, lane=10)
        carry = here.carrier.carry

        async def slow(domain: str, load: Any, recipients: Any) -> Any:
            if domain == "slow.net":
                await gate.wait()
            return await carry(domain, load, recipients)

        here.carrier.carry = slow
        for number in range(50):
            await here.send(f"x{number}@slow.net")
        for number in range(50):
            await here.send(f"x{number}@d{number}.com")
        running = asyncio.create_task(here.outbound.run())
        while len(await here.queue()) > 50:
            await asyncio.sleep(0.01)
        gate.set()
        while await here.queue():
            await asyncio.sleep(0.01)
        await here.outbound.stop()
        await running
        assert len(here.carrier.attempts) == 100

    run(story())


class Failing(MemoryStore):
    """A store whose disk fails every other time."""

    calls = 0

    async def settle(self, done: Any, later: Any, notices: Any = ()) -> None:
        self.calls += 1
        if self.calls % 2:
            raise Later("the disk is full")
        await super().settle(done, later, notices)

    async def due(self, now: datetime, limit: int, besides: Any = ()) -> Any:
        self.calls += 1
        if self.calls % 3 == 0:
            raise Later("the disk is full")
        return await super().due(now, limit, besides)


def test_a_store_that_fails_makes_nothing_be_sent_twice() -> None:
    async def story() -> None:
        here = await world(
            lambda r: NO if r.address.startswith("no") else HERE if "bob" in r.address else TAKEN, Failing(lambda: NOON)
        )
        for number in range(10):
            await here.send(f"x{number}@example.net", f"no{number}@example.net", "bob@us.org")
        running = asyncio.create_task(here.outbound.run())
        while await here.queue():
            await asyncio.sleep(0.01)
        await here.outbound.stop()
        await running
        tried = [address for _, recipients in here.carrier.attempts for address in recipients]
        assert (len(tried), len(await here.inbox()), len(await here.inbox("bob"))) == (30, 10, 10)

    run(story())


@pytest.mark.faults
def test_a_fault_of_ours_is_told_and_loses_nothing() -> None:
    async def story() -> None:
        def weather(recipient: Any) -> Verdict:
            raise ZeroDivisionError

        here = await world(weather)
        await here.send("x@example.net")
        await here.outbound.once()
        (one,) = await here.queue()
        assert (one.attempts, one.reason) == (1, "4.3.0 a fault of this host's own")
        assert '"send.fault", "kind": "ZeroDivisionError"' in here.said.getvalue()

    run(story())


def test_new_mail_wakes_it_and_stop_lets_what_has_begun_end() -> None:
    async def story() -> None:
        here = await world(poll=30)
        begun, gate = asyncio.Event(), asyncio.Event()
        carry = here.carrier.carry

        async def slow(domain: str, load: Any, recipients: Any) -> Any:
            begun.set()
            await gate.wait()
            return await carry(domain, load, recipients)

        here.carrier.carry = slow
        running = asyncio.create_task(here.outbound.run())
        await asyncio.sleep(0)
        await here.send("x@example.net")
        await begun.wait()
        stopping = asyncio.create_task(here.outbound.stop())
        await asyncio.sleep(0.01)
        await here.send("y@example.net")
        gate.set()
        await stopping
        await running
        assert [one.hop.recipient for one in await here.queue()] == ["y@example.net"]
        assert here.carrier.closed

    run(story())


def test_stop_breaks_off_what_takes_too_long_and_it_stays_queued() -> None:
    async def story() -> None:
        here = await world()
        begun = asyncio.Event()

        async def endless(domain: str, load: Any, recipients: Any) -> Any:
            begun.set()
            await asyncio.Event().wait()

        here.carrier.carry = endless
        await here.send("x@example.net")
        running = asyncio.create_task(here.outbound.run())
        await begun.wait()
        await here.outbound.stop(grace=0.01)
        await running
        (one,) = await here.queue()
        assert one.attempts == 0

    run(story())


def test_what_was_dropped_meanwhile_is_nobodys_business() -> None:
    async def story() -> None:
        here = await world()
        await here.send("x@example.net")
        (one,) = await here.queue()
        carry = here.carrier.carry

        async def dropped(domain: str, load: Any, recipients: Any) -> Any:
            await here.store.settle([one.id], [])
            return await carry(domain, load, recipients)

        here.carrier.carry = dropped
        await here.outbound.once()
        assert (await here.queue(), await here.inbox()) == ((), [])

    run(story())


def test_warnings_come_once_also_after_a_restart() -> None:
    async def story() -> None:
        here = await world(lambda r: WAIT)
        await here.send("x@example.net")
        for _ in range(30):
            await here.after(HOUR)
            here.outbound = here.built()  # nothing but the store remembers
        assert [actions(notice)[0][1] for notice in await here.inbox()] == ["delayed"]
        here.clock.now += timedelta(days=2)  # switched off over the second moment
        await here.after(HOUR)
        assert [actions(notice)[0][1] for notice in await here.inbox()] == ["delayed", "delayed"]

    run(story())


def test_a_sender_without_a_mailbox_makes_nothing_be_sent_twice() -> None:
    """The directory knows the account and the store does not: it was attempted, once; the notice has nowhere to go."""

    async def story() -> None:
        here = World(lambda recipient: NO)
        await here.send("x@example.net")
        async with asyncio.timeout(5):
            await here.outbound.once()
        assert len(here.carrier.attempts) == 1
        assert await here.queue() == ()
        assert "send.notice-lost" in here.said.getvalue()

    run(story())


def test_a_full_mailbox_of_the_sender_ends_the_notice_and_not_the_queue() -> None:
    async def story() -> None:
        here = await world(lambda r: NO)
        await here.store.account("a", size_limit=10)
        await here.send("x@example.net")
        await here.outbound.once()
        assert (await here.queue(), await here.inbox()) == ((), [])
        assert "send.notice-lost" in here.said.getvalue()

    run(story())
