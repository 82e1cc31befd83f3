"""The touching part of a deployment: Ansible as a program under ansible-runner, its log, its end by a signal.

Variables reach Ansible in a file that only we may read, never as an argument. What the runner keeps lies in a directory
that goes with the run; our log stays, 0600. A signal ends Ansible and all that it started, then us.
Fails by: `ForUser` when Ansible is not installed.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO, Any

from dnsops.base.errors import ForUser
from playbooks.events import Seen, plain, read
from playbooks.finding import surroundings

PATIENCE = 5.0  # seconds for Ansible to end by itself
POLL = 1
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Order:
    """What to run. files: of variables; variables: such that win over them."""

    playbook: Path
    inventory: str
    check: bool = False
    limit: str = ""
    tags: str = ""
    files: tuple[Path, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ended:
    """Ansible's exit status, what it said beside its events, and the signal that stopped us (0: none)."""

    status: int
    said: str
    signal: int = 0


def run(order: Order, hear: Callable[[Seen], None], log: IO[str]) -> Ended:
    """Run it to its end; `hear` gets each word as it comes."""
    runner = _runner()
    said: list[str] = []

    def heard(event: dict[str, Any]) -> bool:
        text = plain(str(event.get("stdout", "")))
        if text:
            log.write(text + "\n")
            log.flush()
        if event.get("event") in ("verbose", "error", "warning"):
            said.append(text)
        seen = read(event)
        if seen is not None:
            hear(seen)
        return False

    private = Path(tempfile.mkdtemp(prefix="mailsrv-deploy-"))
    try:
        with _surrounded(surroundings(os.environ, Path(sys.executable).parent)), _signals() as stop:
            done = runner.run(
                private_data_dir=str(private),
                playbook=str(order.playbook),
                cmdline=shlex.join(arguments(order, private)),
                settings={"pexpect_timeout": POLL},
                quiet=True,
                event_handler=heard,
                cancel_callback=stop.asked,
            )
    finally:
        shutil.rmtree(private, ignore_errors=True)
    return Ended(int(done.rc or 0), "\n".join(filter(None, said)).strip(), stop.number)


def arguments(order: Order, private: Path) -> list[str]:
    """Ansible's, with the variables' values in a file."""
    words = ["-i", order.inventory, "--diff"]
    words += ["--check"] if order.check else []
    words += ["--limit", order.limit] if order.limit else []
    words += ["--tags", order.tags] if order.tags else []
    for file in order.files:
        words += ["-e", f"@{file}"]
    if order.variables:
        file = private / "variables.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(dict(order.variables)))
        words += ["-e", f"@{file}"]
    return words


class Stop:
    """Whether somebody wants us to end."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.number = self.number or number

    def asked(self) -> bool:
        """Asked by the runner each second; when so, all that it started is ended first."""
        if self.number:
            end_children()
        return bool(self.number)


def end_children() -> None:
    """Ask our children to end, wait a little, and kill what is left of them and of theirs."""
    family = descendants(os.getpid())
    for child in descendants(os.getpid(), deep=False):
        _send(child, signal.SIGTERM)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and any(_lives(one) for one in family):
        time.sleep(0.05)
    for one in family | descendants(os.getpid()):
        if _lives(one):
            _send(one, signal.SIGKILL)


Process = tuple[int, str]  # its number, and when it started: a number may be another's by now


def descendants(parent: int, deep: bool = True) -> set[Process]:
    """The children of a process, and theirs (proc(5), /proc/PID/stat)."""
    table = dict(_table())
    found: set[Process] = set()
    wanted = {parent}
    while wanted:
        wanted = {pid for pid, (above, _) in table.items() if above in wanted}
        found |= {(pid, table[pid][1]) for pid in wanted}
        if not deep:
            break
    return found


def _table() -> Iterator[tuple[int, tuple[int, str]]]:
    """pid: (parent, start), of all that are no zombies."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] != "Z":
                yield int(folder.name), (int(fields[1]), fields[19])


def _lives(process: Process) -> bool:
    try:
        fields = Path(f"/proc/{process[0]}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return False
    return fields[0] != "Z" and fields[19] == process[1]


def _send(process: Process, number: signal.Signals) -> None:
    try:
        os.kill(process[0], number)
    except ProcessLookupError:
        return


@contextmanager
def _signals() -> Iterator[Stop]:
    stop = Stop()
    before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _surrounded(env: Mapping[str, str]) -> Iterator[None]:
    """The runner copies our environment, so ours is the one to change."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(env)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _runner() -> Any:
    try:
        import ansible_runner
    except ImportError:
        program = None
    else:
        program = shutil.which("ansible-playbook", path=surroundings(os.environ, Path(sys.executable).parent)["PATH"])
    if program is None:
        raise ForUser("Ansible is not installed", "deploy", "pip install 'mailsrv[deploy]'")
    return ansible_runner
