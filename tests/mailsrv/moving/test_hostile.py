"""Servers that are slow, broken or hostile: what they send is bounded, what they lose is asked for again, and it is told."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from dnsops.base.errors import ForUser, Later
from dnsops.base.secrets import Secret
from mailsrv.archive.taking import Report, Taking
from mailsrv.message.digest import digest
from mailsrv.moving import imap
from mailsrv.moving.fetching import Moving, Told
from mailsrv.moving.imap import Source
from mailsrv.moving.journal import Journal
from mailsrv.store.memory import MemoryStore

BODY = b"Subject: x\r\n\r\nhello\r\n"
Script = Callable[[str, bytes], Awaitable[bytes | None] | bytes | None]


def answer(tag: str, line: bytes, messages: int = 3) -> bytes:
    """A server as it should be, of one mailbox whose UIDs are 1 to `messages`."""
    end = f"{tag} OK done\r\n".encode()
    word = line.split(b" ")[0].upper()
    match word:
        case b"LIST":
            return b'* LIST () "/" INBOX\r\n' + end
        case b"EXAMINE":
            return b"* %d EXISTS\r\n* OK [UIDVALIDITY 77] x\r\n* OK [UIDNEXT 10] x\r\n" % messages + end
        case b"STATUS":
            return b"* STATUS INBOX (MESSAGES %d)\r\n" % messages + end
        case b"FETCH":
            return (
                b"".join(b"* %d FETCH (UID %d RFC822.SIZE %d)\r\n" % (n, n, len(BODY)) for n in range(1, messages + 1))
                + end
            )
        case b"UID":
            uids = [int(uid) for uid in line.split(b" ")[2].split(b",")]
            return b"".join(fetched(uid) for uid in uids) + end
    return end


def fetched(uid: int, size: int = len(BODY)) -> bytes:
    head = b'* %d FETCH (UID %d FLAGS (\\Seen) INTERNALDATE "01-Mar-2026 12:30:05 +0000" BODY[] {%d}\r\n' % (
        uid,
        uid,
        size,
    )
    return head + BODY + b")\r\n"


def move(
    script: Callable[[str, bytes], bytes | None], greeting: bytes = b"* OK hi\r\n"
) -> tuple[Report, list[Told], list[float], MemoryStore]:
    """A move from a server that answers by `script` (None: it hangs up); waits take no time, and are written down."""
    waits: list[float] = []
    serving: list[asyncio.Task[object]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        serving.append(task)
        writer.write(greeting)
        try:
            while line := await reader.readline():
                tag, _, rest = line.rstrip().partition(b" ")
                said = script(tag.decode(), rest)
                if said is None:
                    break
                writer.write(said)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    async def story() -> tuple[Report, list[Told], list[float], MemoryStore]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        store = MemoryStore()
        await store.account("user1")
        with tempfile.TemporaryDirectory() as state:
            source = Source("127.0.0.1", server.sockets[0].getsockname()[1], "u", "none")
            taking = Taking(store, digest, "user1", Report())
            moving = Moving(taking, source, Secret("p"), Journal.of(Path(state), "imap", "x"), wait=wait)
            try:
                told = await moving.run()
            finally:
                server.close()
                await asyncio.gather(*serving)
            return taking.report, told, waits, store

    return asyncio.run(story())


def test_a_server_as_it_should_be() -> None:
    report, told, waits, _ = move(answer)
    assert (report.total.copied, told[0].missing, waits) == (3, 0, [])


@pytest.mark.parametrize(
    "noise",
    [
        b"* " + b"x" * (1 << 20),
        b"* 1 FETCH (BODY[] {99999999999}\r\n",
        b"* 1 FETCH (((((" * 30 + b"\r\n",
        b"\0\xff\r\n",
        b"* OK " + b"{3}\r\nabc" * 3000,
    ],
)
def test_what_has_no_end_or_no_meaning_ends_the_session_and_then_the_patience(noise: bytes) -> None:
    with pytest.raises(Later, match="goes on from there"):
        move(lambda tag, line: noise if line.startswith(b"LIST") else answer(tag, line))


def test_more_than_was_asked_for_is_not_listened_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap, "BUDGET", 100_000)
    with pytest.raises(Later, match="more than was asked for"):
        move(lambda tag, line: b"* OK still here\r\n" * 100_000 if line.startswith(b"LIST") else answer(tag, line))


def test_a_message_that_ends_the_session_each_time_is_left_out_and_the_others_come() -> None:
    def script(tag: str, line: bytes) -> bytes | None:
        if line.startswith(b"UID FETCH") and b"2" in line.split(b" ")[2].split(b","):
            return fetched(2, len(BODY) + 1) + f"{tag} OK done\r\n".encode()  # a literal shorter than it says
        return answer(tag, line)

    report, told, _, _ = move(script)
    assert (report.total.copied, report.total.failed, told[0].missing) == (2, 1, 1)
    assert "INBOX, UID 2" in report.unfit[0].where


def test_a_server_that_wants_it_slower_gets_it_and_the_rest_comes_without_doubles() -> None:
    calls: list[bytes] = []

    def script(tag: str, line: bytes) -> bytes | None:
        calls.append(line)
        tries = sum(call.startswith(b"UID FETCH") for call in calls)
        if line.startswith(b"UID FETCH") and tries == 1:
            return fetched(1) + f"{tag} NO [LIMIT] slowly\r\n".encode()
        return answer(tag, line)

    report, told, waits, _ = move(script)
    assert (report.total.copied, told[0].missing, waits) == (3, 0, [1.0])


def test_patience_doubles_and_ends() -> None:
    def busy(tag: str, line: bytes) -> bytes | None:
        return f"{tag} NO [UNAVAILABLE] later\r\n".encode() if line.startswith(b"LOGIN") else answer(tag, line)

    with pytest.raises(Later, match="wants it slower"):
        move(busy)


def test_fewer_than_the_server_counts_is_told() -> None:
    report, told, _, _ = move(
        lambda tag, line: (
            b"* STATUS INBOX (MESSAGES 9)\r\n" + f"{tag} OK\r\n".encode()
            if line.startswith(b"STATUS")
            else answer(tag, line)
        )
    )
    assert (report.total.copied, told[0].missing) == (3, 6)


def test_what_is_no_imap_server_is_said_in_one_line() -> None:
    with pytest.raises(ForUser, match="no IMAP server"):
        move(answer, b"220 HELLO smtp\r\n")
