"""The web listeners: https with our certificate, and plain http for validations, for proxies of ours, and as the way to https.

    web = Web(Site.of(settings, documents), means, keys, log, rules); web.open(sock, tls=True); web.use(site, rules); await web.close(5)

                    by TLS, or by a proxy that we trust                        plain
    any name        -                                                          /.well-known/acme-challenge/TOKEN (RFC 8555 8.3)
    names of ours   what `site` has there                                      302 to https
    others          421                                                        421

Standards: RFC 9110 (Date, 405, 413, 414, 421, 505), RFC 6585 (429, 431), RFC 6797 (HSTS, once the certificate is somebody's).
Limits: those of `doorstep` for connections; BODY bytes; PER_MINUTE requests of a network, by the client's own address when a
trusted proxy tells it. Fails by: an answer with a status; what was not read of a request closes its connection.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from email.utils import formatdate
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from dnsops.acme.answers import alpn_pair, http_answer
from dnsops.base.log import Log
from dnsops.base.secrets import Secret
from mailsrv.http.behind import Client, Network, whose
from mailsrv.http.doorstep import HEAD, Entrance
from mailsrv.http.sealing import sealed
from mailsrv.http.site import PRIVATE, TEXT, Answer, Asked, Site, misdirected, wrong_method
from mailsrv.http.told import Told
from mailsrv.smtp.limits import Gate, Limits

BODY = 16 << 10  # bytes of a request's body
TARGET = 4096  # of its path and query
QUERY, FIELDS = 2048, 8  # bytes of a query, fields in it
CONNECTIONS, PER_NETWORK, NEW_PER_MINUTE = 500, 40, 240
PER_MINUTE = 300  # requests of one network
CHALLENGE = "/.well-known/acme-challenge/"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
PARTING = (405, 413, 414, 421, 429, 431, 505)  # answers after which a connection ends
HSTS = "max-age=31536000"


class Keys(Protocol):
    """What the server shows at this moment."""

    @property
    def context(self) -> ssl.SSLContext: ...

    @property
    def pem(self) -> Secret:
        """Key and chain."""
        ...

    @property
    def signed(self) -> bool:
        """By somebody else."""
        ...


@dataclass(frozen=True, slots=True)
class Rules:
    """trusted: proxies in front.  exempt: networks that the limits do not hold for.  port: of https, as people must write it."""

    trusted: tuple[Network, ...] = ()
    exempt: tuple[Network, ...] = ()
    port: int = 443


class Web:
    """keys: of this moment.  state: the directory where answers for an authority lie."""

    def __init__(self, site: Site, rules: Rules, keys: Callable[[], Keys], state: Path, log: Log) -> None:
        self._site, self._rules, self._keys, self._state, self._log = site, rules, keys, state, log
        self._requests = Gate(Limits())
        self._told = Told(log)
        self._entrance = Entrance(
            self.application, Gate(Limits()), lambda: keys().context, lambda name: alpn_pair(state, name), log
        )
        self.use(site, rules)
        self._told.begin()

    def use(self, site: Site, rules: Rules) -> None:
        """What another configuration says, from the next request on."""
        self._site, self._rules = site, rules
        limits = Limits(connections=CONNECTIONS, per_network=PER_NETWORK, new_per_minute=NEW_PER_MINUTE)
        self._entrance.gate.limits = replace(limits, exempt=rules.exempt + rules.trusted)
        self._requests.limits = replace(limits, new_per_minute=PER_MINUTE, exempt=rules.exempt)

    def open(self, sock: socket.socket, tls: bool) -> None:
        """Fails by: OSError, when the port is taken after all."""
        self._entrance.open(sock, tls)

    async def close(self, grace: float) -> None:
        await self._entrance.close(grace)
        self._told.end()

    @property
    def sessions(self) -> int:
        return self._entrance.inside

    async def application(self, scope: Any, receive: Any, send: Any) -> None:
        """ASGI."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            response = await self._response(request)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _response(self, request: Request) -> Response:
        peer = request.client.host if request.client else ""
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.scope["headers"]]
        client = whose(peer, headers, self._rules.trusted)
        secure = request.url.scheme == "https"
        answer = await self._limited(request, client, secure)
        if answer.what:
            self._log("web.answered", what=answer.what, status=answer.status, peer=client.address)
        return self._written(request, answer, secure)

    async def _limited(self, request: Request, client: Client, secure: bool) -> Answer:
        if self._requests.enter(client.address, time.monotonic()) is not None:
            return _refused(429, "too many requests", ("Retry-After", "60"))
        try:
            return await self._answer(request, client, secure)
        finally:
            self._requests.leave(client.address)

    async def _answer(self, request: Request, client: Client, secure: bool) -> Answer:
        path = request.scope["path"]
        if odd := _odd(request):
            return odd
        if not secure and path.startswith(CHALLENGE):
            return self._challenge(request.method, path.removeprefix(CHALLENGE))
        host = _host(client.host or request.headers.get("host", ""))
        if not secure and not (client.trusted and client.secure):
            return self._to_https(request, host)
        body = await _body(request)
        if body is None:
            return _refused(413, "too large")
        fields = _fields(request.scope["query_string"])
        return self._sealed(self._site.answer(Asked(request.method, host, path, fields, body)))

    def _challenge(self, method: str, token: str) -> Answer:
        """For any name: who redirects here may have others than we know."""
        body = http_answer(self._state, token) if method in ("GET", "HEAD") else None
        if body is None:
            return _refused(404, "there is no such challenge")
        return Answer(200, body, "application/octet-stream", (("Cache-Control", PRIVATE),), "challenge")

    def _to_https(self, request: Request, host: str) -> Answer:
        """302, because that is the one redirect that Outlook follows; only to names of ours, so it leads nowhere else."""
        if host not in self._site.names:
            return misdirected()
        if request.method not in ("GET", "HEAD"):
            return wrong_method("GET/HEAD")  # what was posted in plain is not asked for a second time
        port = "" if self._rules.port == 443 else f":{self._rules.port}"
        path = quote(request.scope["raw_path"].decode("latin-1"), safe="/%:@!$&'()*+,;=~-._")
        query = request.scope["query_string"].decode("latin-1")
        where = f"https://{host}{port}{path if path.startswith('/') else '/'}" + (f"?{query}" if query else "")
        return Answer(302, b"", TEXT, (("Location", where), ("Cache-Control", PRIVATE)))

    def _sealed(self, answer: Answer) -> Answer:
        """A profile is signed by who is known; one that we made up ourselves would only alarm."""
        keys = self._keys()
        signed = sealed(answer.body, keys.pem) if answer.seal and keys.signed else None
        return answer if signed is None else replace(answer, body=signed)

    def _written(self, request: Request, answer: Answer, secure: bool) -> Response:
        headers = {"Date": formatdate(time.time(), usegmt=True), **HEADERS, **dict(answer.headers)}
        if secure and self._keys().signed:
            headers["Strict-Transport-Security"] = HSTS
        unread = _brings_a_body(request) and (request.method != "POST" or answer.status != 200)
        if unread or answer.status in PARTING:
            headers["Connection"] = "close"  # nothing that came behind it is read as a request
        return Response(answer.body, answer.status, headers, answer.type)


def _odd(request: Request) -> Answer | None:
    """What comes in one piece is not counted while it is read."""
    if request.scope["http_version"] not in ("1.0", "1.1"):
        return _refused(505, "only HTTP/1.1")
    if len(request.scope["raw_path"]) + len(request.scope["query_string"]) > TARGET:
        return _refused(414, "too long")
    if sum(len(name) + len(value) for name, value in request.scope["headers"]) > HEAD:
        return _refused(431, "too large")
    return None


def _refused(status: int, why: str, *headers: tuple[str, str]) -> Answer:
    return Answer(status, f"{why}\n".encode(), headers=(("Cache-Control", PRIVATE), *headers))


async def _body(request: Request) -> bytes | None:
    """What a POST brings; None when it is more than anybody needs. Other methods bring nothing that is read."""
    if request.method != "POST":
        return b""
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or len(length) > 9 or int(length) > BODY:
        return None
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > BODY:
            return None
    return bytes(body)


def _fields(query: bytes) -> dict[str, str]:
    """The first of each name; none of a query that is longer than any of ours."""
    try:
        found = parse_qsl(query.decode("ascii"), max_num_fields=FIELDS) if len(query) <= QUERY else []
    except ValueError:  # of which UnicodeDecodeError is one
        return {}
    return {name.lower(): value for name, value in reversed(found)}


def _brings_a_body(request: Request) -> bool:
    return "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0"


def _host(header: str) -> str:
    """The host of a Host header, without its port, in lower case."""
    return header.rstrip(".").partition(":")[0].rstrip(".").lower() if not header.startswith("[") else ""
