"""The lab stays inside, and leaves nothing outside."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.lab.network import HOSTS, RESOLV_CONF, why_not

ENTER = Path(__file__).with_name("enter.sh")
HOME = Path(__file__).parents[2]
SAY_WHY = "from tests.lab.network import why_not; print(why_not())"
OURS = f"{Path('/proc/self/ns/net').readlink()} {Path('/proc/self/ns/mnt').readlink()}"


def entered(*command: str) -> subprocess.CompletedProcess[str]:
    """A command in a namespace of its own, from wherever we are."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("MAILSRV_LAB", "LAB_DIR"))}
    return subprocess.run(
        [str(ENTER), *command], capture_output=True, text=True, cwd=HOME, env=environ, timeout=60, check=False
    )


@pytest.fixture
def namespace():
    if "inside" not in entered("sh", "-c", "echo $MAILSRV_LAB").stdout:
        pytest.skip("no namespace is to be had here")


@pytest.mark.parametrize(
    "environ,reason",
    [
        ({}, "not in the lab's namespace"),
        ({"MAILSRV_LAB": "outside"}, "not in the lab's namespace"),
        ({"MAILSRV_LAB": "inside"}, "refused: these are the machine's own"),
        ({"MAILSRV_LAB": "inside", "MAILSRV_LAB_OUTSIDE": OURS}, "refused: these are the machine's own"),
        ({"MAILSRV_LAB": "inside", "MAILSRV_LAB_OUTSIDE": OURS.split()[0] + " mnt:[1]"}, "refused"),
    ],
)
def test_a_claim_is_not_enough(environ, reason):
    assert why_not(environ).startswith(reason)


@pytest.mark.parametrize(
    "before,reason",
    [
        ("true", ""),
        ("ip link set lo up", ""),
        ("ip link add out0 type bridge && ip link set out0 up", "refused: this network namespace has a way out (out0)"),
        (
            "ip link set lo up && ip route add default dev lo",
            "refused: this network namespace has a way out (a default route)",
        ),
    ],
)
def test_a_namespace_with_a_way_out_is_refused(namespace, before, reason):
    done = entered("sh", "-c", f'{before} && exec "$0" "$@"', sys.executable, "-c", SAY_WHY)
    if "Unknown device type" in done.stderr:
        pytest.skip("this kernel makes no bridge")
    assert done.stdout.strip() == reason, done.stderr


def test_nothing_is_left_outside(namespace):
    use = "with private_network() as d: print(open('/etc/resolv.conf').read() + open('/etc/hosts').read(), end='')"
    before = {path.name for path in Path(tempfile.gettempdir()).glob("mailsrv-lab-*")}
    files = [Path("/etc/resolv.conf").read_bytes(), Path("/etc/hosts").read_bytes()]
    done = entered(sys.executable, "-c", f"from tests.lab.network import private_network\n{use}")
    assert done.stdout == RESOLV_CONF + HOSTS
    assert [Path("/etc/resolv.conf").read_bytes(), Path("/etc/hosts").read_bytes()] == files
    assert {path.name for path in Path(tempfile.gettempdir()).glob("mailsrv-lab-*")} == before


def test_a_directory_of_someone_else_is_not_emptied(namespace, tmp_path):
    (tmp_path / "letter").write_text("dear")
    use = f"import os; os.environ['LAB_DIR'] = {str(tmp_path)!r}\nwith private_network(): pass"
    done = entered(sys.executable, "-c", f"from tests.lab.network import private_network\n{use}")
    assert "holds files that are not the lab's" in done.stderr
    assert (tmp_path / "letter").read_text() == "dear"


def test_standard_input_and_exit_status_come_through(namespace):
    done = subprocess.run(
        [str(ENTER), "sh", "-c", "cat; exit 75"], input="hello", capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.returncode) == ("hello", 75)


def test_all_ends_when_the_script_is_ended(namespace):
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MAILSRV_LAB")}
    daemon = "(setsid sleep 300 &) ; echo ready; sleep 300"
    with subprocess.Popen([str(ENTER), "sh", "-c", daemon], stdout=subprocess.PIPE, text=True, env=environ) as script:
        assert script.stdout is not None
        assert script.stdout.readline() == "ready\n"
        script.terminate()
        assert script.stdout.read() == ""  # the end of file: nobody holds the pipe any more
    assert script.returncode != 0
