"""Sessions over loopback: TLS, time, memory, closing, bugs; and clients that nobody here wrote."""

from __future__ import annotations

import asyncio
import ipaddress
import shutil
import smtplib
import socket
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

import pytest
import uvloop

from mailsrv.smtp.door import Client, Tls
from mailsrv.smtp.grammar import Address
from mailsrv.smtp.house import House
from mailsrv.smtp.limits import Gate, Limits
from mailsrv.smtp.listener import Listener
from mailsrv.smtp.parameters import MailOptions
from tests.mailsrv.receive.world import context
from tests.mailsrv.smtp.null import Lines, Null, One, Peer, serving

MAIL = b"MAIL FROM:<a@b.test>\r\nRCPT TO:<alice@here.test>\r\nDATA\r\n"


def trusting() -> ssl.SSLContext:
    made = ssl.create_default_context()
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made


class Curious(Null):
    """Notes how the client came."""

    tls: Tls | None = None

    async def mail(self, client: Client, sender: Address | None, options: MailOptions) -> One:
        self.tls = client.tls
        return await super().mail(client, sender, options)


async def words(peer: Peer, *lines: bytes) -> list[str]:
    return [(await peer.ask(line + b"\r\n"))[:3] for line in lines]


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("implicit", [False, True])
def test_inside_tls_more_is_offered_and_what_was_said_before_is_void(
    tmp_path: Path, implicit: bool, loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    async def talk() -> None:
        service, log, server = Curious(logins=True), Lines(), context(tmp_path)
        house = House("here.test", service, log, tls=lambda: server, implicit_tls=implicit)
        async with serving(house) as port:
            if implicit:
                reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting())
                peer = Peer(reader, writer)
                assert (await peer.reply()).startswith("220")
            else:
                peer = await Peer.call(port)
                clear = await peer.ask(b"EHLO x\r\n")
                assert "STARTTLS" in clear
                assert "AUTH" not in clear
                assert "REQUIRETLS" not in clear
                assert await words(peer, b"AUTH PLAIN =", b"MAIL FROM:<a@b.test>", b"STARTTLS now", b"STARTTLS") == [
                    "538", "250", "501", "220",
                ]  # fmt: skip
                await peer.writer.start_tls(trusting())
                assert await words(peer, b"RCPT TO:<alice@here.test>", b"MAIL FROM:<a@b.test>") == ["503", "503"]
            inside = await peer.ask(b"EHLO x\r\n")
            assert "STARTTLS" not in inside
            assert "250-AUTH PLAIN LOGIN" in inside
            assert "250-REQUIRETLS" in inside
            said = await words(
                peer, b"STARTTLS", b"MAIL FROM:<a@b.test> REQUIRETLS", b"RCPT TO:<alice@here.test>", b"DATA"
            )
            assert said == ["503", "250", "250", "354"]
            peer.send(b"x" * 70 + b"\r\n")
            assert await words(peer, b".", b"QUIT") == ["250", "221"]
            assert service.tls is not None
            assert service.tls.version == "TLSv1.3"
            assert service.mails[-1].options.words() == ("REQUIRETLS",)
        assert log.bugs == []

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(talk())


def test_a_large_message_inside_tls_in_a_small_memory(tmp_path: Path) -> None:
    """More than the pipe holds, so that reading is paused and resumed under TLS."""

    async def talk() -> None:
        service, log, server = Null(), Lines(), context(tmp_path)
        limits = Limits(in_memory=100_000, memory=1)
        house = House("here.test", service, log, limits, tls=lambda: server)
        body = b"".join(b"%06d %s\r\n" % (number, b"." * (number % 90)) for number in range(60_000))
        async with serving(house) as port:
            peers = [await Peer.call(port) for _ in range(3)]
            for peer in peers:
                assert await words(peer, b"EHLO x", b"STARTTLS") == ["250", "220"]
                await peer.writer.start_tls(trusting())
                assert await words(peer, b"EHLO x", *MAIL.split(b"\r\n")[:3]) == ["250", "250", "250", "354"]
            for peer in peers:
                peer.send(body + b".\r\n")
            assert [(await peer.reply())[:3] for peer in peers] == ["250"] * 3
            assert {mail.content for mail in service.mails} == {body}
            assert house.room.used == 0
        assert log.bugs == []

    asyncio.run(talk())


def test_a_handshake_that_stalls_or_fails_ends_alone(tmp_path: Path) -> None:
    async def talk() -> None:
        log, server = Lines(), context(tmp_path)
        house = House("here.test", Null(), log, Limits(handshake=0.2), tls=lambda: server)
        async with serving(house) as port:
            stalled, broken, fine = [await Peer.call(port) for _ in range(3)]
            for peer in (stalled, broken):
                assert await words(peer, b"EHLO x", b"STARTTLS") == ["250", "220"]
            broken.send(b"\x16\x03\x01\xff\xff" + b"\0" * 300)
            assert await words(fine, b"EHLO x", b"NOOP") == ["250", "250"]
            for peer in (stalled, broken):
                async with asyncio.timeout(5):
                    await peer.reader.read()
        assert [event for event, _ in log.events] == ["smtp.handshake"] * 2

    asyncio.run(talk())


def test_implicit_tls_begins_behind_a_proxys_header_and_for_those_alone_whom_the_gate_lets_in(tmp_path: Path) -> None:
    async def talk() -> None:
        log, server = Lines(), context(tmp_path)
        limits = Limits(handshake=0.2, per_network=1)
        networks = (ipaddress.ip_network("127.0.0.0/8"),)
        house = House("here.test", Null(), log, limits, tls=lambda: server, implicit_tls=True, proxies=networks)
        async with serving(house) as port:
            first, second, stalled = [await Peer.call(port, greeted=False) for _ in range(3)]
            for peer, address in ((first, b"192.0.2.1"), (stalled, b"192.0.2.2")):
                peer.send(b"PROXY TCP4 %s 192.0.2.9 4711 465\r\n" % address)
            await first.writer.start_tls(trusting())
            assert (await first.reply()).startswith("220")
            second.send(b"PROXY TCP4 192.0.2.1 192.0.2.9 4712 465\r\n")
            for peer in (second, stalled):
                async with asyncio.timeout(5):
                    assert await peer.reader.read() == b""
            assert await words(first, b"QUIT") == ["221"]
            async with asyncio.timeout(5):
                while house.door.inside:
                    await asyncio.sleep(0.01)
        assert sorted(event for event, _ in log.events) == ["smtp.handshake", "smtp.turned_away"]

    asyncio.run(talk())


def test_tls_first_where_it_is_required() -> None:
    async def talk() -> None:
        async with serving(House("here.test", Null(), Lines(), require_tls=True)) as port:
            peer = await Peer.call(port)
            assert await words(peer, b"EHLO x", b"MAIL FROM:<a@b.test>", b"STARTTLS") == ["250", "530", "502"]

    asyncio.run(talk())


@pytest.mark.parametrize(
    ("limits", "drip", "reply"),
    [
        (Limits(idle=0.1), b"", "421 4.4.2 too long without a word"),
        (Limits(idle=0.1), b"NOO", "421 4.4.2 too long without a word"),
        (Limits(session_time=0.1), b"", "421 4.4.2 this takes too long"),
        (Limits(idle=5, message_time=0.3), b"HELO x\r\n" + MAIL, "421 4.4.2 this takes too long"),
    ],
)
def test_who_takes_too_long_is_hung_up_on_however_steady_the_drip(limits: Limits, drip: bytes, reply: str) -> None:
    async def talk() -> list[str]:
        async with serving(House("here.test", Null(), Lines(), limits)) as port:
            peer = await Peer.call(port)
            peer.send(drip)

            async def dribble() -> None:
                while drip:
                    peer.send(b"x")
                    await asyncio.sleep(0.02)

            dribbling = asyncio.create_task(dribble())
            replies = await peer.rest()
            dribbling.cancel()
            return replies

    assert asyncio.run(talk())[-1].startswith(reply)


def test_a_peer_that_never_reads_is_hung_up_on() -> None:
    async def talk() -> None:
        house = House("here.test", Null(), Lines(), Limits(idle=0.3, junk=10**9))
        async with serving(house) as port:
            peer = await Peer.call(port)
            cast("asyncio.Transport", peer.writer.transport).pause_reading()
            peer.send(b"EHLO x\r\n" * 100_000)
            async with asyncio.timeout(8):
                while house.sessions:
                    await asyncio.sleep(0.05)

    asyncio.run(talk())


def test_closing_sends_the_idle_off_and_lets_a_message_end() -> None:
    async def talk() -> None:
        service = Null()
        house = House("here.test", service, Lines())
        listener = Listener(house)
        sock = socket.create_server(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        await listener.open(sock)
        idle, busy = [await Peer.call(port) for _ in range(2)]
        assert await words(busy, b"HELO x", *MAIL.split(b"\r\n")[:3]) == ["250", "250", "250", "354"]
        closing = asyncio.create_task(listener.close(5))
        assert (await idle.reply()).startswith("421 4.3.2")
        busy.send(b"late\r\n.\r\n")
        assert [reply[:3] for reply in await busy.rest()] == ["250", "421"]
        await closing
        assert service.mails[-1].content == b"late\r\n"
        with pytest.raises(ConnectionError):
            await asyncio.open_connection("127.0.0.1", port)

    asyncio.run(talk())


def test_what_was_sent_before_a_half_close_is_answered() -> None:
    async def talk() -> None:
        service = Null()
        async with serving(House("here.test", service, Lines())) as port:
            peer = await Peer.call(port)
            peer.send(b"HELO x\r\n" + MAIL + b"all at once\r\n.\r\n")
            peer.writer.write_eof()
            assert [reply[:3] for reply in await peer.rest()] == ["250", "250", "250", "354", "250"]
            assert service.mails[-1].content == b"all at once\r\n"

    asyncio.run(talk())


class Buggy(Null):
    """A service with a bug."""

    async def mail(self, client: Client, sender: Address | None, options: MailOptions) -> One:
        raise KeyError("/secret/path")


def test_a_bug_is_trouble_to_the_peer_and_a_line_to_us() -> None:
    async def talk() -> None:
        log = Lines()
        async with serving(House("here.test", Buggy(), log)) as port:
            peer = await Peer.call(port)
            assert await words(peer, b"HELO x") == ["250"]
            peer.send(b"MAIL FROM:<a@b.test>\r\n")
            assert await peer.rest() == ["451 4.3.0 trouble on our side, try again later"]
        assert [bug["kind"] for bug in log.bugs] == ["KeyError"]
        assert "secret" not in str(log.events)

    asyncio.run(talk())


def test_too_many_of_one_network() -> None:
    async def talk() -> None:
        limits = Limits(per_network=2, exempt=())
        async with serving(House("here.test", Null(), Lines(), limits, gate=Gate(limits))) as port:
            peers = [await Peer.call(port, greeted=False) for _ in range(3)]
            assert sorted([(await peer.reply())[:3] for peer in peers]) == ["220", "220", "421"]

    asyncio.run(talk())


def test_memory_does_not_grow_with_what_is_refused() -> None:
    """A message of forty megabytes where one may be sent, and a line without end."""
    import tracemalloc

    async def talk() -> int:
        limits = Limits(message=1 << 20, junk_line=20 << 20)
        async with serving(House("here.test", Null(), Lines(), limits)) as port:
            peer = await Peer.call(port)
            assert await words(peer, b"HELO x", *MAIL.split(b"\r\n")[:3]) == ["250", "250", "250", "354"]
            tracemalloc.start()
            for octets in (b"x" * 70 + b"\r\n", b"y" * 72):
                piece = octets * 1000
                for _ in range(200):
                    peer.send(piece)
                    await peer.writer.drain()
            peer.send(b"\r\n.\r\n")
            assert (await peer.reply()).startswith("552")
            for _ in range(200):
                peer.send(b"z" * 72_000)
                await peer.writer.drain()
            peer.send(b"\r\n")
            assert (await peer.reply()).startswith("500")
            return tracemalloc.get_traced_memory()[1]

    assert asyncio.run(talk()) < 8 << 20


def by_smtplib(port: int) -> None:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "a@b.test", "alice@here.test", "Grüße"
    letter.set_content(".\nGrüße\n..\n")
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        client.starttls(context=trusting())
        client.login("alice", "foobar")
        assert client.esmtp_features["size"] == "52428800"
        client.send_message(letter, mail_options=["SMTPUTF8", "RET=HDRS"], rcpt_options=["NOTIFY=NEVER"])


def test_smtplib(tmp_path: Path) -> None:
    service = sent(by_smtplib, tmp_path)
    assert service.mails[-1].content.endswith("\r\n\r\n.\r\nGrüße\r\n..\r\n".encode())
    assert service.mails[-1].recipients[0][1].notify == ("NEVER",)


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl(tmp_path: Path) -> None:
    (tmp_path / "letter").write_bytes(b"Subject: by curl\r\n\r\n.\r\nbody\r\n")
    said = by_command(
        tmp_path, "curl", "-sS", "smtp://127.0.0.1:PORT", "--ssl-reqd", "-k", "-u", "alice:foobar", "--mail-from", "a@b.test",
        "--mail-rcpt", "alice@here.test", "-T", str(tmp_path / "letter"),
    )  # fmt: skip
    assert said.mails[-1].content == b"Subject: by curl\r\n\r\n.\r\nbody\r\n"


@pytest.mark.skipif(not shutil.which("swaks"), reason="swaks is not installed")
def test_swaks(tmp_path: Path) -> None:
    said = by_command(
        tmp_path, "swaks", "--server", "127.0.0.1:PORT", "--tls", "--auth", "PLAIN", "--auth-user", "alice",
        "--auth-password", "foobar", "--from", "a@b.test", "--to", "alice@here.test", "--header", "Subject: by swaks",
    )  # fmt: skip
    assert b"Subject: by swaks" in said.mails[-1].content


def by_command(folder: Path, *command: str) -> Null:
    def run(port: int) -> None:
        import subprocess

        done = subprocess.run(
            [word.replace("PORT", str(port)) for word in command],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return sent(run, folder)


def sent(send: Callable[[int], Any], folder: Path) -> Null:
    """What a server with TLS and logins got from a client that runs in a thread."""

    async def talk() -> Null:
        service, log, server = Null(logins=True), Lines(), context(folder)
        async with serving(House("here.test", service, log, tls=lambda: server)) as port:
            await asyncio.to_thread(send, port)
        assert log.bugs == []
        return service

    return asyncio.run(talk())
