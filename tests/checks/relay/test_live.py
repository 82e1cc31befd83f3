"""Our own server, and ones that are lenient on purpose."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.checks.commands.asked import check
from tests.lab.mailserver import HOST, MailServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with MailServer(tmp_path_factory.mktemp("serve")) as running:
        yield running


def test_our_own_server_relays_nothing_and_splits_nothing(server: MailServer) -> None:
    told = check("relay", "--config", server.config, "--json", "--details")
    for name in ("open", "unknown", "smuggling", "bare"):
        assert told.subtest(f"relay_{name}")["status"] == "success", told.subtest(f"relay_{name}")
    assert told.status == 0


def test_health_asks_too_and_sends_nothing(server: MailServer) -> None:
    told = check("health", "--no-ask", "--config", server.config, "--json", "--details", "--no-history")
    found = told.subtest("relay_open")
    assert (found["status"], found["details"]) == ("success", ["3 ways were refused"])
    said = [line for line in found["evidence"] if "C: " in line]
    assert not [line for line in said if "DATA" in line or "AUTH PLAIN" in line or "BDAT" in line]
    assert len([line for line in said if "RCPT TO" in line]) == 4


class Lenient:
    """A server that takes every recipient, and ends data at a bare LF, as many did until 2023."""

    def __init__(self) -> None:
        self.port = 0
        self._loop = asyncio.new_event_loop()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 lenient\r\n")
        data = False
        with suppress(OSError, asyncio.IncompleteReadError):
            while line := await reader.readline():
                word = line[:4].upper()
                if data:
                    if line.rstrip(b"\r\n") == b".":
                        data = False
                        writer.write(b"250 taken\r\n")
                elif word == b"DATA":
                    data = True
                    writer.write(b"354 go on\r\n")
                elif word == b"QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                else:
                    writer.write(b"250 yes\r\n")
        writer.close()


@contextmanager
def lenient() -> Iterator[int]:
    made, ready = Lenient(), threading.Event()

    async def serve() -> None:
        server = await asyncio.start_server(made.talk, "127.0.0.1", 0)
        made.port = server.sockets[0].getsockname()[1]
        ready.set()
        with suppress(asyncio.CancelledError):
            await server.serve_forever()

    thread = threading.Thread(target=made._loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield made.port
    finally:
        made._loop.call_soon_threadsafe(lambda: [task.cancel() for task in asyncio.all_tasks(made._loop)])
        thread.join(10)


def test_an_open_and_lenient_server_is_told_of(tmp_path: object) -> None:
    with lenient() as port:
        words = ("--i-may", "--domain", "b.test", "--address", "127.0.0.1", "--port", port, "--to", "me@b.test")
        told = check("relay", "mx.b.test", *words, "--json", "--state", tmp_path)
    assert told.status == 1
    assert told.subtest("relay_open")["status"] == "fail"
    assert told.subtest("relay_open")["details"][0].startswith("plain: RCPT TO:<relay-test@example.com> is taken")
    assert told.subtest("relay_smuggling")["details"][0] == "LF . LF ends the data: it answered 250 250 250 354 250"
    assert any(line.startswith("C: RCPT TO:") for line in told.subtest("relay_open")["evidence"])


def test_a_server_that_hangs_up_is_left_in_peace() -> None:
    from checks.relay import trying

    async def story() -> trying.Facts:
        async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"421 too many\r\n")
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await trying.look(trying.Target("mx.b.test", "127.0.0.1", port, "b.test"), "me@b.test")

    facts = asyncio.run(story())
    assert {one.code for one in facts.tried} == {0}
    assert sum(line.startswith("S: 421") for line in facts.lines) == trying.ENOUGH + trying.FEW
    assert not any(cut.replies for cut in facts.cuts)


@pytest.mark.parametrize("words", [("mx.other.test",), ("mx.other.test", "--i-may"), ()])
def test_what_is_not_ours_is_left_alone(words: tuple[str, ...]) -> None:
    assert check("relay", *words, MAILSRV_CONFIG="").status in (64, 78)


def test_a_server_that_is_not_there_is_not_tested(server: MailServer) -> None:
    told = check("relay", HOST, "--config", server.config, "--port", "1", "--json", "--no-history")
    assert told.subtest("relay_open")["status"] == "not_tested"
