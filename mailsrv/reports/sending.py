"""Our reports leave: for each day that is over, for each domain that mail was seen from or sent to, what it asks for.

    for each kind, day, domain:  its hour has come?  ── who wants it, says the DNS now ── compose ── sign ── the queue

A domain's reports leave at its own time within four hours after midnight (`letters.jitter`), so the job runs every hour and
nothing here waits. What the DNS cannot say now is asked in the next run, for a day at most.

Once, and how: `attempt` is on disk before the queue takes the mail, `done` after. Killed between the two, the next run sends
it again, with the same id and the same file name, by which its reader knows (RFC 9990 3.5.2, 3.5.4); after `MOST_TRIES` it
does not. So a kill may cost a second copy, and never a report, and a program that dies each time sends three. A queue that
refuses has taken nothing, and that costs no try; a web server that does not answer costs one.

Standards: RFC 9990 3.5, RFC 8460 4.1 (daily, spread over four hours) and 5.5 (tried for a day).
Limits: `MOST_DOMAINS`, `AT_ONCE`, `PATIENCE`. Fails by: what the ledger, the queue or the signer raise; what was sent stays sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from dnsops.base.errors import Deliberate
from dnsops.base.flow import Flow, arun
from dnsops.resolve.answer import Answer, Question
from mailsrv.message.digest import digest
from mailsrv.reports import dmarc_out, letters, tls_out, wanted
from mailsrv.reports.ledger import Ledger
from mailsrv.reports.letters import Form, Reporter
from mailsrv.reports.tags import Destination
from mailsrv.reports.wanted import Wanted
from mailsrv.smtp.house import Events
from mailsrv.store.door import Hop, Message, Placed

SPREAD = timedelta(hours=4)
DAYS = 2  # days that are over and still reported
MOST_TRIES = 3
MOST_DOMAINS = 1000  # of one kind, one day, one run
AT_ONCE = 32  # domains
PATIENCE = 20.0  # seconds for all questions about one domain


class Accepts(Protocol):
    """As much of the store as sending needs."""

    async def accept(self, message: Message, *more: Message) -> tuple[Placed, ...]: ...


@dataclass(slots=True)
class Sent:
    """What a run did: reports sent, as KIND DAY DOMAIN ADDRESS; domains that must wait, and why."""

    sent: list[str] = field(default_factory=list)
    later: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Due:
    """A domain's report for a day."""

    kind: str
    day: date
    domain: str

    def __str__(self) -> str:
        return f"{self.kind} {self.day} {self.domain}"


@dataclass(frozen=True, slots=True)
class Made:
    """A report that is ready: how it travels, its id, its bytes as they are attached or posted, and to whom."""

    due: Due
    form: Form
    identifier: str
    data: bytes
    destination: Destination


@dataclass
class Sending:
    """sign: the message with a DKIM signature aligned with its From. post: URL, data, media type -> "", or why not.

    own: our addresses for reports, in lower case.  excluded: domains that get none.
    """

    ledger: Ledger
    reporter: Reporter
    ask: Callable[[Question], Awaitable[Answer]]
    queue: Accepts
    sign: Callable[[bytes], bytes]
    post: Callable[[str, bytes, str], Awaitable[str]]
    log: Events
    own: frozenset[str] = frozenset()
    excluded: Collection[str] = ()

    async def run(self, now: datetime) -> Sent:
        """All that is due; several domains at a time, so that one whose DNS is silent keeps nobody waiting."""
        told = Sent()
        due = await asyncio.to_thread(lambda: list(self._due(now)))
        room = asyncio.Semaphore(AT_ONCE)
        ended = await asyncio.gather(*(self._one(one, now, told, room) for one in due), return_exceptions=True)
        for failure in ended:
            if failure is not None:
                raise failure
        return Sent(sorted(told.sent), sorted(told.later))

    async def _one(self, due: Due, now: datetime, told: Sent, room: asyncio.Semaphore) -> None:
        async with room:
            who = await self._asked(due)
            settled = [await self._send(due, destination, now, told) for destination in who.destinations]
        if who.later:
            told.later.append(f"{due}: {who.later}")
        elif all(settled):
            await asyncio.to_thread(self.ledger.done, due.day, due.kind, due.domain)
        if who.why and due.kind == "dmarc":  # that a domain wants no TLS reports is no news
            self.log("reports.unwanted", domain=due.domain, why=who.why)

    async def _asked(self, due: Due) -> Wanted:
        try:
            return await asyncio.wait_for(arun(self._who(due), self.ask), PATIENCE)
        except TimeoutError:
            return Wanted(later=f"the DNS of {due.domain} takes too long")

    def _due(self, now: datetime) -> Iterator[Due]:
        today = now.astimezone(UTC).date()
        for kind in ("dmarc", "tls"):
            for back in range(DAYS, 0, -1):
                day = today - timedelta(days=back)
                due = (domain for domain in self.ledger.domains(kind, day) if self._is_due(kind, day, domain, now))
                for number, domain in enumerate(due):
                    if number == MOST_DOMAINS:
                        self.log("reports.many", kind=kind, day=f"{day}", most=MOST_DOMAINS)
                        break
                    yield Due(kind, day, domain)

    def _is_due(self, kind: str, day: date, domain: str, now: datetime) -> bool:
        _, end = letters.span(day)
        if domain in self.excluded or now <= end + letters.jitter(domain, self.reporter, SPREAD):
            return False
        return not self.ledger.tries(day, kind, domain, "")[1]

    def _who(self, due: Due) -> Flow[Question, Answer, Wanted]:
        if due.kind == "tls":
            return wanted.tls(due.domain, self.own)
        organizational = self.ledger.published(due.day, due.domain).organizational
        return wanted.dmarc(due.domain, organizational, self.own)

    async def _send(self, due: Due, destination: Destination, now: datetime, told: Sent) -> bool:
        """Whether nothing more is to be done about this one."""
        key = (due.day, due.kind, due.domain, destination.uri)
        tries, done = self.ledger.tries(*key)
        if done or tries >= MOST_TRIES:
            return True
        way = self._post if destination.mailbox is None else self._mail
        form, identifier, data = await asyncio.to_thread(self._report, due)
        report = Made(due, form, identifier, data, destination)
        await asyncio.to_thread(self.ledger.attempt, *key)
        try:
            why = await way(report, now)
        except Deliberate:
            await asyncio.to_thread(self.ledger.forgive, *key)
            raise
        if why:
            told.later.append(f"{due}: {why}")
            return False
        await asyncio.to_thread(self.ledger.done, *key)
        told.sent.append(f"{due} {destination}")
        self.log("reports.sent", kind=due.kind, domain=due.domain, day=f"{due.day}", to=str(destination))
        return True

    async def _mail(self, report: Made, now: datetime) -> str:
        """Into our own queue, which tries for days."""
        message = await asyncio.to_thread(self._message, report, now)
        most = report.destination.most
        if most is not None and len(message.content) > most:
            self.log("reports.too_large", kind=report.due.kind, domain=report.due.domain, size=len(message.content))
        else:
            await self.queue.accept(message)
        return ""

    async def _post(self, report: Made, _: datetime) -> str:
        return await self.post(report.destination.uri, report.data, report.form.media)

    def _message(self, report: Made, now: datetime) -> Message:
        due, to = report.due, str(report.destination)
        content = letters.letter(
            report.form, report.data, report.identifier, due.day, due.domain, to, self.reporter, now
        )
        signed = self.sign(content)
        # nobody reads the sender's mailbox: no notice shall come back from our own queue
        hop = Hop(to, ("NOTIFY=NEVER",))
        return Message(signed, digest(signed), now, hops=(hop,), sender=self.reporter.sender)

    def _report(self, due: Due) -> tuple[Form, str, bytes]:
        """How it travels, its id, and its bytes."""
        lines = self.ledger.lines(due.kind, due.day, due.domain)
        if due.kind == "tls":
            about = tls_out.report(due.domain, due.day, lines, self.reporter)
            return letters.TLS, about.id, tls_out.packed(about)
        record = self.ledger.published(due.day, due.domain).record
        aggregate = dmarc_out.report(due.domain, record, due.day, lines, self.reporter)
        return letters.DMARC, aggregate.id, dmarc_out.packed(aggregate)
