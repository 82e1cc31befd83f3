"""Say who may send as whom, and why.

Exit status: 0 allowed, 1 not, 64 no such account. With --json one object: account address allowed why may_send_as[]
"""

from __future__ import annotations

import click

from dnsops.base.errors import Exit, Misused
from dnsops.base.output import config_option, json_option, print_json
from mailsrv.commands.registering import everyone
from mailsrv.directory.accounts import Account
from mailsrv.directory.book import Book
from mailsrv.directory.rights import Rights, allowed


@click.group()
def sender() -> None:
    """Say who may send as whom, and why."""


@sender.command()
@click.argument("account")
@click.argument("address")
@config_option
@json_option
def explain(account: str, address: str, config_file: str | None, as_json: bool) -> int:
    """Say whether ACCOUNT may send as ADDRESS, and why.

    \b
    mailsrv sender explain user1 user1+shop@example.org
    """
    house = everyone(config_file)
    book = Book.of(house)
    right = Rights(book, house.auth.must_match_sender).envelope(_account(book, account), address.strip("<>"))
    if as_json:
        found = _account(book, account)
        patterns = [str(pattern) for pattern in found.may_send_as]
        document = {"account": found.name, "address": address, "allowed": right.allowed, "why": right.why}
        print_json(document | {"addresses": [str(one) for one in found.addresses], "may_send_as": patterns})
    else:
        click.secho("allowed" if right.allowed else "refused", fg="green" if right.allowed else "red", nl=False)
        click.echo(f": {right.why}")
    return Exit.OK if right.allowed else Exit.FINDINGS


@sender.command(name="list")
@click.argument("account")
@config_option
@json_option
def list_(account: str, config_file: str | None, as_json: bool) -> None:
    """Print what ACCOUNT may send as."""
    house = everyone(config_file)
    book = Book.of(house)
    found = _account(book, account)
    words = (
        allowed(found, book.separators) if house.auth.must_match_sender else "anybody (auth.must_match_sender: false)"
    )
    if as_json:
        print_json({"account": found.name, "may_send_as": words})
    else:
        click.echo(f"{found.name} may send as {words}")


def _account(book: Book, name: str) -> Account:
    account = book.account(name) or book.login(name)
    if account is None:
        known = ", ".join(one.name for one in list(book.accounts.values())[:8]) or "none"
        raise Misused(f"there is no account {name}", "", f"accounts: {known}")
    return account
