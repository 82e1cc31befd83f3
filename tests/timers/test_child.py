"""A child process has a limit on everything, and nothing of it is left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from timers import child

SECONDS = timedelta(seconds=20)


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def alive(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def gone(number: int) -> bool:
    """Whether a process ends within a while."""
    for _ in range(200):
        if not alive(number):
            return True
        time.sleep(0.05)
    return False


def number_in(file: Path) -> int:
    """A process number that another process writes into a file, when it does."""
    for _ in range(200):
        text = file.read_text(encoding="ascii") if file.exists() else ""
        if text.endswith("\n"):
            return int(text)
        time.sleep(0.05)
    raise AssertionError(f"{file} was never written")


# a child that starts a grandchild which ignores politeness, writes its number, and waits for ever
FAMILY = """
import os, signal, subprocess, sys, time
code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
grandchild = subprocess.Popen([sys.executable, "-c", code])
with open({file!r}, "w") as file:
    file.write(f"{{grandchild.pid}}\\n")
{then}
"""


def test_it_brings_status_and_both_streams() -> None:
    ended = child.run(python("import sys; print('a'); sys.stderr.write('b'); sys.exit(3)"), SECONDS)
    assert ended == child.Ended(3, "a\n", "b")


def test_it_feeds_stdin_and_does_not_mind_a_child_that_ignores_it() -> None:
    assert child.run(python("print(input())"), SECONDS, data=b"hello\n").stdout == "hello\n"
    assert child.run(python("pass"), SECONDS, data=b"x" * 60_000).status == 0


def test_a_flood_is_read_and_forgotten() -> None:
    ended = child.run(python("import sys\nfor _ in range(100): sys.stdout.write('x' * 65536)"), SECONDS)
    assert (ended.status, len(ended.stdout)) == (0, child.MOST_OUTPUT)


def test_bytes_that_are_no_text() -> None:
    assert child.run(python("import os; os.write(1, b'\\xff')"), SECONDS).stdout == "\ufffd"


def test_the_time_limit_ends_the_whole_group(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    ended = child.run(python(FAMILY.format(file=str(file), then="time.sleep(600)")), timedelta(seconds=1.5))
    assert ended.cut == "it took longer than 1.5 s and was ended"
    assert ended.status == -signal.SIGTERM
    assert gone(number_in(file))


def test_what_a_child_leaves_behind_is_ended_and_not_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    ended = child.run(python(FAMILY.format(file=str(file), then="")), SECONDS)
    assert (ended.status, ended.cut) == (0, "")
    assert gone(number_in(file))


def test_told_to_stop() -> None:
    ended = child.run(python("import time; time.sleep(600)"), SECONDS, stopped=lambda: True)
    assert ended.cut == "it was ended because we are stopping"


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(FileNotFoundError):
        child.run(["/nonexistent"], SECONDS)


def test_no_handle_is_left_open() -> None:
    child.run(python("pass"), SECONDS)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        child.run(python("pass"), SECONDS, data=b"x")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_child_does_not_outlive_a_parent_that_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    inner = f"import os, time\nwith open({str(file)!r}, 'w') as f: f.write(f'{{os.getpid()}}\\n')\ntime.sleep(600)"
    outer = f"from datetime import timedelta; from timers import child; child.run([{sys.executable!r}, '-c', {inner!r}], timedelta(60))"
    with subprocess.Popen(python(outer)) as parent:
        number = number_in(file)
        assert alive(number)
        parent.kill()
    assert gone(number)
