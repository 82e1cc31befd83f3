"""Reading the answer by IMAP: from servers that have it, have no IDLE, refuse, hang up, never end, or talk nonsense."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest

from checks.echo import reading
from checks.echo.reading import Box, Door
from dnsops.base.errors import ForUser, Later
from dnsops.base.secrets import Secret

ANSWER = b"Subject: Auto: Round trip tok\r\n\r\nhello\r\n"
Reply = Callable[[str, str], bytes]  # (tag, command) -> all that is said


def usual(tag: str, command: str) -> bytes:
    """A server that has the answer in Junk, and no IDLE."""
    word = command.split()[0]
    done = f"{tag} OK done\r\n".encode()
    if command == "AUTHENTICATE PLAIN":
        return b"+ \r\n"
    if word == "LIST":
        return b'* LIST (\\HasNoChildren \\Junk) "/" "Spam"\r\n' + done
    if word == "EXAMINE":
        usual.selected = command  # type: ignore[attr-defined]
    if command.startswith("UID SEARCH"):
        return (b"* SEARCH 7\r\n" if "Spam" in usual.selected else b"* SEARCH\r\n") + done  # type: ignore[attr-defined]
    if command.startswith("UID FETCH"):
        return b"* 1 FETCH (UID 7 BODY[]<0> {%d}\r\n%b)\r\n" % (len(ANSWER), ANSWER) + done
    return b"%b BAD no\r\n" % tag.encode() if word == "IDLE" else done


def refuses(tag: str, command: str) -> bytes:
    return b"+ \r\n" if command.startswith("AUTH") else b"%b NO [AUTHENTICATIONFAILED] \x1b[31mno\r\n" % tag.encode()


def with_(word: str, said: bytes) -> Reply:
    """The usual server, but for one command."""
    return lambda tag, command: said.replace(b"TAG", tag.encode()) if word in command else usual(tag, command)


async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, reply: Reply, greeting: bytes) -> None:
    writer.write(greeting)
    tag = "?"
    while line := (await reader.readline()).decode().strip():
        head, _, command = line.partition(" ")
        said = reply(head, command) if command else reply(tag, "PASSWORD")
        tag = head if command else tag
        writer.write(said)
        if not said:
            break
    writer.close()


async def read(reply: Reply, greeting: bytes = b"* OK hello\r\n", seconds: float = 20.0) -> tuple[bytes, bool]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.CancelledError, OSError):  # the loop ends before we do
            await talk(reader, writer, reply, greeting)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        door = Door("127.0.0.1", server.sockets[0].getsockname()[1])
        async with Box.opened(door, "alice", Secret("secret")) as box:
            return await box.wait("tok", lambda content: b"tok" in content, seconds)


def test_the_answer_is_found_in_junk_too() -> None:
    assert asyncio.run(read(usual)) == (ANSWER, True)


def test_nothing_in_time_is_for_later_also_without_idle() -> None:
    with pytest.raises(Later):
        asyncio.run(read(with_("UID SEARCH", b"* SEARCH\r\nTAG OK done\r\n"), seconds=1.0))


@pytest.mark.parametrize(
    "reply, greeting",
    [
        (refuses, b"* OK hello\r\n"),
        (usual, b"* BYE go away\r\n"),
        (usual, b"220 no imap here\r\n"),
        (with_("EXAMINE", b"TAG NO not yours\r\n"), b"* OK hello\r\n"),
        (with_("UID FETCH", b"* 1 FETCH (BODY[] {999999999}\r\n"), b"* OK hello\r\n"),
        (with_("LIST", b"x" * (80 << 10) + b"\r\n"), b"* OK hello\r\n"),
        (with_("LIST", b"* LIST () NIL a\r\n" * (reading.LINES + 1)), b"* OK hello\r\n"),
        (with_("UID SEARCH", b""), b"* OK hello\r\n"),
        (with_("UID FETCH", b"* 1 FETCH (BODY[] {500}\r\nshort"), b"* OK hello\r\n"),
    ],
)
def test_a_strange_server_ends_the_wait_and_no_more(
    reply: Reply, greeting: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "STEP", 2.0)
    with pytest.raises((ForUser, OSError, EOFError, Later)) as told:
        asyncio.run(read(reply, greeting, seconds=5.0))
    assert "secret" not in str(told.value)
    assert "\x1b" not in str(told.value)
