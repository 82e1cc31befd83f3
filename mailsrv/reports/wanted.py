"""Who wants our reports, as the DNS says now: flows that end in destinations. Pure.

    dmarc    _dmarc.DOMAIN TXT ── rua ──┬── at the domain's own organization: yes
                                        └── elsewhere: only if DOMAIN._report._dmarc.HOST says v=DMARC1   (RFC 9990 4)
    tls      _smtp._tls.DOMAIN TXT ── rua, mailboxes and https

What cannot be known now (bogus, SERVFAIL, silence) is asked again later and never taken for consent. Failure reports (ruf) are
never sent: they would show one person's mail to another.
Standards: RFC 9989 4.7, RFC 9990 3.5 and 4, RFC 8460 3 (no consent is needed there). One kind of loop ends here: a
destination that is an address of ours for reports gets none, what it would say is in our own ledger.
Limits: `MOST` destinations, `MOST_URIS` looked at. Fails by: a `Wanted` that says why it is empty.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from dnsops.base.errors import ForUser
from dnsops.base.flow import Flow
from dnsops.records import names, rdata
from dnsops.records.txt import tlsrpt
from dnsops.resolve.answer import Answer, Question, Security
from mailsrv.reports import tags
from mailsrv.reports.tags import MOST_URIS, Destination

MOST = 2  # destinations of one report


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where a report shall go. `later`: what cannot be known now, "" for nothing.  `why`: a destination that is left out."""

    destinations: tuple[Destination, ...] = ()
    later: str = ""
    why: str = ""


def dmarc(domain: str, organizational: str, own: Collection[str] = ()) -> Flow[Question, Answer, Wanted]:
    """`domain`: where the policy stands. `organizational`: of that domain, "" when it is not known: then all is elsewhere."""
    answer = yield Question(f"_dmarc.{domain}", "TXT")
    if not _known(answer):
        return Wanted(later=f"the DMARC record of {domain} cannot be known now")
    records = [record for text in _texts(answer) if (record := tags.tags(text)) is not None]
    if len(records) != 1:
        return Wanted(why=f"{domain} publishes no DMARC record now")
    found: list[Destination] = []
    later = why = ""
    for destination in tags.destinations(records[0].get("rua", "")):
        if len(found) == MOST:
            break
        agreed = yield from _agreed(domain, organizational, destination)
        found += [one for one in agreed.destinations if one not in found and str(one.mailbox) not in own]
        later, why = later or agreed.later, why or agreed.why
    return Wanted(
        tuple(found[:MOST]), later, why or ("" if found else f"{domain} asks for no reports that we could send")
    )


def _agreed(domain: str, organizational: str, destination: Destination) -> Flow[Question, Answer, Wanted]:
    """A destination that wants them: itself, or where it sends us instead."""
    host = destination.host
    if _inside(host, domain, organizational):
        return Wanted((destination,))
    try:
        name = names.canonical(f"{domain}._report._dmarc.{host}")
    except ForUser:
        return Wanted(why=f"{host} cannot say that it wants reports about {domain}: the name would be too long")
    answer = yield Question(name, "TXT")
    if not _known(answer):
        return Wanted(later=f"whether {host} wants reports about {domain} cannot be known now")
    records = [record for text in _texts(answer) if (record := tags.tags(text)) is not None]
    if not records:
        return Wanted(why=f"{host} does not say that it wants reports about {domain}")
    instead = next((record["rua"] for record in records if record.get("rua")), "")
    if not instead:
        return Wanted((destination,))
    others = tags.destinations(instead)
    if not others or any(other.host != host for other in others):
        # RFC 9990 4: neither to the one nor to the other
        return Wanted(why=f"{host} would have reports about {domain} sent to another host")
    return Wanted(others[:MOST])


def _inside(host: str, domain: str, organizational: str) -> bool:
    """Whether a host belongs to whose policy it is. A policy above the organization (a registry's) is nobody's own."""
    if host == domain:
        return True
    return bool(organizational) and names.under(domain, organizational) and names.under(host, organizational)


def tls(domain: str, own: Collection[str] = ()) -> Flow[Question, Answer, Wanted]:
    """`domain`: of mail, or a mail host's name."""
    try:
        name = tlsrpt.owner(domain)
    except ForUser:
        return Wanted(why=f"{domain} can have no TLS reporting record")
    answer = yield Question(name, "TXT")
    if not _known(answer):
        return Wanted(later=f"the TLS reporting record of {domain} cannot be known now")
    record = tlsrpt.found(_texts(answer))
    if record is None:
        return Wanted(why=f"{domain} asks for no TLS reports")
    found = [one for uri in record.usable[:MOST_URIS] if (one := _destination(uri)) and str(one.mailbox) not in own]
    return Wanted(
        tuple(dict.fromkeys(found))[:MOST], why="" if found else f"{domain} asks for no reports that we could send"
    )


def _destination(uri: str) -> Destination | None:
    return Destination(uri) if uri.lower().startswith("https:") else tags.mailto(uri)


def _known(answer: Answer) -> bool:
    """Bogus, refused or silent is never "there is none" (promise P-28)."""
    return answer.security not in (Security.BOGUS, Security.FAILED) and answer.rcode in ("NOERROR", "NXDOMAIN")


def _texts(answer: Answer) -> Iterator[str]:
    """The TXT records, each one's strings joined (RFC 7208 3.3's way)."""
    for item in sorted(answer.items, key=str)[:MOST_URIS]:
        yield b"".join(rdata.strings(item)).decode("utf-8", "replace")
