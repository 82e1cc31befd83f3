"""List the accounts; make password hashes and app passwords.

`hash` asks for the password on the terminal, or reads one line of stdin; it is never an argument, where others could see it.
`list --json`: an array of name addresses[] enabled password scram app_passwords[]; `hash --json`: scheme hash, with --app password
"""

from __future__ import annotations

import base64
import secrets
import sys
from typing import TYPE_CHECKING

import click

from dnsops.base import settings
from dnsops.base.errors import Misconfigured, Misused
from dnsops.base.output import DEFAULT_CONFIG, config_option, json_option, print_json, print_table
from dnsops.records import names
from mailsrv.directory import hashes, slow
from mailsrv.directory.credentials import of_account
from mailsrv.directory.keys import HASHES, SALT, BadHash, Keys
from mailsrv.directory.prep import LONGEST, prepared

if TYPE_CHECKING:
    from dnsops.base.settings.mailserver import Account

APP_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that looks like something else
APP_LENGTH = 24  # of 31 characters: 118 bits


@click.group()
def account() -> None:
    """List the accounts; make password hashes and app passwords."""


@account.command(name="list")
@config_option
@json_option
def list_(config_file: str | None, as_json: bool) -> None:
    """Print the accounts: their addresses, and how they log in."""
    if config_file is None:
        raise Misused("no configuration named, and none at the usual place", DEFAULT_CONFIG, "say --config FILE")
    rows = [_row(one) for one in settings.load(config_file, names.host).accounts]
    if as_json:
        print_json(rows)
        return
    columns = ("account", "addresses", "password", "SCRAM", "app passwords", "")
    print_table("", columns, [_cells(row) for row in rows])


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
    password = _made() if app else _asked()
    # a password of that many bits needs no slow hash
    line = _salted(password) if app else _hash(scheme.upper(), password)
    document = {"scheme": hashes.read(line).scheme, "hash": line} | ({"password": password} if app else {})
    if as_json:
        print_json(document)
    elif app:
        click.echo(f'password: {password}\npassword_hash: "{line}"')
    else:
        click.echo(line)


def _row(one: Account) -> dict[str, object]:
    row: dict[str, object] = {"name": one.name, "addresses": list(one.addresses), "enabled": one.enabled}
    try:
        proofs = of_account(one)
    except (BadHash, Misconfigured) as error:
        return row | {"password": f"cannot be used: {error}", "scram": False, "app_passwords": []}
    apps = [proof.name for proof in proofs.proofs if proof.name]
    kind = "plain" if proofs.plain is not None else proofs.proofs[0].stored.scheme
    return row | {"password": kind, "scram": proofs.can_scram("sha256"), "app_passwords": apps}


def _cells(row: dict[str, object]) -> list[str]:
    words = {True: "yes", False: "no"}
    lists = [", ".join(map(str, value)) if isinstance(value, list) else str(value) for value in row.values()]
    name, addresses, _, password, _, apps = lists
    return [name, addresses, password, words[bool(row["scram"])], apps, "" if row["enabled"] else "closed"]


def _hash(scheme: str, password: str) -> str:
    if scheme == "ARGON2ID":
        return slow.argon2id(password.encode())
    if scheme in HASHES:
        return str(Keys.derive(HASHES[scheme], password.encode(), secrets.token_bytes(SALT)))
    raise Misused(f"no hash is made as {scheme}", "account hash --scheme", f"write ARGON2ID, {', '.join(HASHES)}")


def _salted(password: str) -> str:
    import hashlib

    salt = secrets.token_bytes(16)
    return "{SSHA512}" + base64.b64encode(hashlib.sha512(password.encode() + salt).digest() + salt).decode()


def _made() -> str:
    letters = "".join(secrets.choice(APP_ALPHABET) for _ in range(APP_LENGTH))
    return "-".join(letters[at : at + 6] for at in range(0, APP_LENGTH, 6))


def _asked() -> str:
    """From the terminal, twice; else the first line of stdin."""
    if sys.stdin.isatty():
        text: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        text = sys.stdin.readline(LONGEST + 2).rstrip("\r\n")
    password = prepared(text)
    if not password or len(password.encode()) > LONGEST:
        raise Misused(
            "not a password that clients can send", "account hash", f"1 to {LONGEST} octets, no control characters"
        )
    return password
