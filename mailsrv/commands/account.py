"""Who has mail here: list, add, passwd, app, disable, enable, remove; and hash, for the configuration.

Accounts live in the configuration or in the database; these commands write the database, beside a running server.
A password is asked for on the terminal, or is the first line of stdin; it is never an argument, where others could see it.
With --json: `list` an array of name where addresses[] enabled password scram app_passwords[]; `hash` scheme hash, with --app
password; the others account, with a password where one was made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dnsops.base.errors import Misconfigured, Misused
from dnsops.base.output import config_option, json_option, print_json, print_table
from dnsops.base.secrets import Secret
from mailsrv.commands import words
from mailsrv.commands.registering import SOON, Register, opened, validated
from mailsrv.directory import hashes
from mailsrv.directory.address import folded
from mailsrv.directory.credentials import of_account
from mailsrv.directory.keys import BadHash

if TYPE_CHECKING:
    from dnsops.base.settings.mailserver import Account

generate_option = click.option("--generate", is_flag=True, help="Make the password, and print it.")
as_hash_option = click.option(
    "--as-hash", is_flag=True, help="What comes in is a hash, of Dovecot or Stalwart perhaps."
)


@click.group()
def account() -> None:
    """Who has mail here: list, add, passwd, app, disable, enable, remove; and hash, for the configuration."""


@account.command(name="list")
@config_option
@json_option
def list_(config_file: str | None, as_json: bool) -> None:
    """Print the accounts: their addresses, where they are kept, and how they log in."""
    register = opened(config_file)
    inside = {folded(one.name) for one in register.settings.accounts}
    rows = [_row(one, "file" if folded(one.name) in inside else "database") for one in register.everyone().accounts]
    if as_json:
        print_json(rows)
        return
    columns = ("account", "kept in", "addresses", "password", "SCRAM", "app passwords", "")
    print_table("", columns, [_cells(row) for row in rows])


@account.command()
@click.argument("name")
@click.argument("addresses", nargs=-1, required=True)
@click.option("--quota", help="How much mail it may keep, such as 10GiB.")
@click.option("--may-send-as", multiple=True, metavar="PATTERN", help="A further sender, such as shop-*@example.org.")
@generate_option
@as_hash_option
@config_option
@json_option
def add(
    name: str,
    addresses: tuple[str, ...],
    quota: str | None,
    may_send_as: tuple[str, ...],
    generate: bool,
    as_hash: bool,
    config_file: str | None,
    as_json: bool,
) -> None:
    """Make the account NAME with its ADDRESSES, the main one first.

    \b
    mailsrv account add user3 user3@example.org sales@example.org
    mailsrv account add user4 user4@example.org --generate
    """
    register = opened(config_file)
    register.not_in_the_file(name)
    if register.accounts.entries().account(name):
        raise Misused(f"there is an account {name}", "", "`mailsrv account passwd` changes its password")
    password, secrets = _secrets(generate, as_hash)
    made = _valid({"name": name, "addresses": addresses, "quota": quota, "may_send_as": may_send_as} | secrets)
    register.change(lambda pen: pen.put(made))
    _tell(name, f"{name} has mail at {made.addresses[0]}: {SOON}", as_json, password)


@account.command()
@click.argument("name")
@generate_option
@as_hash_option
@config_option
@json_option
def passwd(name: str, generate: bool, as_hash: bool, config_file: str | None, as_json: bool) -> None:
    """Give NAME another password; whoever logged in with the old one is sent away."""
    register = opened(config_file)
    before = register.mine(name)
    password, secrets = _secrets(generate, as_hash)
    _put(register, before, secrets)
    _tell(before.name, f"{before.name} has another password: {SOON}", as_json, password)


@account.command()
@click.argument("name")
@click.argument("label")
@click.option("--expires", metavar="DAY", help="The last day (UTC) on which it is taken, such as 2030-12-31.")
@click.option("--remove", is_flag=True, help="Take it back.")
@config_option
@json_option
def app(name: str, label: str, expires: str | None, remove: bool, config_file: str | None, as_json: bool) -> None:
    """Make a password of its own for a program or device of NAME, called LABEL, or take it back."""
    register = opened(config_file)
    before = register.mine(name)
    others = [one for one in before.app_passwords if one.name != label]
    if remove:
        if len(others) == len(before.app_passwords):
            raise Misused(f"{before.name} has no app password {label}", "", _labels(before))
        _put(register, before, {"app_passwords": others})
        return _tell(before.name, f"{label} of {before.name} is taken back: {SOON}", as_json)
    password = words.made()
    new = {"name": label, "password_hash": Secret(words.salted(password)), "expires": expires}
    _put(register, before, {"app_passwords": [*others, new]})
    return _tell(before.name, f"{label} of {before.name} has a password of its own: {SOON}", as_json, password)


@account.command()
@click.argument("name")
@config_option
@json_option
def disable(name: str, config_file: str | None, as_json: bool) -> None:
    """Nobody logs in as NAME any more, and whoever has is sent away; its mail still comes in."""
    register = opened(config_file)
    before = register.mine(name)
    _put(register, before, {"enabled": False})
    _tell(before.name, f"{before.name} is closed, mail for it is still taken: {SOON}", as_json)


@account.command()
@click.argument("name")
@config_option
@json_option
def enable(name: str, config_file: str | None, as_json: bool) -> None:
    """NAME may log in again."""
    register = opened(config_file)
    before = register.mine(name)
    _put(register, before, {"enabled": True})
    _tell(before.name, f"{before.name} may log in: {SOON}", as_json)


@account.command()
@click.argument("name")
@config_option
@json_option
def remove(name: str, config_file: str | None, as_json: bool) -> None:
    """Take NAME out of the directory. Its mail stays on disk: an account of that name has it again."""
    register = opened(config_file)
    before = register.mine(name)
    register.change(lambda pen: pen.drop(before.name))
    _tell(before.name, f"{before.name} is gone, its mail is kept: {SOON}", as_json)


@account.command(name="hash")
@click.option("--scheme", default="ARGON2ID", help="ARGON2ID, or SCRAM-SHA-256 for `scram_keys`.")
@click.option("--app", is_flag=True, help="Make a password for a program, and its hash.")
@json_option
def hash_(scheme: str, app: bool, as_json: bool) -> None:
    """Make the hash of a password, for the configuration.

    \b
    mailsrv account hash                          asks twice
    pwgen -s 20 1 | mailsrv account hash
    mailsrv account hash --app                    prints a new password and its hash
    """
    if app and scheme != "ARGON2ID":
        raise Misused("--app and --scheme do not go together", "account hash", "an app password's hash is {SSHA512}")
    password = words.made() if app else words.asked()
    line = words.salted(password) if app else words.hashed(scheme.upper(), password)
    document = {"scheme": hashes.read(line).scheme, "hash": line} | ({"password": password} if app else {})
    if as_json:
        print_json(document)
    elif app:
        click.echo(f'password: {password}\npassword_hash: "{line}"')
    else:
        click.echo(line)


def _secrets(generate: bool, as_hash: bool) -> tuple[str, dict[str, Any]]:
    """The password if it was made here, and what the register keeps: its hash, and SCRAM keys where they can be made."""
    if generate and as_hash:
        raise Misused("--generate and --as-hash do not go together", "", "say one of them")
    if as_hash:
        return "", {"password_hash": Secret(words.asked_hash()), "scram_keys": None}
    password = words.made() if generate else words.asked()
    keys = Secret(words.hashed(words.SCRAM, password))
    line = Secret(words.hashed("ARGON2ID", password))
    return password if generate else "", {"password_hash": line, "scram_keys": keys}


def _put(register: Register, before: Account, changes: dict[str, Any]) -> None:
    after = _valid({name: getattr(before, name) for name in type(before).model_fields} | changes)
    register.change(lambda pen: pen.put(after))


def _valid(values: dict[str, Any]) -> Account:
    """As the configuration would take it."""
    from dnsops.base.settings.mailserver import Account

    return validated(Account, values)


def _labels(one: Account) -> str:
    return f"it has: {', '.join(app.name for app in one.app_passwords) or 'none'}"


def _tell(name: str, text: str, as_json: bool, password: str = "") -> None:
    if as_json:
        print_json({"account": name} | ({"password": password} if password else {}))
        return
    click.echo(text)
    if password:
        click.echo(f"password: {password}")


def _row(one: Account, kept: str) -> dict[str, object]:
    row: dict[str, object] = {
        "name": one.name,
        "where": kept,
        "addresses": list(one.addresses),
        "enabled": one.enabled,
    }
    try:
        proofs = of_account(one)
    except (BadHash, Misconfigured) as error:
        return row | {"password": f"cannot be used: {error}", "scram": False, "app_passwords": []}
    apps = [proof.name for proof in proofs.proofs if proof.name]
    kind = "plain" if proofs.plain is not None else proofs.proofs[0].stored.scheme
    return row | {"password": kind, "scram": proofs.can_scram("sha256"), "app_passwords": apps}


def _cells(row: dict[str, object]) -> list[str]:
    yes = {True: "yes", False: "no"}
    lists = [", ".join(map(str, value)) if isinstance(value, list) else str(value) for value in row.values()]
    name, kept, addresses, _, password, _, apps = lists
    return [name, kept, addresses, password, yes[bool(row["scram"])], apps, "" if row["enabled"] else "closed"]
