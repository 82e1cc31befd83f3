"""Outlook's way to set up an account: it posts XML and gets XML (POX), or asks by JSON where to post. Pure.

    POST /autodiscover/autodiscover.xml                                  asked(body) -> Wanted; document(offer, address)
    GET /autodiscover/autodiscover.json?Email=...&Protocol=AutodiscoverV1        pointer(host)

Standards: MS-OXDSCLI 2.2.3 (request), 2.2.4 (response); for the JSON form there is only what Microsoft's servers do.
A request is hostile: a document type, and so every entity, is refused before anything is read, as are other encodings than
UTF-8 and UTF-16 with a mark. Limits: LARGEST bytes, ELEMENTS, DEPTH, TEXT characters an element.
Fails by: `Unreadable`. What Outlook does not know how to use (ActiveSync) is answered with its error 601.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from xml.parsers import expat
from xml.sax.saxutils import escape

from mailsrv.http.offer import Kind, Offer, Service

LARGEST = 16 << 10  # bytes; Outlook sends five hundred
ELEMENTS, DEPTH, TEXT = 64, 8, 1024
TYPE = "text/xml; charset=utf-8"
V1 = "AutodiscoverV1"
RESPONSE = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"
OUTLOOK = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
_WANTED = {"EMailAddress": "address", "AcceptableResponseSchema": "schema"}


class Unreadable(ValueError):
    """Not a request that we read; the text says why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """address: as it was written.  schema: the namespace that the program understands."""

    address: str
    schema: str

    @property
    def outlook(self) -> bool:
        return self.schema in ("", OUTLOOK)


def asked(body: bytes) -> Wanted:
    """Whom a request is about."""
    if len(body) > LARGEST:
        raise Unreadable("the request is too large")
    reading = _Reading()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reading.doctype
    parser.EntityDeclHandler = reading.doctype
    parser.XmlDeclHandler = reading.declared
    parser.StartElementHandler, parser.EndElementHandler = reading.start, reading.end
    parser.CharacterDataHandler = reading.text
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise Unreadable(str(error) if isinstance(error, Unreadable) else "the request is not XML") from None
    return Wanted(reading.found.get("address", ""), reading.found.get("schema", ""))


class _Reading:
    """`found`: the two texts, the first of each."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._elements = self._depth = 0
        self._name = ""
        self._text = ""

    def doctype(self, *_: object) -> None:
        raise Unreadable("the request declares a document type or entities: none needs them")

    def declared(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.lower() not in ("utf-8", "utf-16", "us-ascii"):
            raise Unreadable("the request is not in UTF-8")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements, self._depth = self._elements + 1, self._depth + 1
        if self._elements > ELEMENTS or self._depth > DEPTH:
            raise Unreadable("the request has too many elements")
        self._name, self._text = name.rpartition(":")[2], ""

    def end(self, name: str) -> None:
        self._depth -= 1
        if self._name in _WANTED:
            self.found.setdefault(_WANTED[self._name], self._text.strip())
        self._name = ""

    def text(self, piece: str) -> None:
        if self._name in _WANTED:
            self._text += piece
            if len(self._text) > TEXT:
                raise Unreadable("an element of the request is too long")


def document(offer: Offer, address: str) -> bytes:
    """The servers for an address, which is also the login name. Outlook takes the first of each kind."""
    services = (*offer.incoming[:1], *offer.outgoing[:1])
    return _envelope(
        OUTLOOK,
        f"<User><DisplayName>{escape(address)}</DisplayName></User>",
        "<Account>",
        "<AccountType>email</AccountType>",
        "<Action>settings</Action>",
        *(line for service in services for line in _protocol(service, address)),
        "</Account>",
    )


def error(code: int, message: str) -> bytes:
    """MS-OXDSCLI 2.2.4.1.1.2: 600 for a request that is none, 601 for a service that is not here."""
    return _envelope(
        RESPONSE,
        f'<Error Time="00:00:00" Id="0"><ErrorCode>{code}</ErrorCode><Message>{escape(message)}</Message>'
        "<DebugData /></Error>",
    )


def _envelope(schema: str, *lines: str) -> bytes:
    text = "\n".join(
        (
            '<?xml version="1.0" encoding="utf-8"?>',
            f'<Autodiscover xmlns="{RESPONSE}">',
            f'<Response xmlns="{schema}">',
            *lines,
            "</Response>",
            "</Autodiscover>",
        )
    )
    return text.encode() + b"\n"


def _protocol(service: Service, address: str) -> Iterator[str]:
    """`Encryption` says what SSL cannot: whether TLS comes first or by STARTTLS."""
    yield "<Protocol>"
    yield f"<Type>{service.kind.value}</Type>"
    yield f"<Server>{escape(service.host)}</Server>"
    yield f"<Port>{service.port}</Port>"
    yield "<DomainRequired>off</DomainRequired>"
    yield f"<LoginName>{escape(address)}</LoginName>"
    yield "<SPA>off</SPA>"
    yield "<SSL>on</SSL>"
    yield f"<Encryption>{'SSL' if service.implicit else 'TLS'}</Encryption>"
    yield "<AuthRequired>on</AuthRequired>"
    if service.kind is Kind.SMTP:
        yield "<UsePOPAuth>off</UsePOPAuth>"
        yield "<SMTPLast>off</SMTPLast>"
    yield "</Protocol>"


def pointer(host: str) -> bytes:
    """Where to post, for who asked by JSON. host: the one that was asked, a name of ours."""
    return json.dumps({"Protocol": V1, "Url": f"https://{host}/autodiscover/autodiscover.xml"}).encode()


def no_protocol() -> bytes:
    """Asked by JSON for a protocol that we do not speak."""
    return json.dumps({"ErrorCode": "InvalidProtocol", "ErrorMessage": f"Supported values are: {V1}."}).encode()
