"""The PROXY protocol: who is believed, and what a header says."""

from __future__ import annotations

import asyncio
import ipaddress
import struct

import pytest

from mailsrv.smtp import proxy
from mailsrv.smtp.door import Client
from mailsrv.smtp.grammar import Address
from mailsrv.smtp.house import House
from mailsrv.smtp.limits import Limits
from mailsrv.smtp.parameters import MailOptions
from mailsrv.smtp.proxy import BadHeader, Source
from tests.mailsrv.smtp.null import Lines, Null, One, Peer, serving

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
V4 = proxy.SIGNATURE + b"\x21\x11\x00\x0c" + bytes([192, 0, 2, 1, 192, 0, 2, 2]) + struct.pack("!HH", 4711, 25)
V6 = (
    proxy.SIGNATURE
    + b"\x21\x21\x00\x27"
    + ipaddress.ip_address("2001:db8::1").packed * 2
    + b"\x12\x67\x00\x19"
    + b"\3\0\0"
)


@pytest.mark.parametrize(
    ("line", "source"),
    [
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 25\r\n", Source("192.0.2.1", 4711)),
        (b"PROXY TCP6 2001:DB8::1 ::1 4711 25\r\n", Source("2001:db8::1", 4711)),
        (b"PROXY UNKNOWN\r\n", None),
        (b"PROXY UNKNOWN anything at all\r\n", None),
    ],
)
def test_version_1(line: bytes, source: Source | None) -> None:
    assert proxy.version(line[: proxy.START]) == 1
    assert proxy.line(line) == source


@pytest.mark.parametrize(
    "line",
    [b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 25\n", b"PROXY TCP4 ::1 ::1 4711 25\r\n", b"PROXY TCP4 192.0.2.1 192.0.2.2 04711 25\r\n",
     b"PROXY TCP4 192.0.2.1 192.0.2.2 65536 25\r\n", b"PROXY TCP4 192.0.2.1  192.0.2.2 1 2\r\n", b"PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n",
     b"PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n", b"PROXY TCP4 " + b"1" * 100 + b"\r\n"],
)  # fmt: skip
def test_version_1_refused(line: bytes) -> None:
    with pytest.raises(BadHeader):
        proxy.line(line)


def test_version_2() -> None:
    for octets, source in ((V4, Source("192.0.2.1", 4711)), (V6, Source("2001:db8::1", 4711))):
        head, rest = octets[proxy.START : proxy.START + 4], octets[proxy.START + 4 :]
        assert proxy.version(octets[: proxy.START]) == 2
        assert proxy.block_length(head) == len(rest)
        assert proxy.block(head, rest) == source
        with pytest.raises(BadHeader):
            proxy.block(head, rest[:11])
    assert proxy.block(b"\x20\x00\x00\x00", b"") is None
    for head in (b"\x11\x11\x00\x0c", b"\x21\x11\xff\xff"):
        with pytest.raises(BadHeader):
            proxy.block_length(head)


class Curious(Null):
    """Notes who speaks."""

    seen: list[Client]

    async def mail(self, client: Client, sender: Address | None, options: MailOptions) -> One:
        self.seen = [client]
        return await super().mail(client, sender, options)


@pytest.mark.parametrize("header", [V4, b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 25\r\n"])
def test_a_listed_peer_is_believed_and_may_pipeline_behind_the_header(header: bytes) -> None:
    async def talk() -> None:
        service, log = Curious(), Lines()
        async with serving(House("here.test", service, log, proxies=LOOPBACK)) as port:
            peer = await Peer.call(port, greeted=False)
            peer.send(header + b"EHLO x\r\nMAIL FROM:<>\r\nQUIT\r\n")
            assert [reply[:3] for reply in await peer.rest()] == ["220", "250", "250", "221"]
        assert (service.seen[0].address, service.seen[0].port, service.seen[0].via) == ("192.0.2.1", 4711, "127.0.0.1")
        assert log.bugs == []

    asyncio.run(talk())


@pytest.mark.parametrize("octets", [b"EHLO client.test\r\n", b"PROXY TCP4 1.1.1.1 2\r\n", V4[:20] + b"\xff" * 3, b""])
def test_a_listed_peer_that_owes_the_header_hears_nothing(octets: bytes) -> None:
    async def talk() -> None:
        log = Lines()
        limits = Limits(proxy_header=0.1)
        async with serving(House("here.test", Null(), log, limits, proxies=LOOPBACK)) as port:
            peer = await Peer.call(port, greeted=False)
            peer.send(octets)
            assert await peer.rest() == []
        assert [event for event, _ in log.events] == ["smtp.no_proxy_header"]

    asyncio.run(talk())


def test_who_is_not_listed_speaks_for_itself() -> None:
    async def talk() -> None:
        proxies = (ipaddress.ip_network("192.0.2.0/24"),)
        async with serving(House("here.test", Null(), Lines(), proxies=proxies)) as port:
            peer = await Peer.call(port)
            assert (await peer.ask(b"NOOP\r\n")).startswith("250")
            assert (await peer.ask(b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 25\r\n")).startswith("554")

    asyncio.run(talk())
