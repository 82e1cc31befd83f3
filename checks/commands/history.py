"""What earlier checks found of a domain, and what changed since a day.

`--json`: {"name", "runs": [{"at", "score", "percents"}], "since", "changes"}; without DOMAIN an array of names.
Exit status: 0, 1 when there is no history.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from checks.commands import asking
from dnsops.base.errors import ForUser
from dnsops.base.output import config_option, json_option, print_json, print_table

if TYPE_CHECKING:
    from checks.history import History
    from checks.report.changes import Change, Snapshot

SHOWN = 20


@click.command(name="history")
@click.argument("domain", required=False, metavar="[DOMAIN]")
@click.option("--days", type=click.IntRange(0, 3650), default=1, metavar="N", help="Compare with N days ago.  [1]")
@click.option("--state", metavar="DIR", help="Where the history is.  [/var/lib/mailsrv or the user's own]")
@config_option
@json_option
def history(domain: str | None, days: int, state: str | None, config_file: str | None, as_json: bool) -> None:
    """What earlier checks found of DOMAIN, and what changed since yesterday. Without DOMAIN: of whom there is anything."""
    from checks.run import domain_of

    kept = asking.history(asking.settings_at(config_file), state, no_history=False)
    assert kept is not None  # noqa: S101 - it was asked for
    with kept:
        if not kept.path.exists():
            raise ForUser("no check has been remembered yet", str(kept.path), "run `mailsrv check mail DOMAIN`")
        if domain is None:
            _names(kept.domains(), as_json)
            return
        name = domain_of(domain)
        runs = kept.runs(name)
        if not runs:
            raise ForUser("no check of it has been remembered", name, f"run `mailsrv check mail {name}`")
        before, changed = _compared(kept, runs[-1], days)
    _tell(name, runs, before, changed, as_json)


def _compared(kept: History, last: Snapshot, days: int) -> tuple[datetime | None, list[Change]]:
    from checks.report.changes import changes

    before = kept.before(last.domain, last.at - timedelta(days=days))
    if before is None or before.at == last.at:
        return None, []
    return before.at, changes(before, last)


def _names(found: list[str], as_json: bool) -> None:
    if as_json:
        print_json(found)
    else:
        for name in found:
            click.echo(name)


def _tell(name: str, runs: list[Snapshot], since: datetime | None, changed: list[Change], as_json: bool) -> None:
    from checks.report import terminal

    if as_json:
        told = [{"at": run.at.isoformat(), "score": run.score, "percents": dict(run.percents)} for run in runs]
        document = {"name": name, "runs": told, "since": since.isoformat() if since else None}
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
