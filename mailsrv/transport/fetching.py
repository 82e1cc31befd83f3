"""An MTA-STS policy, fetched: one HTTPS request to mta-sts.DOMAIN, by a client that trusts nobody with more than that.

    addresses from our resolver ──> a public one of them ──> TLS to that name ──> GET ──> 200, text/plain, 64 KiB at most

Standard: RFC 8461 3.3 (certificate by the Web's authorities, no redirects, no HTTP caches, a minute), RFC 9110, RFC 9112.
The name is resolved once and the address pinned; loopback, private and link-local ones are refused, so that no foreign
zone makes us talk to our own network.
Limits: 4 addresses, 16 KiB of head, 64 KiB of body, 60 s in all.
Fails by: a `Fault`, in the words of the TLS report (RFC 8460 4.3.2.2).
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import ssl
from collections.abc import AsyncIterator, Callable
from functools import cache
from pathlib import Path

import h11

from dnsops.base.errors import ForUser
from dnsops.base.printable import printable
from dnsops.records.txt.mtasts import HOST, LARGEST, PATH, Sts
from dnsops.resolve.answer import Answer, Resolver, Security
from mailsrv.transport.found import Fault
from mailsrv.transport.outcome import Trouble

MOST_ADDRESSES, MOST_OF_HEAD, BLOCK = 4, 16384, 16384
DEADLINE = 60.0  # seconds
CONNECT = 10.0  # seconds for one address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address
Allows = Callable[[Ip], bool]


class _Failed(Exception):
    """Inside this room: what ends a fetch."""

    def __init__(self, details: str, trouble: Trouble = Trouble.STS_POLICY_FETCH_ERROR) -> None:
        super().__init__(details)
        self.fault = Fault(trouble, details)


class Fetcher:
    """Fetches policies. allows: which addresses may be talked to."""

    def __init__(
        self,
        resolver: Resolver,
        allows: Allows | None = None,
        tls: ssl.SSLContext | None = None,
        port: int = 443,
        deadline: float = DEADLINE,
    ) -> None:
        self._resolver, self._allows, self._tls = resolver, allows or public, tls
        self._port, self._deadline = port, deadline

    async def fetch(self, domain: str) -> Sts | Fault:
        """The policy of a domain (canonical), as it is at this moment."""
        body = await self.document(domain)
        if isinstance(body, Fault):
            return body
        try:
            return Sts.parse(body)
        except ForUser as error:
            return Fault(Trouble.STS_POLICY_INVALID, printable(f"the policy of {domain}: {error}"))

    async def document(self, domain: str) -> bytes | Fault:
        """What is served as its policy, whatever it says."""
        host = f"{HOST}.{domain}"
        try:
            async with asyncio.timeout(self._deadline):
                return await self._body(host)
        except _Failed as failed:
            return failed.fault
        except TimeoutError:
            return Fault(Trouble.STS_POLICY_FETCH_ERROR, f"{host} took longer than {self._deadline:g} s")

    async def _body(self, host: str) -> bytes:
        failed = _Failed(f"{host} has no address that may be talked to")
        for address in await self._addresses(host):
            try:
                async with self._connected(host, address) as (reader, writer):
                    return await _asked(host, reader, writer)
            except _Failed as error:
                failed = error
        raise failed

    async def _addresses(self, host: str) -> list[str]:
        found: list[Ip] = []
        trouble = ""
        for family in ("AAAA", "A"):
            answer = await self._resolver.ask(host, family)
            trouble = trouble or _trouble(answer)
            found += [ipaddress.ip_address(str(item)) for item in sorted(answer.items, key=str)]
        if not found:
            raise _Failed(
                f"{host} has no address" if not trouble else f"the addresses of {host} are not known: {trouble}"
            )
        return [str(ip) for ip in found if self._allows(ip)][:MOST_ADDRESSES]

    @contextlib.asynccontextmanager
    async def _connected(
        self, host: str, address: str
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """TLS with whom the name means, at this address and no other."""
        try:
            async with asyncio.timeout(CONNECT):
                reader, writer = await asyncio.open_connection(
                    address, self._port, ssl=self._tls or context(), server_hostname=host, limit=BLOCK
                )
        except ssl.SSLCertVerificationError as error:
            raise _Failed(f"the certificate of {host}: {error.verify_message}", Trouble.STS_WEBPKI_INVALID) from None
        except ssl.SSLError as error:
            raise _Failed(f"TLS with {host}: {error.reason or 'no handshake'}", Trouble.STS_WEBPKI_INVALID) from None
        except TimeoutError:
            raise _Failed(f"{host} [{address}] does not answer") from None
        except (OSError, ValueError) as error:
            said = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else type(error).__name__
            raise _Failed(f"{host} [{address}]: {said}") from None
        try:
            yield reader, writer
        except (OSError, EOFError) as error:
            raise _Failed(f"{host} broke off ({type(error).__name__})") from None
        finally:
            writer.transport.abort()


async def _asked(host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """The body that GET brings."""
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_OF_HEAD)
    headers = [("Host", host), ("User-Agent", "mailsrv"), ("Accept", "text/plain"), ("Connection", "close")]
    request = h11.Request(method="GET", target=PATH, headers=headers)
    writer.write((http.send(request) or b"") + (http.send(h11.EndOfMessage()) or b""))
    body = b""
    try:
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                http.receive_data(await reader.read(BLOCK))
            elif isinstance(event, h11.Response):
                _check(host, event)
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > LARGEST:
                    raise _Failed(f"{host} sends more than {LARGEST} bytes")
            elif isinstance(event, h11.EndOfMessage):
                return body
            elif isinstance(event, h11.ConnectionClosed):
                raise _Failed(f"{host} closed the connection")
    except h11.RemoteProtocolError as error:
        raise _Failed(f"{host} does not speak HTTP ({error})") from None


def _check(host: str, response: h11.Response) -> None:
    """RFC 8461 3.3: 200 and nothing else, so no redirect; text/plain, so no page that somebody could upload."""
    if response.status_code != 200:
        raise _Failed(f"{host} answers with status {response.status_code}")
    headers = {bytes(name).lower(): bytes(value) for name, value in response.headers}
    media = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if media != b"text/plain":
        raise _Failed(printable(f"{host} sends {media.decode('latin-1')[:60] or 'no media type'}, not text/plain"))
    if headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
        raise _Failed(f"{host} sends what was not asked for: a compressed policy")


def public(ip: Ip) -> bool:
    """Whether an address is one of the public Internet, those inside IPv6 addresses looked at too."""
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None and not public(inner):
            return False
        if ip.ipv4_mapped is not None:
            return True
    return ip.is_global and not ip.is_multicast


@cache
def context(roots: Path | None = None) -> ssl.SSLContext:
    """A client's, with the authorities that this machine trusts, and those of a PEM file. Raises OSError, ssl.SSLError."""
    made = ssl.create_default_context()
    if roots:
        made.load_verify_locations(roots)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    return made


def _trouble(answer: Answer) -> str:
    if answer.security in (Security.BOGUS, Security.FAILED) or answer.rcode not in ("NOERROR", "NXDOMAIN"):
        return answer.why or answer.rcode or answer.security.value
    return ""
