"""Clients of a running server's web listeners: HTTP over TLS with the lab's authority, plain HTTP, and bare sockets.

ask(server, "mta-sts.mail.test", "/.well-known/mta-sts.txt").status
raw(server, b"GET / HTTP/1.1 ...", tls=True)
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

from tests.lab.mailserver import MailServer


@dataclass(frozen=True)
class Said:
    status: int
    headers: dict[str, str]
    body: bytes


def connected(server: MailServer, host: str = "mail.mail.test", tls: bool = True, timeout: float = 20) -> socket.socket:
    """A connection whose certificate is for the name that we ask for."""
    sock = socket.create_connection((server.address, server.ports["https" if tls else "web"]), timeout)
    if not tls:
        return sock
    context = ssl.create_default_context(cafile=server.ca)
    context.set_alpn_protocols(["h2", "http/1.1"])
    try:
        return context.wrap_socket(sock, server_hostname=host)
    except OSError:
        sock.close()
        raise


def ask(
    server: MailServer,
    host: str,
    path: str,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    tls: bool = True,
) -> Said:
    client = http.client.HTTPConnection(host)
    client.sock = connected(server, host, tls)
    with closing(client):
        client.request(method, path, body, {"Host": host, **(headers or {})})
        answer = client.getresponse()
        return Said(answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read())


def raw(server: MailServer, octets: bytes, tls: bool = False) -> bytes:
    """All that comes back until the server hangs up."""
    with connected(server, tls=tls) as sock:
        sock.sendall(octets)
        return rest(sock)


def rest(sock: socket.socket) -> bytes:
    said = b""
    try:
        while piece := sock.recv(65536):
            said += piece
    except OSError:
        pass
    return said


def statuses(said: bytes) -> list[int]:
    """Of each answer in it."""
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d\d\d) ", said)]
