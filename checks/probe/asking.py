"""Asking a validating resolver as internet.nl asks its own: answers come even when they are bogus, and say that they are.

    async with Stub("127.0.0.1") as resolver:
        found = await resolver.look(Question("example.org", "MX"))                    # plain: with CD
        found = await resolver.look(Question("_25._tcp.mx.example.org", "TLSA", True))  # accurate: first without CD

Two resolvers can be asked: `Stub` talks to a validating one (on loopback: its AD bit is believed), `Own` is our libunbound, which
validates in this process. internet.nl's asks without RD, which its unbound allows; others refuse that, and answer the same
with RD: so RD is set here.
Standards: RFC 4035 3.2.2 (CD), RFC 6840 5.7 (AD), RFC 8914 (EDE), RFC 1035 5.1 (text of strings).
Fails by: nothing; a `Lookup` without rcode says why. Limits: MOST_RECORDS of an answer, AT_ONCE questions, 5 s for each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from checks.facts.looked import BOGUS_ERRORS, Lookup, Question
from checks.probe.showing import evidence
from dnsops.base.errors import ForUser
from dnsops.records import names, rdata
from dnsops.records.rdata import Rdata
from dnsops.resolve import line
from dnsops.resolve.answer import Security
from dnsops.resolve.line import AD, CD, RD, Line, Patience, Silence

if TYPE_CHECKING:
    import dns.message

    from dnsops.resolve.validator import Validator

MOST_RECORDS = 1000
AT_ONCE = 64
PATIENCE = Patience(udp=(2.0, 3.0), tcp=5.0)
PLAIN = frozenset(range(0x20, 0x7F)) - {ord('"'), ord("\\")}

Now = Callable[[], datetime]


class Asker(Protocol):
    """Who answers questions about the DNS."""

    @property
    def by(self) -> str: ...

    async def look(self, question: Question) -> Lookup: ...


class Stub:
    """Our own questions to a validating resolver."""

    def __init__(self, address: str, now: Now, port: int = 53, patience: Patience = PATIENCE) -> None:
        self._line, self._now = Line(address, patience, port), now
        self._room = asyncio.Semaphore(AT_ONCE)
        self.by = f"the resolver {address}"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._line.close()

    async def look(self, question: Question) -> Lookup:
        """The answer and its state of proof."""
        try:
            name = names.asked(question.name) if question.name else ""
        except ForUser as error:
            return unanswered(question, str(error), self._now())
        async with self._room:
            if question.accurate:
                return await self._accurate(question, name)
            return self._read(question, name, await self._ask(question, name, CD))

    async def _accurate(self, question: Question, name: str) -> Lookup:
        checked = self._read(question, name, await self._ask(question, name, AD))
        if checked.rcode != "SERVFAIL":
            return checked
        openly = self._read(question, name, await self._ask(question, name, CD))
        return bogus(openly, checked) if openly.answered else openly

    async def _ask(self, question: Question, name: str, flags: int) -> line.Said:
        return await self._line.ask(line.Question(name, question.type, RD | flags, dnssec=True))

    def _read(self, question: Question, name: str, said: dns.message.Message | Silence) -> Lookup:
        if isinstance(said, Silence):
            return unanswered(question, f"{self.by}: {said.why}", self._now())
        from dnsops.resolve import reading

        read = reading.read(said, name, question.type)
        try:
            data = [rdata.from_wire(question.type, one) for one in (read.data or ())[:MOST_RECORDS]]
        except ForUser as error:
            return unanswered(question, str(error), self._now())
        errors = reading.extended(said)
        codes = tuple(code for code, _ in errors)
        why = "; ".join(text for _, text in errors if text)
        rcode = reading.rcode(said)
        security = _security(rcode, codes, reading.authentic(said))
        return answered(question, rcode, security, data, why, codes, read.canonical, self._now())


class Own:
    """The library that validates inside this process."""

    def __init__(self, validator: Validator, now: Now) -> None:
        self._validator, self._now = validator, now

    @property
    def by(self) -> str:
        return self._validator.by

    async def look(self, question: Question) -> Lookup:
        """The answer and its state of proof; both ways of asking are the same to it."""
        found = await self._validator.openly(question.name, question.type)
        if found.security is Security.FAILED:
            rcode = "SERVFAIL" if "SERVFAIL" in found.why else ""
            return unanswered(question, found.why, self._now(), rcode)
        data = sorted(found.items, key=str)
        return answered(question, found.rcode, found.security, data, found.why, found.ede, found.canonical, self._now())


def _security(rcode: str, codes: tuple[int, ...], authentic: bool) -> Security:
    """Bogus by an extended error, else proven by AD."""
    if BOGUS_ERRORS & set(codes):
        return Security.BOGUS
    if rcode not in ("NOERROR", "NXDOMAIN"):
        return Security.FAILED
    return Security.SECURE if authentic else Security.INSECURE


# lookups


def answered(
    question: Question,
    rcode: str,
    security: Security,
    data: Iterable[Rdata],
    why: str,
    ede: tuple[int, ...],
    canonical: str,
    at: datetime,
) -> Lookup:
    """What came back."""
    records = tuple(text(one) for one in data)
    state = f"{question.name}. {question.type}: {rcode}, {security.name.lower()}" + (f" ({why})" if why else "")
    shown = evidence((state, *records), at)
    return Lookup(question.name, question.type, rcode, security, records, why, ede, canonical, shown)


def unanswered(question: Question, why: str, at: datetime, rcode: str = "") -> Lookup:
    """Nothing came back, and why."""
    shown = evidence((f"{question.name}. {question.type}: {why}",), at)
    return Lookup(question.name, question.type, rcode, Security.FAILED, why=why, evidence=shown)


def bogus(openly: Lookup, checked: Lookup) -> Lookup:
    """What only those get who do not check it, and why."""
    why = checked.why or "the resolver gives it only to who does not check it"
    lines = (*checked.evidence.lines, *openly.evidence.lines)
    shown = evidence(lines, openly.evidence.at)
    return replace(openly, security=Security.BOGUS, why=why, ede=checked.ede or openly.ede, evidence=shown)


def text(data: Rdata) -> str:
    """Presentation text; a TXT record's strings joined, escaped, without their quotation marks."""
    if data.type != "TXT":
        return str(data)
    return "".join(chr(one) if one in PLAIN else _escaped(one) for one in b"".join(rdata.strings(data)))


def _escaped(octet: int) -> str:
    return "\\" + chr(octet) if octet in b'"\\' else f"\\{octet:03d}"
