"""The records of keys, beside a zone's own: `dns plan` shows what their stories would do, `dns apply` lets them do it.

TLSA and DKIM records have lives (a key waits for its record, a record outlives its key), so no plan of a zone writes them.
What their stories find wrong is told here, and counts where they run themselves: `mailsrv tlsa`, `mailsrv dkim`, the timers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from dnsops.base.errors import Deliberate, Exit
from dnsops.base.output import print_table

if TYPE_CHECKING:
    from datetime import datetime

    from dnsops.commands.dns_request import Request
    from dnsops.reconcile.telling import Json

DKIM: dict[str, Any] = {"domains": (), "selectors": (), "keys": (), "provider": None, "tsig_key": None, "ttl": None}
TLSA: dict[str, Any] = {
    "hosts": (),
    "domains": (),
    "ports": (),
    "sources": (),
    "upcoming": (),
    "provider": None,
    "tsig_key": None,
    "ttl": None,
    "forms": (),
    "addresses": (),
    "reload": None,
    "allow_insecure": False,
    "no_probe": False,
    "adopt": False,
}


@dataclass(frozen=True)
class Story:
    """What one of them did, or would do. rows: what it is about, its action, its sentence.  findings: what a person should know."""

    name: str
    rows: tuple[tuple[str, str, str], ...] = ()
    findings: tuple[str, ...] = ()
    pending: bool = False
    document: Callable[[datetime], Json | None] = lambda now: None


def stories(asked: Request, dry_run: bool) -> list[Story]:
    """Both, one after the other; one that is not wanted is not there."""
    options = {"config_file": asked.file, "state": str(asked.state)}
    found = []
    if asked.settings.signing_domains:
        found.append(_told("dkim", lambda: _dkim(options, dry_run), dry_run))
    if _first_to_come(asked):
        found.append(Story("tlsa", ((asked.settings.hostname, "wait", "its records come with its first certificate"),)))
    elif asked.settings.tlsa.targets or (asked.state / "certs" / asked.settings.hostname).is_dir():
        found.append(_told("tlsa", lambda: _tlsa(options, dry_run), dry_run))
    return found


def _first_to_come(asked: Request) -> bool:
    """Whether the host has a first key of our own and no certificate for it yet: a TLSA record would be of nothing."""
    from dnsops.certs.generations import Generations

    settings, ours = asked.settings, Generations(asked.state / "certs")
    only_ours = all(target.host == settings.hostname and target.sources == ("mailsrv:",) for target in settings.targets)
    host = settings.hostname
    return only_ours and ours.next(host) is not None and ours.current(host) is None


def tell(some: Sequence[Story]) -> None:
    """A table of what they do, then what they find."""
    rows = [(story.name, *row) for story in some for row in story.rows]
    if rows:
        print_table("", ("keys", "of", "action", "what"), rows)
    for story in some:
        for finding in story.findings:
            click.echo(f"- {story.name}: {finding}")


def documents(some: Sequence[Story], now: datetime) -> Json:
    """Their own documents, by name; null where one could not run."""
    found = {story.name: story.document(now) for story in some}
    return {name: found.get(name) for name in ("dkim", "tlsa")}


def _told(name: str, run: Callable[[], Story], dry_run: bool) -> Story:
    try:
        return run()
    except Deliberate as error:
        return Story(name, findings=(str(error),))


def _dkim(options: dict[str, Any], dry_run: bool) -> Story:
    from dnsops.commands import dkim_request
    from dnsops.reconcile import dkim_report, telling

    outcomes = asyncio.run(dkim_request.reconcile_once(dkim_request.from_options(DKIM | options), dry_run))
    return Story(
        "dkim",
        tuple(
            (one.domain, telling.word(dkim_report.action_of(one, dry_run)), dkim_report.sentence(one, dry_run))
            for one in outcomes
        ),
        tuple(str(finding) for one in outcomes for finding in telling.findings_of(one)),
        dkim_report.status(outcomes, dry_run) is Exit.PENDING,
        lambda now: dkim_report.document(outcomes, dry_run, now),
    )


def _tlsa(options: dict[str, Any], dry_run: bool) -> Story:
    from dnsops.commands import request
    from dnsops.reconcile import report, telling

    asked = request.from_options(TLSA | options, writing=not dry_run)
    outcomes = asyncio.run(request.reconcile_once(asked, dry_run))
    return Story(
        "tlsa",
        tuple(
            (one.look.place, telling.word(report.action_of(one, dry_run)), report.sentence(one, dry_run))
            for one in outcomes
        ),
        tuple(str(finding) for one in outcomes for finding in telling.findings_of(one)),
        report.status(outcomes, dry_run) is Exit.PENDING,
        lambda now: report.document(outcomes, dry_run, now),
    )
