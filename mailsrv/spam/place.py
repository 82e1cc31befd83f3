"""Where a scanner listens - HOST:PORT, an address with its port, the path of a socket, or a web address -, and its manners. Pure.

    /run/clamav/clamd.ctl    127.0.0.1:783    [::1]:3310    scanner.example.org:3310
    http://127.0.0.1:11333   http://scan.example.org/rspamd

Fails by: `Misconfigured`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from dnsops.base.errors import Misconfigured

LONGEST = 1000
_HOST = r"(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9._-]{1,253}))"
_FORM = re.compile(rf"{_HOST}:([0-9]{{1,5}})")
_WEB = re.compile(rf"http://{_HOST}(?::([0-9]{{1,5}}))?(/[!-~]*)?", re.IGNORECASE)
_USUAL = 80


@dataclass(frozen=True, slots=True)
class Place:
    """socket: a path; else host and port. path: of a web address, without a slash at its end."""

    host: str = ""
    port: int = 0
    socket: str = ""
    path: str = ""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.socket or f"{host}:{self.port}"


def _never(answer: bytes) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Manners:
    """How a kind of scanner is talked to. longest: octets of its answer.  half: it waits for us to shut our side of the line.

    whole: whether an answer is complete though the line is open; without it the scanner hangs up at the end.
    """

    source: str
    longest: int
    half: bool = False
    whole: Callable[[bytes], bool] = _never


def parse(text: str, where: str = "") -> Place:
    """A setting's value."""
    if text.startswith("/") and len(text) <= LONGEST and text.isprintable():
        return Place(socket=text)
    found = _FORM.fullmatch(text)
    if found is None:
        raise Misconfigured(f"not a scanner's place: {text[:80]!r}", where, "write HOST:PORT, or the path of a socket")
    return Place(found[1] or found[2], _port(found[3], text, where))


def parse_web(text: str, where: str = "") -> Place:
    """A web address."""
    found = _WEB.fullmatch(text) if len(text) <= LONGEST else None
    if found is None:
        raise Misconfigured(f"not a web address: {text[:80]!r}", where, "write it like http://127.0.0.1:11333")
    port = _port(found[3], text, where) if found[3] else _USUAL
    return Place(found[1] or found[2], port, path=(found[4] or "").rstrip("/"))


def _port(text: str, whole: str, where: str) -> int:
    port = int(text)
    if not 1 <= port <= 65535:
        raise Misconfigured(f"there is no port {port}: {whole[:80]!r}", where, "write a number from 1 to 65535")
    return port
