"""Where a message comes from: everything that can be known of it, asked at the same time.

    iprev ─┐
    SPF of HELO, of MAIL FROM ─┤
    DKIM and ARC ─┼─> DMARC's alignment ─> Authentication
    DMARC's policy of From's domain ─┘

What the resolver still knows is read at once and in place, without a task: most mail comes from where mail came from a moment
ago. Only what has to be waited for is, all of it at the same time. And what SPF and DMARC said of a message by the same people, from the
same place, with the same signatures, they say again as long as every answer stands that it came from.
Standards: those of the rooms that are called, and RFC 8601 for the whole.
Limits: TOTAL seconds for all of it; what is not through by then is temperror. Fails by: nothing; each trouble is a verdict.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, TypeAlias

from dnsops.base.flow import Begun, Flow
from dnsops.resolve.answer import Answer, Question, Resolver
from mailsrv.auth.again import Again, Heard, Known, nothing
from mailsrv.auth.author import Author, author
from mailsrv.auth.dmarc import Found, Policy, discover, judge
from mailsrv.auth.iprev import reverse
from mailsrv.auth.spf import Case, Check, null, of_helo, of_mail
from mailsrv.auth.treewalk import Finder
from mailsrv.auth.verdicts import Arc, Authentication, Dkim, Dmarc, Iprev, Result, Spf, unmarked
from mailsrv.message.header import Header, header

TOTAL = 45.0  # seconds; a client waits ten minutes for the end of DATA (RFC 5321 4.5.3.2.6)
AT_ONCE = 64 << 10  # octets that are read in the event loop; more goes to a thread
TOO_LATE = "it took too long"

Ask = Callable[[Question], Awaitable[Answer]]
Signed: TypeAlias = "tuple[tuple[Dkim, ...], Arc]"
# reads and hashes a message when it is called - processor only, linear -, and then asks for the keys of its signatures
Signatures: TypeAlias = "Callable[[bytes, datetime, Header], Flow[Question, Answer, Signed]]"


class Alike(NamedTuple):
    """Messages about which SPF and DMARC say the same."""

    address: str
    greeting: str
    sender: str
    helo: Spf
    author: Author
    dkim: tuple[Dkim, ...]


Said: TypeAlias = "tuple[Spf, Dmarc]"


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

    known: what the resolver can tell without asking.  again: SPF's verdicts from before.  stands: SPF's and DMARC's on a message.
    """

    resolver: Resolver
    signatures: Signatures
    host: str = ""
    find: Finder | None = None
    total: float = TOTAL
    known: Known = nothing
    again: Again[Case, Spf] = field(default_factory=Again)
    stands: Again[Alike, Said] = field(default_factory=Again)


async def authenticate(
    content: bytes, origin: Origin, means: Means, now: datetime, head: Header | None = None
) -> Authentication:
    """All that can be known of one message's origin. head: its header, where that has been read."""
    end = asyncio.get_running_loop().time() + means.total
    who, flow = await _read(content, head, means, now)
    check = Check(means.resolver, means.host, again=means.again, known=means.known)
    iprev, helo = Begun(_iprev(origin), means.known), Begun(_helo(origin), check.found)
    signed = Begun(flow, means.known)
    if iprev.finished and helo.finished and signed.finished:
        dkim, arc = signed.result
        said = _at_once(
            Alike(origin.address, origin.helo, origin.sender, helo.result, who, unmarked(dkim)), origin, means
        )
        if said is not None:
            return Authentication(iprev.result, helo.result, said[0], dkim, arc, said[1])
    return await _waited(origin, means, end, who, check, iprev, helo, signed)


def _at_once(alike: Alike, origin: Origin, means: Means) -> Said | None:
    """What SPF of MAIL FROM and DMARC say, when nothing must be waited for."""
    said = means.stands.find(alike, means.known)
    if said is not None:
        return said
    heard = Heard(means.known)
    check = Check(means.resolver, means.host, again=means.again, known=heard)
    mail, policies = Begun(_mail(origin), check.found), Begun(discover(alike.author, means.find), heard)
    if not mail.finished or not policies.finished:
        return None
    spf = _spf(alike.helo, mail.result)[1]
    verdict = Begun(judge(policies.result, spf, alike.dkim), heard)
    if not verdict.finished:
        return None
    means.stands.keep(alike, heard.answers, (spf, verdict.result))
    return spf, verdict.result


async def _waited(
    origin: Origin,
    means: Means,
    end: float,
    who: Author,
    check: Check,
    iprev: Begun[Question, Answer, Iprev],
    helo: Begun[Case, Spf, Spf],
    signed: Begun[Question, Answer, Signed],
) -> Authentication:
    """All that must be waited for, at the same time."""
    policies, mail = Begun(discover(who, means.find), means.known), Begun(_mail(origin), check.found)
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
        known = head or header(content)
        return author(known), means.signatures(content, now, known)

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
