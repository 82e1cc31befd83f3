"""Look a name up with DNSSEC, or (--transport) say how mail for a domain would be encrypted, and why.

With --transport the exit status is 0 when some host would get the mail, 1 when none would, 75 when that cannot be known now;
with --json one object: domain way proven verdict mta_sts{mode mx max_age why} hosts[{host addresses canonical proven
tlsa{base usable records why} policy{name why must_encrypt must_verify} later probe{address tls trust trouble said names until}}]
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from dnsops.base.errors import Exit, Misused
from dnsops.base.output import config_option, print_json, print_table
from dnsops.base.printable import printable
from dnsops.commands.ask import ask as look_up

if TYPE_CHECKING:
    from dnsops.base.settings import Settings
    from dnsops.resolve.answer import Resolver
    from mailsrv.send.foreseen import Foreseen, Outlook, Probed
    from mailsrv.transport.found import Found

COLUMNS = ("host", "addresses", "TLSA", "policy", "why")
MOST_SHOWN = 5  # records


@click.command(name="ask", params=list(look_up.params))
@click.option("--transport", is_flag=True, help="How mail for the domain NAME would be encrypted, host by host.")
@click.option("--probe", is_flag=True, help="With --transport: greet each host, and say what its certificate proves.")
@config_option
@click.pass_context
def ask(context: click.Context, /, transport: bool, probe: bool, config_file: str | None, **words: Any) -> int:
    """Look NAME up with DNSSEC; or say how mail for the domain NAME would be encrypted.

    \b
    mailsrv ask _25._tcp.mx1.example.org TLSA
    mailsrv ask example.org --transport --probe
    """
    if not transport:
        if probe:
            raise Misused("it goes with --transport", "--probe", "say --transport --probe")
        status: int = context.invoke(look_up, **words)
        return status
    outlook = asyncio.run(_look(words["name"], probe, config_file))
    if words["as_json"]:
        print_json(document(outlook))
    else:
        _tell(outlook)
    return _status(outlook)


async def _look(domain: str, probing: bool, config_file: str | None) -> Outlook:
    from contextlib import AsyncExitStack

    from dnsops.resolve.choice import resolver
    from dnsops.resolve.settings import configured
    from mailsrv.send.encrypting import contexts
    from mailsrv.send.foreseen import foresee, probe
    from mailsrv.send.route import Ours, Router
    from mailsrv.serving.policing import policing

    settings = _settings(config_file)
    async with AsyncExitStack() as stack:
        asked: Resolver = await stack.enter_async_context(resolver(configured(settings.resolver)))
        policies, _ = await stack.enter_async_context(policing(settings, asked, None))
        outlook = await foresee(domain, Router(Ours(loopback=False)), asked, policies)
        return await probe(outlook, settings.hostname, contexts()) if probing else outlook


def _settings(config_file: str | None) -> Settings:
    """The configuration's, else what holds without one."""
    import socket

    from dnsops.base import settings
    from dnsops.records import names

    if config_file is not None:
        return settings.load(config_file, names.host)
    name = socket.getfqdn()
    return settings.Settings(hostname=name if "." in name else "localhost.localdomain")


def _status(outlook: Outlook) -> int:
    from mailsrv.send.verdict import Fate

    if outlook.verdict is not None:
        return Exit.LATER if outlook.verdict.fate is Fate.LATER else Exit.FINDINGS
    return Exit.OK if outlook.well or not outlook.hosts else Exit.FINDINGS


# for programs


def document(outlook: Outlook) -> dict[str, object]:
    """What --json prints."""
    return {
        "domain": outlook.domain,
        "way": outlook.way,
        "proven": outlook.proven,
        "verdict": str(outlook.verdict) if outlook.verdict else None,
        "mta_sts": _sts(outlook.sts),
        "hosts": [_host(one) for one in outlook.hosts],
    }


def _sts(found: Found | str) -> dict[str, object]:
    if isinstance(found, str):
        return {"mode": None, "mx": [], "max_age": None, "why": found}
    if found.sts is None:
        return {"mode": None, "mx": [], "max_age": None, "why": found.why}
    return {"mode": found.sts.mode.value, "mx": list(found.sts.mx), "max_age": found.sts.max_age, "why": found.why}


def _host(one: Foreseen) -> dict[str, object]:
    return {
        "host": one.host.name,
        "addresses": list(one.host.addresses),
        "canonical": one.host.canonical,
        "proven": one.host.proven,
        "tlsa": _tlsa(one),
        "policy": _policy(one),
        "later": one.policy if isinstance(one.policy, str) else None,
        "probe": _probe(one.probed),
    }


def _tlsa(one: Foreseen) -> dict[str, object]:
    from mailsrv.transport.dane import Dane

    if not isinstance(one.dane, Dane):
        return {
            "base": None,
            "usable": 0,
            "records": [],
            "why": one.dane if isinstance(one.dane, str) else one.dane.why,
        }
    records = [str(record) for record in one.dane.found]
    return {"base": one.dane.base, "usable": len(one.dane.usable), "records": records, "why": ""}


def _policy(one: Foreseen) -> dict[str, object] | None:
    if isinstance(one.policy, str):
        return None
    policy = one.policy
    asked = {"must_encrypt": policy.must_encrypt, "must_verify": policy.must_verify}
    return {"name": policy.name, "why": policy.why, **asked, "trouble": policy.details or None}


def _probe(probed: Probed | None) -> dict[str, object] | None:
    if probed is None:
        return None
    return {
        "address": probed.address,
        "tls": probed.tls,
        "trust": probed.trust,
        "trouble": probed.trouble.value if probed.trouble else None,
        "said": probed.said,
        "names": list(probed.names),
        "until": probed.until.isoformat() if probed.until else None,
    }


# for people


def _tell(outlook: Outlook) -> None:
    click.echo(printable(f"{outlook.domain}: {outlook.way}"))
    if not outlook.hosts:
        return
    click.echo(printable(f"MTA-STS: {_sts_words(outlook.sts)}"))
    rows = [tuple(map(printable, _row(one))) for one in outlook.hosts]
    print_table("", COLUMNS, rows)
    for one in outlook.hosts:
        if one.probed is not None:
            click.echo(printable(f"{one.host.name} [{one.probed.address}]: {_probe_words(one.probed)}"))


def _row(one: Foreseen) -> tuple[str, str, str, str, str]:
    from mailsrv.transport.dane import Dane

    shown, without = "none", one.dane if isinstance(one.dane, str) else ""
    if isinstance(one.dane, Dane):
        shown = ", ".join(record.short for record in one.dane.found[:MOST_SHOWN])
    elif not isinstance(one.dane, str):
        without = f"; no DANE: {one.dane.why}"
    addresses = " ".join(one.host.addresses)
    if isinstance(one.policy, str):
        return one.host.name, addresses, shown, "no mail now", one.policy
    return one.host.name, addresses, shown, one.policy.name, (one.policy.details or one.policy.why) + without


def _sts_words(found: Found | str) -> str:
    if isinstance(found, str) or found.sts is None:
        return found if isinstance(found, str) else f"none ({found.why})"
    return f"{found.sts.mode.value}, for {', '.join(found.sts.mx) or 'nobody'} ({found.why})"


def _probe_words(probed: Probed) -> str:
    if not probed.trust:
        return probed.said
    named = f", a certificate for {', '.join(probed.names[:3]) or 'nobody'}" if probed.tls else ""
    until = f" until {probed.until:%Y-%m-%d}" if probed.until else ""
    said = f"; {probed.said}" if probed.said else ""
    return f"{probed.trust}{f' by {probed.tls}' if probed.tls else ''}{named}{until}{said}"
