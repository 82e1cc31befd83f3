"""Install, converge, upgrade and look after the hosts of an inventory, with Ansible; progress, diff, summary, log.

PLAYBOOK is one of ours, by its name, or a file; each also runs by stock `ansible-playbook -i INVENTORY FILE`.
With --json: playbook inventory check outcome changed hosts{} changes[] of host task diff[], failures[] of host task kind why,
log.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from dnsops.base.errors import Exit, Misused
from dnsops.base.output import json_option, print_json, print_table

if TYPE_CHECKING:
    from playbooks.events import Run, Seen
    from playbooks.running import Ended, Order

SIGNAL = 128  # and its number, as shells say it


@click.command()
@click.argument("playbook", default="site.yml")
@click.option("-i", "--inventory", required=True, metavar="INVENTORY", help="A file or directory; or HOST,HOST.")
@click.option("--check", is_flag=True, help="Only say what would change; writes nothing.")
@click.option("--limit", default="", metavar="PATTERN", help="Only these of its hosts.")
@click.option("--tags", default="", metavar="TAG,TAG", help="Only tasks with one of these tags.")
@click.option(
    "-e",
    "--extra",
    multiple=True,
    metavar="KEY=VALUE | @FILE",
    help="Variables; several times. A secret belongs into a FILE: others see what stands on a command line.",
)
@json_option
def deploy(
    playbook: str, inventory: str, check: bool, limit: str, tags: str, extra: tuple[str, ...], as_json: bool
) -> None:
    """Run PLAYBOOK (site.yml unless said) on the hosts of INVENTORY, and show what changed.

    \b
    mailsrv deploy -i hosts.yml --check           what would change
    mailsrv deploy -i hosts.yml                   install, or bring to what is wanted
    mailsrv deploy rotate -i hosts.yml --tags dkim --limit mx2.example.org
    Exit: 0 as wanted · 1 failed: which host, task, why · 2 --check, and changes are pending · 64 wrong usage ·
          75 another deployment to the same inventory is running
    """
    from dnsops.base import clock
    from dnsops.base.places import state_directory
    from playbooks import finding, logs
    from playbooks.running import Order

    files, variables = extras(extra)
    order = Order(finding.playbook(playbook), finding.inventory(inventory), check, limit, tags, files, variables)
    folder = logs.place(state_directory(None))
    with logs.alone(folder, order.inventory), logs.log(folder, order.playbook.stem, clock.now().wall) as kept:
        path, log = kept
        log.write(f"{order.playbook} -i {order.inventory}{' --check' if check else ''}\n")
        run, ended = _run(order, log, quiet=as_json)
    head: dict[str, object] = {"playbook": str(order.playbook), "inventory": order.inventory}
    _tell(run, ended, order, {**head, "log": str(path)} if as_json else None, str(path))
    raise SystemExit(status_of(run, ended, check))


def extras(words: Sequence[str]) -> tuple[tuple[Path, ...], dict[str, str]]:
    """The files and the variables of `-e`."""
    files, variables = [], {}
    for word in words:
        key, sign, value = word.partition("=")
        if word.startswith("@"):
            path = Path(word[1:]).absolute()
            if not path.is_file():
                raise Misused(f"there is no file {word[1:]}", "deploy -e", "say KEY=VALUE, or @FILE")
            files.append(path)
        elif sign and key.isidentifier():
            variables[key] = value
        else:
            raise Misused("this is neither KEY=VALUE nor @FILE", "deploy -e", "a KEY is letters, digits and _")
    return tuple(files), variables


def status_of(run: Run, ended: Ended, check: bool) -> int:
    """How we end."""
    if ended.signal:
        return SIGNAL + ended.signal
    if ended.status or not run.recap:
        return Exit.FINDINGS
    return Exit.PENDING if check and run.changed else Exit.OK


def _run(order: Order, log: IO[str], quiet: bool) -> tuple[Run, Ended]:
    from playbooks import events, running, telling
    from playbooks.progress import Progress

    state = events.Run()
    progress = Progress(lambda seconds: telling.now(state, seconds))

    def hear(seen: Seen) -> None:
        nonlocal state
        state = events.step(state, seen)
        if quiet or not isinstance(seen, events.Result):
            return
        with progress.hidden():
            if seen.kind is events.Kind.CHANGED:
                for line, colour in telling.change(seen):
                    click.secho(line, fg=colour or None)
            elif seen.kind in (events.Kind.FAILED, events.Kind.UNREACHABLE):
                for line in telling.failure(seen):
                    click.secho(line, fg="red", err=True)

    with progress:
        ended = running.run(order, hear, log)
    return state, ended


def _tell(run: Run, ended: Ended, order: Order, head: dict[str, object] | None, log: str) -> None:
    from playbooks import telling

    said = "" if run.recap else ended.said
    if head is not None:
        more: dict[str, object] = {"said": said} if said else {}
        more |= {"signal": ended.signal} if ended.signal else {}
        print_json(head | telling.document(run, order.check, ended.status) | more)
        return
    if run.recap:
        print_table("", telling.COLUMNS, telling.rows(run.recap))
    elif said:
        click.echo(said, err=True)
    if ended.signal:
        task = f" in {run.task!r}" if run.task else ""
        click.echo(f"stopped by a signal{task}; run it again: it goes on with what is not done", err=True)
    else:
        click.echo(telling.sentence(run, order.check, ended.status))
    click.echo(f"log: {log}")
