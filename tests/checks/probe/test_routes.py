"""Whom an address is asked about, how often, and what a silent or hostile source leaves us with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from checks.facts import Routing, Validity
from checks.probe import routes
from checks.probe.routes import Routes, door, web
from dnsops.base.errors import Misused
from tests.lab.streams import Serve, start_server

OBJECT = b"route: 192.0.2.0/24\norigin: AS64496\nnum-rispeers: 300\n\n"


def now() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC)


def valid(state: str) -> bytes:
    vrps: dict[str, list[object]] = {"matched": [{}], "unmatched_as": [], "unmatched_length": []}
    body = json.dumps({"validated_route": {"validity": {"state": state, "VRPs": vrps}}}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


class Sources:
    """A whois server and a relying party that say what they are told, and remember what they were asked."""

    def __init__(self, whois: bytes | None, http: bytes | None) -> None:
        self.whois, self.http = whois, http
        self.heard: list[str] = []

    @asynccontextmanager
    async def up(self, everywhere: bool = True) -> AsyncIterator[Routes]:
        one = await start_server(self._serve(lambda: self.whois, b"\n"), "127.0.0.1", 0)
        two = await start_server(self._serve(lambda: self.http, b"\r\n\r\n"), "127.0.0.1", 0)
        ports = [server.sockets[0].getsockname()[1] for server in (one, two)]
        try:
            yield Routes(f"127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}/validity/", now, everywhere)
        finally:
            one.close()
            two.close()

    def _serve(self, answer: Callable[[], bytes | None], end: bytes) -> Serve:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.heard.append((await reader.readuntil(end)).decode().partition("\r\n")[0])
            said = answer()
            if said is None:
                await reader.read()  # it keeps the line, and says nothing
            else:
                writer.write(said)
            writer.close()

        return serve


def ask(sources: Sources, *addresses: str, everywhere: bool = True) -> list[Routing]:
    async def story() -> list[Routing]:
        async with sources.up(everywhere) as found:
            return [await found.of(address) for address in addresses]

    return asyncio.run(story())


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "ANSWER", 0.3)


def test_each_prefix_is_asked_about_once(lab: object) -> None:
    sources = Sources(OBJECT, valid("valid"))
    found = ask(sources, "192.0.2.1", "192.0.2.2", "192.0.2.1")
    assert [[(one.asn, one.validity) for one in routing.routes] for routing in found] == [[(64496, Validity.VALID)]] * 3
    assert sources.heard == ["-L 192.0.2.0", "GET /validity/64496/192.0.2.0/24 HTTP/1.1"]


def test_without_a_route_the_address_itself_is_looked_up(lab: object) -> None:
    sources = Sources(b"% no route\n", valid("invalid"))
    (found,) = ask(sources, "2001:db8::1")
    assert (found.routes, found.roas, found.authorised) == ((), 1, True)
    assert sources.heard[1].startswith("GET /validity/0/2001:db8::1/128 ")


def test_an_address_that_is_not_global_has_no_route(lab: object) -> None:
    sources = Sources(OBJECT, valid("valid"))
    (found,) = ask(sources, "192.0.2.1", everywhere=False)
    assert found.routes == ()
    assert len(sources.heard) == 1


@pytest.mark.parametrize(
    "whois, http, known",
    [
        (None, b"", (False, True)),
        (OBJECT, b"", (True, False)),
        (OBJECT, None, (True, False)),
        (OBJECT, b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n", (True, False)),
        (OBJECT, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", (True, False)),
        (OBJECT, b"\x00" * 70_000, (True, False)),
    ],
    ids=["whois silent", "hung up", "silent", "points elsewhere", "other JSON", "noise"],
)
def test_a_source_that_gives_nothing_is_a_value(
    lab: object, whois: bytes | None, http: bytes | None, known: tuple[bool, bool]
) -> None:
    (found,) = ask(Sources(whois, http), "192.0.2.1")
    assert (found.routes_known, found.roas_known) == known
    assert found.evidence.lines


@pytest.mark.parametrize(
    "text, place",
    [
        ("riswhois.ripe.net", ("riswhois.ripe.net", 43)),
        ("127.0.0.1:4343", ("127.0.0.1", 4343)),
        ("[::1]:4343", ("::1", 4343)),
        ("2001:db8::1", ("2001:db8::1", 43)),
    ],
)
def test_where_a_source_is(text: str, place: tuple[str, int]) -> None:
    assert door(text) == place


@pytest.mark.parametrize("text", ["", "host:port", "host:99999", "[::1"])
def test_where_no_source_can_be(text: str) -> None:
    with pytest.raises(Misused):
        door(text)


@pytest.mark.parametrize("url", ["ftp://example.org", "/validity", "http://"])
def test_what_is_no_web_address(url: str) -> None:
    with pytest.raises(Misused):
        web(url)
