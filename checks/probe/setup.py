"""Setting up an account as mail programs do: the same places in the same order, and each server that they name tried once.

    PACC          https://ua-auto-config.DOMAIN/.well-known/user-agent-configuration.json, and the record with its hash
    Thunderbird   https://autoconfig.DOMAIN/mail/config-v1.1.xml, https://DOMAIN/.well-known/autoconfig/mail/config-v1.1.xml, then
                  the same at the domain of the first mail host (its own data base, ISPDB, is not asked: it is no word of the domain)
    Outlook       POST https://DOMAIN/autodiscover/autodiscover.xml, https://autodiscover.DOMAIN/..., then SRV _autodiscover._tcp
    Apple, others SRV _submissions, _submission, _imaps, _imap, _pop3s, _pop3

Where a name is there for this alone and HTTPS gives nothing, plain HTTP is asked, too, as these programs do: what comes is told of.
Only public addresses are spoken to, unless the world is `local`, by redirects, too; ports that are not of mail are not tried.
Limits: WHOLE seconds, and those of `browsing` and `serving`; PLACES servers. What there was no time for is left out, and says so.
Standards: RFC 6186, RFC 9110, draft-ietf-mailmaint-pacc. Fails by: nothing; what could not be had says why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from checks.facts import Facts, Question
from checks.facts.beyond import Beyond
from checks.facts.setup import CLEAR, Place, Service, Setup, Source
from checks.judge.setup import PACC, wanted
from checks.judge.setup_documents import SRV
from checks.probe.book import Book
from checks.probe.browsing import Browser, Lost
from checks.probe.serving import tried
from checks.probe.world import World
from dnsops.records.txt.uaac import HOST, OWNER
from dnsops.wanted.uaac_document import PATH

WHOLE, OF_PAGES = 15.0, 0.7
PLACES = 6
PORTS = (110, 143, 465, 587, 993, 995)
CONFIG, WELL_KNOWN = "/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml"
POST = "/autodiscover/autodiscover.xml"
LATE = "there was no time for it"
_ASKED = (
    '<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/'
    'requestschema/2006"><Request><EMailAddress>postmaster@{domain}</EMailAddress><AcceptableResponseSchema>http://schemas.microsoft'
    ".com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>"
)


@dataclass(frozen=True, slots=True)
class Page:
    """Where a program asks, and how. body: of a POST, "" for GET."""

    host: str
    path: str
    who: str
    body: str = ""

    @property
    def own(self) -> bool:
        """Whether the name is there for this alone; at the domain itself another web server may live, which owes nothing."""
        return self.host.startswith(("autoconfig.", "autodiscover.", f"{HOST}."))


async def look(book: Book, domain: str, hosts: tuple[str, ...], world: World, end: float = inf) -> Setup:
    """All places, and the servers that they name. end: of the loop's time, for who has less than WHOLE seconds."""
    labels = [Question(f"{label}._tcp.{domain}", "SRV") for label in (*SRV, "_autodiscover")]
    *_, pointer, _ = await book.look_each([*labels, Question(f"{OWNER}.{domain}", "TXT")])
    begin, browser = asyncio.get_running_loop().time(), Browser(book, world)
    whole = min(WHOLE, end - begin)
    pages = list(_pages(domain, hosts, pointer.records))
    read = (_sources(page, browser, begin + whole * OF_PAGES) for page in pages)
    sources = tuple(source for some in await asyncio.gather(*read) for source in some)
    seen = Setup(sources)
    named = wanted(seen, Facts(domain, world.now(), book=book.pages, beyond=Beyond(setup=seen)))
    doors = [one for one in named if one.port in PORTS and one.security != CLEAR][:PLACES]
    return Setup(sources, tuple(await asyncio.gather(*(_place(one, browser, world, begin + whole) for one in doors))))


def _pages(domain: str, hosts: tuple[str, ...], pointer: tuple[str, ...]) -> Iterator[Page]:
    yield Page(f"{HOST}.{domain}", PATH, PACC)
    yield Page(f"autoconfig.{domain}", CONFIG, "Thunderbird")
    yield Page(domain, WELL_KNOWN, "Thunderbird")
    above = hosts[0].partition(".")[2] if hosts else ""
    if "." in above and above != domain:
        yield Page(f"autoconfig.{above}", CONFIG, "Thunderbird, by the mail host")
    body = _ASKED.format(domain=domain)
    yield Page(domain, POST, "Outlook", body)
    yield Page(f"autodiscover.{domain}", POST, "Outlook", body)
    for record in pointer[:1]:
        *_, port, target = ("", "", *record.split())
        if port == "443" and target not in ("", "."):
            yield Page(target.rstrip("."), POST, "Outlook, by SRV", body)


async def _sources(page: Page, browser: Browser, end: float) -> list[Source]:
    """What is there by HTTPS; where that is nothing, what is there without."""
    secure = await _source(page, browser, "https", end)
    if secure.body is not None or not page.own or page.who == PACC or secure.absent:
        return [secure]
    clear = await _source(page, browser, "http", end)
    return [secure, clear] if clear.body is not None else [secure]


async def _source(page: Page, browser: Browser, scheme: str, end: float) -> Source:
    where = f"{scheme}://{page.host}{page.path}"
    try:
        async with asyncio.timeout_at(end):
            got = await browser.get(where, page.body if scheme == "https" else "")
    except TimeoutError:
        return Source(where, page.who, why=LATE, absent=True)
    except Lost as lost:
        return Source(where, page.who, why=lost.why, absent=lost.absent or not page.own)
    return Source(where, page.who, got.body, via=got.via, shared=not page.own)


async def _place(one: Service, browser: Browser, world: World, end: float) -> Place:
    try:
        async with asyncio.timeout_at(end):
            return await tried(one, browser, world)
    except TimeoutError:
        return Place(one.host, one.port, late=True)
