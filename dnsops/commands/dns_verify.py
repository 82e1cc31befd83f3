"""`mailsrv dns verify`: the public DNS against what is wanted, as a stranger sees it. Needs no token, changes nothing.

Exit: 0 all is there, and validated or in a zone without DNSSEC · 1 something is missing, different or bogus · 75 no answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from dnsops.base.errors import Exit
from dnsops.base.output import config_option, json_option, print_json, print_table
from dnsops.commands.dns_plan import STATE

if TYPE_CHECKING:
    from dnsops.commands.dns_request import Request
    from dnsops.reconcile.zone_public import Check


@click.command()
@config_option
@json_option
@click.option("--domain", metavar="NAME", help="Only what stands at this domain and below it.")
@click.option("--all", "everything", is_flag=True, help="Show what is as wanted, too.")
@STATE
def verify(as_json: bool, domain: str | None, everything: bool, **options: Any) -> None:
    """Compare what the world's DNS says with what is wanted; no token is needed.

    \b
    Exit: 0 all is there · 1 something is missing, different or bogus · 75 there was no answer
    """
    from dnsops.commands import dns_request

    asked = dns_request.from_options(options)
    checks = asyncio.run(_checked(asked, domain))
    if as_json:
        print_json(document(checks))
    else:
        _tell(checks, everything)
    raise SystemExit(status(checks))


async def _checked(asked: Request, domain: str | None) -> list[Check]:
    from dnsops.commands.request import domain_name
    from dnsops.reconcile.zone_public import verify as verified
    from dnsops.reconcile.zone_world import opened
    from dnsops.wanted.merge import merge_of
    from dnsops.wanted.rendering import of_domain
    from dnsops.wanted.union import wanted

    found = wanted(asked.house)
    found = of_domain(found, domain_name(domain), asked.house) if domain else found
    async with opened(asked.resolver) as eyes:
        return await verified(found, eyes.resolver, merge_of(asked.house))


def status(checks: Sequence[Check]) -> Exit:
    """What is wrong beats what is not known."""
    from dnsops.reconcile.zone_public import TROUBLE, State

    states = {check.state for check in checks}
    if states & set(TROUBLE):
        return Exit.FINDINGS
    return Exit.LATER if State.FAILED in states else Exit.OK


def document(checks: Sequence[Check]) -> dict[str, object]:
    """The checks for a program."""
    return {
        "schema": 1,
        "status": int(status(checks)),
        "checks": [
            {
                "name": check.name,
                "type": check.type,
                "wanted": check.text,
                "state": check.state.name.lower(),
                "security": check.security.name.lower(),
                "said": check.said,
                "ours_to_write": not check.theirs,
                "why": check.why,
                "advice": check.advice,
            }
            for check in checks
        ],
    }


def _tell(checks: Sequence[Check], everything: bool) -> None:
    from dnsops.reconcile.zone_public import State

    shown = [one for one in checks if everything or one.state is not State.RIGHT]
    rows = [(one.name, one.type, one.state.value, _said(one), one.security.name.lower()) for one in shown]
    if rows:
        print_table("", ("name", "type", "it is", "wanted, and what stands there", ""), rows)
    for one in shown:
        if one.advice and one.state is not State.AS_GOOD:
            click.echo(f"- {one.name} {one.type}: {one.advice}")
    right = sum(one.state in (State.RIGHT, State.AS_GOOD) for one in checks)
    click.echo(f"{right} of {len(checks)} records are as wanted")


def _said(one: Check) -> str:
    from dnsops.base.printable import printable

    wanted = printable(one.text)
    return f"{wanted}; there: {printable(one.said)}" if one.said else wanted
