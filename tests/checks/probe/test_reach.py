"""Anything that answers counts as reached; whatever does not is a value that says why."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import dns.flags
import dns.message
import dns.rcode
import pytest

from checks.facts import Reached
from checks.probe import reach
from dnsops.resolve.line import Patience
from tests.dnsops.resolve.stub import Stub
from tests.lab.streams import start_server


def now() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch, lab: object) -> None:
    monkeypatch.setattr(reach, "NAME_SERVER", Patience(udp=(0.2,), tcp=0.2, tcp_after_silence=False))
    monkeypatch.setattr(reach, "MAIL_HOST", 0.3)


def refuses(query: dns.message.Message) -> list[bytes]:
    answer = dns.message.make_response(query)
    answer.set_rcode(dns.rcode.REFUSED)
    return [answer.to_wire()]


def cuts(query: dns.message.Message) -> list[bytes]:
    answer = dns.message.make_response(query)
    answer.flags |= dns.flags.TC
    return [answer.to_wire()]


def silent(query: dns.message.Message) -> list[bytes]:
    return []


def noise(query: dns.message.Message) -> list[bytes]:
    return [b"\x00" * 5, b"\xff" * 600, query.to_wire()]


@pytest.mark.parametrize(
    "udp, tcp, ok",
    [
        (refuses, None, True),
        (cuts, refuses, True),
        (cuts, silent, False),
        (silent, refuses, False),  # the site's rule: TCP only when the answer was cut
        (noise, None, False),
    ],
)
def test_a_name_server(udp: object, tcp: object, ok: bool) -> None:
    async def story() -> Reached:
        async with Stub(udp, tcp) as stub:  # type: ignore[arg-type]
            return await reach.name_server(stub.address, "example.org", now, stub.port)

    found = asyncio.run(story())
    assert (found.ok, bool(found.why)) == (ok, not ok)


def test_a_mail_host_that_takes_connections_and_one_that_does_not() -> None:
    async def story() -> tuple[Reached, Reached]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        server = await start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        there = await reach.mail_host("127.0.0.1", now, port)
        server.close()
        return there, await reach.mail_host("127.0.0.1", now, port)

    there, gone = asyncio.run(story())
    assert (there.ok, gone.ok) == (True, False)
    assert "refused" in gone.why


def test_an_address_without_a_way_there() -> None:
    found = asyncio.run(reach.mail_host("203.0.113.200", now))
    assert not found.ok
    assert found.why


def test_a_family_that_this_machine_has_no_way_to_says_nothing_of_the_address() -> None:
    found = (
        asyncio.run(reach.mail_host("2001:db8:ffff::1", now)),
        asyncio.run(reach.name_server("2001:db8:ffff::1", "a.b", now)),
    )
    assert [one.untold for one in found] == [True, True]
