"""`mailsrv deploy` with real Ansible on `connection: local`, in a directory of its own."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dnsops.base.errors import Misused
from playbooks.commands import extras
from playbooks.finding import KEPT, inventory, ours, playbook, surroundings

CODE = """
import sys
from mailsrv.command import Wings, main
from mailsrv.installed import Entry
sys.exit(main(sys.argv[1:], Wings([Entry("deploy", "playbooks.commands", "deploy")])))
"""
HOSTS = "all:\n  hosts:\n    one: {ansible_connection: local, ansible_python_interpreter: /usr/bin/python3}\n"
WANTED = """
- name: Try it
  hosts: all
  gather_facts: false
  tasks:
    - name: A file
      ansible.builtin.copy: {content: "hello\\n", dest: "{{ place }}/out", mode: "0600"}
    - name: A secret
      ansible.builtin.copy: {content: "{{ secret }}", dest: "{{ place }}/secret", mode: "0600"}
      no_log: true
    - name: A program
      ansible.builtin.command: {argv: [/bin/sh, -c, "echo the disk is full >&2; exit 3"]}
      when: broken is defined
"""
SLEEPER = """
- name: Sleep
  hosts: all
  gather_facts: false
  tasks:
    - name: For long
      ansible.builtin.command: {argv: [/bin/sh, -c, "echo $$ > '{{ place }}/pid'; sleep 600"]}
"""


class Desk:
    """A directory with an inventory, playbooks, and a home and a state of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "hosts.yml").write_text(HOSTS)
        (path / "wanted.yml").write_text(WANTED)
        (path / "sleeper.yml").write_text(SLEEPER)
        (path / "vars.yml").write_text(json.dumps({"secret": "canary-9431", "place": str(path)}))
        (path / "ansible.cfg").write_text("[defaults]\nforks = nonsense\n")  # the user's, which must not matter
        ours = {"HOME": str(path), "XDG_STATE_HOME": str(path / "state"), "PYTHONPATH": os.pathsep.join(sys.path)}
        kept = {name: value for name, value in os.environ.items() if name != "STATE_DIRECTORY"}
        self.env = {**kept, **ours, "STATE_DIRECTORY": str(path / "state")}

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", CODE, "deploy", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.env,
            cwd=self.path,
        )

    def run(self, *words: str) -> tuple[int, str, str]:
        child = self.start(*words)
        out, err = child.communicate(timeout=120)
        return child.returncode, out, err

    @property
    def logs(self) -> list[Path]:
        return sorted((self.path / "state" / "deploy").glob("*.log"))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("deploy"))


GIVEN = ("wanted.yml", "-i", "hosts.yml", "-e", "@vars.yml")


def test_check_then_converge_then_nothing(desk: Desk) -> None:
    status, out, err = desk.run(*GIVEN, "--check")
    assert status == 2, err
    assert "    +hello" in out
    assert "1 host: 2 changes are pending" in out
    assert not (desk.path / "out").exists()

    status, out, err = desk.run(*GIVEN)
    assert status == 0, err
    assert "1 host: 2 changes were made" in out
    assert (desk.path / "out").read_text() == "hello\n"
    assert (desk.path / "secret").read_text() == "canary-9431"

    status, out, err = desk.run(*GIVEN, "--json")
    assert (status, err) == (0, "")
    document = json.loads(out)
    assert document["changed"] == 0
    assert document["hosts"]["one"]["ok"] == 2
    log = Path(document["log"])
    assert log == desk.logs[-1]
    assert {stat.S_IMODE(one.stat().st_mode) for one in desk.logs} == {0o600}
    assert "PLAY RECAP" in log.read_text()


def test_a_failure_names_host_task_and_reason_and_no_secret_is_told(desk: Desk) -> None:
    status, out, err = desk.run(*GIVEN, "-e", "broken=yes", "-e", "secret=canary-7718")
    assert status == 1
    assert "! one: A program: failed: non-zero return code" in err
    assert "    the disk is full" in err
    assert "failed on one" in out
    told = out + err + "".join(log.read_text() for log in desk.logs)
    assert "canary" not in told
    assert (desk.path / "secret").read_text() == "canary-7718"  # a variable wins over a file's


def test_no_host_is_a_failure_in_ansibles_words(desk: Desk) -> None:
    status, _, err = desk.run("wanted.yml", "-i", "hosts.yml", "--limit", "nobody")
    assert status == 1
    assert "nobody" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_that_was_started_and_one_inventory_has_one_deployment(
    desk: Desk, number: signal.Signals
) -> None:
    (desk.path / "pid").unlink(missing_ok=True)
    child = desk.start("sleeper.yml", "-i", "hosts.yml", "-e", "@vars.yml")
    slept = until(desk.path / "pid")

    status, _, err = desk.run(*GIVEN)
    assert status == 75
    assert f"(process {child.pid})" in err

    child.send_signal(number)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 128 + number
    assert "stopped by a signal in 'For long'" in err
    assert not lives(slept)


def lives(pid: int) -> bool:
    """Whether it runs; a zombie, which only its new parent can take away, does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def until(path: Path) -> int:
    for _ in range(600):
        if path.exists() and path.read_text().strip():
            return int(path.read_text())
        time.sleep(0.1)
    raise AssertionError(f"{path} did not come")


WRONG = [
    (("no-such", "-i", "hosts.yml"), "there is no playbook no-such"),
    (("wanted.yml", "-i", "nowhere.yml"), "there is no inventory nowhere.yml"),
    (("wanted.yml",), "--inventory"),
    (("wanted.yml", "-i", "hosts.yml", "-e", "nonsense"), "neither KEY=VALUE nor @FILE"),
    (("wanted.yml", "-i", "hosts.yml", "-e", "@nowhere"), "there is no file nowhere"),
]


@pytest.mark.parametrize("words, said", WRONG)
def test_wrong_usage(desk: Desk, words: tuple[str, ...], said: str) -> None:
    status, out, err = desk.run(*words)
    assert (status, out) == (64, "")
    assert said in err
    assert "canary" not in err


def test_without_ansible_it_says_what_to_install(desk: Desk) -> None:
    code = "import sys; sys.modules['ansible_runner'] = None\n" + CODE
    done = subprocess.run(
        [sys.executable, "-c", code, "deploy", *GIVEN], capture_output=True, text=True, env=desk.env, cwd=desk.path
    )
    assert done.returncode == 1
    assert "Ansible is not installed - pip install 'mailsrv[deploy]'" in done.stderr


def test_extras_and_names() -> None:
    assert extras(("a=b=c", f"@{__file__}")) == ((Path(__file__),), {"a": "b=c"})
    for name in ours():
        assert playbook(name) == playbook(f"{name}.yml")
    assert inventory("one,two") == "one,two"
    with pytest.raises(Misused):
        playbook("./nowhere.yml")


def test_the_users_settings_of_ansible_do_not_matter_but_for_the_way_in() -> None:
    given = {"ANSIBLE_STRATEGY": "free", "ANSIBLE_REMOTE_USER": "root", "PATH": "/bin", "LANG": "C"}
    found = surroundings(given, Path("/venv/bin"))
    assert "ANSIBLE_STRATEGY" not in found
    assert found["ANSIBLE_REMOTE_USER"] == "root"
    assert found["PATH"] == "/venv/bin:/bin"
    assert Path(found["ANSIBLE_CONFIG"]).is_file()
    assert "ANSIBLE_CONFIG" not in KEPT
