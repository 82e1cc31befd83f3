"""Addresses whose mail goes to others: list, add, remove.

Aliases live in the configuration or in the database; these commands write the database, beside a running server.
With --json: `list` an array of address where to[]; `add` and `remove` address to[].
"""

from __future__ import annotations

import click

from dnsops.base.errors import Misused
from dnsops.base.output import config_option, json_option, print_json, print_table
from mailsrv.commands.registering import SOON, Register, opened, validated
from mailsrv.directory.address import folded


@click.group()
def alias() -> None:
    """Addresses whose mail goes to others: list, add, remove."""


@alias.command(name="list")
@config_option
@json_option
def list_(config_file: str | None, as_json: bool) -> None:
    """Print the aliases, and where they are kept."""
    register = opened(config_file)
    inside = {folded(one.address) for one in register.settings.aliases}
    found = [(one, "file" if folded(one.address) in inside else "database") for one in register.everyone().aliases]
    if as_json:
        print_json([{"address": one.address, "where": kept, "to": list(one.to)} for one, kept in found])
    else:
        print_table("", ("alias", "kept in", "to"), [[one.address, kept, ", ".join(one.to)] for one, kept in found])


@alias.command()
@click.argument("address")
@click.argument("to", nargs=-1, required=True)
@config_option
@json_option
def add(address: str, to: tuple[str, ...], config_file: str | None, as_json: bool) -> None:
    """Mail for ADDRESS goes TO these accounts and addresses, and to those it went to before.

    \b
    mailsrv alias add info@example.org user1 partner@example.net
    """
    register = opened(config_file)
    before = _targets(register, address)
    after = (*before, *(one for one in dict.fromkeys(to) if folded(one) not in set(map(folded, before))))
    _write(register, address, after)
    _tell(address, after, as_json)


@alias.command()
@click.argument("address")
@click.argument("to", nargs=-1)
@config_option
@json_option
def remove(address: str, to: tuple[str, ...], config_file: str | None, as_json: bool) -> None:
    """Mail for ADDRESS no longer goes TO these; without any, there is no such alias any more."""
    register = opened(config_file)
    before = _targets(register, address)
    strangers = [one for one in to if folded(one) not in set(map(folded, before))]
    if strangers or not before:
        what = f"{address} does not lead to {strangers[0]}" if before else f"there is no alias {address}"
        raise Misused(what, "", "`mailsrv alias list` shows them")
    after = tuple(one for one in before if folded(one) not in set(map(folded, to))) if to else ()
    _write(register, address, after)
    _tell(address, after, as_json)


def _targets(register: Register, address: str) -> tuple[str, ...]:
    if any(folded(one.address) == folded(address) for one in register.settings.aliases):
        raise Misused(f"the alias {address} is in the configuration", "", "change it there, then reload the server")
    found = register.accounts.entries().alias(address)
    return found.to if found else ()


def _write(register: Register, address: str, to: tuple[str, ...]) -> None:
    from dnsops.base.settings.mailserver import Alias

    if to:
        validated(Alias, {"address": address, "to": to})
    register.change(lambda pen: pen.alias(address, to))


def _tell(address: str, to: tuple[str, ...], as_json: bool) -> None:
    if as_json:
        print_json({"address": address, "to": list(to)})
    else:
        click.echo(f"{address} goes to {', '.join(to)}: {SOON}" if to else f"there is no alias {address} now: {SOON}")
