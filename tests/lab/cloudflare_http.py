"""HTTP/1.1 for `CloudflareApi`: reads a request, asks the API, writes the answer, or whatever a knob says instead.

Standard: RFC 9110, 9112. A body has at most 1 MiB. Header and body leave in one packet: two would cost 40 ms each time
(delayed acknowledgement).
"""

from __future__ import annotations

import json
import time
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from tests.lab.cloudflare_records import Json, Refusal, identifier
from tests.lab.cloudflare_routes import Request

if TYPE_CHECKING:
    from tests.lab.cloudflare_api import CloudflareApi, Fault

LARGEST_BODY = 1 << 20


class Handler(BaseHTTPRequestHandler):
    """One connection. `self.server.api` is the service."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "cloudflare", ""
    wbufsize = -1
    disable_nagle_algorithm = True
    timeout = 30

    def serve(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        if size > LARGEST_BODY:
            self.close_connection = True
            return self._reply(413, Refusal(413, 10000, "Request body is too large.").body)
        raw = self.rfile.read(size)
        parts = urlsplit(self.path)
        if parts.path.startswith("/_lab/"):
            return self._turn(parts.path.removeprefix("/_lab/"), json.loads(raw or b"{}"))
        return self._api(parts.path, dict(parse_qsl(parts.query)), raw)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve  # noqa: N815

    def log_message(self, *_: object) -> None:
        """The service keeps its own log."""

    @property
    def api(self) -> CloudflareApi:
        return self.server.api  # type: ignore[attr-defined, no-any-return]

    def _api(self, path: str, query: dict[str, str], raw: bytes) -> None:
        headers: dict[str, str] = {}
        try:
            request = self._request(path, query, raw)
            grant, headers = self.api.admit(request, self.headers.get("Authorization"), self.headers.get("X-Auth-Key"))
            if fault := self.api.next_fault(request):
                return self._fault(fault)
            result, info = self.api.answer(grant, request)
            if self.api.loses_answer(request):
                self.close_connection = True
                return None
            body: Json = {"result": result, "success": True, "errors": [], "messages": []}
            return self._reply(200, body | ({"result_info": info} if info else {}), headers)
        except Refusal as refusal:
            return self._reply(refusal.status, refusal.body, headers | refusal.headers)

    def _request(self, path: str, query: dict[str, str], raw: bytes) -> Request:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            raise Refusal(400, 9207, "Request body is invalid.") from None
        request = Request(self.command, path, query, body, token, self.headers.get("User-Agent", ""))
        self.api.log.append(request)
        return request

    def _fault(self, fault: Fault) -> None:
        if fault.hang:
            time.sleep(fault.hang)
            self.close_connection = True
            return None
        if fault.body:
            return self._send(fault.status, fault.body.encode(), {"Content-Type": "text/html"} | fault.headers)
        return self._reply(fault.status, Refusal(fault.status, fault.code, fault.message).body, fault.headers)

    def _turn(self, knob: str, body: Any) -> None:
        """POST /_lab/KNOB with the arguments of the method of that name as a JSON object (for fail: a list)."""
        turns = {"reset", "fail", "rate", "drop", "ttl"}
        if knob == "log":
            lines = [[line.method, line.path, line.query, line.body, line.agent] for line in list(self.api.log)]
            return self._reply(200, {"log": lines})
        if knob not in turns:
            return self._reply(404, {"error": f"no such knob: {knob}"})
        turn = getattr(self.api, knob)
        turn(body) if isinstance(body, list) else turn(**body)
        return self._reply(200, {"ok": True})

    def _reply(self, status: int, body: Json, headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(body).encode(), {"Content-Type": "application/json"} | (headers or {}))

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        ray = identifier(f"{self.client_address}{time.monotonic_ns()}")[:16]
        for name, value in (headers | {"CF-Ray": f"{ray}-LAB", "Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
