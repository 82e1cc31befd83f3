"""A TLS report by HTTPS POST, to an address that a stranger's DNS names: so nowhere inside, no redirect, and not for long.

    why = await post("https://reports.example.org/tlsrpt", data, "application/tlsrpt+gzip")      "" when it was taken

The name is looked up here, and the connection goes to the address that was checked: a name that changes its mind meanwhile leads
nowhere else. Port 443 only, no user in the URL, no proxy of the environment, the answer's body is not read.
Standard: RFC 8460 5.4 (POST, any 2xx is success). Certificates are verified, which RFC 8460 5.4 leaves to us.
Limits: `PATIENCE` seconds for each step, `DEADLINE` for all. Fails by: a sentence.
"""

from __future__ import annotations

import asyncio
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import SplitResult, urlsplit

MOST_ADDRESSES = 4  # of one host
PATIENCE = 20.0
DEADLINE = 60.0
PORT = 443
LONGEST = 1024  # characters of a URL
_AGENT = "mailsrv"


def is_public(address: str) -> bool:
    """Whether an address is one of the Internet's: not loopback, not private, not a tunnel to such."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None:
            return inner.is_global
        if ip in ipaddress.ip_network("64:ff9b::/96"):  # RFC 6052: an IPv4 address behind NAT64
            return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF).is_global
    return ip.is_global and not ip.is_multicast


class Posting:
    """How reports are posted. `may`: which addresses may be spoken to."""

    def __init__(
        self, may: Callable[[str], bool] = is_public, context: ssl.SSLContext | None = None, port: int = PORT
    ) -> None:
        self._may, self._context, self._port = may, context, port

    async def post(self, url: str, data: bytes, media: str) -> str:
        return await asyncio.to_thread(self._post, url, data, media)

    def _post(self, url: str, data: bytes, media: str) -> str:
        try:
            parts = _checked(url, self._port)
            with self._connected(parts.hostname or "") as plain:
                status = self._answer(parts, plain, data, media)
        except (OSError, ValueError, http.client.HTTPException) as error:
            return f"{url[:100]}: {_reason(error)}"
        return "" if 200 <= status < 300 else f"{url[:100]}: the answer was {status}"

    def _connected(self, host: str) -> socket.socket:
        """To the first of its addresses that may be spoken to and lets us in."""
        found = dict.fromkeys(str(row[4][0]) for row in socket.getaddrinfo(host, self._port, type=socket.SOCK_STREAM))
        usable = [address for address in found if self._may(address)][:MOST_ADDRESSES]
        if not usable:
            raise ValueError("the host has no public address")
        for address in usable[:-1]:
            with suppress(OSError):
                return socket.create_connection((address, self._port), PATIENCE)
        return socket.create_connection((usable[-1], self._port), PATIENCE)

    def _answer(self, parts: SplitResult, plain: socket.socket, data: bytes, media: str) -> int:
        host = parts.hostname or ""
        connection = http.client.HTTPConnection(host, self._port, timeout=PATIENCE)
        context = self._context or ssl.create_default_context()
        with _ended_after(plain, DEADLINE):
            with context.wrap_socket(plain, server_hostname=host) as encrypted:
                connection.sock = encrypted
                path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                head = {"Content-Type": media, "User-Agent": _AGENT, "Connection": "close"}
                connection.request("POST", path, data, head)
                return connection.getresponse().status


@contextmanager
def _ended_after(connected: socket.socket, seconds: float) -> Iterator[None]:
    """A peer that answers an octet at a time does not hold us for ever: its line is cut from another thread."""
    with connected.dup() as handle:
        ending = threading.Timer(seconds, _cut, (handle,))
        ending.daemon = True
        ending.start()
        try:
            yield
        finally:
            ending.cancel()
            ending.join()


def _cut(handle: socket.socket) -> None:
    with suppress(OSError):
        handle.shutdown(socket.SHUT_RDWR)


def _checked(url: str, port: int) -> SplitResult:
    parts = urlsplit(url)
    if len(url) > LONGEST or not url.isascii() or any(c <= " " for c in url):
        raise ValueError("this is no URL")
    if parts.scheme.lower() != "https" or not parts.hostname or "@" in parts.netloc or parts.port not in (None, port):
        raise ValueError("only https at its own port is posted to")
    return parts


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate cannot be verified ({error.verify_message})"
    if isinstance(error, OSError):
        return error.strerror or str(error) or "no answer"
    return str(error) or type(error).__name__
