"""What `mailsrv message explain` prints: one document for programs, two tables for people."""

from __future__ import annotations

import click

from dnsops.base.output import print_table
from dnsops.base.printable import printable
from mailsrv.commands.explaining import Explained, steps

COLUMNS = ("step", "outcome", "why")


def document(found: Explained) -> dict[str, object]:
    """For --json."""
    return {
        "then": found.then and _decision(found.then.action, [(s.what, s.outcome, s.why) for s in found.then.steps]),
        "now": found.now and _decision(found.now.action.name.lower(), steps(found.now)),
        "client": found.came and {"address": found.came.address, "helo": found.came.helo, "sender": found.came.sender},
        "id": found.came and found.came.id,
        "results": list(found.results),
        "opinions": list(found.opinions),
    }


def _decision(action: str, rows: list[tuple[str, str, str]]) -> dict[str, object]:
    return {"action": action, "steps": [{"what": what, "outcome": outcome, "why": why} for what, outcome, why in rows]}


def tell(found: Explained) -> None:
    """For a person."""
    if found.came:
        came = found.came
        click.echo(
            printable(f"{came.id}: from {came.address}, which called itself {came.helo}; sender <{came.sender}>")
        )
    else:
        click.echo("the message does not tell how it reached us: only what its signatures prove can be looked at")
    if found.then:
        rows = [
            (step.what, step.outcome, f"[outweighed] {step.why}" if step.outweighed else step.why)
            for step in found.then.steps
        ]
        _table(f"as it arrived: {found.then.action}", rows)
    if found.now:
        _table(f"as it would be judged now: {found.now.action.name.lower()}", steps(found.now))
        if found.now.reply:
            click.echo(f"the client would be told: {found.now.reply.code} {printable(found.now.reply.text)}")
    for opinion in found.opinions:
        click.echo(printable(f"dkimpy on {opinion}"))


def _table(title: str, rows: list[tuple[str, str, str]]) -> None:
    print_table(printable(title), COLUMNS, [tuple(map(printable, row)) for row in rows])
