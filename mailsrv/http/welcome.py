"""The page for a person who typed mail.DOMAIN into a browser: what to write into a mail program. Pure.

It tells what every format here tells, and nothing else; there is no script in it. Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from mailsrv.http.offer import Kind, Offer, Service

TYPE = "text/html; charset=utf-8"
PROFILE = "/profile.mobileconfig"
STYLE = (
    "body{font:16px/1.5 system-ui;margin:2em auto;max-width:44em;padding:0 1em}"
    "th,td{text-align:left;padding:.2em 1.5em .2em 0}input,button{font:inherit;padding:.2em .5em}"
)
_WHAT = {Kind.IMAP: "reading (IMAP)", Kind.SMTP: "sending (SMTP)"}


def page(offer: Offer) -> bytes:
    """The domain's servers, and the form for an Apple profile."""
    return "\n".join(_lines(offer)).encode() + b"\n"


def _lines(offer: Offer) -> Iterator[str]:
    name = escape(offer.name)
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{name}: mail</title>'
    yield f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style><h1>Mail for {escape(offer.domain)}</h1>'
    yield "<p>Most programs find these settings by themselves: type the mail address and the password. User name: the whole address.</p>"
    yield "<table><tr><th>for</th><th>server</th><th>port</th><th>encryption</th></tr>"
    yield from (_row(service) for service in (*offer.incoming, *offer.outgoing))
    yield "</table>"
    if offer.incoming and offer.outgoing:
        yield f'<form action="{PROFILE}" method="get"><p>iPhone, iPad, Mac: <input type="email" name="email" required'
        yield f' placeholder="you@{escape(offer.domain)}" aria-label="mail address"> <button>get the profile</button></p></form>'


def _row(service: Service) -> str:
    encryption = "SSL/TLS" if service.implicit else "STARTTLS"
    return f"<tr><td>{_WHAT[service.kind]}</td><td>{escape(service.host)}</td><td>{service.port}</td><td>{encryption}</td></tr>"
