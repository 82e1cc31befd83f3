"""What happens by itself: list the jobs, run one, serve them all, write systemd units.

A job runs by one of two clocks, never both: `timers serve` (also started by `mailsrv serve`), or the units' timers. Where
both do, the lock lets one through and the other says so.
"""

from __future__ import annotations

import shutil
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dnsops.base import files, settings
from dnsops.base.errors import Exit, ForUser, Misused
from dnsops.base.log import Log
from dnsops.base.output import config_option, json_option, print_json, print_table
from dnsops.base.places import state_directory
from dnsops.records import names
from timers.table import JOBS, Job, adjusted, find

if TYPE_CHECKING:
    from dnsops.base.settings import Settings
    from timers.outcome import Outcome
    from timers.run import House


@dataclass(frozen=True)
class Plan:
    """What a command of this file works with."""

    jobs: tuple[Job, ...]
    house: House
    settings: Settings | None


@click.group()
def timers() -> None:
    """What happens by itself: list the jobs, run one, serve them all, write systemd units."""


@timers.command("list")
@config_option
@json_option
def list_(config_file: str | None, as_json: bool) -> None:
    """Show every job: its last run, how it ended, when it is due."""
    plan = _plan(config_file)
    rows = [_row(job, plan.house) for job in plan.jobs]
    if as_json:
        print_json({"state": str(plan.house.state), "jobs": rows})
        return
    columns = ("job", "every", "last", "took", "outcome", "text", "due", "what")
    print_table("", columns, [[str(row[column]) for column in columns] for row in rows])


@timers.command("run")
@click.argument("name")
@config_option
@json_option
def run(name: str, config_file: str | None, as_json: bool) -> int:
    """Run one job now; ends with the job's exit status, 75 when it is running already."""
    from timers.run import run_once

    plan = _plan(config_file)
    job = find(plan.jobs, name)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
    outcome = run_once(job, replace(plan.house, stopped=stop.is_set))
    if as_json:
        print_json(outcome.as_json())
    else:
        click.echo(
            f"{job.name}: {outcome.state.word} in {outcome.seconds:.1f} s" + (f": {outcome.text}" * bool(outcome.text))
        )
    return status_of(outcome)


@timers.command()
@config_option
@json_option
def serve(config_file: str | None, as_json: bool) -> None:
    """Run all jobs when they are due, until a signal; the log goes to stderr."""
    from timers.scheduler import serve as serve_all

    plan = _plan(config_file)
    log = Log(json_lines=True) if as_json else plan.house.log
    serve_all(plan.jobs, replace(plan.house, log=log))


@timers.command()
@click.option("--write", "folder", metavar="DIR", help="Write the files there, such as /etc/systemd/system.")
@click.option(
    "--server",
    is_flag=True,
    help="The whole installation: also the server's unit, and no jobs' where the server runs them itself (timers.run).",
)
@click.option("--credentials", "kept", metavar="DIR", default="", help="Where each !credential NAME is a file.")
@click.option("--program", metavar="PATH", help="The command that the units run.  [this one]")
@click.option("--dry-run", is_flag=True, help="With --write: only tell what would change; 2 when something would.")
@config_option
@json_option
def units(
    folder: str | None,
    server: bool,
    kept: str,
    program: str | None,
    dry_run: bool,
    config_file: str | None,
    as_json: bool,
) -> int:
    """Print, or write, a hardened systemd service and a timer for every job.

    With --json: written, units{name: text}, changed[], removed[].
    """
    from timers import units as text

    plan = _plan(config_file)
    file = str(Path(config_file).absolute()) if config_file else None
    if server and not file:
        raise Misused("the server needs a configuration, and there is none at the usual place", "", "say --config FILE")
    place = text.place_of(plan.settings, program or _program(), file, kept)
    by_server = server and plan.settings is not None and plan.settings.timers.run
    texts = ({} if by_server else text.units(plan.jobs, place)) | (text.server(place) if server else {})
    stale = text.every_name(plan.jobs) - set(texts) if server else set()
    changed, removed = _difference(Path(folder), texts, stale) if folder is not None else ([], [])
    if folder is not None and not dry_run:
        _write(Path(folder), {name: texts[name] for name in changed}, removed)
    if as_json:
        print_json({"written": folder, "units": texts, "changed": changed, "removed": removed})
    elif folder is None:
        click.echo("\n".join(f"# {name}\n{unit}" for name, unit in texts.items()), nl=False)
    elif dry_run:
        click.echo(
            "\n".join([f"would write {name}" for name in changed] + [f"would remove {name}" for name in removed])
        )
    else:
        _say_what_now(folder, texts)
    return Exit.PENDING if dry_run and (changed or removed) else Exit.OK


@timers.command()
@click.option("--program", default="/opt/mailsrv/current/bin/mailsrv", metavar="PATH", help="Where the command is.")
@config_option
def nixos(program: str, config_file: str | None) -> None:
    """Print the server's and the jobs' units as a module for NixOS."""
    from mailsrv.serving import unit
    from timers import nixos as text
    from timers import units as jobs_text

    plan = _plan(config_file)
    file = str(Path(config_file).absolute()) if config_file else "/etc/mailsrv/mailsrv.yml"
    server = {"mailsrv.service": unit.service([program], file)}
    place = jobs_text.place_of(plan.settings, program, file)
    click.echo(text.module(server | jobs_text.units(plan.jobs, place)), nl=False)


def status_of(outcome: Outcome) -> int:
    """The exit status of a run: the job's own, or 1 when a signal or its time limit ended it."""
    from timers.outcome import State

    if outcome.state is State.FAILED and outcome.status <= 0:
        return Exit.FINDINGS
    return outcome.status


def _plan(config_file: str | None) -> Plan:
    from timers.alert import channels
    from timers.run import House

    loaded = settings.load(config_file, names.host) if config_file else None
    house = House(
        state=state_directory(loaded.state.directory if loaded else None),
        log=Log(json_lines=_json_lines(loaded)),
        config_file=config_file,
        host=loaded.hostname if loaded else _host(),
        channels=channels(loaded),
    )
    return Plan(adjusted(JOBS, loaded), house, loaded)


def _json_lines(loaded: Settings | None) -> bool | None:
    """None lets the log choose by whether a terminal reads it."""
    return {"json": True, "text": False}.get(loaded.log.format) if loaded else None


def _host() -> str:
    import socket

    return socket.gethostname()


def _program() -> str:
    """Where `mailsrv` is, for a line that systemd reads."""
    found = shutil.which(sys.argv[0]) if Path(sys.argv[0]).name == "mailsrv" else shutil.which("mailsrv")
    return str(Path(found).absolute()) if found else "/usr/bin/mailsrv"


def _row(job: Job, house: House) -> dict[str, object]:
    from dnsops.base.settings.words import in_words
    from timers.run import last
    from timers.scheduler import next_run

    outcome = last(job, house)
    return {
        "job": job.name,
        "what": job.what,
        "every": in_words(job.every),
        "enabled": job.enabled,
        "last": outcome.started.isoformat(timespec="seconds") if outcome else "never",
        "took": f"{outcome.seconds:.1f} s" if outcome else "",
        "outcome": outcome.state.word if outcome else "",
        "text": outcome.text if outcome else "",
        "failures": outcome.failures if outcome else 0,
        "due": next_run(job, house).isoformat(timespec="seconds") if job.enabled else "disabled",
    }


def _difference(folder: Path, texts: dict[str, str], stale: set[str]) -> tuple[list[str], list[str]]:
    """Which files are not as they should be, and which should not be."""

    def present(name: str) -> str:
        path = folder / name
        return path.read_text(errors="replace") if path.is_file() else ""

    changed = [name for name, unit in texts.items() if present(name) != unit]
    return changed, sorted(name for name in stale if (folder / name).exists())


def _write(folder: Path, texts: dict[str, str], removed: Sequence[str]) -> None:
    for name, unit in texts.items():
        try:
            files.replace(folder / name, unit.encode(), mode=0o644)
        except OSError as error:
            raise ForUser(f"cannot be written ({error.strerror})", str(folder / name)) from None
    for name in removed:  # and what `systemctl enable` made of it
        (folder / name).unlink(missing_ok=True)
        (folder / "timers.target.wants" / name).unlink(missing_ok=True)


def _say_what_now(folder: str, texts: dict[str, str]) -> None:
    timer_names = " ".join(name for name in texts if name.endswith(".timer"))
    click.echo(f"{len(texts)} files written to {folder}. Now, as root:")
    click.echo("  id mailsrv || useradd --system --home-dir /var/lib/mailsrv --shell /usr/sbin/nologin mailsrv")
    click.echo(f"  systemctl daemon-reload && systemctl enable --now {timer_names}")
