"""The sockets: opened as the configuration says, or taken from systemd; troubles are sentences."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dnsops.base.errors import ForUser, Misconfigured
from dnsops.base.settings.mailserver import Listeners
from mailsrv.serving import sockets
from mailsrv.serving.sockets import Door, open_doors


def listeners(**changes: object) -> Listeners:
    """All off, but for what a test names."""
    off = {kind: {"enabled": False} for kind in sockets.KINDS}
    return Listeners.model_validate(off | changes)


@pytest.fixture
def port() -> int:
    """One that was free a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture
def opened() -> Iterator[list[Door]]:
    doors: list[Door] = []
    yield doors
    sockets.close(doors)


def test_a_socket_for_each_listener_and_address(port: int, opened: list[Door]) -> None:
    wanted = listeners(
        smtp={"port": port, "bind": ["127.0.0.1", "127.0.0.2"]}, imaps={"port": port, "bind": "127.0.0.3"}
    )
    opened += open_doors(wanted, env={})
    assert [(door.kind, door.address, door.port, door.implicit_tls) for door in opened] == [
        ("smtp", "127.0.0.1", port, False),
        ("smtp", "127.0.0.2", port, False),
        ("imaps", "127.0.0.3", port, True),
    ]


def test_each_worker_has_its_own_on_the_same_port(port: int, opened: list[Door]) -> None:
    wanted = listeners(smtp={"port": port, "bind": "127.0.0.1"}, http={"port": port, "bind": "127.0.0.2"})
    opened += open_doors(wanted, workers=3, env={})
    assert [(door.kind, door.worker) for door in opened] == [("smtp", 0), ("smtp", 1), ("smtp", 2), ("http", 0)]


def test_a_port_in_use_is_named_and_nothing_stays_open(port: int) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(ForUser) as refused:
            open_doors(listeners(smtp={"port": port, "bind": ["127.0.0.2", "127.0.0.1"]}), env={})
    assert f"127.0.0.1, port {port}" in str(refused.value)
    assert "ss -ltnp" in str(refused.value)
    with socket.socket() as again:
        again.bind(("127.0.0.2", port))


def test_without_ipv6_the_other_addresses_serve(port: int, opened: list[Door], monkeypatch: pytest.MonkeyPatch) -> None:
    def no_v6(address: str, number: int, shared: bool = False) -> socket.socket:
        if ":" in address:
            raise OSError(97, "Address family not supported by protocol")
        return bound(address, number, shared)

    bound = sockets.bound
    monkeypatch.setattr(sockets, "bound", no_v6)
    opened += open_doors(listeners(smtp={"port": port, "bind": ["::1", "127.0.0.1"]}), env={})
    assert [door.address for door in opened] == ["127.0.0.1"]
    with pytest.raises(ForUser, match="Address family"):
        open_doors(listeners(smtp={"port": port, "bind": "::1"}), env={})


def test_a_server_without_listeners_is_a_mistake() -> None:
    with pytest.raises(Misconfigured, match="no listener is enabled"):
        open_doors(listeners(), env={})


HANDED = """
import os, sys
os.environ["LISTEN_PID"] = str(os.getpid())
from dnsops.base.settings.mailserver import Listeners
from mailsrv.serving.sockets import KINDS, open_doors
off = {kind: {"enabled": False} for kind in KINDS}
ports = {"smtp": {"port": int(sys.argv[1]), "enabled": False}, "imaps": {"enabled": False, "port": 993}}
for door in open_doors(Listeners.model_validate(off | ports)):
    print(door.kind, door.port, door.implicit_tls, door.shared, os.get_inheritable(door.sock.fileno()))
"""


def handed(names: str, port: int, count: int = 2) -> subprocess.CompletedProcess[str]:
    """What a child makes of sockets that it finds at descriptor 3 and after, as systemd leaves them."""
    made = [socket.socket() for _ in range(count)]
    for n, sock in enumerate(made):
        sock.bind(("127.0.0.1", port if n == 0 else 0))

    def place() -> None:
        copies = [os.dup(sock.fileno()) for sock in made]
        for n, copy in enumerate(copies):
            os.dup2(copy, 3 + n)

    environment = os.environ | {"LISTEN_FDS": str(count), "LISTEN_FDNAMES": names, "PYTHONPATH": str(Path.cwd())}
    try:
        return subprocess.run(
            [sys.executable, "-c", HANDED, str(port)],
            env=environment,
            preexec_fn=place,
            close_fds=False,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        for sock in made:
            sock.close()


def test_systemd_hands_sockets_over_by_name_or_by_port(port: int) -> None:
    done = handed("unknown:imaps", port)
    first, second = done.stdout.splitlines()
    assert first == f"smtp {port} False True False"
    assert second.startswith("imaps ")
    assert second.endswith(" True True False")


def test_a_socket_that_is_for_nobody_is_refused(port: int) -> None:
    done = handed(":", port, count=2)
    assert "a socket of systemd is for no listener" in done.stderr


def test_sockets_for_another_process_are_not_ours() -> None:
    assert list(sockets.handed_over(listeners(), {"LISTEN_PID": "1", "LISTEN_FDS": "2"}, pid=2)) == []
    assert list(sockets.handed_over(listeners(), {"LISTEN_PID": "2", "LISTEN_FDS": "many"}, pid=2)) == []


def test_a_port_of_the_web_that_is_taken_is_told_and_mail_has_its_own(port: int, opened: list[Door]) -> None:
    told: list[tuple[str, str]] = []
    wanted = listeners(
        smtp={"port": port, "bind": "127.0.0.2"},
        https={"port": port, "bind": ["127.0.0.3", "127.0.0.1"]},
        web={"port": port, "bind": "127.0.0.4"},
    )
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        opened += open_doors(wanted, env={}, without=lambda kind, trouble: told.append((kind, str(trouble))))
        with pytest.raises(ForUser, match="cannot listen there"):
            open_doors(wanted, env={}, kinds=sockets.WEB)
    assert [(door.kind, door.address) for door in opened] == [("smtp", "127.0.0.2"), ("web", "127.0.0.4")]
    assert [(kind, f"127.0.0.1, port {port}" in text) for kind, text in told] == [("https", True)]


def test_the_web_is_the_first_worker_s(port: int, opened: list[Door]) -> None:
    wanted = listeners(smtp={"port": port, "bind": "127.0.0.1"}, https={"port": port, "bind": "127.0.0.2"})
    opened += open_doors(wanted, workers=2, env={})
    assert [(door.kind, door.worker, door.implicit_tls) for door in opened] == [
        ("smtp", 0, False),
        ("smtp", 1, False),
        ("https", 0, True),
    ]
