"""What earlier checks found of a domain, and what changed since a day.

`--json`: {"name", "kind", "runs": [{"at", "score", "percents"}], "since", "changes"}; without DOMAIN an array of {"name", "kind"}.
Exit status: 0, 1 when there is no history.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from checks.commands import asking
from checks.report.changes import MAIL, OWN, subject
from dnsops.base.errors import ForUser
from dnsops.base.output import config_option, json_option, print_json, print_table

if TYPE_CHECKING:
    from checks.history import History
    from checks.report.changes import Change, Snapshot

SHOWN = 20
BY_ADDRESS = ("echo", "mailbox")  # kept by an account's address, not by a domain


@click.command(name="history")
@click.argument("domain", required=False, metavar="[DOMAIN]")
@click.option("--kind", type=click.Choice((MAIL, *OWN)), default=MAIL, show_default=True, help="Which check's runs.")
@click.option("--days", type=click.IntRange(0, 3650), default=1, metavar="N", help="Compare with N days ago.  [1]")
@click.option("--state", metavar="DIR", help="Where the history is.  [/var/lib/mailsrv or the user's own]")
@config_option
@json_option
def history(
    domain: str | None, kind: str, days: int, state: str | None, config_file: str | None, as_json: bool
) -> None:
    """What earlier checks found of DOMAIN, and what changed since yesterday. Without DOMAIN: of whom there is anything.

    With --kind of another check than `mail`: echo's runs are kept by who sent, deliverability's by the domain in From, health's and
    relay's by the host.
    """
    from checks.run import domain_of

    kept = asking.history(asking.settings_at(config_file), state, no_history=False)
    assert kept is not None  # noqa: S101 - it was asked for
    with kept:
        if not kept.path.exists():
            raise ForUser("no check has been remembered yet", str(kept.path), "run `mailsrv check mail DOMAIN`")
        if domain is None:
            _names(kept.domains(), as_json)
            return
        name = domain.lower() if kind in BY_ADDRESS else domain_of(domain)
        runs = kept.runs(subject(kind, name))
        if not runs:
            raise ForUser("no check of it has been remembered", name, f"run `mailsrv check {kind}`")
        before, changed = _compared(kept, runs[-1], days)
    _tell((name, kind), runs, before, changed, as_json)


def _compared(kept: History, last: Snapshot, days: int) -> tuple[datetime | None, list[Change]]:
    from checks.report.changes import changes

    before = kept.before(last.domain, last.at - timedelta(days=days))
    if before is None or before.at == last.at:
        return None, []
    return before.at, changes(before, last)


def _names(found: list[str], as_json: bool) -> None:
    """As they are typed here again."""
    named = sorted(_named(one) for one in found)
    if as_json:
        print_json([{"name": name, "kind": kind} for name, kind in named])
    else:
        for name, kind in named:
            click.echo(name if kind == MAIL else f"{name} --kind {kind}")


def _named(kept: str) -> tuple[str, str]:
    kind, blank, name = kept.partition(" ")
    return (name, kind) if blank and kind in OWN else (kept, MAIL)


def _tell(
    whose: tuple[str, str], runs: list[Snapshot], since: datetime | None, changed: list[Change], as_json: bool
) -> None:
    from checks.report import terminal

    name, kind = whose
    if as_json:
        told = [{"at": run.at.isoformat(), "score": run.score, "percents": dict(run.percents)} for run in runs]
        document = {"name": name, "kind": kind, "runs": told, "since": since.isoformat() if since else None}
        print_json(document | {"changes": [change.as_json() for change in changed]})
        return
    columns = sorted({category for run in runs for category in run.percents})
    rows = [
        (f"{run.at:%Y-%m-%d %H:%M}", _percent(run.score), *(_percent(run.percents.get(one)) for one in columns))
        for run in runs[-SHOWN:]
    ]
    print_table(name, ("when (UTC)", "total", *columns), rows)
    if since:
        click.echo(terminal.text(terminal.since(f"{since:%Y-%m-%d %H:%M}", changed, terminal.Pen())), nl=False)


def _percent(value: int | None) -> str:
    return "-" if value is None else f"{value} %"
