"""`mailsrv move export`: everything in plain forms, for any other server, or for one of ours."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dnsops.base import files
from dnsops.base.errors import Exit, ForUser, Misused
from dnsops.base.output import config_option, json_option, print_json, print_table
from dnsops.base.printable import printable
from dnsops.base.secrets import Secret
from mailsrv.commands.mailstore import become_owner, directory, mailstore
from mailsrv.commands.registering import opened

if TYPE_CHECKING:
    from dnsops.base.settings import Settings
    from mailsrv.archive.taking import Report
    from mailsrv.moving.foreign import Plan

MAIL, DKIM, DRAFT = "mail", "dkim", "mailsrv.yml"


@click.command()
@click.argument("path", metavar="DIRECTORY", type=click.Path(path_type=Path))
@config_option
@json_option
def export(path: Path, config_file: str | None, as_json: bool) -> int:
    """Write accounts with their hashes, aliases, DKIM keys and all mail to DIRECTORY, which is empty or not there yet.

    \b
    mailsrv move export /backup/plain
    DIRECTORY/mailsrv.yml         accounts, aliases, catch-alls
    DIRECTORY/dkim/D/S.pem        the key of selector S of domain D
    DIRECTORY/mail/ACCOUNT        a Maildir, with the UIDs as Dovecot writes them; `mailsrv message import` takes it again
    """
    from mailsrv.archive import maildir
    from mailsrv.archive.kept import escaped
    from mailsrv.archive.taking import give
    from mailsrv.moving.foreign import draft

    register = opened(config_file)
    settings = register.everyone()
    names = [one.name for one in settings.accounts]
    if strange := [name for name in names if "/" in name or name.startswith(".")]:
        raise Misused(f"{strange[0]} is no name of a directory", "", "export it with `mailsrv message export`")
    store_path = directory(register.state)
    become_owner(store_path)
    reports: dict[str, Report] = {}

    async def story() -> None:
        async with mailstore(store_path) as store:
            for one in settings.accounts:
                await store.account(one.name)
                place = files.private_directory(path / MAIL / one.name)
                reports[one.name] = await give(store, one.name, maildir.Writer(place), partial(maildir.read, place))
                shown = sorted(await store.subscriptions(one.name))
                files.replace(place / maildir.SUBSCRIPTIONS, "".join(f"{escaped(name)}\n" for name in shown).encode())

    try:
        _empty(path)
        asyncio.run(story())
        plan = _plan(settings, register.state)
        for key in plan.signing:
            folder = files.private_directory(path / DKIM / key.domain)
            files.replace(folder / f"{key.selector}.pem", key.pem.reveal().encode())
        files.replace(path / DRAFT, draft(plan, {}, True).encode())
    except OSError as error:
        raise ForUser(f"cannot be written ({error.strerror})", str(error.filename or path)) from None
    return _tell(reports, plan, as_json)


def _empty(path: Path) -> None:
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise Misused("is there already, and not an empty directory", str(path), "name a new one")
    files.private_directory(path)


def _plan(settings: Settings, state: Path) -> Plan:
    """What is ours, as if it came from elsewhere."""
    from dnsops.dkim.keys import Keys
    from mailsrv.directory.book import octets
    from mailsrv.moving.foreign import Person, Plan, Signing
    from mailsrv.moving.settling import hashed

    plan = Plan(settings.hostname, list(settings.domains), catch_all=dict(settings.catch_all))
    for one in settings.accounts:
        line = one.password_hash or (Secret(hashed(one.password.reveal())) if one.password else None)
        apps = tuple((app.name, app.password_hash) for app in one.app_passwords if app.password_hash)
        if line is None:
            plan.leave(one.name, "it has no password")
            continue
        plan.people.append(Person(one.name, one.addresses, line, apps, one.enabled, octets(one.quota) or 0))
    plan.aliases = {one.address: one.to for one in settings.aliases}
    for domain in settings.domains:
        signers = Keys(state / "dkim").signers(domain)
        plan.signing += [Signing(domain, one.selector, Secret(one.pem.decode())) for one in signers]
    return plan


def _tell(reports: dict[str, Report], plan: Plan, as_json: bool) -> int:
    totals = {name: one.total for name, one in reports.items()}
    left = [{"where": one.where, "why": one.why} for one in plan.left]
    if as_json:
        rows = [{"account": name, "found": one.found, "copied": one.copied} for name, one in totals.items()]
        keys = [f"{one.selector}._domainkey.{one.domain}" for one in plan.signing]
        print_json({"accounts": rows, "aliases": len(plan.aliases), "dkim": keys, "left": left})
    else:
        print_table(
            "",
            ("account", "messages", "written"),
            [[printable(n), str(o.found), str(o.copied)] for n, o in totals.items()],
        )
        for one in left:
            click.echo(f"{printable(one['where'])}: {one['why']}", err=True)
    return Exit.FINDINGS if left or any(one.failed for one in totals.values()) else Exit.OK
