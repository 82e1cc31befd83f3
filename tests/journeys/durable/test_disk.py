"""Disks that fail or are full: 451 or 452 and not a word of ours, nothing that got its 250 is lost, and it goes on when the disk does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.journeys.durable.test_kill import LARGE, needs_strace, traced
from tests.journeys.durable.witness import Witness
from tests.lab.mailserver import MailServer
from tests.mailsrv.store.power import Disk, NoLoop

MESSAGES = 12
FAULTS = [
    ("fsync,fdatasync", "EIO", "1+"),
    ("fsync,fdatasync", "ENOSPC", "2+2"),
    ("pwrite64", "EIO", "1+"),
    ("pwrite64", "ENOSPC", "3+4"),
]


@needs_strace
@pytest.mark.parametrize("calls, error, when", FAULTS)
def test_a_disk_that_fails(tmp_path: Path, calls: str, error: str, when: str) -> None:
    with MailServer(tmp_path / "server", queue={"next_hop": "127.0.0.1:9"}) as server:
        witness = Witness(server)
        client = witness.session()
        assert witness.send(client) == 250
        store = server.state / "store"
        paths = ("-P", str(store / "mail.db"), "-P", str(store / "mail.db-wal"))
        options = (*paths, "-e", f"trace={calls}", "-e", f"inject={calls}:error={error}:when={when}")
        with traced(server, tmp_path / "trace", *options):
            codes = [witness.send(client) for _ in range(MESSAGES)]
        assert "INJECTED" in (tmp_path / "trace").read_text()
        assert set(codes) <= {250, 451, 452}, witness.heard
        assert {451, 452} & set(codes)
        after = [witness.send(witness.session()) for _ in range(3)]
        assert after == [250, 250, 250], witness.heard
        witness.audit()


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    try:
        with Disk(tmp_path) as disk:
            fill_and_empty(disk.directory, tmp_path)
    except NoLoop as reason:
        pytest.skip(f"no disk of its own here: {reason}")


def fill_and_empty(disk: Path, folder: Path) -> None:
    server = MailServer(folder / "server", state={"directory": str(disk / "state")}, queue={"next_hop": "127.0.0.1:9"})
    with server:
        witness = Witness(server)
        client = witness.session()
        assert [witness.send(client) for _ in range(8)] == [250] * 8
        ballast = disk / "ballast"
        with ballast.open("wb") as file:
            fill(file.fileno())
        codes = [witness.send(client) for _ in range(30)]
        assert set(codes) <= {250, 451, 452}, witness.heard
        assert {451, 452} & set(codes[-7:])  # it is full by now
        reader = server.imap("alice")
        assert reader.select("INBOX")[0] == "OK"  # what is there can still be read
        assert reader.fetch("1", "(BODY.PEEK[])")[0] == "OK"
        reader.logout()
        ballast.unlink()
        assert [witness.send(witness.session()) for _ in range(8)] == [250] * 8, witness.heard
        witness.audit()


def fill(handle: int) -> None:
    """Until nothing more goes in, to the last octet."""
    size = 1 << 20
    while size:
        try:
            os.write(handle, b"\0" * size)
        except OSError:
            size //= 2
    os.fsync(handle)


@needs_strace
@pytest.mark.parametrize("calls, error", [("openat", "EMFILE"), ("fsync", "EIO")])
def test_a_file_of_a_body_that_cannot_be_written(tmp_path: Path, calls: str, error: str) -> None:
    with MailServer(tmp_path / "server", queue={"next_hop": "127.0.0.1:9"}) as server:
        witness = Witness(server)
        client = witness.session()
        assert witness.send(client, LARGE) == 250
        options = ("-e", f"trace={calls}", "-e", f"inject={calls}:error={error}:when=1+")
        with traced(server, tmp_path / "trace", *options):
            assert witness.send(client, 2 * LARGE) in (451, 452), witness.heard
        assert "INJECTED" in (tmp_path / "trace").read_text()
        assert witness.send(client, 3 * LARGE) == 250
        witness.audit()
