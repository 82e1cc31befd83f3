"""Servers that want to hold us, fill us, or fool our terminal: all of them end in a value, soon."""

from __future__ import annotations

import asyncio
import secrets
import time
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from checks.facts import Tls
from checks.probe.tls import Limits, Place, look, read_roots
from dnsops.certs.wire import How
from tests.dnsops.certs.making import Authority
from tests.dnsops.certs.servers import SMTP, listening
from tests.dnsops.certs.test_wire import HOSTILE as BEFORE_TLS

LIMITS = Limits(seconds=0.4, whole=6.0)
HELLO = bytes.fromhex("16030300 2a 02000026 0303" + "11" * 32 + "00 c02f 00")


def after_hello(*parts: bytes, every: float = 0.0):
    """SMTP as it should be, then these bytes for ever in answer to a ClientHello."""

    async def serve(reader, writer):
        writer.write(SMTP[0])
        for answer in SMTP[1:]:
            await reader.readline()
            writer.write(answer)
        await reader.read(16)
        for part in parts:
            writer.write(part)
        while every:
            writer.write(parts[-1])
            await writer.drain()
            await asyncio.sleep(every)
        await asyncio.sleep(5)

    return serve


AFTER_HELLO = {
    "silence": after_hello(),
    "a byte now and then": after_hello(b"\x16", every=0.05),
    "a message without end": after_hello(b"\x16\x03\x03\x40\x00\x0b\xff\xff\xff" + bytes(16380), every=0.0001),
    "empty records without end": after_hello(b"\x16\x03\x03\x00\x00", every=0.0001),
    "warnings without end": after_hello(b"\x15\x03\x03\x00\x02\x01\x70", every=0.0001),
    "hellos without end": after_hello(HELLO, every=0.0001),
    "garbage": after_hello(secrets.token_bytes(4096)),
    "plain text": after_hello(b"500 \x1b[31mwhat?\r\n"),
    "a hello that is cut off": after_hello(HELLO[:-3]),
    "certificates that are none": after_hello(
        HELLO,
        b"\x16\x03\x03\x00\x0d\x0b\x00\x00\x09\x00\x00\x06\x00\x00\x03abc",
        b"\x16\x03\x03\x00\x04\x0e\x00\x00\x00",
    ),
}
SERVERS = {**AFTER_HELLO, **{name: serve for name, (serve, how, _) in BEFORE_TLS.items() if how is How.SMTP}}


def looked(serve, tmp_path, limits: Limits = LIMITS) -> tuple[Tls, float]:
    (tmp_path / "root.pem").write_bytes(Authority().root.public_bytes(Encoding.PEM))

    async def run() -> Tls:
        async with listening(serve) as port:
            place = Place("mx1.example.org", "127.0.0.1", port)
            return await look(place, read_roots(tmp_path / "root.pem"), datetime.now(UTC), limits)

    started = time.monotonic()
    found = asyncio.run(run())
    return found, time.monotonic() - started


@pytest.mark.parametrize("case", SERVERS)
def test_a_hostile_server_becomes_a_value(case, tmp_path):
    found, took = looked(SERVERS[case], tmp_path)
    assert not found.reachable
    assert found.why or found.late
    assert took < LIMITS.whole + 5  # a bound, not a measure
    words = (found.why, found.banner, found.trust_why, *found.evidence.lines)
    assert all(word.isprintable() for word in words)


def test_time_over_before_anything_is_known_is_said(tmp_path):
    found, _ = looked(AFTER_HELLO["silence"], tmp_path, Limits(seconds=5, whole=0.5))
    assert (found.late, found.reachable) == (True, False)


def test_what_is_said_before_tls_is_remembered(tmp_path):
    found, _ = looked(AFTER_HELLO["plain text"], tmp_path)
    assert (found.offered, found.banner) == (True, "220 mx1.example.org ESMTP")
    found, _ = looked(BEFORE_TLS["no STARTTLS"][0], tmp_path)
    assert (found.offered, found.why) == (False, "it does not offer STARTTLS")


def test_nobody_there_is_said_after_one_try(tmp_path):
    (tmp_path / "root.pem").write_bytes(Authority().root.public_bytes(Encoding.PEM))
    place = Place("mx1.example.org", "127.0.0.1", 1)
    found = asyncio.run(look(place, read_roots(tmp_path / "root.pem"), datetime.now(UTC), LIMITS))
    assert (found.offered, found.evidence.lines[-1]) == (None, "1 connections")
