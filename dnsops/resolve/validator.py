"""The validating resolver: libunbound, from the root's trust anchor down, inside this process.

    async with Validator(settings) as resolver:
        answer = await resolver.ask("_25._tcp.mx1.example.org", "TLSA")

Standards: RFC 4035 (validation), RFC 8914 (why not). Its limits against hostile zones (iterations, signatures, referrals)
are libunbound's own; we set nothing but anchor, hints, forwarders and `ede`, and one total time for each question.
Limits of ours: MOST_RECORDS in an answer; one of more than LARGE octets is read in a thread, so that nobody else waits for it.
Fails by: `Misconfigured` when it cannot start. Every question gets an `Answer`; FAILED and BOGUS ones say why.
libunbound accepts a signature up to a day (a tenth of its life) after its end: `val-sig-skew-max`, its default.
A validator caches for its whole life: whoever wants to see a change before its TTL has passed opens a new one.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import lru_cache
from types import TracebackType
from typing import Self

from dnsops.base.errors import ForUser, Misconfigured
from dnsops.records import names
from dnsops.resolve import extended, libunbound, packet
from dnsops.resolve.answer import Answer, Security, failed
from dnsops.resolve.libunbound import Context, Reply
from dnsops.resolve.packet import Seen
from dnsops.resolve.settings import Settings, check_files, from_env

MOST_TYPES = 64  # types whose number is kept
AT_ONCE = 256  # questions inside libunbound; the others wait outside, and their time has not begun
MOST_RECORDS = 1000  # of one answer; to read one costs a tenth of a millisecond, and nobody honest has so many
LARGE = 4096  # octets of an answer that is read in a thread


class Validator:
    """Many questions at once; answers are proven here and by nobody else."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings or from_env()
        self._room = asyncio.Semaphore(AT_ONCE)
        self._context: Context | None = None
        self.by = "libunbound"

    async def __aenter__(self) -> Self:
        check_files(self._settings)
        library = libunbound.load()
        if library is None:
            raise Misconfigured("libunbound is not installed", "MAILSRV_RESOLVER", "apt-get install libunbound8")
        context = Context(library)
        try:
            _set_up(context, self._settings)
            context.start()
        except BaseException:
            context.close()
            raise
        self._context, self.by = context, f"libunbound {context.version}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._context is not None:
            self._context.close()

    async def ask(self, name: str, type_name: str) -> Answer:
        """The validated answer, within the time that the settings give."""
        return await self._ask(name, type_name, openly=False)

    async def openly(self, name: str, type_name: str) -> Answer:
        """The same, but a bogus answer has its records: for who shows what is wrong with a zone, never to act upon."""
        return await self._ask(name, type_name, openly=True)

    async def _ask(self, name: str, type_name: str, openly: bool) -> Answer:
        try:
            name, type_name, code = question(name, type_name)
        except ForUser as error:
            return failed(name, type_name, str(error), self.by)
        if self._context is None:
            return failed(name, type_name, "the resolver was not opened", self.by)
        async with self._room:
            try:
                async with asyncio.timeout(self._settings.deadline):
                    reply = await self._context.ask(name or ".", code)
            except TimeoutError:
                return failed(name, type_name, f"no answer within {self._settings.deadline:g} s", self.by)
        if len(reply.packet) > LARGE:
            return await asyncio.to_thread(judge, reply, name, type_name, self.by, openly)
        return judge(reply, name, type_name, self.by, openly)


def question(name: str, type_name: str) -> tuple[str, str, int]:
    """Name and type as we write them, and the type's number; `ForUser` for what cannot be asked."""
    type_name, code = _type(type_name)
    return names.asked(name) if name else "", type_name, code


@lru_cache(MOST_TYPES)
def _type(text: str) -> tuple[str, int]:
    """A type in one spelling, and its number."""
    import dns.exception
    import dns.rdatatype

    try:
        code = dns.rdatatype.from_text(text)
    except (dns.exception.DNSException, ValueError):
        raise ForUser(f"no such record type: {text}", "", "write A, MX, TLSA ... or TYPE and a number") from None
    if dns.rdatatype.is_metatype(code):
        raise ForUser(f"{text.upper()} is no type of records: nothing could be proven about it")
    return dns.rdatatype.to_text(code), int(code)


def judge(reply: Reply, name: str, type_name: str, by: str, openly: bool = False) -> Answer:
    """libunbound's reply as our verdict. openly: with what a bogus one holds."""
    if reply.error:
        return failed(name, type_name, f"libunbound: {reply.error}", by)
    if len(reply.data) > MOST_RECORDS:
        return failed(name, type_name, f"more than {MOST_RECORDS} records", by)
    from dnsops.resolve import reading

    seen = packet.read(reply.packet, name, _type(type_name)[1]) or _seen(reply.packet, name, type_name)
    ede = seen.ede
    if reply.bogus:
        return (
            _opened(reply, _bogus(reply, name, type_name, by, ede))
            if openly
            else _bogus(reply, name, type_name, by, ede)
        )
    rcode = reading.rcode_name(reply.rcode)
    if rcode not in ("NOERROR", "NXDOMAIN"):
        why = "asked too fast" if reply.ratelimited else f"no server gave an answer ({rcode})"
        return failed(name, type_name, why, by, ede)
    try:
        items = reading.items(type_name, reply.data)
    except ForUser as error:
        return failed(name, type_name, str(error), by, ede)
    security = Security.SECURE if reply.secure else Security.INSECURE
    ttl = seen.ttl or reply.ttl
    return Answer(name, type_name, security, rcode, items, ttl, seen.canonical, seen.wildcard, "", ede, by, seen.zone)


def _seen(octets: bytes, name: str, type_name: str) -> Seen:
    """What a packet says that is not as answers usually look."""
    from dnsops.resolve import reading

    message = reading.parse(octets, lenient=True)
    if message is None:
        return Seen(name)
    read = reading.read(message, name, type_name)
    codes = tuple(code for code, _ in reading.extended(message))
    return Seen(read.canonical, read.ttl, read.wildcard, read.zone, codes)


def _bogus(reply: Reply, name: str, type_name: str, by: str, ede: tuple[int, ...]) -> Answer:
    """The forged data stays outside: nobody may take it for an answer."""
    codes = ede or (extended.of_reason(reply.why_bogus),)
    why = extended.reason(reply.why_bogus) or extended.name(codes[0])
    return Answer(name, type_name, Security.BOGUS, rcode="SERVFAIL", why=why, ede=codes, by=by)


def _opened(reply: Reply, verdict: Answer) -> Answer:
    """A bogus answer with what stands in it, as much as can be read."""
    from dnsops.resolve import reading

    try:
        items = reading.items(verdict.type, reply.data)
    except ForUser:
        return verdict
    return replace(verdict, rcode="NXDOMAIN" if reply.nxdomain else "NOERROR", items=items)


def _set_up(context: Context, settings: Settings) -> None:
    context.option("ede", "yes")  # older libraries do not know it, and need not
    _must(context.anchor(settings.anchor), "MAILSRV_TRUST_ANCHOR")
    if settings.hints:
        _must(context.option("root-hints", str(settings.hints)), "MAILSRV_ROOT_HINTS")
    for forwarder in settings.forward:
        _must(context.forward(forwarder), "MAILSRV_FORWARD")


def _must(complaint: str, where: str) -> None:
    if complaint:
        raise Misconfigured(f"libunbound does not accept it ({complaint})", where)
