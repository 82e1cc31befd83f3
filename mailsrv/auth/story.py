"""Where a message comes from: everything that can be known of it, asked at the same time.

    iprev ─┐
    SPF of HELO, of MAIL FROM ─┤
    DKIM and ARC ─┼─> DMARC's alignment ─> Authentication
    DMARC's policy of From's domain ─┘

Standards: those of the rooms that are called, and RFC 8601 for the whole.
Limits: TOTAL seconds for all of it; what is not through by then is temperror. Fails by: nothing; each trouble is a verdict.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from dnsops.base.flow import arun
from dnsops.resolve.answer import Answer, Question, Resolver
from mailsrv.auth.author import Author, author
from mailsrv.auth.dmarc import Found, Policy, discover, judge
from mailsrv.auth.iprev import reverse
from mailsrv.auth.spf import Check, null
from mailsrv.auth.treewalk import Finder
from mailsrv.auth.verdicts import Arc, Authentication, Dkim, Dmarc, Iprev, Result, Spf
from mailsrv.message.header import header

TOTAL = 45.0  # seconds; a client waits ten minutes for the end of DATA (RFC 5321 4.5.3.2.6)
TOO_LATE = "it took too long"

T = TypeVar("T")
Ask = Callable[[Question], Awaitable[Answer]]


class Signatures(Protocol):
    """Checks a message's DKIM signatures and its ARC chain."""

    async def __call__(self, content: bytes, resolver: Resolver, now: datetime) -> tuple[tuple[Dkim, ...], Arc]: ...


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
    """What it takes to find out. host: our name.  find: organizational domains by other means than the tree walk."""

    resolver: Resolver
    signatures: Signatures
    host: str = ""
    find: Finder | None = None
    total: float = TOTAL


async def authenticate(content: bytes, origin: Origin, means: Means, now: datetime) -> Authentication:
    """All that can be known of one message's origin."""
    ask: Ask = lambda question: means.resolver.ask(question.name, question.type)  # noqa: E731 - a name for one line
    who = author(header(content))
    loop = asyncio.get_running_loop()
    end = loop.time() + means.total
    iprev, (helo, mail), (dkim, arc), found = await asyncio.gather(
        _until(end, _iprev(origin, ask), Iprev(Result.TEMPERROR, why=TOO_LATE)),
        _until(end, _spf(origin, means), _late_spf(origin)),
        _until(end, means.signatures(content, means.resolver, now), _late_signatures(who)),
        _until(end, arun(discover(who, means.find), ask), _late_policies(who)),
    )
    dmarc = await _until(end, arun(judge(found, mail, dkim), ask), _late_dmarc(who))
    return Authentication(iprev, helo, mail, dkim, arc, dmarc)


async def _iprev(origin: Origin, ask: Ask) -> Iprev:
    if origin.before is not None and origin.before.iprev.result is not Result.TEMPERROR:
        return origin.before.iprev
    return await arun(reverse(origin.address), ask)


async def _spf(origin: Origin, means: Means) -> tuple[Spf, Spf]:
    """Of HELO's name and of MAIL FROM; a null sender is HELO's postmaster, and costs nothing more."""
    check = Check(means.resolver, means.host)
    if not origin.sender:
        helo = await _helo(origin, check)
        return helo, null(helo)
    helo, mail = await asyncio.gather(_helo(origin, check), check.mail(origin.address, origin.sender, origin.helo))
    return helo, mail


async def _helo(origin: Origin, check: Check) -> Spf:
    if origin.before is not None and origin.before.helo.result is not Result.TEMPERROR:
        return origin.before.helo
    return await check.helo(origin.address, origin.helo)


async def _until(end: float, work: Awaitable[T], late: T) -> T:
    """What the work finds, or `late`."""
    try:
        async with asyncio.timeout_at(end):
            return await work
    except TimeoutError:
        return late


def _late_spf(origin: Origin) -> tuple[Spf, Spf]:
    domain = origin.sender.rpartition("@")[2] or origin.helo
    return (
        Spf(Result.TEMPERROR, origin.helo, origin.helo, helo=True, why=TOO_LATE),
        Spf(Result.TEMPERROR, domain, origin.sender or f"postmaster@{origin.helo}", why=TOO_LATE),
    )


def _late_signatures(who: Author) -> tuple[tuple[Dkim, ...], Arc]:
    """As if each author domain had one that may yet hold: DMARC must not fail because we were slow."""
    late = tuple(Dkim(Result.TEMPERROR, domain, why=TOO_LATE) for domain in who.domains)
    return late, Arc(Result.TEMPERROR, why=TOO_LATE)


def _late_policies(who: Author) -> Found:
    return Found(who, tuple(Policy(domain, trouble=TOO_LATE) for domain in who.domains))


def _late_dmarc(who: Author) -> Dmarc:
    return Dmarc(Result.TEMPERROR, who.domain, why=TOO_LATE)
