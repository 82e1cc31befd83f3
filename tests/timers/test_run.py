"""One run: alone, remembered, told; whoever is killed at whatever point, the next run goes on."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from dnsops.base.errors import Later
from dnsops.base.log import Log
from tests.timers.test_child import gone, number_in
from timers.alert import Command
from timers.outcome import State
from timers.run import House, last, run_once
from timers.table import Job

PYTHON = (sys.executable, "-c")


def job(code: str, **changes: object) -> Job:
    """A job whose command is a line of Python."""
    fields: dict[str, object] = {
        "every": timedelta(minutes=5),
        "after_boot": timedelta(0),
        "timeout": timedelta(seconds=20),
    }
    return Job("j", "does something", (code,), **{**fields, **changes})  # type: ignore[arg-type]


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def house(tmp_path: Path, log: io.StringIO) -> House:
    return House(tmp_path / "state", Log(log), program=PYTHON)


def events(log: io.StringIO) -> list[str]:
    return [json.loads(line)["event"] for line in log.getvalue().splitlines()]


def test_an_outcome_is_remembered_and_failures_are_counted(house: House, log: io.StringIO) -> None:
    assert last(job(""), house) is None
    counts = []
    for code in ("print('fine')", "raise SystemExit(75)", "raise SystemExit('no: what now')", "pass"):
        outcome = run_once(job(code), house)
        remembered = last(job(code), house)
        assert remembered is not None
        assert remembered.as_json() == outcome.as_json()
        counts.append((outcome.state.word, outcome.failures, outcome.text))
    assert counts == [
        ("ok", 0, "fine"),
        ("later", 1, "it ended with status 75"),
        ("findings", 2, "no: what now"),
        ("ok", 0, ""),
    ]
    assert (house.folder / "j.json").stat().st_mode & 0o777 == 0o600
    assert events(log) == ["timers.ran"] * 4


def test_a_job_that_hangs_is_ended_and_has_failed(house: House) -> None:
    outcome = run_once(job("import time; time.sleep(600)", timeout=timedelta(seconds=1)), house)
    assert (outcome.state, outcome.text) == (State.FAILED, "it took longer than 1 s and was ended")


def test_a_program_that_cannot_be_started_has_failed(tmp_path: Path, log: io.StringIO) -> None:
    outcome = run_once(job(""), House(tmp_path, Log(log), program=("/nonexistent",)))
    assert (outcome.state, outcome.status) == (State.FAILED, 1)
    assert "/nonexistent cannot be started (No such file or directory)" in outcome.text


def test_the_configuration_goes_to_the_child_by_environment(tmp_path: Path, log: io.StringIO) -> None:
    house = House(tmp_path, Log(log), program=PYTHON, config_file="/etc/x.yml")
    assert run_once(job("import os; print(os.environ['MAILSRV_CONFIG'])"), house).text == "/etc/x.yml"


def test_one_at_a_time(house: House, tmp_path: Path) -> None:
    started = tmp_path / "pid"
    slow = job(f"import os, time; open({str(started)!r}, 'w').write(f'{{os.getpid()}}\\n'); time.sleep(600)")
    first = threading.Thread(target=run_once, args=(slow, house), daemon=True)
    first.start()
    child = number_in(started)
    with pytest.raises(Later, match=f"process {os.getpid()} is at it already"):
        run_once(job("pass"), house)
    os.kill(child, signal.SIGKILL)
    first.join(10)
    assert run_once(job("pass"), house).state is State.OK


RUN = """
import sys
from datetime import timedelta
from pathlib import Path
from dnsops.base.log import Log
from timers.run import House, run_once
from timers.table import Job
house = House(Path(sys.argv[1]), Log(quiet=True), program=(sys.executable, "-c"))
run_once(Job("j", "does", (sys.argv[2],), timedelta(60), timedelta(0)), house)
"""


def start(house: House, code: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*PYTHON, RUN, str(house.state), code], stderr=subprocess.DEVNULL)


def test_the_lock_of_a_killed_holder_is_taken_over_and_its_child_is_gone(house: House, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    holder = start(house, f"import os, time; open({str(file)!r}, 'w').write(f'{{os.getpid()}}\\n'); time.sleep(600)")
    child = number_in(file)
    holder.kill()
    holder.wait()
    assert gone(child)
    assert run_once(job("pass"), house).state is State.OK


def test_killed_between_the_end_of_the_child_and_the_memory_of_it(house: House) -> None:
    before = run_once(job("raise SystemExit(1)"), house)
    holder = start(house, "import os, signal; os.kill(os.getppid(), signal.SIGKILL)")
    assert holder.wait() == -signal.SIGKILL
    assert last(job(""), house) == before or last(job(""), house).as_json() == before.as_json()  # type: ignore[union-attr]
    assert run_once(job("raise SystemExit(1)"), house).failures == 2


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\x00" * 100, b"x" * 100_000])
def test_a_damaged_memory_is_said_and_counts_as_none(house: House, log: io.StringIO, damage: bytes) -> None:
    run_once(job("raise SystemExit(1)"), house)
    (house.folder / "j.json").write_bytes(damage)
    (house.folder / "j.told.json").write_bytes(damage)
    outcome = run_once(job("raise SystemExit(1)"), house)
    assert outcome.failures == 1
    assert events(log) == ["timers.ran", "timers.forgotten", "timers.ran", "timers.forgotten"]


def test_a_memory_that_cannot_be_written_is_said_and_the_run_counts(house: House, log: io.StringIO) -> None:
    (house.folder / "j.json").mkdir(parents=True)
    assert run_once(job("print('done')"), house).text == "done"
    assert "timers.unremembered" in events(log)


def test_a_change_is_told_once(tmp_path: Path, log: io.StringIO) -> None:
    heard = tmp_path / "heard"
    tell = Command((*PYTHON, f"import sys; open({str(heard)!r}, 'a').write(sys.stdin.read() + '\\n')"))
    house = House(tmp_path / "state", Log(log), program=PYTHON, host="mx1", channels=(tell,))
    for status in (0, 1, 1, 0, 0, 75, 0):
        run_once(job(f"raise SystemExit({status})"), house)
    told = [json.loads(line) for line in heard.read_text(encoding="utf-8").splitlines()]
    assert [(notice["was"], notice["now"]) for notice in told] == [("ok", "findings"), ("findings", "ok")]
    assert told[0]["headline"] == "mx1: j findings: it ran, and a person should look"


def test_what_could_not_be_told_is_told_at_the_next_run(tmp_path: Path, log: io.StringIO) -> None:
    gate = tmp_path / "gate"
    tell = Command(
        (*PYTHON, f"open({str(gate)!r}, 'a').close() if __import__('os').path.exists({str(gate)!r}) else 1/0")
    )
    house = House(tmp_path / "state", Log(log), program=PYTHON, channels=(tell,))
    for _ in range(2):
        run_once(job("raise SystemExit(1)"), house)
    gate.touch()
    for _ in range(2):
        run_once(job("raise SystemExit(1)"), house)
    tellings = [event for event in events(log) if event in ("timers.told", "timers.untold")]
    assert tellings == ["timers.untold", "timers.untold", "timers.told"]
