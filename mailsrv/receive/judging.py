"""A stranger's mail is judged: who it is from, what others say of it, and what becomes of it in each mailbox.

    where it comes from (iprev, SPF, DKIM, ARC, DMARC) ┐
    lists of addresses                                 ├─> decide ─> scanners, unless it is settled ─> decide ─> each account
    greylisting, for whom nothing proves               ┘

One answer for all recipients: it is refused when every mailbox would refuse it, and deferred when one must wait and none
takes it; who would refuse what others take has it in Junk.
Fails by: `Refused`, with the reply of the reason that weighed most. What the DNS cannot tell now is never taken for weaker.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from mailsrv.auth.decide import Action, Decision, Rules, decide
from mailsrv.auth.results import Results
from mailsrv.auth.story import Means, Origin, authenticate
from mailsrv.auth.verdicts import Authentication, Result, Wish
from mailsrv.message.envelope import people
from mailsrv.message.header import Header, header
from mailsrv.receive import told
from mailsrv.receive.letters import Envelope
from mailsrv.receive.needs import Noting
from mailsrv.reports.aggregate import Reason as Override
from mailsrv.reports.seen import of_message
from mailsrv.smtp.house import Events
from mailsrv.smtp.limits import Network
from mailsrv.smtp.replies import LOCAL_TROUBLE, Refused
from mailsrv.spam import greylist, reputation
from mailsrv.spam.hints import Hint, Says
from mailsrv.spam.ledger import Ledger
from mailsrv.spam.mail import Mail
from mailsrv.spam.scanning import Scanning

WEIGHT = (Action.ACCEPT, Action.JUNK, Action.LATER, Action.REFUSE)
APPLIED = {Action.REFUSE: Wish.REJECT, Action.JUNK: Wish.QUARANTINE}


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found and decided. by: the decision for each account, "" for whoever has none: who is elsewhere, a program.

    author: the first address of From, or "".
    """

    found: Authentication
    results: Results
    by: Mapping[str, Decision] = field(default_factory=dict)
    author: str = ""

    def decision(self, account: str) -> Decision | None:
        """An account that was not named when it was judged has the decision of those who have none."""
        return self.by.get(account) or self.by.get("")

    def in_junk(self, account: str) -> bool:
        decision = self.decision(account)
        return decision is not None and decision.action is not Action.ACCEPT

    @property
    def borrowed(self) -> bool:
        """Whether the sender's domain does not let this client write in its name."""
        return self.found.mail.result in (Result.FAIL, Result.SOFTFAIL)

    @property
    def proven(self) -> str:
        """The domain of From, when DMARC proves it."""
        return self.found.dmarc.domain if self.found.dmarc.result is Result.PASS else ""


@dataclass(eq=False)
class Judging:
    """host: our name in Authentication-Results.  trusted: networks whose mail is not judged.  quiet: addresses of reports."""

    host: str
    means: Means
    scanning: Scanning
    rules: Rules
    log: Events
    now: Callable[[], datetime]
    trusted: tuple[Network, ...] = ()
    ledger: Ledger | None = None
    reputation: bool = True
    greylist: bool = False
    notes: Noting | None = None
    quiet: frozenset[str] = frozenset()

    def concerns(self, address: str) -> bool:
        """Whether mail from there is judged."""
        return not _within(address, self.trusted)

    async def judge(
        self, envelope: Envelope, content: bytes, accounts: Collection[str], head: Header | None = None
    ) -> Judged:
        """The verdict on a message that may be taken; `Refused` for another.

        accounts: who reads it, "" for others than accounts.  head: the header of `content`, where it has been read.
        """
        mail = _mail(envelope, content)
        head = head or header(content)
        found, listed = await self._asked(envelope, mail, head)
        author, alike = _author(head), found.unmarked
        hints = [*listed, *await self._greylisted(envelope, found)]
        by = self._decided(alike, hints, accounts, {})
        if settled(by).reply is None:
            mail = mail._replace(hostname=found.iprev.name, domain=found.dmarc.domain)
            hints += await self.scanning.of_message(mail)
            by = self._decided(alike, hints, accounts, await self._known(found, author, accounts))
        return self._told(envelope, found, alike, by, author)

    async def _asked(self, envelope: Envelope, mail: Mail, head: Header) -> tuple[Authentication, tuple[Hint, ...]]:
        """Where it comes from, and what the lists say of that, at the same time."""
        client = envelope.client
        before = client.found[1] if client.found and client.found[0] == client.helo else None
        origin = Origin(client.address, client.helo, mail.sender, before)
        authenticating = authenticate(mail.content, origin, self.means, envelope.when, head)
        if self.scanning.panel.lists:
            found, listed = await asyncio.gather(authenticating, self.scanning.of_client(mail))
        else:  # most ask none: no tasks for that
            found, listed = await authenticating, await self.scanning.of_client(mail)
        client.found = client.helo, found
        return found, listed

    def received(self, judged: Judged, accounts: Collection[str]) -> None:
        """It was delivered to these: their acquaintance grows."""
        if self.ledger and self.reputation and judged.author:
            for account in accounts:
                self.ledger.note_received(account, judged.author, bool(judged.proven), self.now().timestamp())

    def heard(self, account: str, head: bytes, junk: bool) -> None:
        """The account says that this is junk, or is not. `head`: of the message as it is stored, with what we found in it."""
        author, said = _author(header(head)), told.read(head)
        if self.ledger and self.reputation and author:
            proven = said is not None and any((step.what, step.outcome) == ("dmarc", "pass") for step in said.steps)
            self.ledger.note_moved(account, author, proven, junk, self.now().timestamp())

    def wrote(self, account: str, recipients: Sequence[str]) -> None:
        """One of ours wrote to these."""
        if self.ledger and self.reputation and recipients:
            self.ledger.note_sent(account, recipients, self.now().timestamp())

    def _decided(
        self,
        found: Authentication,
        hints: Sequence[Hint],
        accounts: Collection[str],
        known: Mapping[str, Hint],
    ) -> dict[str, Decision]:
        own = {account: [*hints, known[account]] if account in known else hints for account in accounts or ("",)}
        return {account: decide(found, said, self.rules, account) for account, said in own.items()}

    async def _greylisted(self, envelope: Envelope, found: Authentication) -> list[Hint]:
        """A stranger whom nothing proves is to come again (RFC 6647)."""
        if not self.greylist or self.ledger is None or found.dmarc.result is Result.PASS:
            return []
        client, sender = envelope.client.address, str(envelope.sender or "")
        now = envelope.when.timestamp()
        for recipient in envelope.recipients:
            answer = await self.ledger.knock(greylist.triplet(client, sender, str(recipient)), now)
            if not answer.passes:
                return [Hint("greylisting", Says.LATER, greylist.COME_AGAIN.text)]
        return []

    async def _known(self, found: Authentication, author: str, accounts: Collection[str]) -> dict[str, Hint]:
        """What each account has seen of the author before."""
        if not author or not self.reputation or self.ledger is None:
            return {}
        aligned = found.dmarc.result is Result.PASS
        # one after the other: one thread reads for all, and mostly nobody has to
        records = [(account, await self.ledger.record(account, author, aligned)) for account in accounts if account]
        return {account: reputation.hint(record, aligned) for account, record in records}

    def _told(
        self, envelope: Envelope, found: Authentication, alike: Authentication, by: dict[str, Decision], author: str
    ) -> Judged:
        """The verdict in the log and for the reports; then to whoever asked. alike: `found`, unmarked."""
        verdict = settled(by)
        self._log(envelope, found, verdict)
        self._note(envelope, alike, verdict)
        if verdict.action in (Action.REFUSE, Action.LATER):
            raise Refused(verdict.reply or LOCAL_TROUBLE)
        results = Results.of(found, self.host, envelope.client.address)
        return Judged(found, results, by, author)

    def _log(self, envelope: Envelope, found: Authentication, verdict: Decision) -> None:
        self.log(
            "mail.judged",
            id=envelope.id,
            action=verdict.action.name.lower(),
            peer=envelope.client.address,
            sender=str(envelope.sender or ""),
            author=found.dmarc.domain,
            spf=found.mail.result.value,
            dkim=[one.domain for one in found.passed],
            dmarc=found.dmarc.result.value,
            arc=found.arc.result.value,
            why=verdict.reply.text if verdict.reply else "",
        )

    def _note(self, envelope: Envelope, found: Authentication, verdict: Decision) -> None:
        """For the domain's own report. What is to come again is counted when it does."""
        if self.notes is None or verdict.action is Action.LATER:
            return
        said = next((reason for reason in verdict.reasons if reason.what == "dmarc"), None)
        applied = APPLIED.get(said.proposes, Wish.NONE) if said and said.proposes and not said.outweighed else Wish.NONE
        trusting = said is not None and found.dmarc.result is Result.FAIL and said.proposes is Action.ACCEPT
        self.notes.saw(
            of_message(
                found,
                envelope.client.address,
                envelope.sender.domain if envelope.sender else "",
                applied,
                envelope.when,
                [str(recipient) for recipient in envelope.recipients],
                self.quiet,
                Override("trusted_forwarder", said.why) if trusting and said else None,
            )
        )


@lru_cache(1024)
def _within(address: str, networks: tuple[Network, ...]) -> bool:
    """Whether an address, which may name its interface, is of one of them."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return any(ip in network for network in networks)


def settled(by: Mapping[str, Decision]) -> Decision:
    """What the client is told: one answer for all accounts."""
    every = list(by.values())
    taken = [one for one in every if one.action in (Action.ACCEPT, Action.JUNK)]
    if taken:
        return max(taken, key=lambda one: WEIGHT.index(one.action))
    waiting = [one for one in every if one.action is Action.LATER]
    return (waiting or every)[0]


def _mail(envelope: Envelope, content: bytes) -> Mail:
    return Mail(
        client=envelope.client.address,
        helo=envelope.client.helo,
        sender=str(envelope.sender or ""),
        recipients=tuple(map(str, envelope.recipients)),
        id=envelope.id,
        content=content,
    )


def _author(head: Header) -> str:
    """The first address of From, "" without one."""
    value = head.first(b"from")
    return next((one.spec for one in people(value).addresses if one.host is not None), "") if value else ""
