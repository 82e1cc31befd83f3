"""`mailsrv config migrate`: a diff, then the file; a copy stays, and a kill anywhere leaves the old file or the new one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dnsops.base.errors import Later, Misconfigured
from dnsops.commands.config import config
from dnsops.commands.config_migrate import looked_at, written

OLD = "# the lab\nhostname: mx1.example.org\nchecks:\n  global_routes_only: false  # namespaces\n"
NEW = "# the lab\nversion: 2\nhostname: mx1.example.org\nchecks:\n  local: true  # namespaces\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "m.yml"
    path.write_text(OLD)
    path.chmod(0o640)
    return path


def run(*words: str) -> Result:
    return CliRunner().invoke(config, ["migrate", *words], standalone_mode=False)


def test_it_shows_first_and_writes_when_told(file: Path) -> None:
    shown = run("--config", str(file))
    assert shown.return_value == 2
    assert [line for line in shown.output.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")] == [
        "+version: 2",
        "-  global_routes_only: false  # namespaces",
        "+  local: true  # namespaces",
    ]
    assert file.read_text() == OLD
    if os.geteuid() == 0:
        os.chown(file, 12345, 23456)
    before = file.stat()
    assert run("--config", str(file), "--write").return_value == 0
    assert file.read_text() == NEW
    copy = file.with_name("m.yml.version-1")
    assert copy.read_text() == OLD
    for path in (file, copy):
        status = path.stat()
        assert (status.st_mode, status.st_uid, status.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    again = run("--config", str(file), "--write")
    assert (again.return_value, again.output) == (0, f"{file}: version 2 is the newest\n")


def test_programs_get_the_same(file: Path) -> None:
    told = json.loads(run("--config", str(file), "--json").output)
    assert (told["version"], told["newest"], told["written"], told["kept"]) == (1, 2, False, "")
    assert "+version: 2" in told["diff"]
    assert len(told["changes"]) == 2


def test_an_earlier_copy_is_never_written_over(file: Path) -> None:
    file.with_name("m.yml.version-1").write_text("another")
    file.with_name("m.yml.version-1.2").write_bytes(bytes(3 << 20))  # was a crash: too large to be read
    file.with_name("m.yml.version-1.3").mkdir()
    file.with_name("m.yml.version-1.4").symlink_to("nowhere")
    assert written(looked_at(str(file))) == f"{file}.version-1.5"
    assert file.with_name("m.yml.version-1").read_text() == "another"


def test_a_link_stays_a_link(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.yml"
    link.symlink_to(file)
    written(looked_at(str(link)))
    assert link.is_symlink()
    assert file.read_text() == NEW


def test_what_an_editor_wrote_meanwhile_stays(file: Path) -> None:
    move = looked_at(str(file))
    file.write_text(OLD + "user: other\n")
    with pytest.raises(Later, match="somebody else"):
        written(move)
    assert file.read_text() == OLD + "user: other\n"
    assert [path.name for path in file.parent.iterdir() if path.name.startswith(".")] == []


def test_what_would_be_refused_is_not_written(file: Path) -> None:
    file.write_text(OLD + "nonsense: 1\n")
    with pytest.raises(Misconfigured, match="no such setting"):
        looked_at(str(file))


DYING = """
import os, signal, sys
from dnsops.commands.config_migrate import looked_at, written
at, calls = int(sys.argv[2]), 0
def watch(event, _):
    global calls
    if event in ("open", "os.rename", "os.chmod", "os.chown", "os.remove"):
        calls += 1
        if calls == at: os.kill(os.getpid(), signal.SIGKILL)
move = looked_at(sys.argv[1])
sys.addaudithook(watch)
written(move)
"""


def test_a_kill_anywhere_leaves_the_old_or_the_new_and_the_next_run_ends_it(file: Path) -> None:
    ends = []
    for at in range(1, 40):
        file.write_text(OLD)
        ended = subprocess.run([sys.executable, "-c", DYING, str(file), str(at)], check=False, timeout=60).returncode
        assert file.read_text() in (OLD, NEW)
        ends.append(ended)
        if ended == 0:
            break
        if file.read_text() == OLD:
            assert written(looked_at(str(file))) == f"{file}.version-1"
        assert (file.read_text(), Path(f"{file}.version-1").read_text()) == (NEW, OLD)
        Path(f"{file}.version-1").unlink()
    assert ends[-1] == 0
    assert set(ends[:-1]) == {-signal.SIGKILL}
    assert len(ends) > 4
