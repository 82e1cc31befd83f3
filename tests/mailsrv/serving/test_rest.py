"""Privileges, notifications, addresses, limits and routes of a configuration."""

from __future__ import annotations

import ipaddress
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dnsops.base.errors import Misconfigured
from dnsops.base.secrets import Secret
from dnsops.base.settings.mailserver import Limits
from dnsops.base.settings.model import Settings
from mailsrv.send.nexthop import Here, NextHop
from mailsrv.serving import addresses, notify, privileges
from mailsrv.serving.allowed import imap_limits, smtp_limits
from mailsrv.serving.leaving import relay_login, router
from mailsrv.serving.secret import secret_of
from mailsrv.serving.sockets import Door

ROOT = os.geteuid() == 0


def test_only_root_becomes_another() -> None:
    assert privileges.whom("nobody", root=False) is None
    assert privileges.whom(None, root=True) is None or privileges.whom(None, root=True).pw_name == "mailsrv"  # type: ignore[union-attr]
    with pytest.raises(Misconfigured, match="there is no user no-such-user"):
        privileges.whom("no-such-user", root=True)
    assert privileges.whom("root", root=True) is None


BECOME = """
import os, sys
from pathlib import Path
from mailsrv.serving import privileges
user = privileges.whom("nobody")
privileges.hand_over(Path(sys.argv[1]), user)
privileges.become(user)
print(os.getresuid() == (user.pw_uid,) * 3, os.getresgid() == (user.pw_gid,) * 3, 0 in os.getgroups())
status = Path("/proc/self/status").read_text()
print([line.split()[1] for line in status.splitlines() if line.startswith(("CapEff", "CapPrm", "NoNewPrivs"))])
(Path(sys.argv[1]) / "mine").write_text("written")
try:
    os.setuid(0)
except PermissionError:
    print("for good")
"""


@pytest.mark.skipif(not ROOT, reason="only root can become another user")
def test_root_is_given_up_for_good(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "old").write_text("root's")
    (state / "link").symlink_to("/etc/hostname")
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == 0 and folder not in (Path("/"), Path("/tmp")):
            folder.chmod(0o755)
    done = subprocess.run([sys.executable, "-c", BECOME, str(state)], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == [
        "True True False",
        "['0000000000000000', '0000000000000000', '1']",
        "for good",
    ], done.stderr
    assert (state / "old").stat().st_uid == (state / "mine").stat().st_uid != 0
    assert Path("/etc/hostname").stat().st_uid == 0


def test_systemd_is_told(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as inbox:
        inbox.bind(str(tmp_path / "notify"))
        notify.notify("READY=1", {"NOTIFY_SOCKET": str(tmp_path / "notify")})
        assert inbox.recv(100) == b"READY=1"
    notify.notify("READY=1", {"NOTIFY_SOCKET": str(tmp_path / "gone")})
    notify.notify("READY=1", {})
    assert notify.watchdog({"WATCHDOG_USEC": "20000000"}) == 10.0
    assert notify.watchdog({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "1"}) is None
    assert notify.watchdog({}) is None


def test_our_addresses_are_what_is_listened_on() -> None:
    with socket.socket() as one, socket.socket() as every:
        one.bind(("127.0.0.1", 0))
        every.bind(("0.0.0.0", 0))
        assert addresses.ours([Door("smtp", one)]) == {"127.0.0.1"}
        assert addresses.ours([Door("imap", every)]) == set()
        assert addresses.ours([Door("smtp", every)]) == {"0.0.0.0"} | addresses.local()
    told = subprocess.run(["ip", "-o", "addr"], capture_output=True, text=True, check=True).stdout
    words = [word.partition("/")[0] for line in told.splitlines() for word in line.split()[3:4]]
    assert addresses.local() == {word for word in words if not ipaddress.ip_address(word).is_link_local}


def test_limits_in_the_rooms_own_words() -> None:
    limits = Limits.model_validate(
        {"message_size": "10 MiB", "recipients": 7, "exempt": "192.0.2.0/24", "session_time": "1h"}
    )
    smtp, imap = smtp_limits(limits), imap_limits(limits)
    assert (smtp.message, smtp.recipients, smtp.session_time) == (10 << 20, 7, 3600.0)
    assert smtp.exempt == (ipaddress.ip_network("192.0.2.0/24"),)
    assert imap.message == 10 << 20


def settings(**queue: object) -> Settings:
    return Settings.model_validate(
        {
            "hostname": "mx1.example.org",
            "domains": ["example.org"],
            "accounts": [{"name": "u", "password": Secret("pw"), "addresses": ["u@example.org"]}],
            "queue": queue,
        }
    )


def test_where_mail_goes_by_the_configuration() -> None:
    assert router(settings(), frozenset()).next_hop is None
    assert isinstance(router(settings(next_hop="local"), frozenset()).next_hop, Here)
    told = settings(next_hop="relay.example.net:587", user="us", password=Secret("x"))
    relay = router(told, frozenset(), relay_login(told)).next_hop
    assert isinstance(relay, NextHop)
    assert relay.login
    assert (relay.host, relay.port, relay.login.user) == ("relay.example.net", 587, "us")
    ours = router(settings(), frozenset({"192.0.2.25"})).ours
    assert ours.domains == {"example.org"}
    assert ours.has("192.0.2.25")
    assert not ours.has("192.0.2.26")


def test_the_secret_of_an_installation_is_made_once(tmp_path: Path) -> None:
    first = secret_of(tmp_path / "state", "login.secret")
    assert len(first) == 32
    assert secret_of(tmp_path / "state", "login.secret") == first
    assert (tmp_path / "state" / "login.secret").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["login.secret"]
