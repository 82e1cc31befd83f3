"""Port 25 outward: a server that greets, one that is full, a closed port, one that says nothing, a name that nobody has."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from checks.health import looking, outward
from checks.health.facts import Outward
from checks.relay import talking


async def asked(greeting: bytes | None) -> Outward:
    """greeting: None for a server that only listens."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            writer.write(greeting or b"")
            await reader.read(100)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        (one,) = await outward.outward([("127.0.0.1", server.sockets[0].getsockname()[1])])
    return one


@pytest.mark.parametrize(
    "greeting, wanted",
    [
        (b"220 mx.test ESMTP\r\n", ("220 mx.test ESMTP", "")),
        (b"554 \x1b[31mnot you\r\n", ("554 \\x1b[31mnot you", "")),
        (b"* OK imap\r\n", ("", "it does not speak SMTP")),
        (b"2" * 9000, ("", "it hung up, or its line has no end")),
        (None, ("", "no answer within 0.5 s")),
    ],
)
def test_what_it_says_is_told(greeting: bytes | None, wanted: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talking, "STEP", 0.5)
    one = asyncio.run(asked(greeting))
    assert (one.greeting, one.error) == wanted
    assert one.family == 4


def test_a_closed_port_is_an_error_and_an_unknown_name_says_nothing() -> None:
    closed, nobody = asyncio.run(outward.outward([("127.0.0.1", 1), ("nobody.invalid", 25)]))
    assert closed.error
    assert not closed.away
    assert nobody.away


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("mx.a.test", ("mx.a.test", 25)),
        ("mx.a.test:26", ("mx.a.test", 26)),
        ("mx1.example.net:2525", ("mx1.example.net", 2525)),
        ("[2001:db8::1]:26", ("2001:db8::1", 26)),
        ("[::1]", ("::1", 25)),
        ("2001:db8::1", ("2001:db8::1", 25)),  # was host 2001:db8:, port 1
        ("a.example:0", ("a.example", 1)),  # was port 0
    ],
)
def test_a_target_is_read(text: str, wanted: tuple[str, int]) -> None:
    assert looking._door(text) == wanted
