"""Looking before anything is written: all probes at once, each for a bounded time; what does not end is said, not waited for.

    hints = await probing.hints("example.org")                     what can be guessed
    facts = await probing.look(answers, secret, surroundings)       what `checks` judges

Touches: the DNS, ports here and elsewhere, the zone's holder, the certificate authority's directory, RDAP.
Limits: SECONDS for each probe. Fails by: `Unchecked` for a probe that fails or takes too long; nothing is raised.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dnsops.base.errors import Deliberate
from dnsops.base.secrets import Secret
from dnsops.resolve.choice import resolver
from mailsrv.quickstart import facts, probing_dns, probing_machine, probing_ports, probing_web
from mailsrv.quickstart.answers import Answers
from mailsrv.quickstart.facts import Fact
from mailsrv.quickstart.questions import Hints

if TYPE_CHECKING:
    from dnsops.resolve.answer import Resolver

SECONDS = 25.0
GUESSING = 6.0  # for what is only to be a default
# mail servers that greet everybody; one of them is enough
DIAL = ("gmail-smtp-in.l.google.com", "in1-smtp.messagingengine.com", "mail.protonmail.ch")
LISTS = ("zen.spamhaus.org", "bl.spamcop.net")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a look needs beside the answers. dial: HOST or HOST:PORT.  output: where the configuration is to be."""

    output: Path
    state: Path
    dial: tuple[str, ...] = DIAL
    lists: tuple[str, ...] = LISTS


def public() -> tuple[str, ...]:
    """This machine's public addresses."""
    return probing_machine.public_addresses()


async def hints(domain: str, user: str) -> Hints:
    """What this machine and the DNS suggest; empty where they do not tell in time."""
    public = probing_machine.public_addresses()
    try:
        async with resolver() as asking:
            async with asyncio.timeout(GUESSING):
                names, servers = await asyncio.gather(
                    probing_dns.reverse_names(asking, public), probing_dns.name_servers(asking, domain)
                )
    except (TimeoutError, Deliberate):
        names, servers = (), ()
    return Hints(public, names, servers, user)


async def look(answers: Answers, secret: Secret | None, around: Surroundings) -> tuple[Fact, ...]:
    """Every fact, in the order in which a person wants to read them."""
    try:
        async with resolver() as asking:
            return await _together(_probes(answers, secret, around, asking))
    except Deliberate as error:  # a resolver that cannot even be opened: the rest is looked at all the same
        told = facts.Unchecked("resolver", str(error))
        return told, *await _together(_without_dns(answers, secret, around))


Probe = tuple[str, Coroutine[object, object, Fact | tuple[Fact, ...]]]


def _probes(answers: Answers, secret: Secret | None, around: Surroundings, asking: Resolver) -> list[Probe]:
    reverse: list[Probe] = [
        ("reverse name", probing_dns.reverse(asking, one, answers.hostname)) for one in answers.addresses
    ]
    lists: list[Probe] = [
        ("block lists", probing_dns.listings(asking, zone, answers.addresses)) for zone in around.lists
    ]
    return [
        ("resolver", probing_dns.validation(asking)),
        ("DNSSEC", probing_dns.zone(asking, answers.domain, answers.hostname)),
        ("host name", probing_dns.hostname(asking, answers.hostname, answers.addresses)),
        *reverse,
        *lists,
        *_without_dns(answers, secret, around),
    ]


def _without_dns(answers: Answers, secret: Secret | None, around: Surroundings) -> list[Probe]:
    return [
        ("port 25 outbound", probing_ports.outbound(around.dial, answers.addresses if answers.bind else ())),
        ("ports", probing_ports.ports(answers.addresses if answers.bind else (), around.state)),
        ("addresses", probing_ports.addresses(answers.addresses)),
        ("zone holder", probing_web.holder(answers, secret)),
        ("certificate authority", probing_web.authority(answers.directory, answers.roots)),
        ("age of the domain", probing_web.age(answers.domain)),
        ("machine", probing_machine.machine(around.output, around.state)),
    ]


async def _together(probes: Sequence[Probe]) -> tuple[Fact, ...]:
    found = await asyncio.gather(*(_bounded(subject, probe) for subject, probe in probes))
    return tuple(fact for some in found for fact in some)


async def _bounded(subject: str, probe: Awaitable[Fact | tuple[Fact, ...]]) -> tuple[Fact, ...]:
    try:
        async with asyncio.timeout(SECONDS):
            found = await probe
    except TimeoutError:
        return (facts.Unchecked(subject, f"no end after {SECONDS:.0f} s"),)
    except (OSError, Deliberate) as error:
        return (facts.Unchecked(subject, str(error)),)
    return found if isinstance(found, tuple) else (found,)
