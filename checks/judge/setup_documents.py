"""The documents from which mail programs set up an account, read: Thunderbird's and Outlook's XML, and SRV records. Pure.

    services(b"<clientConfig>...", "example.org")   ->  (Service("imap", "mx.example.org", 993, "TLS"), ...)
    by_srv("_imaps", ("0 1 993 mx.example.org.",))  ->  the same

A document is hostile: a document type, and so every entity, is refused before anything is read. Limits: LARGEST octets, ELEMENTS,
DEPTH, TEXT characters of an element, MOST services. Standards: Thunderbird's config-v1.1.xml, MS-OXDSCLI 2.2.4, RFC 6186 3, RFC 8314 5.1.
Fails by: `ForUser` for what is no such document.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from xml.parsers import expat

from checks.facts.setup import CLEAR, IMPLICIT, STARTTLS, Service
from dnsops.base.errors import ForUser
from dnsops.records import names

LARGEST = 64 << 10
ELEMENTS, DEPTH, TEXT = 1000, 16, 1024
MOST = 20
SRV = {
    "_submissions": ("smtp", IMPLICIT),
    "_submission": ("smtp", STARTTLS),
    "_imaps": ("imap", IMPLICIT),
    "_imap": ("imap", STARTTLS),
    "_pop3s": ("pop3", IMPLICIT),
    "_pop3": ("pop3", STARTTLS),
}
_ADVICE = "write it as Thunderbird's config-v1.1.xml, or as Autodiscover's response, says"
_SECURITY = {"ssl": IMPLICIT, "starttls": STARTTLS, "tls": STARTTLS}
_KINDS = {"imap": "imap", "pop3": "pop3", "smtp": "smtp"}
_LEAVES = {"hostname", "port", "sockettype", "type", "server", "ssl", "encryption"}
_GROUPS = {"incomingserver", "outgoingserver", "protocol"}


def by_srv(label: str, records: Iterable[str]) -> tuple[Service, ...]:
    """Of the records at a label; `.` says that there is no such service."""
    kind, security = SRV[label]
    found = []
    for record in list(records)[:MOST]:
        words = record.split()
        if len(words) == 4 and words[3] != ".":
            with suppress(ForUser):
                found.append(_service(kind, words[3], words[2], security))
    return tuple(found)


def services(document: bytes, domain: str) -> tuple[Service, ...]:
    """What a document names, in its order."""
    if len(document) > LARGEST:
        raise ForUser(f"it is longer than {LARGEST} octets", "", _ADVICE)
    reading = _Reading()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reading.doctype
    parser.EntityDeclHandler = reading.doctype
    parser.StartElementHandler, parser.EndElementHandler = reading.start, reading.end
    parser.CharacterDataHandler = reading.text
    try:
        parser.Parse(document, True)
    except (expat.ExpatError, LookupError, ValueError):
        raise ForUser("it is a web page" if reading.root == "html" else "it is not XML", "", _ADVICE) from None
    if reading.root == "html":
        raise ForUser("it is a web page, not a document for mail programs", "", _ADVICE)
    if reading.root not in ("clientconfig", "autodiscover"):
        raise ForUser("it is XML of another kind", "", _ADVICE)
    return tuple(filter(None, (_named(group, domain) for group in reading.groups)))


def _named(group: dict[str, str], domain: str) -> Service | None:
    """One element's words as a service; None for protocols that are not of mail."""
    kind = _KINDS.get(group.get("type", "").lower())
    if kind is None:
        return None
    host = group.get("hostname") or group.get("server", "")
    socket = group.get("sockettype") or group.get("encryption") or ("ssl" if group.get("ssl", "on") == "on" else "")
    port = group.get("port", "")
    security = _SECURITY.get(socket.lower(), CLEAR)
    if "server" in group and port in ("587", "143", "110") and security is IMPLICIT:
        security = STARTTLS  # Autodiscover's SSL says only that there is encryption
    return _service(kind, host.replace("%EMAILDOMAIN%", domain), port, security)


def _service(kind: str, host: str, port: str, security: str) -> Service:
    if not (port.isascii() and port.isdecimal() and 0 < int(port[:9]) < 65536):
        raise ForUser(f"not a port: {port[:20]!r}", "", "write a number, as 993")
    return Service(kind, names.host(host), int(port), security)


class _Reading:
    """`groups`: of each server its words, by element."""

    def __init__(self) -> None:
        self.root = ""
        self.groups: list[dict[str, str]] = []
        self._open: dict[str, str] | None = None
        self._elements = self._depth = 0
        self._leaf = self._text = ""

    def doctype(self, *_: object) -> None:
        raise ForUser("it declares a document type or entities: none needs them", "", _ADVICE)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements, self._depth = self._elements + 1, self._depth + 1
        if self._elements > ELEMENTS or self._depth > DEPTH:
            raise ForUser("it has too many elements", "", _ADVICE)
        leaf = name.rpartition(":")[2].lower()
        self.root = self.root or leaf
        if leaf in _GROUPS and self._open is None and len(self.groups) < MOST:
            self._open = {"type": attributes.get("type", "smtp" if leaf == "outgoingserver" else "")}
        self._leaf, self._text = leaf, ""

    def end(self, name: str) -> None:
        self._depth -= 1
        leaf = name.rpartition(":")[2].lower()
        if self._open is not None:
            if leaf in _GROUPS:
                self.groups.append(self._open)
                self._open = None
            elif leaf == self._leaf and leaf in _LEAVES and (leaf == "type" or leaf not in self._open):
                self._open[leaf] = self._text.strip()
        self._leaf = ""

    def text(self, piece: str) -> None:
        if self._leaf in _LEAVES:
            self._text += piece
            if len(self._text) > TEXT:
                raise ForUser("an element of it is too long", "", _ADVICE)
