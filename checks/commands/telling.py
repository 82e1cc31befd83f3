"""A run told while it runs: each report goes to the terminal (or JSON, or Nagios), to files, and into the history, and is let go.

    with Telling(forms, history, len(domains)) as telling:
        telling.take(report)               or telling.missed(domain, why)
    return telling.status

Fails by: `ForUser` for a file that cannot be written. A history that cannot be used costs a line on stderr, never the report.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self

import click

from checks.commands.asking import Forms
from checks.report import document, junit, nagios, page, terminal, words
from checks.report.changes import Change, Snapshot, changes, snapshots
from dnsops.base import files
from dnsops.base.errors import Deliberate, Exit, ForUser

if TYPE_CHECKING:
    from checks.finding import Report
    from checks.history import History

DAY = timedelta(days=1)
MODE = 0o644  # of pages and XML: they are made to be read
NOTHING = "no domain is configured: nothing to check"
FEW = 3  # domains that are told whole on a terminal


@dataclass(frozen=True)
class Past:
    """What the history says of a domain. since: the run that `changed` compares with."""

    runs: tuple[Snapshot, ...] = ()
    since: datetime | None = None
    changed: tuple[Change, ...] = ()


class Telling:
    """One run. many: how many domains there are to tell."""

    def __init__(self, forms: Forms, history: History | None, many: int = 1, service: str = "MAIL") -> None:
        self._forms, self._history, self._many, self._service = forms, history, many, service
        self._pen = terminal.Pen(sys.stdout.isatty(), shutil.get_terminal_size((terminal.WIDTH, 24)).columns)
        self._stack = ExitStack()
        self._html: IO[bytes] | None = None
        self._junit: IO[bytes] | None = None
        self._reports: list[Report] = []  # for Nagios only
        self._told = 0
        self._status = Exit.OK
        self._action = NOTHING

    def __enter__(self) -> Self:
        forms = self._forms
        self._html, self._junit = (self._opened(path) if path else None for path in (forms.html, forms.junit))
        if self._junit:
            self._junit.write(junit.OPENING.encode())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._history:
            self._history.close()
        if error is None:
            self._close()
        self._stack.__exit__(kind, error, trace)

    @property
    def status(self) -> int:
        """The exit status; for Nagios its own."""
        if self._forms.nagios:
            return self._nagios()[1]
        return self._status

    def take(self, report: Report, name: str = "") -> document.Json:
        """One domain's report, everywhere it belongs; as the JSON document has it. name: as whose it is remembered."""
        past = self._remembered(report, name)
        since = past.since.isoformat(timespec="seconds") if past.since else None
        value = document.result(report, self._forms.strict, since, past.changed)
        self._write(report, past)
        if self._forms.nagios:
            self._reports.append(report)
        elif not self._forms.as_json:
            self._show(report, past)
        self._count(value, f"{report.domain} {words.sentence(report)}")
        return value

    def missed(self, domain: str, why: str) -> document.Json:
        """A domain of which there is nothing to tell but why."""
        value = document.missed(domain, why)
        if not self._forms.as_json and not self._forms.nagios:
            click.echo(f"{words.clean(domain)}: {words.clean(why)}")
        self._count(value, f"{domain}: {why}")
        return value

    def again(self, values: Iterable[Mapping[str, Any]]) -> None:
        """Results of an earlier run, told again: a line each for a person, and the same document for a program."""
        for value in values:
            if not self._forms.as_json and not self._forms.nagios:
                click.echo(terminal.again(value, self._pen))
            self._count(value, str(value.get("name", "")))

    # each form

    def _show(self, report: Report, past: Past) -> None:
        if self._many > FEW and not self._forms.whole:
            click.echo(terminal.brief(report, self._pen))
            return
        lines = [*terminal.lines(report, self._pen, self._forms.whole)]
        if past.since:
            lines += terminal.since(f"{past.since:%Y-%m-%d %H:%M}", past.changed, self._pen)
        click.echo(terminal.text(lines), color=self._pen.colour or None)

    def _write(self, report: Report, past: Past) -> None:
        if self._junit:
            self._junit.writelines(suite.encode() for suite in junit.suites(report))
        if self._html:
            if not self._html.tell():
                self._html.write(page.head(self._title(report), report.at).encode())
            folded = self._many > 1
            self._html.write(page.section(report, past.runs, past.since, past.changed, folded).encode())

    def _title(self, report: Report) -> str:
        return report.domain if self._many == 1 else f"{self._many} domains"

    def _count(self, value: Mapping[str, Any], action: str) -> None:
        if self._forms.as_json:
            click.echo(("" if self._told else document.opening()) + document.element(value, not self._told), nl=False)
        self._told += 1
        self._status = _worse(self._status, document.status(value))
        self._action = action if self._told == 1 else f"{self._told} domains checked"

    def _close(self) -> None:
        if self._junit:
            self._junit.write(junit.CLOSING.encode())
        if self._html:
            if not self._html.tell():
                self._html.write(page.head("nothing was looked at", datetime.now(UTC)).encode())
            self._html.write(page.FOOT.encode())
        if self._forms.as_json:
            click.echo(
                ("" if self._told else document.opening()) + document.closing(self._action, self._status), nl=False
            )
        elif self._forms.nagios:
            click.echo(self._nagios()[0])
        elif not self._told:
            click.echo(self._action)

    def _nagios(self) -> tuple[str, nagios.State]:
        return nagios.text(self._reports, self._service, self._forms.strict, self._status is Exit.LATER)

    # files and memory

    def _opened(self, path: Path) -> IO[bytes]:
        return self._stack.enter_context(_written(path))

    def _remembered(self, report: Report, name: str) -> Past:
        """Compare with the past, and become part of it."""
        if self._history is None:
            return Past()
        try:
            return _together([_compared(self._history, one) for one in snapshots(report, name)])
        except Deliberate as trouble:
            click.echo(f"mailsrv: no history: {trouble}", err=True)
            self._history.close()
            self._history = None
            return Past()


def _together(pasts: Sequence[Past]) -> Past:
    """Of several kinds: all changes, the bad news first, since the first of their days."""
    changed = sorted((one for past in pasts for one in past.changed), key=lambda change: change.better)
    since = min((past.since for past in pasts if past.since), default=None)
    return Past(tuple(run for past in pasts for run in past.runs), since, tuple(changed))


def _compared(history: History, run: Snapshot) -> Past:
    before = history.before(run.domain, run.at - DAY)
    history.keep(run)
    runs = tuple(history.runs(run.domain))
    if before is None or before.at >= run.at.replace(microsecond=0):
        return Past(runs)
    return Past(runs, before.at, tuple(changes(before, run)))


@contextmanager
def _written(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes its place when all of it is there."""
    try:
        with files.replacing(path, MODE) as file:
            yield file
    except OSError as error:
        raise ForUser(f"cannot be written ({error.strerror})", str(path), "name a file in a place of yours") from None


def _worse(one: Exit, other: Exit) -> Exit:
    """What needs a person beats what needs patience."""
    return Exit.FINDINGS if Exit.FINDINGS in (one, other) else max(one, other)
