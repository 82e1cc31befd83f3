"""The scheduler as a process of its own: nothing overlaps, what was missed is made up for once, and it ends quietly."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dnsops.base.log import Log
from tests.timers.test_child import gone, number_in
from timers.run import House
from timers.scheduler import keep_time
from timers.table import Job

SERVE = """
import json, sys
from datetime import timedelta
from pathlib import Path
from dnsops.base.log import Log
from timers import scheduler
from timers.run import House
from timers.table import Job
state, drain, table = Path(sys.argv[1]), float(sys.argv[2]), json.loads(sys.argv[3])
scheduler.DRAIN = drain
jobs = [Job(name, "does", (code,), timedelta(seconds=every), timedelta(0), timeout=timedelta(seconds=60))
        for name, code, every in table]
scheduler.serve(jobs, House(state, Log(), program=(sys.executable, "-c")))
"""


class Serving:
    """A scheduler in a child process, and its log."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process, self.log = process, log

    def events(self, name: str = "") -> list[dict[str, object]]:
        lines = [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
        return [line for line in lines if not name or line["event"] == name]

    def until(self, name: str, count: int = 1) -> list[dict[str, object]]:
        for _ in range(400):
            if len(self.events(name)) >= count:
                return self.events(name)
            time.sleep(0.05)
        raise AssertionError(f"{name} did not come {count} times: {self.events()}")


@contextmanager
def serving(
    folder: Path, *table: tuple[str, str, float], drain: float = 20, env: dict[str, str] | None = None
) -> Iterator[Serving]:
    log = folder / "log"
    with log.open("w", encoding="utf-8") as out:
        words = [sys.executable, "-c", SERVE, str(folder / "state"), str(drain), json.dumps(table)]
        process = subprocess.Popen(words, stderr=out, text=True, env=env)
    try:
        yield Serving(process, log)
    finally:
        process.kill()
        process.wait()


def test_runs_repeat_and_never_overlap(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    code = f"import time; f = open({str(trace)!r}, 'a', buffering=1); print('in', file=f); time.sleep(1.3); print('out', file=f)"
    with serving(tmp_path, ("slow", code, 1), ("quick", "pass", 1)) as server:
        server.until("timers.overlap")
        server.until("timers.ran", 6)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 0
    words = trace.read_text(encoding="ascii").split()
    assert len(words) >= 4
    assert words == ["in", "out"] * (len(words) // 2)


def test_what_was_missed_is_made_up_for_once(tmp_path: Path) -> None:
    remember(tmp_path, datetime.now(UTC) - timedelta(days=3))
    with serving(tmp_path, ("j", "pass", 3600)) as server:
        server.until("timers.ran")
        time.sleep(1.5)
        assert len(server.events("timers.ran")) == 1


def test_what_ran_a_moment_ago_does_not_run_again_for_a_restart(tmp_path: Path) -> None:
    remember(tmp_path, datetime.now(UTC))
    with serving(tmp_path, ("j", "pass", 3600)) as server:
        server.until("timers.serving")
        time.sleep(1)
        assert server.events("timers.ran") == []


def remember(folder: Path, started: datetime) -> None:
    when = started.isoformat(timespec="seconds")
    outcome = {
        "job": "j",
        "state": "ok",
        "started": when,
        "finished": when,
        "seconds": 1,
        "status": 0,
        "failures": 0,
        "text": "",
    }
    (folder / "state" / "timers").mkdir(parents=True)
    (folder / "state" / "timers" / "j.json").write_text(json.dumps(outcome), encoding="ascii")


class Planned:
    """Stands where APScheduler's scheduler stands: keeps what it is asked to plan."""

    def __init__(self) -> None:
        self.times: dict[str, datetime] = {}

    def modify_job(self, name: str, next_run_time: datetime) -> None:
        self.times[name] = next_run_time


@pytest.mark.parametrize("step, planned_anew", [(0.0, False), (-1.0, False), (3600.0, False), (-3600.0, True)])
def test_a_clock_that_is_set_back_does_not_put_jobs_to_sleep(tmp_path: Path, step: float, planned_anew: bool) -> None:
    now = datetime.now(UTC)
    remember(tmp_path, now + timedelta(hours=1))  # by the clock as it was
    job = Job("j", "does", (), timedelta(minutes=5), timedelta(0))
    scheduler = Planned()
    keep_time(scheduler, [job], House(tmp_path / "state", Log(quiet=True)), step)
    assert bool(scheduler.times) is planned_anew
    assert all(when < now + timedelta(minutes=6) for when in scheduler.times.values())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_running_job_finish(tmp_path: Path, number: signal.Signals) -> None:
    started = tmp_path / "pid"
    code = f"import os, time; open({str(started)!r}, 'w').write(f'{{os.getpid()}}\\n'); time.sleep(1.5); print('done')"
    with serving(tmp_path, ("j", code, 3600)) as server:
        number_in(started)
        server.process.send_signal(number)
        assert server.process.wait(20) == 0
        assert [(e["state"], e["text"]) for e in server.events("timers.ran")] == [("ok", "done")]
        assert server.events()[-1]["event"] == "timers.stopped"


FOREVER = "import os, time; open({!r}, 'w').write(f'{{os.getpid()}}\\n'); time.sleep(600)"


@pytest.mark.parametrize("drain, signals", [(0.5, 1), (60.0, 2)], ids=["patience ends", "a second signal"])
def test_a_job_that_does_not_finish_is_ended_and_none_is_left(tmp_path: Path, drain: float, signals: int) -> None:
    started = tmp_path / "pid"
    with serving(tmp_path, ("j", FOREVER.format(str(started)), 3600), drain=drain) as server:
        child = number_in(started)
        for _ in range(signals):
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
        assert server.process.wait(20) == 0
        assert gone(child)
        assert [event["text"] for event in server.events("timers.ran")] == ["it was ended because we are stopping"]


def test_killed_it_leaves_no_child(tmp_path: Path) -> None:
    started = tmp_path / "pid"
    with serving(tmp_path, ("j", FOREVER.format(str(started)), 3600)) as server:
        child = number_in(started)
        server.process.kill()
    assert gone(child)


def test_systemd_hears_of_ready_and_stopping(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as inbox:
        inbox.bind(str(tmp_path / "notify"))
        inbox.settimeout(20)
        with serving(tmp_path, env={"NOTIFY_SOCKET": str(tmp_path / "notify")}) as server:
            assert inbox.recv(100) == b"READY=1"
            server.process.send_signal(signal.SIGTERM)
            assert inbox.recv(100) == b"STOPPING=1"
            assert server.process.wait(20) == 0
