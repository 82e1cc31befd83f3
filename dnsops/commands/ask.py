"""Look a name up with DNSSEC: secure, insecure, bogus or failed, and why.

Exit status: 0 secure or insecure, 1 bogus, 75 failed, 64 wrong usage. With --json one object:
    name type verdict meaning rcode canonical zone wildcard ttl records why ede[{code name}] by
    authorities[{server address records ttl why unreachable}] and zone_why, with --authorities only
"""

from __future__ import annotations

import asyncio

import click

from dnsops.base.errors import Exit, ForUser, Misused
from dnsops.base.output import json_option, print_json, print_table
from dnsops.base.printable import printable
from dnsops.records import names
from dnsops.records.rdata import Rdata
from dnsops.resolve.answer import Answer, Consensus, Resolver, Security, Told, Zone

STATUS = {Security.BOGUS: Exit.FINDINGS, Security.FAILED: Exit.LATER}
COLOURS = {Security.SECURE: "green", Security.INSECURE: "yellow", Security.BOGUS: "red", Security.FAILED: "red"}

Heard = tuple[Zone, Consensus]


@click.command(name="ask")
@click.argument("name")
@click.argument("type_name", metavar="[TYPE]", default="A")
@click.option("--authorities", is_flag=True, help="Also ask every authoritative server itself, IPv4 and IPv6.")
@json_option
def ask(name: str, type_name: str, authorities: bool, as_json: bool) -> int:
    """Look NAME up with DNSSEC: secure, insecure, bogus or failed, and why.

    \b
    mailsrv ask _25._tcp.mx1.example.org TLSA
    mailsrv ask example.org MX --authorities
    """
    name, type_name = _checked(name, type_name)
    answer, heard = asyncio.run(_look(name, type_name, authorities))
    if as_json:
        print_json(document(answer, heard))
    else:
        _tell(answer, heard)
    return STATUS.get(answer.security, Exit.OK)


def _checked(name: str, type_name: str) -> tuple[str, str]:
    """As we write them; what cannot be asked is wrong usage."""
    from dnsops.resolve.validator import question

    try:
        name, type_name, _ = question(names.canonical(name), type_name)
    except ForUser as error:
        raise Misused(error.what, error.where, error.advice) from None
    return name, type_name


async def _look(name: str, type_name: str, authorities: bool) -> tuple[Answer, Heard | None]:
    from dnsops.resolve.choice import resolver

    async with resolver() as chosen:
        answer = await chosen.ask(name, type_name)
        return answer, await _hear(chosen, answer) if authorities else None


async def _hear(resolver: Resolver, answer: Answer) -> Heard:
    from dnsops.resolve.authority import Authorities

    async with Authorities(resolver) as authorities:
        zone = await authorities.zone_of(answer.place, answer.zone)
        return zone, await authorities.consensus(zone, answer.place, answer.type)


def document(answer: Answer, heard: Heard | None) -> dict[str, object]:
    """What --json prints."""
    from dnsops.resolve import extended

    found: dict[str, object] = {
        "name": answer.name,
        "type": answer.type,
        "verdict": answer.security.name.lower(),
        "meaning": answer.security.value,
        "rcode": answer.rcode,
        "canonical": answer.canonical,
        "zone": answer.zone,
        "wildcard": answer.wildcard,
        "ttl": answer.ttl,
        "records": _texts(answer.items),
        "why": answer.why,
        "ede": [{"code": code, "name": extended.name(code)} for code in answer.ede],
        "by": answer.by,
    }
    if heard:
        found |= {"zone_why": heard[0].why, "authorities": [_told(told) for told in heard[1].told]}
    return found


def _told(told: Told) -> dict[str, object]:
    return {
        "server": told.server.name,
        "address": told.server.address,
        "records": None if told.items is None else _texts(told.items),
        "ttl": told.ttl,
        "why": told.why,
        "unreachable": told.unreachable,
    }


def _tell(answer: Answer, heard: Heard | None) -> None:
    click.secho(answer.security.name.lower(), fg=COLOURS[answer.security], bold=True, nl=False)
    click.echo(f": {answer.security.value}")
    for key, value in _facts(answer):
        click.echo(f"  {key:<10} {printable(value)}")
    for record in _texts(answer.items):
        click.echo(f"{answer.place or '.'} {answer.ttl} {answer.type} {printable(record)}")
    if heard:
        _tell_authorities(*heard)


def _facts(answer: Answer) -> list[tuple[str, str]]:
    """What a person wants to know beyond the verdict; empty ones left out."""
    from dnsops.resolve import extended

    alias = answer.canonical if answer.canonical != answer.name else ""
    facts = [
        ("why", answer.why),
        *(("EDE", f"{code} {extended.name(code)}") for code in answer.ede),
        ("alias of", alias),
        ("wildcard", answer.wildcard),
        ("records", _none(answer)),
        ("asked", answer.by),
    ]
    return [fact for fact in facts if fact[1]]


def _none(answer: Answer) -> str:
    if answer.items or answer.security in STATUS:
        return ""
    return "there is no such name" if answer.rcode == "NXDOMAIN" else f"the name has no {answer.type} records"


def _tell_authorities(zone: Zone, consensus: Consensus) -> None:
    click.echo()
    if zone.why:
        click.echo(printable(zone.why))
        return
    rows = [(told.server.name, told.server.address, _word(told)) for told in consensus.told]
    title = f"the servers of {zone.apex or 'the root'}"
    print_table(title, ("server", "address", "says"), [tuple(map(printable, row)) for row in rows])


def _word(told: Told) -> str:
    if told.items is None:
        return f"{told.why} (this machine has no route there)" if told.unreachable else told.why
    return "; ".join(_texts(told.items)) + f" (TTL {told.ttl})" if told.items else "no such records"


def _texts(items: frozenset[Rdata]) -> list[str]:
    return sorted(map(str, items))
