"""The management listener: /health for people and programs, /live, /ready, and /metrics for Prometheus.

    management = Management(measures, look, log, names); await management.open(sock); ...; await management.close()

Only for those who ask for a name of this machine (a web page must not read it by DNS rebinding); it changes nothing and
names nobody. Standards: RFC 9110. Limits: of uvicorn and h11 for heads (64 KiB), 100 connections, 5 s kept alive.
Fails by: 421 for a foreign Host, 405, 404; 503 when something is not well.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Collection
from contextlib import contextmanager
from html import escape
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from dnsops.base.log import Log
from mailsrv.http.health import Facts, Finding, findings
from mailsrv.http.measures import Gauge, Measures
from mailsrv.http.speaking import speaking
from mailsrv.http.told import Told

CONNECTIONS = 100
KEPT_ALIVE = 5  # seconds
HEAD = 65536  # octets
ALWAYS = ("localhost", "127.0.0.1", "::1")
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
REFUSED = HEADERS | {"Connection": "close"}  # nothing that came behind it on the connection is read as a request
STYLE = (
    "body{font:16px/1.5 system-ui;margin:2em;max-width:60em}td{padding:.2em 1em .2em 0}.no{color:#b00;font-weight:bold}"
)

Look = Callable[[], Awaitable[Facts]]


class _Server(uvicorn.Server):
    """Signals are the whole server's, not this listener's."""

    @contextmanager
    def capture_signals(self) -> Any:
        yield


class Management:
    """`look`: measures this moment. `names`: what the Host of a request may be, besides loopback."""

    def __init__(self, measures: Measures, look: Look, log: Log, names: Collection[str] = ()) -> None:
        self._measures, self._look, self._told = measures, look, Told(log)
        self._names = {name.lower() for name in (*ALWAYS, *names)}
        routes = [
            Route("/", self._health),
            Route("/health", self._health),
            Route("/live", self._live),
            Route("/ready", self._ready),
            Route("/metrics", self._metrics),
        ]
        self.application = Starlette(routes=routes)
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self, *sockets: socket.socket) -> None:
        more = {"limit_concurrency": CONNECTIONS, "timeout_graceful_shutdown": 2}
        config = speaking(self._guarded, HEAD, KEPT_ALIVE, **more)
        for sock in sockets:
            sock.listen(CONNECTIONS)
        self._told.begin()
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=list(sockets)))
        while not self._server.started and not self._task.done():
            await asyncio.sleep(0.005)
        if self._task.done():
            await self._task

    async def close(self) -> None:
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task
            self._told.end()

    async def _guarded(self, scope: Any, receive: Any, send: Any) -> None:
        """Only names of this machine, and nothing that could change anything."""
        if scope["type"] != "http":
            return
        refused = self._refused(Request(scope))
        await (refused or self.application)(scope, receive, send)

    def _refused(self, request: Request) -> Response | None:
        hosts = request.headers.getlist("host")
        if len(hosts) != 1 or _name(hosts[0]) not in self._names:
            return PlainTextResponse("not a name of this server\n", 421, headers=REFUSED)
        if request.method not in ("GET", "HEAD"):
            return PlainTextResponse("only GET and HEAD\n", 405, headers=REFUSED | {"Allow": "GET, HEAD"})
        return None

    # what is told

    async def _live(self, request: Request) -> Response:
        return PlainTextResponse("alive\n", headers=HEADERS)

    async def _ready(self, request: Request) -> Response:
        going = (await self._look()).draining
        return PlainTextResponse("going down\n" if going else "ready\n", 503 if going else 200, headers=HEADERS)

    async def _health(self, request: Request) -> Response:
        told = findings(await self._look())
        status = 200 if all(finding.well for finding in told) else 503
        if "json" in request.headers.get("accept", ""):
            document = [{"what": f.what, "well": f.well, "text": f.text} for f in told]
            return JSONResponse({"well": status == 200, "findings": document}, status, headers=HEADERS)
        return Response(page(told), status, HEADERS, "text/html; charset=utf-8")

    async def _metrics(self, request: Request) -> Response:
        text = self._measures.text(gauges(await self._look()))
        return Response(text, 200, HEADERS, "text/plain; version=0.0.4; charset=utf-8")


def gauges(facts: Facts) -> list[Gauge]:
    """The facts as figures; what could not be measured is left out."""
    told = [
        Gauge("mailsrv_draining", "Whether it is going down.", float(facts.draining)),
        Gauge("mailsrv_event_loop_lag_seconds", "How late the event loop was at most since the last look.", facts.lag),
    ]
    told += [
        Gauge("mailsrv_sessions", "Open sessions.", count, (("protocol", kind),))
        for kind, count in sorted(facts.sessions.items())
    ]
    if facts.store_seconds is not None:
        told.append(Gauge("mailsrv_store_answer_seconds", "How long the writer took to answer.", facts.store_seconds))
    if facts.waiting is not None:
        age = (facts.now - facts.oldest).total_seconds() if facts.oldest else 0.0
        told.append(Gauge("mailsrv_queue_recipients", "Recipients that wait in the queue.", facts.waiting))
        told.append(Gauge("mailsrv_queue_oldest_seconds", "How long the oldest of them has waited.", age))
    if facts.free is not None:
        told.append(Gauge("mailsrv_disk_free_bytes", "Space left where the state is.", facts.free))
    if facts.not_after is not None:
        ends = facts.not_after.timestamp()
        told.append(Gauge("mailsrv_certificate_not_after_seconds", "When the certificate ends, in Unix time.", ends))
    return told


def page(told: list[Finding]) -> str:
    """For people."""
    rows = "".join(
        f'<tr><td class="{"yes" if f.well else "no"}">{"well" if f.well else "NOT WELL"}</td>'
        f"<td>{escape(f.what)}</td><td>{escape(f.text)}</td></tr>"
        for f in told
    )
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>mailsrv</title><style>{STYLE}</style><h1>mailsrv</h1><table>{rows}</table></html>'


def _name(host: str) -> str:
    """The host of a Host header, without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()
