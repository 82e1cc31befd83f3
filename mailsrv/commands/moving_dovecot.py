"""`mailsrv move dovecot`: accounts of a passwd-file, aliases of Postfix's maps."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from dnsops.base import files
from dnsops.base.errors import ForUser
from dnsops.base.output import config_option, json_option
from dnsops.base.places import state_directory
from mailsrv.commands.moving_stalwart import into_database, tell


@click.command()
@click.option("--passwd", type=click.Path(path_type=Path), help="Dovecot's passwd-file: users, hashes, quotas.")
@click.option(
    "--virtual",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A text of virtual_alias_maps; may be said several times.",
)
@click.option("--aliases", type=click.Path(path_type=Path), help="A file like /etc/aliases.")
@click.option("--domain", default="", help="Of names that have none.")
@click.option(
    "--output",
    default=Path("mailsrv-moved"),
    show_default=True,
    type=click.Path(path_type=Path),
    help="Where the draft goes.",
)
@click.option(
    "--database", is_flag=True, help="Accounts and aliases into the database of --config, not into the draft."
)
@click.option("--dry-run", is_flag=True, help="Tell what would be taken, and write nothing.")
@config_option
@json_option
def dovecot(
    passwd: Path | None,
    virtual: tuple[Path, ...],
    aliases: Path | None,
    domain: str,
    output: Path,
    database: bool,
    dry_run: bool,
    config_file: str | None,
    as_json: bool,
) -> int:
    """Read the accounts of a Dovecot and the aliases of its Postfix. Hashes are kept as they are, plain passwords become argon2id.

    \b
    mailsrv move dovecot --passwd /etc/dovecot/users --virtual /etc/postfix/virtual --aliases /etc/aliases --domain example.org
    The mail itself: mailsrv message import user1 /var/vmail/user1/Maildir keeps UIDVALIDITY, UIDs, keywords, subscriptions.
    """
    from mailsrv.moving import maps, settling

    hashed = (lambda password: "{hashed}") if dry_run else settling.hashed
    users = maps.passwd_file(_text(passwd)) if passwd else []
    pairs = [pair for path in virtual for pair in maps.virtual(_text(path))]
    pairs += maps.aliases(_text(aliases), domain or "localhost") if aliases else []
    plan = maps.planned(users, pairs, domain, hashed, settling.readable)
    done: list[str] = []
    if not dry_run:
        done += into_database(plan, config_file) if database else []
        state = state_directory(None).absolute()
        done += settling.settle(plan, output.absolute(), state, not database, datetime.now(UTC))
    return tell(plan, done, dry_run, as_json)


def _text(path: Path) -> str:
    from mailsrv.moving.maps import LARGEST

    try:
        return files.read_bounded(path, LARGEST).decode("utf-8")
    except (OSError, ValueError) as error:
        raise ForUser(
            f"cannot be read ({getattr(error, 'strerror', None) or 'not UTF-8, or too large'})", str(path)
        ) from None
