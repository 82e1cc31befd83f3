"""One HTTP exchange with an ACME server: bounded in octets and seconds, over verified TLS, never redirected.

Standards: RFC 8555 6.1 (HTTPS, User-Agent). Fails by: `Lost` when there was no whole answer (a try may follow), `ForUser` when the
server's certificate is not trusted or it sends us elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dnsops.acme import words
from dnsops.base.errors import ForUser

if TYPE_CHECKING:
    import requests

CONNECT, SILENCE, WHOLE = 10.0, 30.0, 60.0  # seconds: to connect, between two pieces of an answer, for all of it
PIECE = 16384
AGENT = "mailsrv"
JOSE = "application/jose+json"


class Lost(Exception):
    """No answer, or half of one; whether the request was carried out nobody knows."""


@dataclass(frozen=True, slots=True)
class Reply:
    """headers: names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def wait(self) -> float | None:
        """Seconds that Retry-After asks for."""
        given = self.headers.get("retry-after")
        return words.retry_after(given, datetime.now(UTC)) if given else None


class Exchange:
    """Connections to one authority. roots: PEM file that its TLS is verified by; None for the system's."""

    def __init__(self, roots: Path | None = None) -> None:
        import requests

        if roots is not None and not roots.is_file():
            raise ForUser("the roots are not there", str(roots), "set acme.roots to the PEM file of its root")
        self._roots = roots
        self._session = requests.Session()
        self._session.headers["User-Agent"] = AGENT

    def close(self) -> None:
        self._session.close()

    def send(self, method: str, url: str, body: bytes | None = None) -> Reply:
        """GET or HEAD, or POST of a JWS."""
        import requests

        words.address(url, "an address")
        headers = {"Content-Type": JOSE} if body is not None else {}
        try:
            with self._session.request(
                method,
                url,
                data=body,
                headers=headers,
                timeout=(CONNECT, SILENCE),
                allow_redirects=False,
                stream=True,
                verify=str(self._roots) if self._roots else True,
            ) as answer:
                return self._reply(answer, url)
        except requests.exceptions.SSLError as error:
            raise _untrusted(url, error) from None
        except (requests.exceptions.RequestException, OSError) as error:
            raise Lost(f"no answer from {_host(url)} ({type(error).__name__})") from None

    def _reply(self, answer: requests.Response, url: str) -> Reply:
        if answer.is_redirect:
            target = answer.headers.get("Location", "")[:200]
            raise ForUser(f"it sends us to {target!r}", _host(url), "set acme.directory to the address it leads to")
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Reply(answer.status_code, headers, _bounded(answer, time.monotonic() + WHOLE))


def _bounded(answer: requests.Response, until: float) -> bytes:
    """The body; a server that drips or floods is left."""
    found = bytearray()
    for piece in answer.iter_content(PIECE):
        found += piece
        if len(found) > words.LARGEST:
            raise words.Malformed(f"larger than {words.LARGEST} octets")
        if time.monotonic() > until:
            raise Lost(f"an answer that took longer than {WHOLE:g} s")
    return bytes(found)


def _untrusted(url: str, error: Exception) -> ForUser | Lost:
    """A broken connection also comes as SSLError; only a certificate that is not trusted is for a person."""
    if "CERTIFICATE_VERIFY_FAILED" not in str(error):
        return Lost(f"no answer from {_host(url)} (TLS)")
    return ForUser(
        "its certificate is not trusted", _host(url), "set acme.roots to the file of its root, if it is a private one"
    )


def _host(url: str) -> str:
    return url.split("/")[2] if url.count("/") >= 2 else url
