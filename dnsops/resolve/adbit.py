"""The fallback where libunbound is not installed: the AD bit of a validating resolver on this machine.

Standards: RFC 4035 3.2.3, RFC 6840 5.7 (AD); RFC 7672 2.2 and our promise S-DNS-02: an AD bit counts only when it cannot be
forged on its way, so only from loopback. The resolvers are those of /etc/resolv.conf on 127.0.0.0/8 or ::1, else
127.0.0.1; each must first show AD for the root's SOA, or it does not validate and its silence about DNSSEC means nothing.
Fails by: FAILED answers, saying why. SERVFAIL is told apart as unbound, BIND and knot-resolver mean it: bogus when an
extended error says so or when the same question with CD (RFC 4035 3.2.2) gets data, otherwise failed.
"""

from __future__ import annotations

import asyncio
import ipaddress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from dnsops.base.errors import ForUser
from dnsops.resolve import extended
from dnsops.resolve.answer import Answer, Security, failed
from dnsops.resolve.line import AD, CD, RD, Line, Patience, Question, Silence
from dnsops.resolve.validator import MOST_RECORDS, question

if TYPE_CHECKING:
    import dns.message

RESOLV_CONF = Path("/etc/resolv.conf")
LONGEST_CONF = 65536
MOST_SERVERS = 3  # resolv.conf(5), MAXNS
AT_ONCE = 64
NOBODY = "no validating resolver: install libunbound8 or run unbound on 127.0.0.1"


class AdBit:
    """Asks resolvers on loopback, in their order. `servers` elsewhere are never asked.

    believed: a person named these `servers`: wherever they are, and whatever they know of the root (a lab's knows none).
    """

    by = "nobody"

    def __init__(
        self,
        servers: tuple[str, ...] | None = None,
        patience: Patience | None = None,
        port: int = 53,
        believed: bool = False,
    ) -> None:
        given = listed(RESOLV_CONF) if servers is None else servers
        self._believed = believed and servers is not None
        local = [server for server in given if self._believed or loopback(server)][:MOST_SERVERS]
        addresses = local or (["127.0.0.1"] if servers is None else [])
        self._lines = [Line(address, patience or Patience(udp=(2.0, 4.0)), port) for address in addresses]
        self._trusted: list[Line] = []
        self._why = NOBODY
        self._room = asyncio.Semaphore(AT_ONCE)

    async def __aenter__(self) -> Self:
        for line in self._lines:
            if not self._believed and (doubt := await _doubt(line)):
                self._why = f"{NOBODY} ({line.address}: {doubt})"
            else:
                self._trusted.append(line)
        if self._trusted:
            self.by = f"the AD bit of {self._trusted[0].address}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._trusted = []
        for line in self._lines:
            line.close()

    async def ask(self, name: str, type_name: str) -> Answer:
        """What a trusted resolver answers, and whether it proved it."""
        try:
            name, type_name, _ = question(name, type_name)
        except ForUser as error:
            return failed(name, type_name, str(error), self.by)
        why = self._why
        for line in self._trusted:
            async with self._room:
                said = await line.ask(Question(name, type_name, RD | AD, dnssec=True))
                if not isinstance(said, Silence):
                    return await self._answer(line, said, name, type_name)
            why = f"the resolver {line.address}: {said.why}"
        return failed(name, type_name, why, self.by)

    async def _answer(self, line: Line, said: dns.message.Message, name: str, type_name: str) -> Answer:
        from dnsops.resolve import reading

        by, rcode, errors = f"the AD bit of {line.address}", reading.rcode(said), reading.extended(said)
        codes = tuple(code for code, _ in errors)
        if rcode not in ("NOERROR", "NXDOMAIN"):
            forged = rcode == "SERVFAIL" and (bool(extended.DNSSEC & set(codes)) or await _there(line, name, type_name))
            return _refused(name, type_name, rcode, errors, forged, by)
        read = reading.read(said, name, type_name)
        if len(read.data or ()) > MOST_RECORDS:
            return failed(name, type_name, f"more than {MOST_RECORDS} records", by, codes)
        try:
            items = reading.items(type_name, read.data or ())
        except ForUser as error:
            return failed(name, type_name, str(error), by, codes)
        security = Security.SECURE if reading.authentic(said) else Security.INSECURE
        return read.answer(name, type_name, security, rcode, items, codes, by)


def loopback(address: str) -> bool:
    """Whether an address is this machine's own, where nobody between us and it can lie."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def listed(path: Path) -> tuple[str, ...]:
    """The name servers of a resolv.conf(5); none when it cannot be read."""
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            lines = file.read(LONGEST_CONF).splitlines()
    except OSError:
        return ()
    words = [line.split() for line in lines]
    return tuple(line[1] for line in words if len(line) > 1 and line[0] == "nameserver")


async def _doubt(line: Line) -> str:
    """Why this resolver cannot be relied on, or nothing."""
    said = await line.ask(Question("", "SOA", RD | AD, dnssec=True))
    if isinstance(said, Silence):
        return said.why
    from dnsops.resolve import reading

    return "" if reading.authentic(said) else "it does not validate: no AD bit for the root itself"


async def _there(line: Line, name: str, type_name: str) -> bool:
    """Whether the data is to be had by whoever does not check it."""
    said = await line.ask(Question(name, type_name, RD | AD | CD, dnssec=True))
    if isinstance(said, Silence):
        return False
    from dnsops.resolve import reading

    return reading.rcode(said) in ("NOERROR", "NXDOMAIN")


def _refused(
    name: str, type_name: str, rcode: str, errors: tuple[tuple[int, str], ...], forged: bool, by: str
) -> Answer:
    codes = tuple(code for code, _ in errors)
    said = "; ".join(extended.reason(text) or extended.name(code) for code, text in errors)
    if not forged:
        return failed(name, type_name, said or f"no server gave an answer ({rcode})", by, codes)
    why = said or "the resolver has the data, but gives it only to those who do not check it"
    return Answer(name, type_name, Security.BOGUS, rcode=rcode, why=why, ede=codes or (extended.BOGUS,), by=by)
