"""What the facts mean for mail: fine, a warning, or trouble that would break it; each with what to do. Pure.

Standards: RFC 7672 2.1 (DANE needs a validating resolver), RFC 1912 2.1 (reverse names), RFC 7505 (null MX).
A probe that did not end is a warning: what is not known is no reason to stop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from mailsrv.quickstart import checks_names, facts
from mailsrv.quickstart.facts import Fact
from mailsrv.quickstart.finding import Finding, Level, fine, trouble, warning

GIB = 1 << 30
LITTLE, TOO_LITTLE = 2 * GIB, GIB // 4  # octets for mail
OFF, FAR_OFF = 5.0, 60.0  # seconds of the clock: signatures carry times, and certificates begin at one
YOUNG = 42  # days: filters distrust what was registered last month


def judged(found: Iterable[Fact]) -> tuple[Finding, ...]:
    """All findings, in the order of the facts."""
    return tuple(finding for fact in found for finding in JUDGES[type(fact)](fact))


def troubles(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those that would break mail."""
    return tuple(finding for finding in findings if finding.level is Level.TROUBLE)


def unchecked(fact: facts.Unchecked) -> Iterator[Finding]:
    """Said, and no more."""
    yield warning(fact.subject, f"could not be checked: {fact.why}", "look at it yourself")


def outbound(fact: facts.Outbound) -> Iterator[Finding]:
    """One server that greets us proves the way; many providers close it for new machines."""
    if reached := [one for one in fact.dialled if not one.why]:
        yield fine("port 25 outbound", f"{reached[0].server} greets us")
    elif fact.dialled:
        why = "; ".join(f"{one.server}: {one.why}" for one in fact.dialled[:3])
        advice = "ask your provider to open port 25, or write a relay under queue.next_hop of the configuration"
        yield trouble("port 25 outbound", f"no mail server could be reached ({why}): mail would not leave", advice)


def ports(fact: facts.Ports) -> Iterator[Finding]:
    """What others have, and what we may not open."""
    held = [one for one in fact.taken if not one.denied]
    if fact.ours:
        yield fine("ports", "a server of ours has them already")
        return
    for one in held:
        say = trouble if one.port in MAIL else warning
        yield say("ports", f"port {one.port} of {one.address} is another program's", _freed(one.port))
    if any(one.denied for one in fact.taken):
        yield warning("ports", "ports below 1024 cannot be opened by this user", "run as root, or start it by systemd")
    if not fact.taken:
        yield fine("ports", "free")


MAIL = frozenset({25, 465, 587, 143, 993})


def _freed(port: int) -> str:
    if port in MAIL:
        return f"stop the other mail server (`ss -ltnp 'sport = :{port}'` names it)"
    return "leave it: set listeners.https.enabled false and let that server pass our names on to us, or stop it"


def addresses(fact: facts.Addresses) -> Iterator[Finding]:
    """A machine behind NAT works when ports are passed on to it, which only the router knows."""
    away = [one for one in fact.wanted if one not in fact.here]
    if away:
        told = ", ".join(away)
        advice = "have its router pass ports 25, 80, 143, 443, 465, 587 and 993 on to this machine"
        yield warning("addresses", f"{told}: on no interface of this machine, which seems to be behind NAT", advice)
    for one in fact.unreached:
        advice = "it may be that the router does not turn packets round; try from elsewhere: nc -vz {0} 25"
        yield warning("addresses", f"{one}: we did not reach ourselves there", advice.format(one))
    if not any(":" not in one for one in fact.wanted):
        yield warning("addresses", "no IPv4: much of the world's mail cannot come", "add an IPv4 address")
    if not away:
        yield fine("addresses", ", ".join(fact.wanted))


def clock(fact: facts.Clock) -> Iterator[Finding]:
    """Another clock's word counts more than the kernel's."""
    if fact.offset is not None and abs(fact.offset) > OFF:
        say = trouble if abs(fact.offset) > FAR_OFF else warning
        side = "ahead" if fact.offset > 0 else "behind"
        what = f"{abs(fact.offset):.0f} s {side} of {fact.by}: signatures and certificates carry times"
        yield say("clock", what, "install chrony or systemd-timesyncd")
    elif fact.synchronised is False and fact.offset is None:
        yield warning("clock", "nothing keeps it right", "install chrony or systemd-timesyncd")
    else:
        yield fine("clock", f"right, by {fact.by}" if fact.offset is not None else "synchronised")


def authority(fact: facts.Authority) -> Iterator[Finding]:
    """Without it there is no certificate, and senders with MTA-STS or DANE would not deliver."""
    if fact.why:
        advice = "let this machine open https connections, or name another authority with --directory"
        yield trouble("certificate authority", f"{fact.url}: {fact.why}", advice)
    else:
        yield fine("certificate authority", fact.url)


def listings(fact: facts.Listings) -> Iterator[Finding]:
    """A listed address is the heaviest burden that a new machine may inherit."""
    if fact.unusable:
        yield warning("block lists", f"cannot be asked: {fact.unusable}", "ask it by its web page")
    for one in fact.listed:
        reason = f": {one.why}" if one.why else f" ({', '.join(one.codes)})"
        advice = f"have {one.subject} removed there, or take another address"
        yield warning("block lists", f"{one.subject} is on {fact.zone}{reason}", advice)
    if not fact.unusable and not fact.listed:
        yield fine("block lists", f"on none of {fact.zone}")


def holder(fact: facts.Holder) -> Iterator[Finding]:
    """Without the right to write nothing can be applied."""
    if fact.why:
        say = warning if fact.later else trouble
        advice = fact.advice or "try again in a while"
        yield say("zone holder", f"{fact.zone} at {fact.provider}: {fact.why}", advice)
    for serious, what, advice in fact.remarks:
        yield (trouble if serious else warning)(
            "zone holder", what, advice or "see how the zone's holder grants rights"
        )
    if not fact.why and not any(serious for serious, _, _ in fact.remarks):
        yield fine("zone holder", f"{fact.provider} lets us into {fact.zone}")


def machine(fact: facts.Machine) -> Iterator[Finding]:
    """Rights, room, and a user for the server."""
    for path, why in fact.unwritable:
        yield trouble("machine", f"{path} cannot be written ({why})", "run as root, or name others: --output, --state")
    if fact.free < LITTLE:
        say = trouble if fact.free < TOO_LITTLE else warning
        yield say("machine", f"{fact.free / GIB:.1f} GiB left in {fact.state} for all mail", "make room there")
    if fact.root and not fact.user:
        advice = "useradd --system --home /var/lib/mailsrv --shell /usr/sbin/nologin mailsrv"
        yield warning("machine", "there is no user mailsrv: the server would stay root", advice)
    if not fact.root and not fact.low_ports:
        yield warning("machine", "this user cannot open port 25", "run as root, or start the server by systemd")
    if not fact.unwritable and fact.free >= LITTLE:
        yield fine("machine", f"{fact.free / GIB:.0f} GiB free in {fact.state}")


def age(fact: facts.Age) -> Iterator[Finding]:
    """Young domains are spammers' domains, filters think."""
    if fact.days is not None and fact.days < YOUNG:
        advice = "begin with little mail; some filters wait for six weeks"
        yield warning("age of the domain", f"{fact.domain} was registered {fact.days} days ago", advice)


JUDGES: dict[type, Callable[[Any], Iterator[Finding]]] = {
    facts.Unchecked: unchecked,
    facts.Validation: checks_names.validation,
    facts.Zone: checks_names.zone,
    facts.HostName: checks_names.hostname,
    facts.Reverse: checks_names.reverse,
    facts.Outbound: outbound,
    facts.Ports: ports,
    facts.Addresses: addresses,
    facts.Clock: clock,
    facts.Authority: authority,
    facts.Listings: listings,
    facts.Holder: holder,
    facts.Machine: machine,
    facts.Age: age,
}
