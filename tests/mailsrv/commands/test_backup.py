"""`mailsrv backup`: taken while mail comes and goes, proven, restored; and every message is there under its UID (P-32)."""

from __future__ import annotations

import imaplib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.lab.mailserver import MailServer
from tests.lab.program import wait_until
from tests.mailsrv.commands.backups import LARGE, SMALL, filled, mail, run, whole


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MailServer]:
    with MailServer(tmp_path / "here") as server:
        filled(server)
        yield server
        server.check()


def elsewhere(tmp_path: Path, state: Path) -> MailServer:
    return MailServer(tmp_path / "there", state={"directory": str(state)})


def test_a_host_that_is_lost_comes_back_with_every_message_and_uid(server: MailServer, tmp_path: Path) -> None:
    place, state = tmp_path / "backups", tmp_path / "new" / "state"
    before = mail(server)
    assert set(before[1]) == {b"1", b"2", b"4"}
    made = run("create", place, "--config", server.config, "--also", server.directory / "password")
    assert whole(place) == made["name"]
    server.stop()
    back = run("restore", place, "--into", state, "--other", tmp_path / "etc")
    assert back == {"name": made["name"], "files": made["files"], "state": str(state)}
    config = tmp_path / "etc" / server.config.relative_to("/")
    assert config.read_bytes() == server.config.read_bytes()
    places = (state, tmp_path / "etc")
    everything = [path for place in places for path in (place, *place.rglob("*")) if not path.is_symlink()]
    assert {path.stat().st_mode & 0o077 for path in everything if path != config} == {0}
    with elsewhere(tmp_path, state) as again:
        assert mail(again) == before
        again.check()


def test_only_what_is_new_takes_room(server: MailServer, tmp_path: Path) -> None:
    place = tmp_path / "backups"
    first = run("create", place, "--config", server.config)
    assert first["new"] > len(LARGE)
    client = server.imap("alice")
    client.append("INBOX", "", "", SMALL)
    client.logout()
    time.sleep(1.1)  # a backup is named after its second
    second = run("create", place, "--config", server.config, "--keep", "1")
    assert second["new"] < second["size"] - 2 * len(LARGE)
    assert second["forgotten"] == 1
    assert [one["name"] for one in run("list", place)["backups"]] == [second["name"]]
    assert run("verify", place)["problems"] == []  # what the older one shared with it is still there


def test_it_is_whole_though_mail_comes_and_goes_meanwhile(server: MailServer, tmp_path: Path) -> None:
    place, stop, begun = tmp_path / "backups", threading.Event(), threading.Event()
    faults: list[BaseException] = []

    def busy() -> None:
        try:
            client: imaplib.IMAP4 = server.imap("bob")
            client.append("INBOX", "", "", LARGE)
            client.select("INBOX")
            begun.set()
            while not stop.is_set():
                client.append("INBOX", "", "", LARGE)
                client.noop()
                client.store("1", "+FLAGS", "\\Deleted")
                client.expunge()
            client.logout()
        except (OSError, imaplib.IMAP4.error) as error:
            faults.append(error)

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        assert begun.wait(30)
        for turn in range(3):
            made = run("create", place, "--config", server.config)
            assert run("verify", place)["problems"] == [], turn
            assert run("restore", place, "--name", made["name"], "--into", tmp_path / f"s{turn}")["files"]
            time.sleep(0.5)
    finally:
        stop.set()
        thread.join()
    assert not faults
    with elsewhere(tmp_path, tmp_path / "s2") as again:
        assert mail(again) == mail(server)
        assert {content for _, content in mail(again, "bob")[1].values()} == {LARGE}
        again.check()


def begun_or_over(place: Path, child: subprocess.Popen[bytes]) -> bool:
    return any((place / "pieces").glob("*/*")) or child.poll() is not None


def test_a_backup_that_was_killed_is_not_there_and_the_next_one_is_whole(server: MailServer, tmp_path: Path) -> None:
    place = tmp_path / "backups"
    words = ["backup", "create", str(place), "--config", str(server.config)]
    killed = 0
    for _ in range(4):
        child = subprocess.Popen([sys.executable, "-m", "mailsrv", *words], stdout=subprocess.DEVNULL)
        wait_until(partial(begun_or_over, place, child), "the first piece")
        time.sleep(0.003 * killed)
        child.kill()
        killed += child.wait() != 0
    assert killed, "every one of them was faster than its end"
    time.sleep(1.1)
    made = run("create", place, "--config", server.config)
    assert whole(place) == made["name"]
    assert not list(place.glob(".scratch-*")), "what a killed backup left holds mail"


@pytest.mark.parametrize("harm", ["gone", "changed", "short"])
def test_a_damaged_backup_is_told_and_never_restored(server: MailServer, tmp_path: Path, harm: str) -> None:
    place = tmp_path / "backups"
    run("create", place, "--config", server.config)
    piece = max((place / "pieces").glob("*/*"), key=lambda path: path.stat().st_size)
    data = piece.read_bytes()
    if harm == "gone":
        piece.unlink()
    else:
        piece.write_bytes(data[:-1] if harm == "short" else bytes([data[0] ^ 1]) + data[1:])
    assert piece.name[:12] in run("verify", place, status=1)["problems"][0]
    assert "this backup is damaged" in run("restore", place, "--into", tmp_path / "new", status=1)
    assert not (tmp_path / "new").exists()


def test_a_body_that_the_store_loses_after_a_backup_is_in_the_next_ones_too(server: MailServer, tmp_path: Path) -> None:
    place, state = tmp_path / "backups", tmp_path / "new" / "state"
    before = mail(server)
    run("create", place, "--config", server.config)
    server.stop()
    next((server.state / "store" / "bodies").glob("?/*")).unlink()
    time.sleep(1.1)
    assert run("create", place, "--config", server.config, "--keep", "1")["lost"] == []
    run("restore", place, "--into", state)
    with elsewhere(tmp_path, state) as again:
        assert mail(again) == before
        again.check()
    server.start()


def test_nothing_is_forgotten_while_the_store_lacks_a_body(server: MailServer, tmp_path: Path) -> None:
    place = tmp_path / "backups"
    server.stop()
    lost = next((server.state / "store" / "bodies").glob("?/*"))
    lost.unlink()
    first = run("create", place, "--config", server.config, status=1)
    time.sleep(1.1)
    second = run("create", place, "--config", server.config, "--keep", "1", status=1)
    assert (first["lost"], second["lost"], second["forgotten"]) == ([str(lost)], [str(lost)], 0)
    assert [one["name"] for one in run("list", place)["backups"]] == [second["name"], first["name"]]
    server.start()


def test_a_damaged_list_is_told_beside_the_good_ones(server: MailServer, tmp_path: Path) -> None:
    place = tmp_path / "backups"
    made = run("create", place, "--config", server.config)
    (place / "lists" / "20200101T000000Z").write_bytes(b"")
    good, bad = run("list", place, status=1)["backups"]
    assert (good["name"], good["problem"]) == (made["name"], "")
    assert (bad["name"], "digest" in bad["problem"]) == ("20200101T000000Z", True)


def test_nothing_is_restored_over_a_running_server_or_over_anything(server: MailServer, tmp_path: Path) -> None:
    place = tmp_path / "backups"
    assert "there is no backup here" in run("verify", place, status=1)
    run("create", place, "--config", server.config)
    assert "a server is running" in run("restore", place, "--config", server.config, status=1)
    server.stop()
    assert "not empty" in run("restore", place, "--config", server.config, status=1)
    assert "there is no backup" in run("verify", place, "--name", "20200101T000000Z", status=1)
    server.start()


def test_a_directory_of_something_else_stays_as_it_is(server: MailServer, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "1.jpg").write_bytes(b"x")
    assert "holds something else" in run("create", tmp_path / "photos", "--config", server.config, status=1)
    assert "inside what it is a backup of" in run("create", server.state / "b", "--config", server.config, status=1)
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["1.jpg"]
