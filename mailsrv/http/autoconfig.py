"""The document by which Thunderbird and its kin set up an account: config-v1.1.xml. Pure.

    https://autoconfig.example.org/mail/config-v1.1.xml?emailaddress=user1@example.org
    https://example.org/.well-known/autoconfig/mail/config-v1.1.xml

Standard: none yet; the format is Mozilla's (draft-ietf-mailmaint-autoconfig writes it down). The program puts its user's address
in where %EMAILADDRESS% stands, so that nothing is reflected and a domain has one document for everybody.
Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from mailsrv.http.offer import Kind, Offer, Service

TYPE = "application/xml; charset=utf-8"
_PLACES = {Kind.IMAP: ("incomingServer", "imap"), Kind.SMTP: ("outgoingServer", "smtp")}


def document(offer: Offer) -> bytes:
    """For every address of the domain."""
    return "\n".join(_lines(offer)).encode() + b"\n"


def _lines(offer: Offer) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield '<clientConfig version="1.1">'
    yield f"  <emailProvider id={quoteattr(offer.domain)}>"
    yield f"    <domain>{escape(offer.domain)}</domain>"
    yield f"    <displayName>{escape(offer.name)}</displayName>"
    yield f"    <displayShortName>{escape(offer.name)}</displayShortName>"
    for service in (*offer.incoming, *offer.outgoing):
        yield from _server(service)
    yield "  </emailProvider>"
    yield "</clientConfig>"


def _server(service: Service) -> Iterator[str]:
    element, kind = _PLACES[service.kind]
    yield f'    <{element} type="{kind}">'
    yield f"      <hostname>{escape(service.host)}</hostname>"
    yield f"      <port>{service.port}</port>"
    yield f"      <socketType>{'SSL' if service.implicit else 'STARTTLS'}</socketType>"
    yield "      <authentication>password-cleartext</authentication>"
    yield "      <username>%EMAILADDRESS%</username>"
    yield f"    </{element}>"
