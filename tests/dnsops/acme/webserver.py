"""A tiny web server that answers from disk as the real one does: port 80 by page, port 443 by certificate."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from dnsops.acme.answers import alpn_pair, http_answer

PLACE = "/.well-known/acme-challenge/"


@contextmanager
def serving(state: Path) -> Iterator[None]:
    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = http_answer(state, self.path.removeprefix(PLACE)) if self.path.startswith(PLACE) else None
            self.send_response(404 if page is None else 200)
            self.end_headers()
            self.wfile.write(page or b"")

        def log_message(self, *_: object) -> None:
            """Silence."""

    class Server(ThreadingHTTPServer):
        address_family, daemon_threads = socket.AF_INET6, True

    with Server(("::", 80), Pages) as pages, socket.create_server(("::", 443), family=socket.AF_INET6) as tls:
        threads = [
            threading.Thread(target=pages.serve_forever, args=(0.05,)),
            threading.Thread(target=_shake_hands, args=(tls, state), daemon=True),
        ]
        for thread in threads:
            thread.start()
        yield
        pages.shutdown()
        tls.shutdown(socket.SHUT_RDWR)


def _shake_hands(listener: socket.socket, state: Path) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        outer = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        outer.set_alpn_protocols(["acme-tls/1"])

        def choose(tls: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
            pair = alpn_pair(state, name or "")
            if pair is None:
                return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            inner = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            inner.set_alpn_protocols(["acme-tls/1"])
            inner.load_cert_chain(pair)
            tls.context = inner
            return None

        outer.sni_callback = choose  # type: ignore[assignment]
        try:
            outer.wrap_socket(connection, server_side=True).close()
        except OSError:
            connection.close()
