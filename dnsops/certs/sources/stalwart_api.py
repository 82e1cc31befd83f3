"""stalwart-api:URL#ACME_ID - Stalwart's management API: REST up to 0.15, JMAP from 0.16 on.

    up to 0.15    GET  URL/api/settings/keys?keys=acme.ID.cert      the value that its data store holds (stalwart.py)
    from 0.16     POST URL/api, else URL/jmap (RFC 8620)            x:Certificate/query and /get: the newest for the host

With an ACME id REST is asked first and JMAP when the server does not know that address; without one only JMAP.
Credentials: STALWART_TOKEN, or STALWART_USER and STALWART_PASSWORD; a CA of one's own: STALWART_CA_FILE. Plain http only on
loopback; redirects are not followed, no proxy or netrc is used; one deadline and one size bound for each answer.
Fails by: `ForUser` for credentials, rights, version and names; `Later` when the server does not answer.
"""

from __future__ import annotations

import ipaddress
import json
import os
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dnsops.base import clock
from dnsops.base.errors import Deliberate, ForUser, Later, Misused
from dnsops.base.printable import printable
from dnsops.base.secrets import Secret, from_env
from dnsops.certs.chain import Chain, from_pem
from dnsops.certs.sources.door import Kind, Place, best, split
from dnsops.certs.sources.stalwart import setting, unpack

if TYPE_CHECKING:
    import requests

TIMEOUT = 30.0  # seconds, for one answer from the first byte to the last
LARGEST_ANSWER = 8 << 20
MOST_CERTIFICATES = 1000
USING = ["urn:ietf:params:jmap:core", "urn:stalwart:jmap"]
JMAP_PATHS = ("/api", "/jmap")
_UNKNOWN_ADDRESS = (404, 405, 501)


@dataclass(frozen=True, slots=True)
class Credentials:
    """A token, or a user's name and password."""

    secret: Secret
    user: str = ""

    @classmethod
    def of(cls, text: Secret) -> Credentials:
        """From one secret: a token, or USER:PASSWORD."""
        user, colon, password = text.reveal().partition(":")
        return cls(Secret(password), user) if colon else cls(text)

    @classmethod
    def from_environment(cls) -> Credentials:
        if os.environ.get("STALWART_USER"):
            return cls(from_env("STALWART_PASSWORD"), os.environ["STALWART_USER"])
        if os.environ.get("STALWART_TOKEN"):
            return cls(from_env("STALWART_TOKEN"))
        raise ForUser(
            "no credentials for Stalwart's API", "", "set STALWART_TOKEN, or STALWART_USER and STALWART_PASSWORD"
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its status, and its JSON, None when it is none."""

    status: int
    document: object = None


@dataclass(frozen=True, slots=True)
class StalwartApi(Place):
    """One server. credentials and ca_file: from the environment unless given."""

    url: str
    acme_id: str = ""
    credentials: Credentials | None = None
    ca_file: str = ""
    timeout: float = TIMEOUT

    def find(self, host: str) -> Chain:
        if self.acme_id:
            chain = self._by_rest()
            if chain:
                return chain
        return self._by_jmap(host)

    def describe(self) -> str:
        return f"Stalwart's API at {self.url}" + (f", ACME provider {self.acme_id}" if self.acme_id else "")

    def _by_rest(self) -> Chain | None:
        """0.15 and before; None when the server does not know the address."""
        key = setting(self.acme_id)
        reply = self._ask("GET", "/api/settings/keys", params={"keys": key})
        data = _member(reply.document, "data")
        if reply.status in _UNKNOWN_ADDRESS or (reply.status == 200 and not isinstance(data, dict)):
            return None
        _check_status(reply, self.url)
        value = _member(data, key)
        if not isinstance(value, str) or not value:
            advice = "look at acme.* in its settings for the id, or use starttls:HOST:25"
            raise ForUser(f"no ACME provider named {self.acme_id} has a certificate there", self.url, advice)
        return unpack(value.encode(), f"{self.url}#{self.acme_id}")

    def _by_jmap(self, host: str) -> Chain:
        """0.16 and later: of all its certificates, the one that Stalwart shows to those who ask for the host."""
        chains = self.held(host)
        chain = best([chain for chain in chains if chain.covers(host)] or chains, host, clock.now().wall)
        if chain is None:
            raise ForUser("Stalwart holds no certificate", self.url, "use starttls:HOST:25 for what it shows")
        return chain

    def held(self, host: str) -> list[Chain]:
        """All certificates that it holds, as far as they can be read (from 0.16 on)."""
        return [chain for entry in _listed(self.jmap(_calls()), self.url) if (chain := _chain(entry, host, self.url))]

    def jmap(self, calls: list[object]) -> object:
        """The answer's document to some JMAP calls, at the address that the server knows (RFC 8620 3.3)."""
        for path in JMAP_PATHS:
            reply = self._ask("POST", path, body={"using": USING, "methodCalls": calls})
            if reply.status not in _UNKNOWN_ADDRESS and _member(reply.document, "methodResponses") is not None:
                _check_status(reply, self.url)
                return reply.document
            if reply.status not in (*_UNKNOWN_ADDRESS, 200):
                _check_status(reply, self.url)
        raise ForUser(
            "neither the REST API of Stalwart 0.15 nor the JMAP API of 0.16 is there",
            self.url,
            "give the address of its HTTP listener, and #ACME_ID up to 0.15; or use starttls:HOST:25",
        )

    def _ask(self, method: str, path: str, params: dict[str, str] | None = None, body: object = None) -> Reply:
        credentials = self.credentials or Credentials.from_environment()
        address = self.url.rstrip("/") + path
        verify = self.ca_file or os.environ.get("STALWART_CA_FILE") or True
        deadline = time.monotonic() + self.timeout
        arguments: dict[str, Any] = {"params": params, "json": body, "verify": verify, "timeout": self.timeout}
        return _within(self.timeout, lambda: _request(method, address, credentials, arguments, deadline), self.url)


def _calls() -> list[object]:
    """Query and get in one request (RFC 8620 3.7). Only the certificate is asked for, never the key."""
    ids = {"resultOf": "q", "name": "x:Certificate/query", "path": "/ids"}
    return [
        ["x:Certificate/query", {"limit": MOST_CERTIFICATES}, "q"],
        ["x:Certificate/get", {"#ids": ids, "properties": ["id", "certificate"]}, "g"],
    ]


def _listed(document: object, url: str) -> list[object]:
    """The objects of the get's answer; an error in place of it is told (RFC 8620 3.6.2)."""
    answers = _member(document, "methodResponses")
    for answer in answers if isinstance(answers, list) else []:
        if not isinstance(answer, list) or len(answer) < 2:
            continue
        if answer[0] == "error":
            kind = printable(str(_member(answer[1], "type")))[:80]
            advice = "the account needs the permissions sysCertificateQuery and sysCertificateGet"
            raise ForUser(f"Stalwart refuses: {kind}", url, advice)
        held = _member(answer[1], "list")
        if answer[0] == "x:Certificate/get" and isinstance(held, list):
            return held[:MOST_CERTIFICATES]
    raise ForUser("its JMAP answer has no certificates in it", url, "is it Stalwart 0.16 or later?")


def _chain(entry: object, host: str, url: str) -> Chain | None:
    """One Certificate object -> its chain; None when it holds none that we can read and is not the only hope."""
    text = _member(entry, "certificate")
    if isinstance(text, dict):
        text = text.get("value")
    try:
        return from_pem(text.encode(), f"{url}, certificate {_member(entry, 'id')}") if isinstance(text, str) else None
    except ForUser:
        return None


def _member(document: object, name: str) -> object:
    return document.get(name) if isinstance(document, dict) else None


def _check_status(reply: Reply, url: str) -> None:
    match reply.status:
        case 200:
            return
        case 401:
            raise ForUser(
                "Stalwart does not accept the credentials (401)", url, "check STALWART_TOKEN or _USER and _PASSWORD"
            )
        case 403:
            raise ForUser("the account may not read certificates (403)", url, "give it an administrator's rights")
        case 300 | 301 | 302 | 303 | 307 | 308:
            raise ForUser(f"it redirects ({reply.status}): credentials are not sent on", url, "give the final address")
        case 429 | 500 | 502 | 503 | 504:
            raise Later(f"{url}: Stalwart answers {reply.status}", timedelta(minutes=1))
    raise ForUser(f"Stalwart answers {reply.status}", url, "is this the address of its management API?")


def _request(method: str, url: str, credentials: Credentials, arguments: dict[str, Any], deadline: float) -> Reply:
    import requests

    with requests.Session() as session:
        session.trust_env = False  # no proxy, no netrc
        session.auth = _Auth(credentials)
        with session.request(method, url, allow_redirects=False, stream=True, **arguments) as response:
            body = bytearray()
            for chunk in response.iter_content(65536):
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    raise ForUser(f"an answer larger than {LARGEST_ANSWER} bytes", url, "is it Stalwart?")
                if time.monotonic() > deadline:
                    raise Later(f"{url}: the answer takes too long")
            return Reply(response.status_code, _json(bytes(body)))


class _Auth:
    """Writes the Authorization header. `requests` never holds the secret otherwise."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        import requests

        secret = self._credentials.secret.reveal()
        if self._credentials.user:
            requests.auth.HTTPBasicAuth(self._credentials.user.encode(), secret.encode())(request)
            return request
        request.headers["Authorization"] = f"Bearer {secret}"
        return request


def _within(seconds: float, ask: Any, url: str) -> Reply:
    """Do it, but give up after the deadline even when the server sends one byte a second: then the thread is left to end."""
    import requests

    outcome: list[Reply | Deliberate] = []

    def run() -> None:
        try:
            outcome.append(ask())
        except Deliberate as error:
            outcome.append(error)
        except requests.exceptions.SSLError:
            advice = "set STALWART_CA_FILE for a CA of your own"
            outcome.append(ForUser("its TLS certificate cannot be verified", url, advice))
        except (requests.exceptions.RequestException, OSError, ValueError) as error:
            outcome.append(_trouble(error, url))

    worker = threading.Thread(target=run, daemon=True, name="stalwart-api")
    worker.start()
    worker.join(seconds + 1)
    result = outcome[0] if outcome else Later(f"{url}: no answer within {seconds:g} s", timedelta(minutes=1))
    if isinstance(result, Reply):
        return result
    raise result


def _trouble(error: Exception, url: str) -> Deliberate:
    """What to say of a request that failed: a CA file that is not there, or a server that is not there."""
    text = str(error)
    if isinstance(error, OSError) and "CA certificate bundle" in text:
        return ForUser("the CA file for it is not there", url, "check STALWART_CA_FILE")
    return Later(f"{url}: Stalwart does not answer ({type(error).__name__})", timedelta(minutes=1))


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def parse(kind: Kind, rest: str) -> StalwartApi:
    url, acme_id = split(kind, rest)
    return StalwartApi(_checked(url, kind), acme_id)


def _checked(url: str, kind: Kind) -> str:
    """An address that credentials may be sent to."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        raise Misused("that is no http address", kind.name, f"write {kind.syntax}, with https://HOST as URL")
    if parts.username or parts.password or parts.query:
        raise Misused(
            "credentials and queries do not belong into the address", kind.name, f"they come from {kind.needs}"
        )
    if parts.scheme == "http" and not _loopback(host):
        raise Misused(f"http to {host} would show the credentials to the network", kind.name, "write https://")
    return url.rstrip("/")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
