"""A report arrives at one of the addresses for reports: unpacked, read, kept, once.

    receiving = Receiving(ledger, addresses, domains, log)
    taken = await receiving.take(content, recipient, now, proven)
    if taken.is_mail: ...deliver it as any other mail

What cannot be read, or is about somebody else's domain, stays mail: a person may look at it, and the log has one sentence.
Who made a report is what the report says; `proven` is who really sent it, and stands beside it wherever it is shown.
Standards: RFC 9990 3.5.4 (duplicates) and 8 (reports as an attack), RFC 8460 5.3 and 7.
Limits: those of `unpack` and of the parsers; one report is read at a time, in a thread. Fails by: a `Taken`; nothing is raised.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from dnsops.base.errors import Deliberate
from dnsops.records import names
from mailsrv.reports import dmarc_xml, tls_json
from mailsrv.reports.ledger import Ledger
from mailsrv.reports.limits import Unreadable
from mailsrv.reports.received import Received
from mailsrv.reports.unpack import Kind, unpack
from mailsrv.smtp.house import Events

KINDS = {"dmarc": Kind.DMARC, "tls": Kind.TLS}


class Verdict(Enum):
    """What became of a mail to an address for reports."""

    KEPT = "a report, read and kept"
    KNOWN = "a report that we have already"
    UNREADABLE = "no report that we can read: kept as mail"
    NOT_OURS = "a report about somebody else's domain: kept as mail"
    TROUBLE = "a report that could not be stored now: kept as mail"
    OTHER = "not for an address where reports arrive"


@dataclass(frozen=True, slots=True)
class Taken:
    """The verdict, and one sentence more where there is one to say."""

    verdict: Verdict
    why: str = ""
    received: Received | None = None

    @property
    def is_mail(self) -> bool:
        """Whether it is to be delivered as mail."""
        return self.verdict not in (Verdict.KEPT, Verdict.KNOWN)


def read(content: bytes, now: datetime, proven: str = "") -> tuple[Received, bytes]:
    """The report in a mail, and the document that is kept of it: read, and written again by us. `Unreadable`."""
    found = unpack(content)
    return read_document(found.kind, found.data, now, proven)


def read_document(kind: Kind, data: bytes, now: datetime, proven: str = "") -> tuple[Received, bytes]:
    """The same for a report out of its wrapping."""
    if kind is Kind.DMARC:
        aggregate = dmarc_xml.parse(data)
        row = Received(
            "dmarc", aggregate.organization, aggregate.id, _name(aggregate.policy.domain), proven,
            aggregate.begin, aggregate.end, now, aggregate.messages, aggregate.failed,
        )  # fmt: skip
        return row, dmarc_xml.written(aggregate)
    report = tls_json.parse(data)
    row = Received(
        "tls", report.organization, report.id, _name(report.policies[0].domain), proven,
        report.begin, report.end, now, report.sessions, report.failed,
    )  # fmt: skip
    return row, tls_json.written(report)


def _name(domain: str) -> str:
    return domain.lower().removesuffix(".")


class Receiving:
    """addresses: where reports arrive -> dmarc or tls.  domains: ours, and mail hosts of ours; what is below them is ours too."""

    def __init__(self, ledger: Ledger, addresses: Mapping[str, str], domains: Collection[str], log: Events) -> None:
        self._ledger, self._log = ledger, log
        self.addresses = {address.lower(): kind for address, kind in addresses.items()}
        self.domains = frozenset(domains)
        self._one = asyncio.Semaphore(1)

    async def take(self, content: bytes, recipient: str, now: datetime, proven: str = "") -> Taken:
        """`proven`: the domain whose DMARC passed for this mail, "" for none."""
        if recipient.lower() not in self.addresses:
            return Taken(Verdict.OTHER)
        async with self._one:
            taken = await asyncio.to_thread(self._take, content, now, proven)
        self._tell(taken, recipient, proven)
        return taken

    def _take(self, content: bytes, now: datetime, proven: str) -> Taken:
        try:
            received, document = read(content, now, proven)
        except Unreadable as unreadable:
            return Taken(Verdict.UNREADABLE, str(unreadable))
        if not any(names.under(received.domain, domain) for domain in self.domains):
            return Taken(Verdict.NOT_OURS, f"it is about {received.domain[:253]}", received)
        try:
            fresh = self._ledger.take(received, document)
        except Deliberate as trouble:
            return Taken(Verdict.TROUBLE, str(trouble), replace(received))
        return Taken(Verdict.KEPT if fresh else Verdict.KNOWN, "", received)

    def _tell(self, taken: Taken, recipient: str, proven: str) -> None:
        found = taken.received
        said = {"kind": found.kind, "domain": found.domain, "from": found.organization} if found else {}
        self._log(
            "reports.received", verdict=taken.verdict.name.lower(), to=recipient, proven=proven, why=taken.why, **said
        )
