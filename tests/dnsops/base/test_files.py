"""Old or new, whole, whenever the process dies; and a lock that its holder's death releases."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from dnsops.base import files
from dnsops.base.errors import Exit, Later

OLD, NEW = b"old" * 1000, b"new" * 2000

# dies by SIGKILL before the Nth line that Python executes in files.py
DIE_AT = """
    import os, signal, sys
    from pathlib import Path
    from dnsops.base import files

    left = int(sys.argv[1])

    def lines(frame, event, argument):
        global left
        if event == "line" and frame.f_code.co_filename == files.__file__:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return lines

    sys.settrace(lines)
    {work}
"""
MOST_LINES = 60


def python(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def deaths(work: str, path: Path) -> int:
    """Run `work` again and again, killed one line later each time; gives how often it died, checking after each."""
    for line in range(1, MOST_LINES):
        child = python(DIE_AT.format(work=work), str(line), str(path))
        child.communicate(timeout=20)
        if child.returncode == 0:
            return line - 1
        assert child.returncode == -signal.SIGKILL
        check_and_restore(path)
    raise AssertionError("it never came to its end")


def check_and_restore(path: Path) -> None:
    if path.is_symlink():
        assert str(path.readlink()) in ("old", "new")
        return
    assert path.read_bytes() in (OLD, NEW)
    assert path.stat().st_mode & 0o777 in (0o644, 0o600)
    path.write_bytes(OLD)
    path.chmod(0o644)


def test_replace_leaves_the_old_file_or_the_new_one_wherever_it_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(OLD)
    path.chmod(0o644)
    work = "files.replace(Path(sys.argv[2]), b'new' * 2000)"
    assert deaths(work, path) >= 10
    assert path.read_bytes() == NEW
    # what a killed writer left lies beside it, private, and is in nobody's way
    for left in set(tmp_path.iterdir()) - {path}:
        assert left.name.startswith(".state.")
        assert left.stat().st_mode & 0o777 == 0o600


def test_point_names_the_old_target_or_the_new_one_wherever_it_is_killed(tmp_path: Path) -> None:
    link = tmp_path / "current"
    link.symlink_to("old")
    assert deaths("files.point(Path(sys.argv[2]), 'new')", link) >= 5
    assert str(link.readlink()) == "new"


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o640])
def test_replace_gives_the_mode_whatever_the_umask(tmp_path: Path, mode: int) -> None:
    before = os.umask(0o077)
    try:
        files.replace(tmp_path / "a", NEW, mode)
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == mode


def test_replace_that_cannot_leaves_all_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError):
        files.replace(tmp_path / "a", NEW)
    assert [one.name for one in tmp_path.iterdir()] == ["a"]


def test_replace_on_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(OLD)
    work = """
    import resource, signal, sys
    from pathlib import Path
    from dnsops.base import files
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    try:
        files.replace(Path(sys.argv[1]), b'new' * 2000)
    except OSError:
        print("refused")
    """
    assert python(work, str(path)).communicate(timeout=20)[0] == "refused\n"
    assert path.read_bytes() == OLD
    assert list(tmp_path.iterdir()) == [path]


def test_a_reader_never_sees_half(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(OLD)
    writer = python(
        """
        import sys
        from pathlib import Path
        from dnsops.base import files
        for turn in range(200):
            files.replace(Path(sys.argv[1]), (b'new' * 2000, b'old' * 1000)[turn % 2])
        """,
        str(path),
    )
    seen = set()
    while writer.poll() is None:
        seen.add(path.read_bytes())
    writer.communicate()
    assert writer.returncode == 0
    assert seen <= {OLD, NEW}


def test_reading_has_a_limit(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 10)
    assert files.read_bounded(tmp_path / "a", 10) == b"x" * 10
    with pytest.raises(ValueError, match="larger than 9 bytes"):
        files.read_bounded(tmp_path / "a", 9)


def test_a_private_directory_is_private_and_an_existing_one_keeps_its_mode(tmp_path: Path) -> None:
    assert files.private_directory(tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    (tmp_path / "c").mkdir(mode=0o755)
    assert files.private_directory(tmp_path / "c").stat().st_mode & 0o777 == 0o755


# locks

HOLD = """
    import sys
    from pathlib import Path
    from dnsops.base import files
    with files.lock(Path(sys.argv[1])):
        print("held", flush=True)
        sys.stdin.read()
"""


def holder(path: Path) -> subprocess.Popen[str]:
    child = python(HOLD, str(path))
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def test_a_lock_that_another_process_holds_is_for_later_and_names_it(tmp_path: Path) -> None:
    path = tmp_path / "run" / "lock"
    other = holder(path)
    try:
        with pytest.raises(Later, match=f"process {other.pid} is at it already") as caught, files.lock(path):
            raise AssertionError("two hold it")
        assert caught.value.status == Exit.LATER
    finally:
        other.communicate()
    with files.lock(path):
        assert path.read_text() == f"{os.getpid()}\n"


def test_a_dead_holders_lock_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    other = holder(path)
    other.kill()
    other.communicate()
    assert path.read_text() == f"{other.pid}\n"
    with files.lock(path):
        assert path.read_text() == f"{os.getpid()}\n"


def test_the_lock_is_free_after_an_accident_inside(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), files.lock(tmp_path / "lock"):
            raise ZeroDivisionError


def test_within_one_process_it_locks_too(tmp_path: Path) -> None:
    with files.lock(tmp_path / "lock"), pytest.raises(Later), files.lock(tmp_path / "lock"):
        raise AssertionError("two hold it")


def test_a_child_of_the_holder_does_not_keep_the_lock(tmp_path: Path) -> None:
    with files.lock(tmp_path / "lock"):
        child = subprocess.Popen(["sleep", "30"], close_fds=False)
    try:
        with files.lock(tmp_path / "lock"):
            pass
    finally:
        child.kill()
        child.wait()


def test_a_lock_file_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError), files.lock(tmp_path / "lock"):
        pass
    assert not (tmp_path / "elsewhere").exists()
