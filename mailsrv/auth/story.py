"""Where a message comes from: everything that can be known of it, asked at the same time.

    iprev ─┐
    SPF of HELO, of MAIL FROM ─┤
    DKIM and ARC ─┼─> DMARC's alignment ─> Authentication
    DMARC's policy of From's domain ─┘

What the resolver still knows is read at once and in place, without a task: most mail comes from where mail came from a moment
ago. Only what has to be waited for is, all of it at the same time.
Standards: those of the rooms that are called, and RFC 8601 for the whole.
Limits: TOTAL seconds for all of it; what is not through by then is temperror. Fails by: nothing; each trouble is a verdict.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from dnsops.base.flow import Begun, Flow
from dnsops.resolve.answer import Answer, Question, Resolver
from mailsrv.auth.again import Again, Known, nothing
from mailsrv.auth.author import Author, author
from mailsrv.auth.dmarc import Found, Policy, discover, judge
from mailsrv.auth.iprev import reverse
from mailsrv.auth.spf import Case, Check, null, of_helo, of_mail
from mailsrv.auth.treewalk import Finder
from mailsrv.auth.verdicts import Arc, Authentication, Dkim, Dmarc, Iprev, Result, Spf
from mailsrv.message.header import Header, header

TOTAL = 45.0  # seconds; a client waits ten minutes for the end of DATA (RFC 5321 4.5.3.2.6)
AT_ONCE = 64 << 10  # octets that are read in the event loop; more goes to a thread
TOO_LATE = "it took too long"

Ask = Callable[[Question], Awaitable[Answer]]
Signed: TypeAlias = "tuple[tuple[Dkim, ...], Arc]"
# reads and hashes a message when it is called - processor only, linear -, and then asks for the keys of its signatures
Signatures: TypeAlias = "Callable[[bytes, datetime], Flow[Question, Answer, Signed]]"


@dataclass(frozen=True)
class Origin:
    """Where the message came in from. address: the client's.  sender: LOCAL@DOMAIN of MAIL FROM, "" for the null sender.

    before: what was found for an earlier message of the same session, when client and HELO are still the same.
    """

    address: str
    helo: str
    sender: str
    before: Authentication | None = None


@dataclass(frozen=True)
class Means:
    """What it takes to find out. host: our name.  find: organizational domains by other means than the tree walk.

    known: what the resolver can tell without asking.  again: SPF's verdicts from before.
    """

    resolver: Resolver
    signatures: Signatures
    host: str = ""
    find: Finder | None = None
    total: float = TOTAL
    known: Known = nothing
    again: Again[Case, Spf] = field(default_factory=Again)


async def authenticate(
    content: bytes, origin: Origin, means: Means, now: datetime, head: Header | None = None
) -> Authentication:
    """All that can be known of one message's origin. head: its header, where that has been read."""
    end = asyncio.get_running_loop().time() + means.total
    who, flow = await _read(content, head, means, now)
    check = Check(means.resolver, means.host, again=means.again, known=means.known)
    iprev, policies = Begun(_iprev(origin), means.known), Begun(discover(who, means.find), means.known)
    helo, mail = Begun(_helo(origin), check.found), Begun(_mail(origin), check.found)
    signed = Begun(flow, means.known)
    ask: Ask = lambda question: means.resolver.ask(question.name, question.type)  # noqa: E731 - a name for one line
    waiting: list[Awaitable[object]] = [one.finish(ask) for one in (iprev, policies, signed) if not one.finished]
    waiting += [one.finish(check.evaluate) for one in (helo, mail) if not one.finished]
    if waiting:
        await asyncio.gather(*(_until(end, one) for one in waiting))
    spf = _spf(
        helo.result if helo.finished else _late_helo(origin), mail.result if mail.finished else _late_mail(origin)
    )
    dkim, arc = signed.result if signed.finished else _late_signatures(who)
    verdict = Begun(judge(policies.result if policies.finished else _late_policies(who), spf[1], dkim), means.known)
    if not verdict.finished:
        await _until(end, verdict.finish(ask))
    return Authentication(
        iprev.result if iprev.finished else Iprev(Result.TEMPERROR, why=TOO_LATE),
        *spf,
        dkim,
        arc,
        verdict.result if verdict.finished else _late_dmarc(who),
    )


async def _read(
    content: bytes, head: Header | None, means: Means, now: datetime
) -> tuple[Author, Flow[Question, Answer, Signed]]:
    """Who wrote it, and its signatures, hashed: a large message's in a thread."""

    def read() -> tuple[Author, Flow[Question, Answer, Signed]]:
        return author(head or header(content)), means.signatures(content, now)

    return read() if len(content) <= AT_ONCE else await asyncio.to_thread(read)


def _iprev(origin: Origin) -> Flow[Question, Answer, Iprev]:
    if origin.before is not None and origin.before.iprev.result is not Result.TEMPERROR:
        return origin.before.iprev
    return (yield from reverse(origin.address))


def _helo(origin: Origin) -> Flow[Case, Spf, Spf]:
    if origin.before is not None and origin.before.helo.result is not Result.TEMPERROR:
        return origin.before.helo
    return (yield from of_helo(origin.address, origin.helo))


def _mail(origin: Origin) -> Flow[Case, Spf, Spf | None]:
    """None for a null sender, who is HELO's postmaster, and costs nothing more."""
    return (yield from of_mail(origin.address, origin.sender, origin.helo)) if origin.sender else None


def _spf(helo: Spf, mail: Spf | None) -> tuple[Spf, Spf]:
    return helo, null(helo) if mail is None else mail


async def _until(end: float, work: Awaitable[object]) -> None:
    """As far as it comes."""
    with suppress(TimeoutError):
        async with asyncio.timeout_at(end):
            await work


def _late_helo(origin: Origin) -> Spf:
    return Spf(Result.TEMPERROR, origin.helo, origin.helo, helo=True, why=TOO_LATE)


def _late_mail(origin: Origin) -> Spf | None:
    return Spf(Result.TEMPERROR, origin.sender.rpartition("@")[2], origin.sender, why=TOO_LATE)


def _late_signatures(who: Author) -> Signed:
    """As if each author domain had one that may yet hold: DMARC must not fail because we were slow."""
    late = tuple(Dkim(Result.TEMPERROR, domain, why=TOO_LATE) for domain in who.domains)
    return late, Arc(Result.TEMPERROR, why=TOO_LATE)


def _late_policies(who: Author) -> Found:
    return Found(who, tuple(Policy(domain, trouble=TOO_LATE) for domain in who.domains))


def _late_dmarc(who: Author) -> Dmarc:
    return Dmarc(Result.TEMPERROR, who.domain, why=TOO_LATE)
