"""SPF: may this address send as that domain? HELO's name and MAIL FROM, by spftrace on our validating resolver.

    found = await Check(resolver, "mx1.example.org").mail("192.0.2.1", "a@example.org", "mail.example.org")

Standards: RFC 7208 (2.4: a null sender is postmaster at HELO; 4.6.4: ten terms, two void look-ups), RFC 8601 2.7.2.
Limits: 20 s and 111 questions a check (a look-up for the record, ten for its terms, ten for each), 8192 octets a record,
a local part of 256; RFC 7208 4.6.4's own. Bogus, refused or silent is temperror, never none.
Fails by: nothing; every trouble is a verdict. spftrace is imported by the first check (`prepare` does it before).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from dnsops.base.errors import ForUser
from dnsops.base.flow import Flow, arun
from dnsops.base.printable import printable
from dnsops.records import names
from dnsops.records.rdata import Rdata
from dnsops.records.txt.spf import LONGEST, is_spf
from dnsops.records.txt.spf import Spf as SpfRecord
from dnsops.records.txt.texts import text_of
from dnsops.resolve.answer import Answer, Resolver
from mailsrv.auth.again import Again, Known, Noted, nothing
from mailsrv.auth.asked import unknown
from mailsrv.auth.verdicts import Result, Spf

if TYPE_CHECKING:
    from spftrace import BaseResolver, Limits
    from spftrace import Result as Traced

SECONDS = 20  # RFC 7208 4.6.4: at least that
MOST_QUESTIONS = 111
MOST_TEXTS = 2  # a second SPF record makes a permerror, a second explanation none: more say no more
LONGEST_LOCAL = 256  # octets; RFC 5321 4.5.3.1.1 has 64
LONGEST_WHY = 200
NO_DOMAIN = "no domain that could have a record"
RESULTS = {
    result.value: result
    for result in (
        Result.NONE,
        Result.NEUTRAL,
        Result.PASS,
        Result.FAIL,
        Result.SOFTFAIL,
        Result.TEMPERROR,
        Result.PERMERROR,
    )
}


def prepare() -> None:
    """Import spftrace now, so that the first mail need not wait for it."""
    import spftrace  # noqa: F401


@dataclass(frozen=True, slots=True)
class Case:
    """One evaluation (RFC 7208 4.1). sender: LOCAL@DOMAIN; "" where no record of the domain looks at it, nor at `helo`."""

    address: str
    domain: str
    sender: str = ""
    helo: str = ""


def of_helo(address: str, helo: str) -> Flow[Case, Spf, Spf]:
    """The client's own name (RFC 7208 2.3); a bare word or an address literal has no record."""
    name = _domain(helo)
    if not name:
        return Spf(Result.NONE, identity=printable(helo[:LONGEST_WHY]), helo=True, why=NO_DOMAIN)
    found = yield Case(address, name, f"postmaster@{name}", name)
    return replace(found, identity=name, helo=True)


def of_mail(address: str, sender: str, helo: str) -> Flow[Case, Spf, Spf]:
    """MAIL FROM, LOCAL@DOMAIN; "" is the null sender, for which HELO's name stands (RFC 7208 2.4)."""
    local, _, domain = (sender or f"postmaster@{helo}").rpartition("@")
    name, local = _domain(domain), local or "postmaster"  # RFC 7208 4.3
    identity = printable(f"{local[:LONGEST_LOCAL]}@{name or domain[:LONGEST_WHY]}")
    if not name:
        return Spf(Result.NONE, identity=identity, why=NO_DOMAIN)
    if len(local.encode(errors="replace")) > LONGEST_LOCAL:
        return Spf(Result.PERMERROR, name, identity, why=f"a local part of more than {LONGEST_LOCAL} octets")
    found = yield Case(address, name, f"{local}@{name}", _domain(helo) or "unknown")
    return replace(found, identity=identity)


class Check:
    """Evaluations on one resolver. host: our name, which records may ask for (macro r).

    again, known: verdicts that stand, and what the resolver has of their answers.
    """

    def __init__(
        self,
        resolver: Resolver,
        host: str = "",
        seconds: float = SECONDS,
        again: Again[Case, Spf] | None = None,
        known: Known = nothing,
    ) -> None:
        self._resolver, self._host, self._seconds = resolver, host, seconds
        self._again, self._known = again if again is not None else Again(0), known

    async def helo(self, address: str, helo: str) -> Spf:
        return await arun(of_helo(address, helo), self.evaluate)

    async def mail(self, address: str, sender: str, helo: str) -> Spf:
        return await arun(of_mail(address, sender, helo), self.evaluate)

    def found(self, case: Case) -> Spf | None:
        """The verdict that stands from before."""
        anyone = self._again.find(Case(case.address, case.domain), self._known)
        return anyone or self._again.find(case, self._known)

    async def evaluate(self, case: Case) -> Spf:
        """The verdict; identity is for whoever asks to say."""
        noted = Noted(self._resolver)
        verdict = await self._evaluated(case, noted)
        if verdict.result is not Result.TEMPERROR:
            personal = any("%" in str(item) for _, answer in noted.answers for item in answer.items)
            self._again.keep(case if personal else Case(case.address, case.domain), noted.answers, verdict)
        return verdict

    async def _evaluated(self, case: Case, resolver: Resolver) -> Spf:
        from spftrace import Evaluator

        evaluator = Evaluator(_asking(resolver), _limits(self._seconds), self._host or "unknown")
        try:
            # a link-local address names its interface, which no record can mean
            traced = await evaluator.evaluate(case.address.partition("%")[0], case.sender, case.helo)
        except ValueError as error:  # numbers and addresses that spftrace trusts too early
            return Spf(Result.PERMERROR, case.domain, why=_short(f"spftrace: {error}"))
        return Spf(RESULTS[traced.verdict], case.domain, why=_why(traced))


def null(helo: Spf) -> Spf:
    """The verdict on a null sender, which is the one on HELO's name (RFC 7208 2.4)."""
    return replace(helo, identity=f"postmaster@{helo.identity}", helo=False)


def found(answer: Answer) -> tuple[str, list[str]]:
    """An answer as spftrace wants it: a return code, and the data as text. Raises `ForUser` for a record that is none."""
    if unknown(answer):
        return "SERVFAIL", []
    if answer.type == "TXT":
        return answer.rcode, _texts(answer)
    return answer.rcode, _DATA.get(answer.type, _plain)(answer.items)


@cache
def _door() -> type[BaseResolver]:
    """Our resolver behind spftrace's door, as a class that is made once."""
    from spftrace import BaseResolver, SpfPermError

    class Asking(BaseResolver):
        def __init__(self, resolver: Resolver) -> None:
            self._ours = resolver

        async def _lookup(self, name: str, rtype: str) -> tuple[str, list[str]]:
            try:
                asked = names.asked(name)
            except ForUser:
                return "NXDOMAIN", []  # RFC 7208 4.8: what is no domain name does not match
            try:
                return found(await self._ours.ask(asked, rtype))
            except ForUser as error:
                raise SpfPermError(error.what) from None

    return Asking


def _asking(resolver: Resolver) -> BaseResolver:
    return _door()(resolver)  # type: ignore[call-arg]


def _limits(seconds: float) -> Limits:
    from spftrace import Limits

    return Limits(time_limit=seconds, max_queries=MOST_QUESTIONS)


def _texts(answer: Answer) -> list[str]:
    """SPF records first: spftrace looks for them, or for the only text there is.

    What our grammar refuses does not reach spftrace, which trips over some of it (an address with a zone, 5000 digits).
    """
    every = list(map(text_of, answer.items))
    records = [text for text in every if is_spf(text)]
    if len(records) == 1:
        _read(records[0])
    others = [text for text in every if len(text) <= LONGEST and not is_spf(text)]
    return [*records[:MOST_TEXTS], *others[:MOST_TEXTS]]


@lru_cache(maxsize=256)
def _read(text: str) -> SpfRecord:
    return SpfRecord.parse(text)


def _plain(items: frozenset[Rdata]) -> list[str]:
    return sorted(str(item).removesuffix(".") for item in items)


def _hosts(items: frozenset[Rdata]) -> list[str]:
    """MX records' hosts, the best first."""
    pairs = sorted((int(preference), host) for preference, _, host in (str(item).partition(" ") for item in items))
    return [host.removesuffix(".") for _, host in pairs]


_DATA: Mapping[str, Callable[[frozenset[Rdata]], list[str]]] = {"MX": _hosts}


def _domain(text: str) -> str:
    """The name that a record can stand at, or "" (RFC 7208 4.3)."""
    if text.startswith("["):
        return ""
    try:
        name = names.canonical(text)
    except ForUser:
        return ""
    return name if "." in name else ""


def _why(traced: Traced) -> str:
    """What matched, or what was wrong."""
    for event in reversed(traced.trace.events):
        if event.kind == "mech_match" and event.depth == 0:
            return _short(f"{event.data['raw']} matched")
        if event.kind == "exit":
            return _short(str(event.data["reason"]))
    return "no term matched" if traced.verdict == Result.NEUTRAL.value else ""


def _short(text: str) -> str:
    return printable(text[:LONGEST_WHY])
