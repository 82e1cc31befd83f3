"""Cloudflare's API v4 for DNS, as far as it is documented: zones, records, batch, token verification.

    with CloudflareApi(zones=["example.org"]) as api:      # http, 127.0.0.1, a free port, zones in memory
        os.environ["CLOUDFLARE_BASE_URL"], os.environ["CLOUDFLARE_API_TOKEN"] = api.url, api.token

With a `backend` every accepted change goes into real name servers as one transaction; with a certificate it is HTTPS.
Knobs, as methods and as POST /_lab/NAME: reset fail rate drop ttl log. Requests run one after another.
Fails by: an exception in here that is no answer of the API lands in `crashes` and fails the test session.
"""

from __future__ import annotations

import re
import secrets
import ssl
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from tests.lab import crashes
from tests.lab.cloudflare_http import Handler
from tests.lab.cloudflare_records import Entry, Refusal
from tests.lab.cloudflare_routes import Answer, Grant, Request, answer
from tests.lab.cloudflare_store import Backend, Store

RUDE = (ConnectionError, TimeoutError, ssl.SSLError)  # what a client that goes away causes


@dataclass
class Fault:
    """An answer to give instead, once, to a request that it fits; `skip` lets as many of those pass before."""

    status: int = 500
    code: int = 10000
    message: str = "lab: an injected fault"
    headers: dict[str, str] = field(default_factory=dict)
    method: str = ""
    path: str = ""  # a regular expression, searched
    body: str = ""  # sent as it is, as an edge's HTML error page would be
    hang: float = 0  # seconds of silence, then the connection is closed; the request is not carried out
    skip: int = 0

    def fits(self, request: Request) -> bool:
        return self.method in ("", request.method) and re.search(self.path, request.path) is not None


@dataclass
class Drop:
    """Changes to carry out without an answer: the connection is closed after the commit."""

    times: int = 0
    skip: int = 0
    method: str = ""


class CloudflareApi:
    """The service. Start and stop it, or use it as a context manager; the knobs steer it."""

    def __init__(
        self,
        zones: Iterable[str] = ("example.org",),
        backend: Backend | None = None,
        address: str = "127.0.0.1",
        port: int = 0,
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        self.store = Store(zones, backend)
        self.grants: dict[str, Grant] = {}
        self.token = self.grant(self.zones)
        self.read_only_token = self.grant(self.zones, write=False)
        self.log: deque[Request] = deque(maxlen=2000)
        self._where, self._certificate = (address, port), certificate
        self._lock = threading.RLock()
        self._steady()

    # life

    def start(self) -> Self:
        self._server = _Server(self._where, Handler)
        self._server.api = self
        if self._certificate:
            self._server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._server.tls.load_cert_chain(*self._certificate)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="cloudflare", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The base URL for clients, of the form that CLOUDFLARE_BASE_URL wants."""
        if self._certificate:
            return "https://api.cloudflare.com/client/v4"
        return f"http://{self._where[0]}:{self._server.server_port}/client/v4"

    @property
    def zones(self) -> list[str]:
        return list(self.store.names.values())

    # knobs

    def grant(self, zones: Iterable[str], write: bool = True, status: str = "active", expires: str = "") -> str:
        """A new token for these zones. expires: what it says of itself, as the API writes times."""
        token = "lab" + secrets.token_hex(20)
        self.grants[token] = Grant(frozenset(zones), write, status, expires)
        return token

    def reset(self) -> None:
        """As after the start: records as the backend has them, no faults, the documented quota."""
        with self._lock:
            self._steady()
            self.store.divide_ttl(1)
            self.store.load()
            self.log.clear()

    def fail(self, faults: Iterable[Mapping[str, Any]]) -> None:
        """Answer the next fitting requests with these, in order: see `Fault` for the fields."""
        self.faults.extend(Fault(**fault) for fault in faults)

    def rate(self, quota: int = 1200, window: float = 300) -> None:
        """Requests per token and window of seconds; afterwards 429 with Retry-After."""
        self.quota, self.window = quota, window
        self._calls: dict[str, deque[float]] = {}

    def drop(self, times: int = 1, skip: int = 0, method: str = "") -> None:
        """Carry out the next changes and lose the answers."""
        self.dropping = Drop(times, skip, method)

    def ttl(self, divide: int) -> None:
        """Name servers hand out one N-th of each TTL, so that waiting for it fits into a test. The API shows it all."""
        with self._lock:
            self.store.divide_ttl(divide)

    def edit(self, zone: str, type: str, name: str, **fields: Any) -> Entry:  # noqa: A002 (the API's word)
        """Somebody adds a record by hand, in the dashboard."""
        with self._lock:
            return self.store.change(zone, lambda draft: draft.add({"type": type, "name": name, **fields}))

    def erase(self, zone: str, record: str) -> Entry:
        """Somebody deletes a record, given by its identifier, by hand."""
        with self._lock:
            return self.store.change(zone, lambda draft: draft.remove(record))

    def records(self, zone: str, type: str = "", name: str = "") -> list[Entry]:  # noqa: A002
        """What the API holds, past all quotas."""
        held = self.store.entries[zone].values()
        return [one for one in held if type in ("", one.type) and name in ("", one.name)]

    def _steady(self) -> None:
        self.faults: list[Fault] = []
        self.drop(0)
        self.rate()

    # what the HTTP side asks

    def admit(self, request: Request, authorization: str | None, key: str | None) -> tuple[Grant, dict[str, str]]:
        """Who asks, what they may do, and the rate limit's headers."""
        token = self._token(request, authorization, key)
        with self._lock:
            return self.grants[token], self._count(token)

    def answer(self, grant: Grant, request: Request) -> Answer:
        with self._lock:
            return answer(self.store, grant, request)

    def next_fault(self, request: Request) -> Fault | None:
        with self._lock:
            fault = next((fault for fault in self.faults if fault.fits(request)), None)
            if fault is None:
                return None
            if fault.skip:
                fault.skip -= 1
                return None
            self.faults.remove(fault)
            return fault

    def loses_answer(self, request: Request) -> bool:
        drop = self.dropping
        if request.method == "GET" or drop.method not in ("", request.method) or not drop.times:
            return False
        if drop.skip:
            drop.skip -= 1
            return False
        drop.times -= 1
        return True

    def _token(self, request: Request, authorization: str | None, key: str | None) -> str:
        if authorization is None:
            if key:
                raise Refusal(403, 9103, "Unknown X-Auth-Key or X-Auth-Email")
            raise Refusal(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")
        if not re.fullmatch(r"Bearer [A-Za-z0-9_-]{40,}", authorization):
            chain = [{"code": 6111, "message": "Invalid format for Authorization header"}]
            raise Refusal(400, 6003, "Invalid request headers", chain)
        if request.token in self.grants:
            return request.token
        if request.path.endswith("/tokens/verify"):
            raise Refusal(401, 1000, "Invalid API Token")
        raise Refusal(403, 9109, "Invalid access token")

    def _count(self, token: str) -> dict[str, str]:
        """One more request of this token: the rate limit's headers, or 429."""
        calls, now = self._calls.setdefault(token, deque()), time.monotonic()
        while calls and calls[0] <= now - self.window:
            calls.popleft()
        policy = {"Ratelimit-Policy": f'"default";q={self.quota};w={self.window:g}'}
        if len(calls) >= self.quota:
            after = max(1, round((calls[0] if calls else now) + self.window - now + 0.5))
            headers = policy | {"Retry-After": str(after), "Ratelimit": f'"default";r=0;t={after}'}
            message = "Rate limited. Please wait and consider throttling your request speed"
            raise Refusal(429, 10429, message, headers=headers)
        calls.append(now)
        return policy | {"Ratelimit": f'"default";r={self.quota - len(calls)};t={self.window:g}'}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    api: CloudflareApi
    tls: ssl.SSLContext | None = None

    def get_request(self) -> tuple[Any, Any]:
        """The handshake is left to the connection's own thread, so that a silent client stops nobody."""
        connection, peer = super().get_request()
        if self.tls:
            connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, peer

    def handle_error(self, request: Any, client_address: Any) -> None:
        crashes.caught("cloudflare_api", harmless=RUDE)


def many_zones(count: int = 60) -> list[str]:
    """Zones for several pages; two differ only at a label's border, and neither is on the first page."""
    return ["example.org", "notexample.org", *(f"a{number:02d}.example.net" for number in range(count - 2))]
