"""What Debian's pebble lacks, put in front of it: renewal information, profiles; and an authority that misbehaves on demand.

    with Ari(pki) as front:         # https://192.0.2.14:14001/dir, pebble behind it
        front.window = (start, end)
        front.fault("500", skip=3)

All requests go through to pebble under the client's own Host, by which pebble makes its addresses and checks signatures: so the
orders, challenges and certificates are real ones. Looked at on the way, by the payload that the client signed: `replaces` and
`profile` of new orders. Identifiers of certificates are computed by certbot's library, not by ours.
Standards: RFC 9773, draft-ietf-acme-profiles. Fails by: `Unavailable` when the port is taken.
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from cryptography import x509

from tests.lab import crashes
from tests.lab.network import ACME, Unavailable
from tests.lab.pki import Pki

PORT, BEHIND = 14001, 14000
URL = f"https://{ACME}:{PORT}/dir"
RENEWAL = "/renewal-info"
PROFILES = {"classic": "as ever", "shortlived": "six days"}
PREFIX = "urn:ietf:params:acme:error:"
PEM = "application/pem-certificate-chain"
RUDE = (ConnectionError, ssl.SSLError, TimeoutError, BrokenPipeError)


@dataclass
class Fault:
    """kind: a status ("503"), "lost" (carried out, answer lost), "cut" (half an answer), "closed" (nothing done), "huge"."""

    kind: str
    skip: int = 0
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    problem: dict[str, Any] = field(default_factory=dict)
    path: str = ""  # only requests for it count


class Ari:
    """The front. `tamper` changes a certificate on its way out; `requests` are all paths asked for, in order."""

    url = URL

    def __init__(self, pki: Pki) -> None:
        self.pki = pki
        self.reset()

    def reset(self) -> None:
        self.window: tuple[datetime, datetime] | dict[str, Any] | None = None
        self.retry_after = "21600"
        self.meta: dict[str, Any] = {"profiles": PROFILES, "caaIdentities": ["lab.example"]}
        self.tamper: Callable[[bytes], bytes] = lambda pem: pem
        self.meddle: Callable[[str, dict[str, Any]], dict[str, Any]] = lambda path, body: body
        self.before: Callable[[str, str], None] = lambda method, path: None
        self.orders: list[dict[str, Any]] = []
        self.known: set[str] = set()
        self.replaced: set[str] = set()
        self.requests: list[tuple[str, str]] = []
        self.faults: list[Fault] = []

    def fault(self, kind: str, skip: int = 0, times: int = 1, **more: Any) -> Fault:
        self.faults.append(Fault(kind, skip, times, **more))
        return self.faults[-1]

    def __enter__(self) -> Self:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*map(str, self.pki.api))
        try:
            self._server = _Server((ACME, PORT), _Handler)
        except OSError as error:
            raise Unavailable(f"port {PORT}: {error}") from None
        self._server.front, self._server.tls = self, context
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def next_fault(self, path: str) -> Fault | None:
        for fault in self.faults:
            if not path.startswith(fault.path):
                continue
            if fault.skip:
                fault.skip -= 1
            elif fault.times:
                fault.times -= 1
                return fault
        return None

    # what the authority says of its own

    def refused(self, order: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        """Why a new order is not taken; None when it may go to pebble."""
        self.orders.append(order)
        replaces, profile = order.get("replaces"), order.get("profile")
        if profile is not None and profile not in self.meta.get("profiles", {}):
            return _problem(400, "invalidProfile", f"no profile {profile}")
        if replaces is not None and replaces not in self.known:
            return _problem(404, "malformed", "no such certificate")
        if replaces in self.replaced:
            return _problem(409, "alreadyReplaced", "another order replaces it")
        if replaces is not None:
            self.replaced.add(replaces)
        return None

    def renewal(self, identifier: str) -> tuple[int, dict[str, Any]]:
        if identifier not in self.known:
            return _problem(404, "malformed", "no such certificate")
        if isinstance(self.window, dict):
            return 200, self.window
        start, end = self.window or (datetime(2030, 1, 1, tzinfo=UTC), datetime(2030, 1, 2, tzinfo=UTC))
        window = {"start": start.isoformat(), "end": end.isoformat()}
        return 200, {"suggestedWindow": window, "explanationURL": f"{URL}/why"}

    def issued(self, pem: bytes) -> bytes:
        from acme.client import _renewal_info_path_component

        self.known.add(_renewal_info_path_component(x509.load_pem_x509_certificates(pem)[0]))
        return self.tamper(pem)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        front, body = self.server.front, self.rfile.read(int(self.headers.get("Content-Length") or 0))
        front.before(self.command, self.path)
        front.requests.append((self.command, self.path))
        fault = front.next_fault(self.path)
        if fault and self._misbehaved(fault):
            return
        status, headers, answer = self._answer(front, body)
        if fault and fault.kind == "lost":
            self._close()
        elif fault and fault.kind == "cut":
            self._send(status, headers, answer, cut=True)
        else:
            self._send(status, headers, answer)

    do_POST = do_HEAD = do_GET  # noqa: N815 (http.server's names)

    def _answer(self, front: Ari, body: bytes) -> tuple[int, dict[str, str], bytes]:
        if self.path.startswith(RENEWAL):
            status, found = front.renewal(self.path.removeprefix(f"{RENEWAL}/"))
            return status, {"Content-Type": "application/json", "Retry-After": front.retry_after}, _json(found)
        if self.path == "/order-plz" and (refusal := front.refused(_payload(body))):
            return refusal[0], {"Content-Type": "application/problem+json", **self._nonce()}, _json(refusal[1])
        status, headers, answer = self._through(body)
        if headers.get("Content-Type", "").startswith(PEM):
            answer = front.issued(answer)
        elif headers.get("Content-Type", "").startswith("application/json") and answer:
            found = json.loads(answer)
            if self.path == "/dir":
                found["renewalInfo"] = f"https://{ACME}:{PORT}{RENEWAL}"
                found["meta"] = {**found.get("meta", {}), **front.meta}
            answer = _json(front.meddle(self.path, found))
        return status, headers, answer

    def _through(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        context = ssl.create_default_context(cafile=str(self.server.front.pki.ca))
        behind = http.client.HTTPSConnection(ACME, BEHIND, timeout=20, context=context)
        passed = {name: self.headers[name] for name in ("Host", "Content-Type", "User-Agent") if name in self.headers}
        behind.request(self.command, self.path, body or None, passed)
        answer = behind.getresponse()
        content = answer.read()
        links = ", ".join(answer.headers.get_all("Link") or [])
        headers = {
            name: value
            for name, value in answer.headers.items()
            if name not in ("Content-Length", "Transfer-Encoding", "Date", "Link")
        }
        behind.close()
        return answer.status, headers | ({"Link": links} if links else {}), content

    def _nonce(self) -> dict[str, str]:
        context = ssl.create_default_context(cafile=str(self.server.front.pki.ca))
        behind = http.client.HTTPSConnection(ACME, BEHIND, timeout=20, context=context)
        behind.request("HEAD", "/nonce-plz")
        nonce = behind.getresponse().headers["Replay-Nonce"]
        behind.close()
        return {"Replay-Nonce": nonce}

    def _misbehaved(self, fault: Fault) -> bool:
        """Whether that was all of the answer."""
        match fault.kind:
            case "closed":
                self._close()
            case "huge":
                self._send(200, {"Content-Type": "application/json"}, b'"' + b"x" * (1 << 20) + b'"')
            case "silent":
                time.sleep(1.0)
                self._close()
            case kind if kind.isdigit():
                body = _json(fault.problem) if fault.problem else b"<html>no</html>"
                kind_of = "application/problem+json" if fault.problem else "text/html"
                self._send(int(kind), {"Content-Type": kind_of, **fault.headers}, body)
            case _:
                return False
        return True

    def _send(self, status: int, headers: dict[str, str], body: bytes, cut: bool = False) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self._close()

    def _close(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.close()

    def log_message(self, *_: object) -> None:
        """Silence."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    front: Ari
    tls: ssl.SSLContext

    def get_request(self) -> tuple[Any, Any]:
        connection, peer = super().get_request()
        return self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), peer

    def handle_error(self, request: Any, client_address: Any) -> None:
        crashes.caught("ari", harmless=(*RUDE, ValueError))


def _payload(body: bytes) -> dict[str, Any]:
    text = json.loads(body)["payload"]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return found


def _problem(status: int, kind: str, detail: str) -> tuple[int, dict[str, Any]]:
    return status, {"type": PREFIX + kind, "detail": detail, "status": status}


def _json(found: object) -> bytes:
    return json.dumps(found).encode()
