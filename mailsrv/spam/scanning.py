"""Everyone who is configured is asked what they think, all at the same time; each answers with a hint.

    of_client(mail)    before the message: the lists, for the client's address and for the domains it names
    of_message(mail)   with the message: rspamd, SpamAssassin, ClamAV

Fails by: a hint. A scanner without an answer has no opinion, or says LATER where `on_failure: later`; a list without one has
no opinion. Each failure is a line of the log. Limits: `size` octets that scanners are shown; `deadline` for each of them.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from dnsops.base.errors import Later
from dnsops.base.flow import Flow, arun
from dnsops.resolve.answer import Answer, Question, Resolver
from mailsrv.directory.book import octets
from mailsrv.spam import clamd, dnsbl, rspamd, spamd
from mailsrv.spam.dnsbl import Found, List, Listing
from mailsrv.spam.hints import Hint, Says
from mailsrv.spam.ledger import Events
from mailsrv.spam.mail import Mail
from mailsrv.spam.peer import Exchange, ask
from mailsrv.spam.place import Manners, Place, parse, parse_web
from mailsrv.spam.spamd import Thresholds

if TYPE_CHECKING:
    from dnsops.base.settings.spam import Spam

WHERE = "spam"
MOST_DOMAINS = 3


@dataclass(frozen=True)
class Panel:
    """Who is asked. size: of the largest message that scanners are shown, in octets.  deadline: seconds.  later: see `on_failure`."""

    lists: tuple[List, ...] = ()
    rspamd: Place | None = None
    spamd: Place | None = None
    clamd: Place | None = None
    thresholds: Thresholds = field(default_factory=Thresholds)
    size: int = 10 << 20
    deadline: float = 10.0
    later: bool = False


@dataclass(frozen=True)
class Scanning:
    """`exchange`: how a scanner is spoken to."""

    panel: Panel
    resolver: Resolver
    log: Events
    exchange: Exchange = ask

    async def of_client(self, mail: Mail) -> tuple[Hint, ...]:
        """The lists' hints. Our own users are on none."""
        if mail.account:
            return ()
        questions = [(of, flow) for of in self.panel.lists for flow in _subjects(mail, of)]
        return tuple(await asyncio.gather(*(self._listed(of, flow) for of, flow in questions)))

    async def of_message(self, mail: Mail) -> tuple[Hint, ...]:
        """The scanners' hints."""
        scans = list(self._scans(mail))
        return tuple(await asyncio.gather(*scans)) if scans else ()

    def _scans(self, mail: Mail) -> Iterator[Awaitable[Hint]]:
        panel = self.panel
        if panel.rspamd:
            yield self._scan(mail, panel.rspamd, rspamd.MANNERS, rspamd.question(mail, panel.rspamd), rspamd.hint)
        if panel.spamd:
            points = partial(spamd.hint, thresholds=panel.thresholds)
            yield self._scan(mail, panel.spamd, spamd.MANNERS, spamd.question(mail, mail.account), points)
        if panel.clamd:
            yield self._scan(mail, panel.clamd, clamd.MANNERS, clamd.question(mail), clamd.hint)

    async def _scan(
        self, mail: Mail, place: Place, manners: Manners, question: Iterable[bytes], read: Callable[[bytes], Hint]
    ) -> Hint:
        source = manners.source
        if len(mail.content) > self.panel.size:
            return Hint(source, Says.NOTHING, "the message is larger than scanners are shown")
        try:
            return read(await self.exchange(place, manners, question, self.panel.deadline))
        except Later as later:
            self.log("spam.no_answer", source=source, place=str(place), why=later.reason, id=mail.id)
            says = Says.LATER if self.panel.later else Says.NOTHING
            return Hint(source, says, f"{source} gave no answer")

    async def _listed(self, of: List, flow: Flow[Question, Answer, Listing]) -> Hint:
        try:
            async with asyncio.timeout(self.panel.deadline):
                listing = await arun(flow, lambda question: self.resolver.ask(question.name, question.type))
        except TimeoutError:
            listing = Listing(of.zone, "", Found.REFUSED, why=f"{of.zone} did not answer in time")
        if listing.found is Found.REFUSED:
            self.log("spam.no_answer", source=f"dnsbl {of.zone}", why=listing.why)
        return dnsbl.hint(listing, of)


def _subjects(mail: Mail, of: List) -> Iterator[Flow[Question, Answer, Listing]]:
    if not of.domains:
        yield dnsbl.address(mail.client, of)
        return
    named = (mail.sender.rpartition("@")[2], mail.helo, mail.domain)
    for name in list(dict.fromkeys(name.lower() for name in named if name))[:MOST_DOMAINS]:
        yield dnsbl.domain(name, of)


def panel(settings: Spam) -> Panel:
    """Who is asked, by the configuration."""
    lists = tuple(
        List(
            zone=one.zone,
            says=Says.REFUSE if one.listed == "refuse" else Says.JUNK,
            domains=one.of == "domains",
            codes=tuple(ipaddress.ip_network(code) for code in one.codes),
        )
        for one in settings.dnsbl
    )
    return Panel(
        lists=lists,
        rspamd=parse_web(settings.rspamd, f"{WHERE}.rspamd") if settings.rspamd else None,
        spamd=parse(settings.spamd, f"{WHERE}.spamd") if settings.spamd else None,
        clamd=parse(settings.clamd, f"{WHERE}.clamd") if settings.clamd else None,
        thresholds=Thresholds(settings.junk_score, settings.refuse_score),
        size=octets(settings.scan_size) or 0,
        deadline=settings.deadline.total_seconds(),
        later=settings.on_failure == "later",
    )
