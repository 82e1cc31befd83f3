"""A message arrives: who sends it, for whom, what it says; it is stored; only then 250.

    MAIL     a submission needs a login, and a sender that is the account's
    RCPT     the directory says where it leads: here, onward, to a program, to nobody; strangers reach nobody elsewhere
    message  a stranger's is judged, one of ours has its rights checked and is signed; trace and digest; one commit for all

Standards: RFC 5321, RFC 6409 (submission). Fails by: `Refused`; `Later` of directory and store becomes 451, and nothing of
the message is kept then. A full mailbox among several recipients defers the mail; on the next attempt it is refused alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from dnsops.base.errors import Later
from mailsrv.directory.accounts import Forward, Outcome, Route
from mailsrv.message.header import Header, header
from mailsrv.receive.heading import Heading
from mailsrv.receive.letters import Envelope, Verdict, Ways, letters
from mailsrv.receive.needs import Accounts, Directory, Keeping, Leaving, Nobody, Rights, Unsigned
from mailsrv.receive.notice import Asked, arrived
from mailsrv.receive.stations import Arrived, Stations
from mailsrv.smtp import replies
from mailsrv.smtp.door import Client, Login
from mailsrv.smtp.grammar import Address
from mailsrv.smtp.house import Events
from mailsrv.smtp.limits import Allowance
from mailsrv.smtp.parameters import MailOptions, RcptOptions
from mailsrv.smtp.replies import Refused, Reply, not_allowed, stored
from mailsrv.store.door import Full, Hop, Message

if TYPE_CHECKING:
    from mailsrv.receive.judging import Judged, Judging

AT_ONCE = 64 << 10  # octets that are read in the event loop; more goes to a thread
MOST_FULL = 10_000  # accounts that we remember as full

_REFUSALS = {
    Outcome.UNKNOWN: replies.NOBODY,
    Outcome.NO_ADDRESS: replies.BAD_RECIPIENT,
    Outcome.ELSEWHERE: replies.NO_RELAY,
    Outcome.CIRCLE: replies.MISCONFIGURED,
    Outcome.TOO_MANY: replies.MISCONFIGURED,
}


@dataclass(eq=False)
class Reception:
    """A port where mail comes in. `submission`: only from our users."""

    host: str
    directory: Directory
    rights: Rights
    store: Keeping
    log: Events
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    submission: bool = False
    accounts: Accounts = field(default_factory=Nobody)
    allowance: Allowance | None = None
    judging: Judging | None = None
    outgoing: Leaving = field(default_factory=Unsigned)
    stations: Stations = field(default_factory=lambda: Stations({}))
    full: dict[str, None] = field(default_factory=dict)  # accounts whose mailbox was full lately, the latest last

    def mechanisms(self, client: Client) -> tuple[str, ...]:
        return self.accounts.mechanisms(client)

    def login(self, client: Client, mechanism: str) -> Login | None:
        return self.accounts.login(client, mechanism)

    async def mail(self, client: Client, sender: Address | None, options: MailOptions) -> Arriving:
        if self.submission and not client.account:
            raise Refused(replies.LOGIN_FIRST)
        if client.account:
            right = self.rights.envelope(client.account, str(sender) if sender else "")
            if not right.allowed:
                raise Refused(not_allowed(right.why))
        return Arriving(self, client, sender, options)

    async def check_room(self, account: str, size: int) -> None:
        """Whether a mailbox that was full lately has room again. Others are not asked for: the store will say."""
        if account not in self.full:
            return
        usage = await self.store.usage(account)
        if usage.size_limit is not None and size > usage.size_limit:
            raise Refused(replies.TOO_BIG_FOR_MAILBOX)
        spent = usage.size_limit is not None and usage.size + max(size, 1) > usage.size_limit
        if spent or (usage.message_limit is not None and usage.messages >= usage.message_limit):
            raise Refused(replies.MAILBOX_FULL)
        del self.full[account]

    async def is_full(self, account: str, size: int, alone: bool) -> Reply:
        """The answer to a message for which a mailbox has no room."""
        self.full[account] = None
        while len(self.full) > MOST_FULL:
            del self.full[next(iter(self.full))]
        usage = await self.store.usage(account)
        never = usage.size_limit is not None and size > usage.size_limit
        return replies.TOO_BIG_FOR_MAILBOX if never and alone else replies.MAILBOX_FULL


@dataclass
class Arriving:
    """One mail under way."""

    reception: Reception
    client: Client
    sender: Address | None
    options: MailOptions
    recipients: list[Address] = field(default_factory=list)
    ways: Ways = field(default_factory=Ways)
    delivered: list[Asked] = field(default_factory=list)
    called: list[str] = field(default_factory=list)  # addresses that are programs

    async def recipient(self, address: Address, options: RcptOptions) -> None:
        if self.reception.stations.at(str(address)):
            self.called.append(str(address))
            self.recipients.append(address)
            return
        route = self._route(address)
        if route.outcome is Outcome.ELSEWHERE and self.client.account:
            self._onward(address, options)
        elif route.outcome is not Outcome.KNOWN:
            raise Refused(_REFUSALS[route.outcome])
        else:
            await self._here(address, route, options)
        self.recipients.append(address)

    def _route(self, address: Address) -> Route:
        if self.sender is None:  # a notice about mail that an alias of ours had sent on
            back = self.reception.outgoing.back(str(address), self.reception.now())
            if back is not None:
                return Route(Outcome.KNOWN, str(address), (), (Forward(back, str(address)),))
        try:
            route = self.reception.directory.resolve(str(address))
            # a local part that reads like a way to someone else is taken only where someone has just that name
            if route.outcome is Outcome.KNOWN and address.routed and not self.reception.directory.exact(str(address)):
                raise Refused(replies.NOBODY)
        except Later as later:
            self.reception.log("mail.directory_later", why=later.reason)
            raise Refused(replies.DIRECTORY_TROUBLE) from None
        return route

    async def _here(self, address: Address, route: Route, options: RcptOptions) -> None:
        for delivery in route.deliveries:
            await self.reception.check_room(delivery.account, self.options.size)
        self._place(route)
        if route.deliveries:
            self.delivered.append((str(address), options))
        for forward in route.forwards:
            self.ways.hop(Hop(forward.address, options.words()), forward.delivered_to)

    def _place(self, route: Route) -> None:
        for delivery in route.deliveries:
            self.ways.place(delivery.account, delivery.delivered_to)

    def _onward(self, address: Address, options: RcptOptions) -> None:
        if address.literal:
            raise Refused(replies.NO_LITERAL)
        allowance, account = self.reception.allowance, self.client.account
        if allowance and (reply := allowance.one_more(account, self.reception.now().timestamp())):
            raise Refused(reply)
        self.ways.hop(Hop(str(address), options.words()), "")

    async def message(self, content: bytes) -> Reply:
        size, host, now = len(content), self.reception.host, self.reception.now()
        envelope = Envelope(
            host, self.reception.new_id(), now, self.client, self.sender, self.options, tuple(self.recipients)
        )
        head = header(content) if size <= AT_ONCE else await asyncio.to_thread(header, content)
        judged = await self._judged(envelope, content, head)
        if judged:
            envelope = envelope._replace(name=judged.found.iprev.name)
        answers = await self._call(envelope, content, judged) if self.called else []
        work = partial(self._letters, envelope, content, head, judged)
        del content, head  # the letters hold what is kept; what came need not stay beside them
        made = work() if size <= AT_ONCE else await asyncio.to_thread(work)
        await self._keep([*made, *answers], size)
        self.reception.log("mail.received", id=envelope.id, size=size, **self._told())
        self._remember(judged)
        return stored(envelope.id)

    async def _judged(self, envelope: Envelope, content: bytes, head: Header) -> Judged | None:
        """A stranger's mail; not that of our users, nor of this very machine."""
        judging = self.reception.judging
        if judging is None or self.client.account or not judging.concerns(self.client.address):
            return None
        beside = ("",) if self.ways.hops or self.called else ()
        return await judging.judge(envelope, content, (*self.ways.accounts, *beside), head)

    async def _call(self, envelope: Envelope, content: bytes, judged: Judged | None) -> list[Message]:
        """What the programs answer; what they cannot make anything of is postmaster's."""
        answers: list[Message] = []
        for address in self.called:
            station = self.reception.stations.at(address)
            made = await station.take(Arrived(envelope, address, content, judged)) if station else None
            if made is None:
                await self._to_postmaster()
            else:
                answers += made
        return answers

    async def _to_postmaster(self) -> None:
        postmaster = Address("postmaster", "")
        route = self._route(postmaster)
        if route.outcome is not Outcome.KNOWN:
            raise Refused(_REFUSALS[route.outcome])
        await self._here(postmaster, route, RcptOptions())

    def _letters(self, envelope: Envelope, content: bytes, head: Header, judged: Judged | None) -> list[Message]:
        heading, outgoing = Heading(content, head), self.reception.outgoing
        if self.client.account:
            self._check_writers(heading, content)
            content = heading.submitted(envelope.when, f"{envelope.id}@{envelope.host}", self._server)
            made = letters(envelope, self.ways, outgoing.signed(content, envelope.when), heading, None)
        else:
            content = heading.plain(self._server)
            standing = self._standing(envelope.when, judged)
            made = letters(envelope, self.ways, content, heading, standing)
        notice = None if judged and judged.borrowed else self._notice(envelope, content)
        return [*made, notice] if notice else made

    def _standing(self, now: datetime, judged: Judged | None) -> Verdict | None:
        """How it stands; without anything to say of strangers or to put to their mail, nothing of all that is loaded."""
        outgoing = self.reception.outgoing
        if judged is None and (not self.ways.hops or isinstance(outgoing, Unsigned)):
            return None
        from mailsrv.receive.standing import Standing

        return Standing(outgoing, now, judged)

    @property
    def _server(self) -> str:
        """Our name in Authentication-Results."""
        return self.reception.judging.host if self.reception.judging else self.reception.host

    def _remember(self, judged: Judged | None) -> None:
        """Who wrote to whom, for the next time."""
        if self.reception.judging is None:
            return
        elsewhere = [hop.recipient for hops in self.ways.hops.values() for hop in hops.values()]
        if self.client.account:
            self.reception.judging.wrote(self.client.account, elsewhere)
        elif judged:
            self.reception.judging.received(judged, self.ways.accounts)

    def _notice(self, envelope: Envelope, content: bytes) -> Message | None:
        """For senders who asked to be told. Where it cannot be sent now it is not: the mail has arrived all the same."""
        if not self.sender or not any(options.notify for _, options in self.delivered):
            return None
        try:
            back = self.reception.directory.resolve(str(self.sender))
        except Later:
            return None
        sign = partial(self.reception.outgoing.signed, now=envelope.when)
        return arrived(envelope, self.delivered, back, content, sign)

    def _check_writers(self, heading: Heading, content: bytes) -> None:
        """Whether one of ours writes as itself, in a header that no reader can understand otherwise."""
        if b"\0" in content:
            raise Refused(replies.NUL_IN_DATA)
        if not heading.complete:
            raise Refused(replies.BAD_HEADER)
        right = self.reception.rights.header(self.client.account, heading.writers())
        if not right.allowed:
            raise Refused(not_allowed(right.why))

    async def _keep(self, made: list[Message], size: int) -> None:
        if not made:  # programs only, with nothing to answer
            return
        try:
            await self.reception.store.accept(*made)
        except Full as full:
            alone = len(self.ways.places) == 1 and not self.ways.hops
            raise Refused(await self.reception.is_full(full.account, size, alone)) from None
        except Later as later:
            self.reception.log("mail.store_later", why=later.reason)
            raise Refused(replies.DISK_TROUBLE) from None

    def _told(self) -> dict[str, str | int]:
        told: dict[str, str | int] = {
            "sender": str(self.sender or ""),
            "recipient": str(self.recipients[0]),
            "recipients": len(self.recipients),
            "peer": self.client.address,
        }
        return told | {"account": self.client.account} if self.client.account else told
