"""A name server that lies, in front of libunbound: what it says is all there is to the DNS.

    async with lying(udp, tcp) as (resolver, stub): ...        udp, tcp: a query -> the packets to send back

No anchor stands above the names that the tests ask for, so that nothing is proven and lies are not found out by signatures.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import dns.message
import dns.rdatatype
import dns.rrset

from dnsops.resolve.settings import Settings
from dnsops.resolve.validator import Validator
from tests.dnsops.resolve.stub import Reply, Stub, answer

ELSEWHERE = "elsewhere.invalid. IN DS 12345 13 2 " + "ab" * 32 + "\n"
LIE = "203.0.113.66"


@asynccontextmanager
async def lying(
    udp: Reply, tcp: Reply | None = None, deadline: float = 10, anchor: str = ELSEWHERE
) -> AsyncIterator[tuple[Validator, Stub]]:
    """libunbound, and the server that it forwards everything to."""
    with TemporaryDirectory() as directory:
        file = Path(directory) / "anchor"
        file.write_text(anchor)
        async with Stub(udp, tcp) as stub:
            settings = Settings(anchor=file, forward=(f"127.0.0.1@{stub.port}",), deadline=deadline)
            async with Validator(settings) as resolver:
                yield resolver, stub


def name_of(query: dns.message.Message) -> str:
    return query.question[0].name.to_text()


def truncated(query: dns.message.Message) -> list[bytes]:
    return [answer(query, flags="RA TC")]


def always(kind: str, *texts: str) -> Reply:
    """These records of that type at whatever name; nothing of other types."""

    def said(query: dns.message.Message) -> list[bytes]:
        if int(query.question[0].rdtype) != int(dns.rdatatype.from_text(kind)):
            return [answer(query, flags="RA")]
        made = dns.message.make_response(query)
        made.answer = [dns.rrset.from_text(name_of(query), 60, "IN", kind, *texts)]
        return [made.to_wire(max_size=65535)]

    return said


def aliases(length: int) -> Reply:
    """N leads to N1, that to N2 ..., and the last one to an address."""

    def said(query: dns.message.Message) -> list[bytes]:
        name = name_of(query)
        label = name.partition(".")[0][1:]
        number = int(label) if label.isdigit() else 0
        if number < length:
            return [answer(query, f"{name} 60 CNAME n{number + 1}.example.net.", flags="RA")]
        return [answer(query, f"{name} 60 A 127.0.0.1", flags="RA")]

    return said


def all_aliases(length: int) -> Reply:
    """The same in one answer."""

    def said(query: dns.message.Message) -> list[bytes]:
        names = [name_of(query), *(f"n{number}.example.net." for number in range(1, length + 1))]
        chain = [f"{one} 60 CNAME {other}" for one, other in itertools.pairwise(names)]
        return [answer(query, *chain, f"{names[-1]} 60 A 127.0.0.1", flags="RA")]

    return said


def round_and_round(query: dns.message.Message) -> list[bytes]:
    name = name_of(query)
    other = "b.example.net." if name != "b.example.net." else "a.example.net."
    return [answer(query, f"{name} 60 CNAME {other}", flags="RA")]


def ever_deeper(query: dns.message.Message) -> list[bytes]:
    """A DNAME that makes each name longer than the one before."""
    name = name_of(query)
    made = name.removesuffix("example.net.") + "x.example.net."
    return [answer(query, "example.net. 60 DNAME x.example.net.", f"{name} 60 CNAME {made}", flags="RA")]


def to_a_thousand(query: dns.message.Message) -> list[bytes]:
    """Go and ask one of a thousand servers, none of which has an address (NXNSAttack)."""
    servers = [f"n{number}.example.com." for number in range(1000)]
    made = dns.message.make_response(query)
    made.authority = [dns.rrset.from_text("example.net.", 60, "IN", "NS", *servers)]
    return [made.to_wire(max_size=65535)]


def _of_another(query: dns.message.Message, name: str, kind: str) -> bytes:
    other = dns.message.make_query(name, kind, id=query.id)
    return answer(other, f"{name} 60 {lie(kind)}", flags="RA")


def lie(kind: str) -> str:
    texts = {"MX": "10 evil.example.net.", "TXT": '"v=spf1 +all"', "PTR": "evil.example.net.", "A": LIE}
    return f"{kind} {texts[kind]}" if kind in texts else f"A {LIE}"


def _lie(query: dns.message.Message) -> bytes:
    kind = dns.rdatatype.to_text(query.question[0].rdtype)
    return answer(query, f"{name_of(query)} 60 {lie(kind)}", flags="RA") if kind in ("MX", "TXT", "A", "PTR") else b""


# S-DNS-08: what must not be taken for an answer
FORGERIES: dict[str, Callable[[dns.message.Message], bytes]] = {
    "another id": lambda query: struct.pack("!H", query.id ^ 1) + _lie(query)[2:],
    "another name": lambda query: _of_another(query, "evil.example.net.", "A"),
    "another type": lambda query: _of_another(query, name_of(query), "HINFO"),
    "a question": lambda query: _lie(query)[:2] + b"\x01\x00" + _lie(query)[4:],
    "cut short": lambda query: _lie(query)[:-3],
    "a header": lambda query: _lie(query)[:12],
    "less": lambda query: _lie(query)[:5],
    "noise": lambda query: _lie(query)[:2] + b"\xff" * 80,
    "truncated, and TCP refused": lambda query: truncated(query)[0],
}


def forgeries(names: Iterable[str]) -> Reply:
    return lambda query: [FORGERIES[name](query) for name in names]
