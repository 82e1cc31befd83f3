"""The rooms that touch: ports, the unit, systemctl, files; on this machine, with nothing outside it."""

from __future__ import annotations

import asyncio
import os
import pwd
import socket
import stat
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dnsops.base.errors import ForUser
from mailsrv.quickstart import probing_dns, probing_machine, probing_ports, probing_web, starting, stories, writing
from mailsrv.quickstart.aside import aside
from mailsrv.quickstart.facts import Dialled
from mailsrv.quickstart.steps import Diary
from mailsrv.serving import running, unit

README = Path(__file__).parents[3] / "mailsrv" / "README.md"


async def _greeting(line: bytes) -> Dialled:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(line)
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        (found,) = (await probing_ports.outbound([f"127.0.0.1:{port}"], ())).dialled
    return found


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"220 mx.example ESMTP\r\n", ""),
        (b"554 go away\r\n", ""),
        (b"", "it hung up"),
        (b"SSH-2.0-x\r\n", "it says SSH-2.0-x"),
        (b"\x1b[31m\r\n", "it says \\x1b[31m"),
        (b"2" * 5000, ""),
    ],
)
def test_a_greeting_proves_the_way(line: bytes, why: str) -> None:
    found = asyncio.run(_greeting(line))
    assert found.why == why or (len(line) > 512 and found.why)


def test_a_port_that_is_closed_says_why() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        (found,) = asyncio.run(probing_ports.outbound([f"127.0.0.1:{held.getsockname()[1]}"], ())).dialled
    assert "refused" in found.why.lower()
    (odd,) = asyncio.run(probing_ports.outbound(["127.0.0.1:imap"], ())).dialled
    assert odd.why


def test_a_server_of_ours_is_known_by_its_lock(tmp_path: Path) -> None:
    assert not running.serving(tmp_path)
    with running.alone(tmp_path):
        assert running.serving(tmp_path)
        assert asyncio.run(probing_ports.ports((), tmp_path)).ours
    assert not running.serving(tmp_path)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("192.0.2.25", "25.2.0.192.in-addr.arpa"),
        ("2001:db8::25", "5.2.0.0." + "0." * 20 + "8.b.d.0.1.0.0.2.ip6.arpa"),
    ],
)
def test_where_reverse_names_are(address: str, name: str) -> None:
    assert probing_dns.pointer(address) == name


def test_what_the_machine_is(tmp_path: Path) -> None:
    found = asyncio.run(probing_machine.machine(tmp_path / "a" / "b", tmp_path / "c"))
    assert found.unwritable == ()
    assert found.free > 0
    assert found.state == str(tmp_path)
    assert found.root == (os.geteuid() == 0)
    assert asyncio.run(probing_machine.machine(Path("/proc/x"), tmp_path)).unwritable or os.geteuid() == 0
    assert probing_machine.synchronised() in (True, False, None)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({"events": [{"eventAction": "registration", "eventDate": "2026-01-02T03:04:05Z"}]}, 2),
        ({"events": [{"eventAction": "expiration", "eventDate": "2026-01-02"}]}, None),
        ({"events": [{"eventAction": "registration", "eventDate": "yesterday"}]}, None),
        ({"events": [{"eventAction": "registration"}, "x", None]}, None),
        ({"events": "x"}, None),
        ([], None),
        (None, None),
    ],
)
def test_the_registry_says_when(said: Any, found: int | None) -> None:
    date = probing_web.registration(said)
    assert date == (datetime(2026, 1, found, 3, 4, 5, tzinfo=UTC) if found else None)


def test_only_https_is_fetched() -> None:
    for url in ("http://example.org/", "file:///etc/passwd", ""):
        facts = asyncio.run(probing_web.authority(url, ""))
        assert "not https" in str(facts[0])


def test_nobody_waits_for_a_call_whose_time_is_over() -> None:
    async def impatient() -> None:
        async with asyncio.timeout(0.05):
            await aside(lambda: time.sleep(30))

    begin = time.monotonic()
    with pytest.raises(TimeoutError):
        asyncio.run(impatient())
    assert time.monotonic() - begin < 20
    with pytest.raises(KeyError):
        asyncio.run(aside(lambda: os.environ["NO_SUCH_VARIABLE"]))


def test_the_unit_is_the_one_of_the_manual() -> None:
    assert unit.service(["/opt/mailsrv/bin/mailsrv"], "/etc/mailsrv/mailsrv.yml") in README.read_text()


def test_a_unit_with_odd_paths_stays_one() -> None:
    text = unit.service(["/opt/my mail/mailsrv"], "/etc/50%/$x.yml", "/srv/a b")
    assert 'ExecStart="/opt/my mail/mailsrv" serve --config /etc/50%%/$$x.yml' in text
    assert 'ReadWritePaths="/srv/a b"' in text
    assert "StateDirectory" not in text


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in that writes down what it is told: no systemd runs in a container."""
    folder = tmp_path / "bin"
    folder.mkdir()
    log = tmp_path / "told"
    (folder / "systemctl").write_text(
        f'#!/bin/sh\necho "$@" >> {log}\n[ ! -e {tmp_path}/broken ] || {{ echo no >&2; exit 1; }}\n'
    )
    (folder / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    monkeypatch.setattr(starting, "_user", lambda: pwd.getpwuid(os.geteuid()))
    return log


def test_the_unit_may_write_where_backups_lie(tmp_path: Path) -> None:
    config = tmp_path / "mailsrv.yml"
    for place, wanted in (("/srv/my backups", ['ReadWritePaths="-/srv/my backups"']), ("s3://mail/mx1", [])):
        config.write_text(f"hostname: mx1.example.org\nbackup: {{place: '{place}'}}\n")
        assert [line for line in starting.text(config, "").splitlines() if line.startswith("ReadWritePaths")] == wanted


def test_the_server_is_started_by_systemd(tmp_path: Path, systemctl: Path) -> None:
    starting.start(tmp_path / "mailsrv.yml", tmp_path / "state", "", tmp_path)
    written = (tmp_path / "mailsrv.service").read_text()
    assert f"serve --config {tmp_path}/mailsrv.yml" in written
    assert systemctl.read_text().splitlines() == ["daemon-reload", "enable --now mailsrv.service"]
    (tmp_path / "mailsrv.service").write_text("of a person")
    starting.start(tmp_path / "mailsrv.yml", tmp_path / "state", "", tmp_path)
    assert (tmp_path / "mailsrv.service").read_text() == "of a person"


def test_systemctl_that_refuses_is_said(tmp_path: Path, systemctl: Path) -> None:
    (tmp_path / "broken").touch()
    with pytest.raises(ForUser, match=r"systemctl daemon-reload: no - see journalctl"):
        starting.start(tmp_path / "mailsrv.yml", tmp_path / "state", "", tmp_path)


def test_a_diary_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    assert writing.diary(tmp_path) is None
    writing.remember(tmp_path, Diary("example.org", "/etc/mailsrv/mailsrv.yml"))
    assert writing.diary(tmp_path) == Diary("example.org", "/etc/mailsrv/mailsrv.yml")
    assert stat.S_IMODE((tmp_path / writing.DIARY).stat().st_mode) == 0o600
    (tmp_path / writing.DIARY).write_text("{")
    assert writing.diary(tmp_path) is None


@pytest.mark.parametrize(
    ("status", "raises"),
    [(0, None), (1, None), (2, None), (75, "Later"), (78, "ForUser"), (64, "ForUser"), (70, "ForUser")],
)
def test_how_a_story_ended(status: int, raises: str | None) -> None:
    ended = stories.Ended(status, {"error": "because"})
    if raises is None:
        assert stories._judged("dns plan", ended) is ended
        return
    with pytest.raises(Exception, match="because") as refused:
        stories._judged("dns plan", ended)
    assert type(refused.value).__name__ == raises
