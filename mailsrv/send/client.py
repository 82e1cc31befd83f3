"""The SMTP client: one session with one host, and the messages that go through it.

    open ── greeting ── EHLO ── STARTTLS ── EHLO ── AUTH ──┬── MAIL RCPT.. DATA ── bytes ── "." ── verdicts
                                                           └── again, for the next message; QUIT

Standards: RFC 5321 (4.5.3.2 the timeouts), 2920 (PIPELINING), 3207, 4954, and what `letter` and `offers` name.
MAIL, RCPT and DATA go out in one write when the peer pipelines. The final dot is kept back until the peer is seen to be
silent, so no reply sent ahead can pass for its answer. A connection lost before the dot means "elsewhere or later"; after
the dot it means "later", and only then may a message arrive twice (promise P-03).
Fails by: `open` raises `Broken`; `deliver` raises nothing, its `Outcome` has a verdict for each recipient.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from mailsrv.send.encrypting import Contexts, Way, prove, server_name, ways
from mailsrv.send.letter import Letter, Recipient, rcpt, unfit_address
from mailsrv.send.nexthop import Login
from mailsrv.send.offers import NOTHING, Offers
from mailsrv.send.reply import Reply
from mailsrv.send.verdict import Fate, Verdict, failed, later, of_reply, taken
from mailsrv.send.wire import Broken, Wire, connect
from mailsrv.transport.outcome import Trouble
from mailsrv.transport.policy import OPPORTUNISTIC, Policy


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. RFC 5321 4.5.3.2, save `connect` and `handshake`; `whole` bounds a transaction up to its final dot."""

    connect: float = 30
    handshake: float = 60
    greeting: float = 300
    command: float = 300
    data: float = 120
    block: float = 180
    final: float = 600
    whole: float = 1800
    goodbye: float = 5


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom to talk to, and how."""

    host: str
    address: str
    port: int = 25
    implicit: bool = False
    login: Login | None = None
    policy: Policy = OPPORTUNISTIC


@dataclass(slots=True)
class Outcome:
    """settled: by the queue's ids, for good at this attempt. elsewhere: another host may be asked. crowded: ask here again."""

    settled: dict[int, Verdict] = field(default_factory=dict)
    elsewhere: dict[int, Verdict] = field(default_factory=dict)
    crowded: list[Recipient] = field(default_factory=list)


async def open_session(peer: Peer, hello: str, patience: Patience, contexts: Contexts, source: str = "") -> Session:
    """Connected, greeted, encrypted as the policy wants, logged in. When TLS fails, again with less, as far as that may be.

    source: the address of ours that the connection comes from.
    """
    first: Broken | None = None
    for way in ways(peer.policy, contexts):
        try:
            session = await _opened(peer, hello, patience, way, source)
        except Broken as broken:
            if broken.trouble is None or peer.implicit:
                raise
            first = first or broken
            continue
        if first is not None:
            session.trouble, session.details = first.trouble, first.verdict.reason
        return session
    raise first or Broken(later("4.7.4", "no way to begin"))


async def _opened(peer: Peer, hello: str, patience: Patience, way: Way, source: str) -> Session:
    name, context = server_name(peer.policy, peer.host), way.context if peer.implicit else None
    try:
        wire = await connect(peer.address, peer.port, patience.connect, context, name, source)
        session = Session(peer, wire, patience)
        try:
            await session.begin(hello, way)
        except BaseException:  # cancelled or broken: no connection stays behind
            wire.abort()
            raise
    except Broken as broken:
        raise Broken(broken.verdict.at(peer.host), broken.trouble) from None
    return session


class Session:
    """A conversation with one host. mails: the transactions in it so far. tls: its version, or "".

    verified: the peer proved who it is.  trouble, details: what went wrong with TLS before this much came about.
    """

    def __init__(self, peer: Peer, wire: Wire, patience: Patience) -> None:
        self.peer, self.offers, self.mails = peer, NOTHING, 0
        self.tls, self.verified = wire.tls, False
        self.trouble: Trouble | None = None
        self.details = ""
        self._wire, self._patience = wire, patience
        self._deadline = asyncio.get_running_loop().time() + patience.whole

    @property
    def reusable(self) -> bool:
        return not self._wire.lost and not self._wire.early and self.mails < self.offers.mails

    @property
    def lost(self) -> bool:
        return self._wire.lost

    @property
    def certificates(self) -> list[bytes]:
        """What the peer showed, its own first, DER."""
        return self._wire.chain

    @property
    def trust(self) -> str:
        """For the log: how much is known of who listens."""
        return "verified" if self.verified else "encrypted" if self.tls else "plain"

    # the beginning

    async def begin(self, hello: str, way: Way) -> None:
        if self.tls:  # from the first byte
            await prove(self._wire, self.peer.policy)
        greeting = await self._wire.reply(self._limit(self._patience.greeting))
        if greeting.code != 220:
            raise self._refused(greeting, "the greeting")
        await self._hello(hello)
        if way.context is not None and not self.tls:
            await self._encrypt(way, hello)
        self.verified = bool(self.tls) and way.proof
        if self.peer.login is not None:
            await self._log_in(self.peer.login)

    async def _hello(self, hello: str) -> None:
        reply = await self._ask(f"EHLO {hello}", "EHLO")
        if reply.code >= 500:
            reply = await self._ask(f"HELO {hello}", "HELO")
            reply = Reply(reply.code, reply.lines[:1])  # who knows no EHLO offers nothing
        if reply.code != 250:
            raise self._refused(reply, "EHLO")
        self.offers = Offers.of(reply)

    async def _encrypt(self, way: Way, hello: str) -> None:
        """RFC 3207 4.1: when the peer does not want to, the policy says whether to go on without."""
        try:
            offered = "STARTTLS" in self.offers
            if way.context is not None and offered and (await self._ask("STARTTLS", "STARTTLS")).code == 220:
                self.offers = NOTHING
                name = server_name(self.peer.policy, self.peer.host)
                await self._wire.encrypt(way.context, name, self._patience.handshake)
                self.tls = self._wire.tls
                await prove(self._wire, self.peer.policy if way.proof else OPPORTUNISTIC)
                await self._hello(hello)
                return
        except Broken as broken:
            raise Broken(broken.verdict, broken.trouble or Trouble.VALIDATION_FAILURE) from None
        self.trouble, self.details = Trouble.STARTTLS_NOT_SUPPORTED, "it does not offer STARTTLS"
        if way.must:
            why = f"no TLS, which is a must here ({self.peer.policy.why})"
            raise Broken(later("4.7.4", why), Trouble.STARTTLS_NOT_SUPPORTED)

    async def _log_in(self, login: Login) -> None:
        """PLAIN or LOGIN, both only inside TLS, or to this very machine. What is wrong with a login, time may mend."""
        password = login.password.reveal()
        if "PLAIN" in self.offers.mechanisms:
            reply = await self._ask("AUTH PLAIN " + _base64(f"\0{login.user}\0{password}"), "AUTH")
        elif "LOGIN" in self.offers.mechanisms:
            reply = await self._ask("AUTH LOGIN", "AUTH")
            for word in (login.user, password):
                if reply.code == 334:
                    reply = await self._ask(_base64(word), "AUTH")
        else:
            raise Broken(later("4.7.0", "the next hop offers neither AUTH PLAIN nor AUTH LOGIN"))
        if reply.code != 235:
            raise Broken(later("4.7.8", f"the next hop refused our login with {reply.code}"))

    # a message

    async def deliver(self, letter: Letter, recipients: Sequence[Recipient]) -> Outcome:
        """One transaction for as many of these as the peer takes at once; the others are crowded out."""
        outcome, fit = Outcome(), []
        unfit = letter.unfit(self.offers, bool(self.tls), self.verified)
        for recipient in recipients:
            verdict = unfit or unfit_address(recipient.address, self.offers)
            if verdict is not None:
                outcome.elsewhere[recipient.id] = verdict
            else:
                fit.append(recipient)
        most = self.offers.recipients
        outcome.crowded += fit[most:]
        if fit:
            await self._guarded(letter, fit[:most], outcome)
        outcome.settled = {key: self._sealed(verdict) for key, verdict in outcome.settled.items()}
        outcome.elsewhere = {key: self._sealed(verdict) for key, verdict in outcome.elsewhere.items()}
        return outcome

    def _sealed(self, verdict: Verdict) -> Verdict:
        """With the host, and how it was talked to."""
        return replace(verdict.at(self.peer.host), tls=self.tls, policy=self.peer.policy.name, trust=self.trust)

    async def _guarded(self, letter: Letter, recipients: list[Recipient], outcome: Outcome) -> None:
        self.mails += 1
        # a peer may be slow, as slow as 4 KB/s; all the night it may not take
        self._deadline = asyncio.get_running_loop().time() + self._patience.whole + letter.size / 4096
        try:
            await self._transaction(letter, recipients, outcome)
        except Broken as broken:
            self._wire.abort()
            outcome.crowded = [r for r in outcome.crowded if r not in recipients]
            for recipient in recipients:
                if recipient.id not in outcome.settled:
                    outcome.elsewhere[recipient.id] = broken.verdict
        except asyncio.CancelledError:
            self._wire.abort()
            raise

    async def _transaction(self, letter: Letter, recipients: list[Recipient], outcome: Outcome) -> None:
        mail = letter.mail(self.offers, [recipient.address for recipient in recipients])
        lines = [rcpt(recipient, self.offers) for recipient in recipients]
        pipelining = "PIPELINING" in self.offers
        if pipelining:
            self._wire.write(b"".join([mail, *lines, b"DATA\r\n"]))
        reply = await self._said("MAIL", b"" if pipelining else mail)
        if not reply.good:
            _for_all(recipients, of_reply(reply, "MAIL", self.peer.host), outcome)
            if not pipelining:
                return
        accepted = await self._recipients(recipients, lines, pipelining, reply.good, outcome)
        if not accepted and not pipelining:
            await self._said("RSET", b"RSET\r\n")
            return
        go = await self._said("DATA", b"" if pipelining else b"DATA\r\n", self._patience.data)
        if go.code == 354 and not reply.good:
            self._wire.abort()  # it has refused the sender and goes on all the same: whatever it takes now is no mail of ours
        elif go.code == 354 and not accepted:
            await self._said("the end of nothing", b".\r\n")  # RFC 2920 3.1
        elif go.code == 354:
            await self._content(letter, accepted, outcome)
        elif accepted:
            _for_all(accepted, _no_go(go, self.peer.host), outcome)

    async def _recipients(
        self, recipients: list[Recipient], lines: list[bytes], pipelining: bool, begun: bool, outcome: Outcome
    ) -> list[Recipient]:
        """Those that the peer takes. Before MAIL was accepted the replies mean nothing and are only counted."""
        accepted: list[Recipient] = []
        for recipient, line in zip(recipients, lines, strict=True):
            reply = await self._said("RCPT", b"" if pipelining else line)
            if begun and reply.good:
                accepted.append(recipient)
            elif begun and accepted and _too_many(reply):
                outcome.crowded.append(recipient)
            elif begun:
                outcome.settled[recipient.id] = of_reply(reply, "RCPT", self.peer.host)
        return accepted

    async def _content(self, letter: Letter, accepted: list[Recipient], outcome: Outcome) -> None:
        if not self._wire.early:
            await self._wire.write_all(letter.body[:-3], self._limit(self._patience.block))
        if self._wire.early:
            verdict = await self._spoke_too_early()
        else:
            verdict = await self._end_of_content()
        for recipient in accepted:
            outcome.settled[recipient.id] = verdict

    async def _spoke_too_early(self) -> Verdict:
        """A refusal while we are still sending is one; a consent is a lie."""
        reply = await self._said("DATA", b"")
        if reply.good:
            raise Broken(later("4.5.0", "the peer confirmed a message before it had it"))
        self._wire.abort()
        return of_reply(reply, "DATA", self.peer.host)

    async def _end_of_content(self) -> Verdict:
        """From the dot on nobody else may be asked: the peer may have the message, whatever becomes of the connection."""
        self._wire.write(b".\r\n")
        try:
            reply = await self._wire.reply(self._patience.final)
        except Broken as broken:
            return later("4.4.2", f"after the end of the message: {broken.verdict.reason}")
        if reply.code == 421:
            self._wire.abort()
        if reply.good:
            return taken(reply, self.peer.host, "DSN" in self.offers)
        return of_reply(reply, "the end of the message", self.peer.host)

    # the end

    async def quit(self) -> None:
        """QUIT, without waiting long for the answer."""
        if not self._wire.lost:
            self._wire.write(b"QUIT\r\n")
            with contextlib.suppress(Broken):
                await self._wire.reply(self._patience.goodbye)
        self._wire.close()

    def close(self) -> None:
        self._wire.abort()

    # words

    async def _ask(self, line: str, stage: str) -> Reply:
        return await self._said(stage, line.encode() + b"\r\n")

    async def _said(self, stage: str, line: bytes, patience: float | None = None) -> Reply:
        """Say it (when it is not said already); the answer. 421 ends every conversation (RFC 5321 3.8)."""
        if line:
            if self._wire.early:
                raise Broken(later("4.5.0", f"the peer spoke before {stage} was said"))
            self._wire.write(line)
        reply = await self._wire.reply(self._limit(self._patience.command if patience is None else patience))
        if reply.code == 421:
            raise self._refused(reply, stage)
        return reply

    def _limit(self, patience: float) -> float:
        return max(0.01, min(patience, self._deadline - asyncio.get_running_loop().time()))

    def _refused(self, reply: Reply, stage: str) -> Broken:
        return Broken(of_reply(reply, stage, self.peer.host))


def _for_all(recipients: Sequence[Recipient], verdict: Verdict, outcome: Outcome) -> None:
    """A "never" is the domain's word; a "not now" may be this host's alone."""
    place = outcome.settled if verdict.fate is Fate.FAILED else outcome.elsewhere
    place.update({recipient.id: verdict for recipient in recipients})


def _no_go(reply: Reply, host: str) -> Verdict:
    if reply.good:
        return later("4.5.0", f"DATA was answered with {reply.code}", host)
    return of_reply(reply, "DATA", host)


def _too_many(reply: Reply) -> bool:
    """RFC 5321 4.5.3.1.10: 452, and 552 from old servers, mean: the others in another transaction."""
    return reply.code in (452, 552) and reply.enhanced[2:] in ("", "5.3")


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")


def unreachable(verdict: Verdict | None) -> Verdict:
    """The verdict when no host was left to ask."""
    return verdict or failed("5.4.4", "there is no host to ask")
