"""Caddy from Debian in front, as in the article: it has the certificate and port 443, we the pages, in plain on loopback."""

from __future__ import annotations

import shutil
import socket
import ssl
from collections.abc import Iterator

import pytest

from tests.lab.mailserver import DOMAIN, HOST, MailServer, free_ports, web_names
from tests.lab.network import Unavailable
from tests.lab.program import Program, listening, wait_until
from tests.mailsrv.http.asking import rest, statuses
from tests.mailsrv.http.house import outlook

CADDYFILE = """{{
  admin off
  auto_https off
  storage file_system {folder}/storage
}}
https://:{https} {{
  tls {chain} {key}
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:{web}
}}
http://:{plain} {{
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:{web}
}}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    """https of our own is off, because the port is Caddy's."""
    made = MailServer(tmp_path_factory.mktemp("serve"), web={"trusted_proxies": ["127.0.0.1"]})
    made.settings["listeners"]["https"] = {"enabled": False}
    made.write()
    with made as running:
        yield running


@pytest.fixture(scope="module")
def caddy(server: MailServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """Its ports, https and http."""
    if not shutil.which("caddy"):
        pytest.skip("no caddy: apt-get install caddy")
    folder = tmp_path_factory.mktemp("caddy")
    chain, key = server.pki.issue([HOST, *web_names([DOMAIN])]).write(folder, "web")
    https, plain = free_ports(2)
    file = folder / "Caddyfile"
    file.write_text(
        CADDYFILE.format(folder=folder, https=https, plain=plain, chain=chain, key=key, web=server.ports["web"])
    )
    env = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    program = Program("caddy", ["caddy", "run", "--config", str(file), "--adapter", "caddyfile"], folder / "log", env)
    try:
        program.start(lambda: listening("127.0.0.1", https))
    except Unavailable as error:
        pytest.fail(str(error))
    yield https, plain
    program.stop()


def through(server: MailServer, port: int, host: str, request: bytes, tls: bool = True) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 20) as plain:
        if not tls:
            plain.sendall(request)
            return rest(plain)
        context = ssl.create_default_context(cafile=server.ca)
        with context.wrap_socket(plain, server_hostname=host) as sock:
            sock.sendall(request)
            return rest(sock)


def get(host: str, path: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: close", *headers, "", ""]).encode()


@pytest.mark.parametrize(
    "host,path,what",
    [
        (f"mta-sts.{DOMAIN}", "/.well-known/mta-sts.txt", b"version: STSv1"),
        (f"autoconfig.{DOMAIN}", f"/mail/config-v1.1.xml?emailaddress=a@{DOMAIN}", b"<clientConfig"),
        (f"ua-auto-config.{DOMAIN}", "/.well-known/user-agent-configuration.json", b"{"),
        (f"mail.{DOMAIN}", f"/profile.mobileconfig?email=a@{DOMAIN}", b"com.apple.mail.managed"),
    ],
)
def test_the_pages_come_through(server: MailServer, caddy: tuple[int, int], host: str, path: str, what: bytes) -> None:
    said = through(server, caddy[0], host, get(host, path))
    assert statuses(said) == [200]
    assert what in said


def test_outlook_posts_through_it(server: MailServer, caddy: tuple[int, int]) -> None:
    host, body = f"autodiscover.{DOMAIN}", outlook(f"alice@{DOMAIN}")
    head = f"POST /autodiscover/autodiscover.xml HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n"
    said = through(server, caddy[0], host, head.encode() + b"Connection: close\r\n\r\n" + body)
    assert f"<LoginName>alice@{DOMAIN}</LoginName>".encode() in said


def test_plain_http_at_the_proxy_leads_to_https(server: MailServer, caddy: tuple[int, int]) -> None:
    host = f"mail.{DOMAIN}"
    said = through(server, caddy[1], host, get(host, "/"), tls=False)
    assert statuses(said) == [302]
    assert f"https://{host}/".encode() in said


def test_a_client_cannot_say_through_it_who_it_is(server: MailServer, caddy: tuple[int, int]) -> None:
    """Caddy writes the headers itself; what the client says of them goes no further."""
    host = f"mta-sts.{DOMAIN}"
    lies = ("X-Forwarded-For: 198.51.100.66", "X-Forwarded-Proto: http", "X-Forwarded-Host: evil.example")
    assert statuses(through(server, caddy[0], host, get(host, "/.well-known/mta-sts.txt", *lies))) == [200]
    wait_until(lambda: len(server.events("web.answered")) > 0, "the log")
    assert {one["peer"] for one in server.events("web.answered")} == {"127.0.0.1"}


def test_a_request_of_two_meanings_is_one(server: MailServer, caddy: tuple[int, int]) -> None:
    """Smuggling through a proxy needs two readings of one request."""
    host = f"mail.{DOMAIN}"
    smuggled = get(host, "/.well-known/mta-sts.txt")
    head = f"POST /autodiscover/autodiscover.xml HTTP/1.1\r\nHost: {host}\r\n".encode()
    for lies in (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"Content-Length: 0\r\nContent-Length: 9\r\n"):
        said = through(server, caddy[0], host, head + lies + b"\r\n0\r\n\r\n" + smuggled)
        assert b"STSv1" not in said
