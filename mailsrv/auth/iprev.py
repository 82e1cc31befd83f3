"""The client's address and its name: does a name of its PTR records lead back to it? A flow.

    address ──PTR──> names, the first three ──A or AAAA──> one of them has the address: pass
    no PTR at all: permerror     none leads back: fail     what cannot be known now: temperror, unless another name passes

Standard: RFC 8601 3 and 2.7.3. A name that is no host name is passed over; what is told of it is escaped.
Limits: MOST_NAMES names. Fails by: nothing. Pure.
"""

from __future__ import annotations

import ipaddress

from dnsops.base.errors import ForUser
from dnsops.base.flow import Flow
from dnsops.base.printable import printable
from dnsops.records import names
from dnsops.resolve.answer import Answer, Question
from mailsrv.auth.asked import unknown
from mailsrv.auth.verdicts import Iprev, Result

MOST_NAMES = 3
LONGEST_ODD = 60


def reverse(address: str) -> Flow[Question, Answer, Iprev]:
    """The verdict on a client's address."""
    try:
        ip = _unmapped(ipaddress.ip_address(address.partition("%")[0]))  # a link-local one names its interface
    except ValueError:
        return Iprev(Result.PERMERROR, why="not an address of the Internet")
    answer = yield Question(ip.reverse_pointer, "PTR")
    if unknown(answer):
        return Iprev(Result.TEMPERROR, why=f"the name of {ip} cannot be known now")
    if not answer.items:
        return Iprev(Result.PERMERROR, why=f"{ip} has no name")
    written = sorted(map(str, answer.items))[:MOST_NAMES]
    return (yield from _confirmed(ip, written))


def _confirmed(ip: ipaddress.IPv4Address | ipaddress.IPv6Address, written: list[str]) -> Flow[Question, Answer, Iprev]:
    trouble = ""
    for name in filter(None, map(_host, written)):
        answer = yield Question(name, "A" if ip.version == 4 else "AAAA")
        if unknown(answer):
            trouble = name
        elif any(str(item) == str(ip) for item in answer.items):
            return Iprev(Result.PASS, name)
    if trouble:
        return Iprev(Result.TEMPERROR, why=f"the addresses of {trouble} cannot be known now")
    told = ", ".join(printable(name[:LONGEST_ODD]).removesuffix(".") for name in written)
    return Iprev(Result.FAIL, why=f"no name of {ip} leads back to it: {told}")


def _host(text: str) -> str:
    try:
        return names.host(text)
    except ForUser:
        return ""


def _unmapped(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return (ip.ipv4_mapped or ip) if isinstance(ip, ipaddress.IPv6Address) else ip
