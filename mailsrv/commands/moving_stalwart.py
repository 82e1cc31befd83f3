"""`mailsrv move stalwart`: accounts, addresses, DKIM keys and the certificate of a Stalwart up to 0.15, by its configuration."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dnsops.base import files
from dnsops.base.errors import Exit, ForUser
from dnsops.base.output import config_option, json_option, print_json, print_table
from dnsops.base.places import state_directory
from dnsops.base.printable import printable

if TYPE_CHECKING:
    from mailsrv.moving.foreign import Plan


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--output",
    default=Path("mailsrv-moved"),
    show_default=True,
    type=click.Path(path_type=Path),
    help="Where the draft goes.",
)
@click.option("--state", type=click.Path(path_type=Path), help="The state directory that shall have the DKIM keys.")
@click.option(
    "--database", is_flag=True, help="Accounts and aliases into the database of --config, not into the draft."
)
@click.option("--dry-run", is_flag=True, help="Tell what would be taken, and write nothing.")
@config_option
@json_option
def stalwart(
    file: Path, output: Path, state: Path | None, database: bool, dry_run: bool, config_file: str | None, as_json: bool
) -> int:
    """Read FILE, the config.toml of a Stalwart up to 0.15 or the settings of its NixOS module as JSON.

    \b
    mailsrv move stalwart /opt/stalwart/etc/config.toml --dry-run
    nix eval --json .#nixosConfigurations.HOST.config.services.stalwart.settings > s.json && mailsrv move stalwart s.json
    Hashes of passwords are kept as they are, plain ones become argon2id. DKIM keys sign on under the selectors that they have.
    """
    from mailsrv.moving import settling
    from mailsrv.moving import stalwart as foreign

    try:
        text = files.read_bounded(file, foreign.LARGEST).decode()
    except (OSError, ValueError) as error:
        raise ForUser(f"cannot be read ({getattr(error, 'strerror', None) or error})", str(file)) from None
    hashed = (lambda password: "{hashed}") if dry_run else settling.hashed
    plan = foreign.planned(foreign.settings(text), settling.resolve, hashed, settling.readable)
    done: list[str] = []
    if not dry_run:
        if database:
            done += into_database(plan, config_file)
        where = state or state_directory(None)
        done += settling.settle(plan, output.absolute(), where.absolute(), not database, datetime.now(UTC))
    return tell(plan, done, dry_run, as_json)


def into_database(plan: Plan, config_file: str | None) -> list[str]:
    """All of them in one transaction, or none; those that are there stay."""
    from dnsops.base.settings.mailserver import Account
    from mailsrv.commands.registering import opened, validated
    from mailsrv.directory.register import Change
    from mailsrv.moving.foreign import size

    register = opened(config_file)
    known = {one.name.casefold() for one in register.everyone().accounts}
    fresh = [one for one in plan.people if one.name.casefold() not in known]
    for one in plan.people:
        if one not in fresh:
            plan.leave(one.name, "there is an account of that name already")
    made = [
        validated(
            Account,
            {
                "name": one.name,
                "addresses": one.addresses,
                "password_hash": one.hash,
                "enabled": one.enabled,
                "quota": size(one.quota) if one.quota else None,
                "app_passwords": [{"name": name, "password_hash": line} for name, line in one.apps],
            },
        )
        for one in fresh
    ]

    def act(pen: Change) -> None:
        for account in made:
            pen.put(account)
        for address, targets in plan.aliases.items():
            pen.alias(address, targets)

    register.change(act)
    return [f"{one.name}: in the database" for one in fresh]


def tell(plan: Plan, done: list[str], dry_run: bool, as_json: bool) -> int:
    """What was taken, what was not, and what is written; the exit status."""
    rows = [("account", one.name, ", ".join(one.addresses)) for one in plan.people]
    rows += [("alias", address, ", ".join(to)) for address, to in plan.aliases.items()]
    rows += [("catch-all", f"@{domain}", to) for domain, to in plan.catch_all.items()]
    rows += [("DKIM key", f"{one.selector}._domainkey.{one.domain}", "the same selector") for one in plan.signing]
    rows += [
        ("certificate", one.name, "served" if n == 0 else "one is enough: the first")
        for n, one in enumerate(plan.pairs)
    ]
    left = [{"where": one.where, "why": one.why} for one in plan.left]
    if as_json:
        taken = [dict(zip(("what", "which", "to"), row, strict=True)) for row in rows]
        print_json({"dry_run": dry_run, "taken": taken, "left": left, "done": done})
    else:
        print_table("", ("taken", "", ""), [[*map(printable, row)] for row in rows])
        print_table("", ("not taken", "because"), [[printable(one["where"]), printable(one["why"])] for one in left])
        for line in done:
            click.echo(printable(line))
    return Exit.PENDING if dry_run and rows else Exit.OK
