"""Where all mail for others goes, when it does not go to its MX: `queue.next_hop` of the configuration. Pure.

    local                                it stays here: for mailboxes of ours, and nobody else is known
    smart.example.net[:PORT]             a smarthost; port 25, or 465 with TLS from the first byte
    192.0.2.1:587  [2001:db8::1]:587     by its address

Fails by: `Misconfigured`.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from dnsops.base.errors import ForUser, Misconfigured
from dnsops.base.secrets import Secret
from dnsops.records import names
from mailsrv.transport.host import PORT

IMPLICIT_PORT = 465
WHERE = "queue.next_hop"
_FORM = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:\s]+))(?::([0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class Login:
    """What a smarthost knows us by."""

    user: str
    password: Secret


@dataclass(frozen=True, slots=True)
class NextHop:
    """A smarthost. `implicit`: TLS from the first byte."""

    host: str
    port: int = PORT
    implicit: bool = False
    login: Login | None = None


@dataclass(frozen=True, slots=True)
class Here:
    """It stays here."""


def parse(text: str | None, login: Login | None = None) -> NextHop | Here | None:
    """The setting's value; None: each domain's own MX."""
    if text is None:
        return None
    if text == "local":
        return Here()
    found = _FORM.fullmatch(text)
    if found is None:
        raise _wrong(text)
    port = int(found[3] or PORT)
    if not 1 <= port <= 65535:
        raise _wrong(text)
    return NextHop(_host(text, found[1] or found[2]), port, port == IMPLICIT_PORT, login)


def _host(text: str, host: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return names.canonical(host)
    except ForUser:
        raise _wrong(text) from None


def _wrong(text: str) -> Misconfigured:
    return Misconfigured(f"not a next hop: {text!r}", WHERE, "write local, HOST or HOST:PORT")
