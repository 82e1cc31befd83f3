"""Routing data for the lab's addresses: a whois server that answers as RIPE's RISwhois does, and a relying party as Routinator.

    with Routes() as routes:
        mailsrv("check", "mail", "example.org", "--whois", routes.whois, "--routinator", routes.validity)

Every address is announced by one network, with a valid authorisation. Standards: RFC 3912, RFC 6811; limits: a query of 200 octets.
Fails by: `OSError` when its ports cannot be had.
"""

from __future__ import annotations

import http.server
import ipaddress
import json
import socketserver
import threading
from typing import Any, Self

ASN = "AS64496"  # RFC 5398: for documentation
LENGTHS = {4: 24, 6: 48}


def announced(address: str) -> str:
    """RPSL of the route that covers an address."""
    network = ipaddress.ip_network(f"{address}/{LENGTHS[ipaddress.ip_address(address).version]}", strict=False)
    kind = "route" if network.version == 4 else "route6"
    return f"% lab\n\n{kind}: {network}\norigin: {ASN}\nnum-rispeers: 300\nsource: RISWHOIS\n\n"


def judged(asn: str, prefix: str) -> dict[str, Any]:
    """That a route is valid; as AS0 it is asked which authorisations there are."""
    vrp = {"asn": ASN, "prefix": prefix, "max_length": str(LENGTHS[ipaddress.ip_network(prefix).version])}
    ours = asn not in ("0", "AS0")
    vrps = {"matched": [vrp] if ours else [], "unmatched_as": [] if ours else [vrp], "unmatched_length": []}
    validity = {"state": "valid", "VRPs": vrps} if ours else {"state": "invalid", "reason": "as", "VRPs": vrps}
    return {"validated_route": {"route": {"origin_asn": asn, "prefix": prefix}, "validity": validity}}


class _Whois(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        asked = self.rfile.readline(200).decode("ascii").split()
        if asked:
            self.wfile.write(announced(asked[-1]).encode("ascii"))


class _Validity(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """/api/v1/validity/ASN/PREFIX"""
        asn, _, prefix = self.path.removeprefix("/api/v1/validity/").partition("/")
        body = json.dumps(judged(asn, prefix)).encode("ascii")
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


class Routes:
    """Both, on ports of their own."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        self._servers = (
            socketserver.ThreadingTCPServer((address, 0), _Whois),
            http.server.ThreadingHTTPServer((address, 0), _Validity),
        )
        ports = [server.server_address[1] for server in self._servers]
        self.whois = f"{address}:{ports[0]}"
        self.validity = f"http://{address}:{ports[1]}/api/v1/validity"

    @property
    def options(self) -> list[str]:
        """Of `mailsrv check`."""
        return ["--whois", self.whois, "--routinator", self.validity]

    def __enter__(self) -> Self:
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()
