"""What strangers send to ports 80 and 443: everything ends with an answer or a closed connection, and others are served meanwhile."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.mailserver import DOMAIN, MailServer
from tests.mailsrv.http.asking import ask, connected, raw, rest, statuses

TOOLS = Path(os.environ.get("MAILSRV_TOOLS", "") or Path(__file__).parents[4] / "shared" / "tools") / "attack"
HEAD = f"Host: mail.{DOMAIN}\r\n".encode()
POX = b"POST /autodiscover/autodiscover.xml HTTP/1.1\r\n" + HEAD


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with MailServer(tmp_path_factory.mktemp("serve"), web=True) as running:
        yield running
        assert not running.events("http.bug")


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.skipif(
    not TOOLS.is_dir(), reason=f"the attack scripts are not at {TOOLS}; MAILSRV_TOOLS may name their folder"
)
def test_s_http_the_attack_script(server: MailServer, tls: bool) -> None:
    """S-HTTP-01..39 at both ports; at https also 53..56, of which the names of a policy are another host's."""
    port, groups = (server.ports["https"], "parsing,web") if tls else (server.ports["web"], "parsing")
    command = [sys.executable, str(TOOLS / "http_attack.py"), server.address, str(port), "--vhost", f"mail.{DOMAIN}"]
    done = subprocess.run(
        [*command, "--groups", groups, *(["--tls"] if tls else [])], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


SMUGGLED = b"GET /smuggled HTTP/1.1\r\n" + HEAD + b"\r\n"


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize(
    "request_",
    [
        POX + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        POX + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n" + SMUGGLED,
        POX + b"Transfer-Encoding: xchunked\r\n\r\n" + SMUGGLED,
        POX + b"Content-Length: -1\r\n\r\n" + SMUGGLED,
        POX + b"Content-Length: 0x5\r\n\r\n" + SMUGGLED,
        b"GET / HTTP/1.1\r\n" + HEAD + b"Content-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED,
        b"GET / HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nGET /\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HEAD + HEAD + b"\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET /\0 HTTP/1.1\r\n" + HEAD + b"\r\n",
        b"GET / HTTP/9.9\r\n" + HEAD + b"\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"EHLO x\r\nMAIL FROM:<a@b>\r\n",
        b"\x16\x03\x01\x00\x05hello",
    ],
    ids=range(17),
)
def test_one_answer_at_most_and_none_to_what_is_smuggled(server: MailServer, tls: bool, request_: bytes) -> None:
    with connected(server, tls=tls) as sock:
        sock.sendall(request_)
        sock.settimeout(5)
        said = rest(sock)
    assert len(statuses(said)) <= 1
    assert set(statuses(said)) <= {200, 302, 400, 404, 405, 413, 421, 505}


@pytest.mark.parametrize(
    "request_,status",
    [
        (POX + b"Content-Length: 1000000000000000\r\n\r\nxxx", 413),
        (POX + b"Content-Length: 16385\r\nExpect: 100-continue\r\n\r\n", 413),
        (POX + b"Transfer-Encoding: chunked\r\n\r\n" + b"1000\r\n" + b"a" * 4096 + b"\r\n" * 1, None),
        (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + HEAD + b"".join(b"X%d: a\r\n" % n for n in range(10_000)) + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + HEAD + b"X: " + b"a" * 100_000, 400),
    ],
    ids=["length", "expect", "chunks", "url", "headers", "header"],
)
def test_what_is_too_large_is_refused_at_once(server: MailServer, request_: bytes, status: int | None) -> None:
    with connected(server) as sock:
        before = time.monotonic()
        try:
            sock.sendall(request_)
            for _ in range(10 if status is None else 0):
                sock.sendall(b"1000\r\n" + b"a" * 4096 + b"\r\n")
        except OSError:  # it hung up while we sent
            pass
        said = rest(sock)
        assert time.monotonic() - before < 9
    assert statuses(said) in ([status or 413], [400], [])  # 400 where it did not come in one piece


def test_slow_people_hold_up_nobody_and_are_sent_away(server: MailServer) -> None:
    """A silent one, half a ClientHello, half a head, a dripping body: within a minute all are gone."""
    beginnings = {"https": (b"", b"\x16\x03\x01\x02\x00\x01"), "web": (b"", b"GET / HTTP/1.1\r\nHost:")}
    held = []
    for kind, starts in beginnings.items():
        for start in starts * 10:
            sock = socket.create_connection((server.address, server.ports[kind]), 30)
            sock.sendall(start)
            held.append(sock)
    with connected(server) as dripping:
        dripping.sendall(POX + b"Content-Length: 500\r\n\r\n")
        held.append(dripping)
        assert ask(server, f"mail.{DOMAIN}", "/").status == 200
        assert ask(server, f"mail.{DOMAIN}", "/", tls=False).status == 302
        for sock in held:
            sock.settimeout(60)
            assert rest(sock) == b""
            sock.close()


def test_one_network_does_not_take_everything(tmp_path: Path) -> None:
    """Connections at a time, and requests in a minute; another network is served all the same."""
    with MailServer(tmp_path, web={"trusted_proxies": ["127.0.0.9"]}, limits={"exempt": []}) as server:
        held = [socket.create_connection((server.address, server.ports["web"]), 10) for _ in range(40)]
        try:
            with pytest.raises((OSError, AssertionError)):
                assert raw(server, b"GET / HTTP/1.1\r\n" + HEAD + b"Connection: close\r\n\r\n")
            other = (server.address, server.ports["web"])
            with socket.create_connection(other, 10, ("127.0.0.5", 0)) as elsewhere:
                elsewhere.sendall(b"GET / HTTP/1.1\r\n" + HEAD + b"Connection: close\r\n\r\n")
                assert statuses(rest(elsewhere)) == [302]
        finally:
            for sock in held:
                sock.close()
        assert limited(server, "198.51.100.1")
        assert not limited(server, "203.0.113.1", 5)


def limited(server: MailServer, client: str, most: int = 400) -> bool:
    """Whether a client behind the proxy hears 429 before so many requests."""
    asked = b"GET / HTTP/1.1\r\n" + HEAD + f"X-Forwarded-For: {client}\r\n\r\n".encode()
    for _ in range(-(-most // 20)):
        with socket.create_connection((server.address, server.ports["web"]), 10, ("127.0.0.9", 0)) as sock:
            sock.sendall(asked * min(19, most) + asked.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            found = statuses(rest(sock))
            assert set(found) <= {200, 429}
            if 429 in found:
                return True
    return False


def test_after_so_many_requests_the_connection_ends(server: MailServer) -> None:
    with connected(server, tls=False) as sock:
        sock.sendall((b"GET / HTTP/1.1\r\n" + HEAD + b"\r\n") * 100)
        assert len(statuses(rest(sock))) == 32


def test_it_ends_although_people_are_there(tmp_path: Path) -> None:
    server = MailServer(tmp_path, web=True).start()
    held = [connected(server, tls=tls) for tls in (True, False) for _ in range(5)]
    held.append(socket.create_connection((server.address, server.ports["https"]), 10))
    try:
        assert server.stop() == 0
    finally:
        for sock in held:
            sock.close()
    server.check()
