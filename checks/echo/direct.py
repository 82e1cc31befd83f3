"""Past our own submission: a mail handed to each mail host of an echo address by itself, so that each is known to work.

    routes = await mail_hosts("echo@example.net", resolver)      every host, at its first address that there is a way to
    why = deliver(route, "mx.example.org", sender, echo, content)

Standards: RFC 5321 5.1 (a domain without MX is its own host), RFC 7505 (null MX), RFC 3207 (STARTTLS, where it is offered).
Limits: MOST hosts; SECONDS for each step. Fails by: no routes; a sentence, "" when the host took it.
"""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.echo.submitting import SECONDS, told

if TYPE_CHECKING:
    from dnsops.resolve.answer import Resolver

MOST = 10


@dataclass(frozen=True, slots=True)
class Route:
    """One mail host. address: "" when it has none."""

    host: str
    address: str
    port: int = 25


async def mail_hosts(echo: str, asked: Resolver) -> list[Route]:
    """In the order of their preference."""
    domain = echo.rpartition("@")[2]
    answer = await asked.ask(domain, "MX")
    found = sorted(
        (int(str(item).split()[0]), str(item).split()[1].rstrip(".")) for item in answer.items if item.type == "MX"
    )
    hosts = [host for _, host in found] if found else [domain]
    return [Route(host, await _address(host, asked)) for host in dict.fromkeys(hosts) if host][:MOST]


async def _address(host: str, asked: Resolver) -> str:
    for kind in ("A", "AAAA"):
        answer = await asked.ask(host, kind)
        if found := [str(item) for item in answer.items if item.type == kind]:
            return min(found)
    return ""


def deliver(route: Route, helo: str, sender: str, echo: str, content: bytes) -> str:
    """Why it was not taken. It blocks: call it in a thread."""
    if not route.address:
        return f"{route.host} has no address"
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # as senders do that know no policy (RFC 7435)
    try:
        with smtplib.SMTP(route.address, route.port, helo, timeout=SECONDS) as server:
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=context)
            server.sendmail(sender, [echo], content)
    except (OSError, smtplib.SMTPException) as error:
        return told(error)
    return ""
