"""TLS reports by https: taken by a real server, and never sent to where a stranger must not lead us."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from mailsrv.reports import posting
from mailsrv.reports.posting import Posting, is_public
from tests.dnsops.certificates import issue, issuer, key, key_pem
from tests.lab.streams import start_server

MEDIA = "application/tlsrpt+gzip"


@asynccontextmanager
async def server(folder: Path, answer: bytes, heard: list[bytes], name: str = "localhost") -> AsyncIterator[int]:
    """An https server that says one thing."""
    leaf, authority = issue(key("web").public_key(), name)
    (folder / "chain").write_bytes(leaf.public_bytes(Encoding.PEM) + authority.public_bytes(Encoding.PEM))
    (folder / "key").write_bytes(key_pem(key("web")))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "chain", folder / "key")

    idle = asyncio.Event()
    idle.set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        idle.clear()
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        )
        heard.append(head + await reader.readexactly(length))
        with suppress(OSError):
            while answer == b"DRIBBLE":
                writer.write(b"H")
                await writer.drain()
                await asyncio.sleep(0.05)
            writer.write(answer)
            await writer.drain()
        writer.close()
        idle.set()

    listening = await start_server(serve, "127.0.0.1", 0, ssl=context)
    async with listening:
        yield listening.sockets[0].getsockname()[1]
        await idle.wait()


def trusting() -> ssl.SSLContext:
    pem = issuer()[1].public_bytes(Encoding.PEM).decode()
    return ssl.create_default_context(cadata=pem)


async def posted(
    folder: Path, answer: bytes, url: str, heard: list[bytes], name: str = "localhost", inside: bool = True
) -> str:
    async with server(folder, answer, heard, name) as port:
        able = Posting((lambda address: True) if inside else is_public, trusting(), port)
        return await able.post(url.replace("PORT", str(port)), b"data", MEDIA)


ANSWERS = [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""),
    (b"HTTP/1.1 201 Created\r\n\r\n", ""),
    (b"HTTP/1.1 302 Found\r\nLocation: https://localhost/other\r\n\r\n", "the answer was 302"),
    (b"HTTP/1.1 500 No\r\n\r\n", "the answer was 500"),
    (b"nonsense\r\n\r\n", "nonsense"),
    (b"", "closed"),
]


@pytest.mark.parametrize("answer, why", ANSWERS)
def test_what_a_server_may_answer(tmp_path: Path, answer: bytes, why: str) -> None:
    heard: list[bytes] = []
    said = asyncio.run(posted(tmp_path, answer, "https://localhost:PORT/tls?x=1", heard))
    assert (why in said.lower()) if why else said == ""
    assert len(heard) == 1, "one request, no redirect followed"
    assert heard[0].startswith(b"POST /tls?x=1 HTTP/1.1\r\n")
    assert b"Content-Type: application/tlsrpt+gzip\r\n" in heard[0]
    assert heard[0].endswith(b"\r\n\r\ndata")


def test_a_server_that_dribbles_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "DEADLINE", 0.5)
    heard: list[bytes] = []
    said = asyncio.run(posted(tmp_path, b"DRIBBLE", "https://localhost:PORT/", heard))
    assert said != ""
    assert len(heard) == 1


def test_a_server_that_is_another_gets_nothing(tmp_path: Path) -> None:
    heard: list[bytes] = []
    said = asyncio.run(posted(tmp_path, b"", "https://localhost:PORT/", heard, "other.example.org"))
    assert "certificate" in said
    assert heard == []


def test_nothing_is_posted_inside(tmp_path: Path) -> None:
    heard: list[bytes] = []
    said = asyncio.run(posted(tmp_path, b"", "https://localhost:PORT/", heard, inside=False))
    assert "no public address" in said
    assert heard == []


URLS = [
    "http://localhost/", "https://a@localhost/", "https://localhost:8443/", "https:///x", "https://localhost/\r\nX: y",
    "https://[::1", "https://localhost:99999/", "ftp://localhost", "https://localhost/" + "x" * 2000, "",
]  # fmt: skip


@pytest.mark.parametrize("url", URLS)
def test_urls_that_are_not_posted_to(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: object, **__: object) -> None:
        raise AssertionError("it was looked up")

    monkeypatch.setattr(posting.socket, "getaddrinfo", nowhere)
    assert asyncio.run(Posting().post(url, b"", MEDIA)) != ""


ADDRESSES = [
    ("192.0.2.1", False), ("127.0.0.1", False), ("10.1.2.3", False), ("169.254.169.254", False), ("100.64.0.1", False),
    ("0.0.0.0", False), ("224.0.0.1", False), ("::1", False), ("fe80::1", False), ("fd00::1", False),
    ("::ffff:127.0.0.1", False), ("::ffff:10.0.0.1", False), ("2002:7f00:1::", False), ("64:ff9b::7f00:1", False),
    ("ff02::1", False), ("8.8.8.8", True), ("2606:4700:4700::1111", True), ("::ffff:8.8.8.8", True), ("64:ff9b::808:808", True),
]  # fmt: skip


@pytest.mark.parametrize("address, public", ADDRESSES)
def test_which_addresses_are_the_internets(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_a_host_that_answers_at_its_second_address_gets_its_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo

    def two(host: str, *more: object, **named: object) -> list[object]:
        hosts = ("127.0.0.9", "127.0.0.1") if host == "localhost" else (host,)
        return [row for one in hosts for row in real(one, *more, **named)]  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", two)
    heard: list[bytes] = []
    assert asyncio.run(posted(tmp_path, ANSWERS[0][0], "https://localhost:PORT/", heard)) == ""
    assert len(heard) == 1
