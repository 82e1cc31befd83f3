"""What no library here speaks any more - SSL 2, SSL 3, DEFLATE - is still seen, of servers that say what such servers said."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from checks.facts import Tls, Version
from checks.probe.tls import Limits, Place, look, read_roots
from checks.probe.tls.suites import CODES
from dnsops.certs.wire import How
from tests.checks.probe.tls.test_flight import DONE, handshake, message, server_hello
from tests.dnsops.certs.servers import listening

ALERT = b"\x15\x03\x01\x00\x02\x02\x46"  # protocol_version
RSA = CODES["TLS_RSA_WITH_AES_128_CBC_SHA"]
SSL2_HELLO = b"\x80\x16\x04\x00\x01\x00\x02\x00\x03\x00\x06\x00\x02abc\x01\x00\x80\x07\x00\xc0id"


def answering(ssl_2: bytes = ALERT, **flights: bytes):
    """A server with one flight for each version's hello (`v0300`...), taken by the version that the hello is of."""

    async def serve(reader, writer):
        head = await reader.readexactly(5)
        if head[0] == 0x16:
            body = await reader.readexactly(int.from_bytes(head[3:5], "big"))
            offered = 0x0304 if b"\x00\x2b\x00\x03\x02\x03\x04" in body else int.from_bytes(body[4:6], "big")
            suites = body[39 + body[38] + 2 :][: int.from_bytes(body[39 + body[38] :][:2], "big")]
            knows = RSA.to_bytes(2, "big") in [suites[at : at + 2] for at in range(0, len(suites), 2)]
            writer.write(flights.get(f"v{offered:04x}", ALERT) if knows or offered == 0x0304 else ALERT)
        else:
            writer.write(ssl_2)
        await writer.drain()

    return serve


def looked(serve, tmp_path) -> Tls:
    (tmp_path / "root.pem").write_bytes(b"")

    async def run() -> Tls:
        async with listening(serve) as port:
            place = Place("mx1.example.org", "127.0.0.1", port, How.IMPLICIT)
            return await look(place, read_roots(tmp_path / "root.pem"), datetime.now(UTC), Limits(2, 100, 20))

    return asyncio.run(run())


def flight(version: int, compression: int = 0) -> bytes:
    return handshake(server_hello(version, RSA, compression), message(11, b"\0\0\x06\0\0\x03abc"), DONE)


def test_ssl_2_is_seen(tmp_path):
    found = looked(answering(SSL2_HELLO), tmp_path)
    assert found.versions == {Version.SSL2}
    assert found.suites[Version.SSL2] == ("SSL_CK_RC4_128_WITH_MD5", "SSL_CK_DES_192_EDE3_CBC_WITH_MD5")


@pytest.mark.parametrize("version", [0x0300, 0x0301, 0x0302, 0x0303])
@pytest.mark.parametrize("compression", [0, 1])
def test_each_old_version_and_deflate_are_seen(version, compression, tmp_path):
    found = looked(answering(**{f"v{version:04x}": flight(version, compression)}), tmp_path)
    assert found.versions == {Version(version)}
    assert (found.reachable, found.compression, found.secure_renegotiation) == (True, bool(compression), False)
    assert found.suites[Version(version)] == ("TLS_RSA_WITH_AES_128_CBC_SHA",)
    assert found.ems is (False if version == 0x0303 else None)
    assert (found.chain, found.trusted) == ((b"abc",), False)


def test_a_suite_that_was_not_offered_breaks_the_job(tmp_path):
    """The site calls such a host unreachable."""
    stranger = handshake(server_hello(0x0303, 0x0A0A), DONE)

    def changing():
        served = 0
        honest = answering(v0303=flight(0x0303))
        lying = answering(v0303=stranger)

        async def serve(reader, writer):
            nonlocal served
            served += 1
            await (honest if served <= 8 else lying)(reader, writer)

        return serve

    found = looked(changing(), tmp_path)
    assert not found.reachable
    assert "which was not offered" in found.why
