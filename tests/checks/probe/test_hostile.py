"""Twelve mail hosts that want to keep us for ever: the report comes in time all the same, and says of each that it was no use."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from functools import partial
from time import monotonic

import pytest

from checks.finding import Report
from checks.probe import opening, reach
from checks.probe.opening import Options
from checks.probe.tls.visit import Gate
from checks.run import check_mail
from tests.checks.probe.memory import Memory, mail_domain
from tests.lab.streams import start_server

pytestmark = pytest.mark.lab

BUDGET = 3.0
Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def says_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"2")
        await writer.drain()
        await asyncio.sleep(0.2)


async def never_ends(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"220-\x1b[2J hello\r\n" * 1000)
        await writer.drain()


async def begins_and_lies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mx\r\n")
    await reader.readline()
    writer.write(b"250-mx\r\n250 STARTTLS\r\n")
    await reader.readline()
    writer.write(b"220 go\r\n" + b"\x16\x03\x03\xff\xff" * 20_000)
    await writer.drain()


async def begins_and_waits(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mx\r\n")
    await reader.readline()
    writer.write(b"250-mx\r\n250 STARTTLS\r\n")
    await reader.readline()
    writer.write(b"220 go\r\n")
    await asyncio.sleep(60)


WAYS: tuple[Conversation, ...] = (says_nothing, drips, never_ends, begins_and_lies, begins_and_waits)


def serving(way: Conversation) -> Conversation:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError, ValueError):
            await way(reader, writer)
        writer.close()

    return serve


def test_the_report_comes_in_time(lab: object) -> None:
    hosts = [f"mx{number:02}.example.org" for number in range(12)]
    records = {key: value for key, value in mail_domain("example.org", *hosts).items() if key[1] != "AAAA"}
    records |= {(host, "A"): (f"127.0.1.{number + 1}",) for number, host in enumerate(hosts)}

    async def story() -> tuple[Report, float]:
        async with AsyncExitStack() as stack:
            for number in range(12):
                server = await start_server(serving(WAYS[number % len(WAYS)]), f"127.0.1.{number + 1}", 25)
                stack.callback(server.close)
            world = replace(
                Memory(records).world(BUDGET),
                look_tls=opening.prober(Options(budget=BUDGET), Gate()),
                try_host=partial(reach.mail_host, now=opening.now),
            )
            began = monotonic()
            return await check_mail("example.org", world), monotonic() - began

    report, took = asyncio.run(story())
    assert took < 5 * BUDGET  # the machine may be busy
    (tls,) = (category for category in report.categories if category.id == "tls")
    assert (tls.percent, tls.max_points, tls.verdict.word) == (0, 10, "error")
    assert len(tls.by_host) == 10
    assert not any("\x1b" in line for finding in report.findings for piece in finding.evidence for line in piece.lines)
