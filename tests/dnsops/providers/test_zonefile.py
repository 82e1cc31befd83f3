"""A zone file as provider: what it leaves alone, how it replaces, and when it steps back."""

from __future__ import annotations

import os
import threading
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from dnsops.base.errors import ForUser, Later
from dnsops.providers.door import Change, Mark
from dnsops.providers.zonefile import ZoneFile
from dnsops.providers.zonefiles import ZoneFiles
from tests.dnsops.providers.places import TEXT, record

TLSA = record("_25._tcp.mx.example.org", "TLSA", "3 1 1 " + "ab" * 32)
LINE = f"_25._tcp.mx.example.org. 300 IN TLSA 3 1 1 {'ab' * 32} ; mailsrv\n"
DAY = date(2026, 11, 22)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "example.org.zone"
    path.write_text(TEXT)
    return path


def provider(path: Path) -> ZoneFile:
    return ZoneFile(path, lambda: DAY)


def test_only_the_serial_and_our_lines_change(path: Path) -> None:
    provider(path).write(Change(add=(TLSA,)))
    assert path.read_text() == TEXT.replace("2026010101", "2026112201") + LINE
    provider(path).write(Change(remove=(TLSA,)))
    assert path.read_text() == TEXT.replace("2026010101", "2026112202"), (
        "comments and order are as their author left them"
    )


def test_nothing_to_do_writes_nothing(path: Path) -> None:
    before = path.stat()
    there = record("mx.example.org", "A", "192.0.2.25")
    provider(path).write(Change(add=(there,), remove=(TLSA,)))
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o664])
def test_mode_and_owner_stay(path: Path, mode: int) -> None:
    path.chmod(mode)
    if os.geteuid() == 0:
        os.chown(path, 65534, 65533)
    before = path.stat()
    provider(path).write(Change(add=(TLSA,)))
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino, "replaced whole"
    assert os.listdir(path.parent) == [path.name]  # noqa: PTH208


def test_behind_a_symbolic_link_the_target_changes(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(path.name)
    provider(link).write(Change(add=(TLSA,)))
    assert link.is_symlink()
    assert LINE in path.read_text()


@pytest.mark.parametrize("edit", [TEXT + "new IN A 192.0.2.99\n", TEXT.replace("192.0.2.25", "192.0.2.26"), ""])
def test_an_edit_meanwhile_wins(path: Path, edit: str) -> None:
    def somebody_edits() -> date:
        path.write_text(edit)
        return DAY

    with pytest.raises(Later, match="changed by somebody else"):
        ZoneFile(path, somebody_edits).write(Change(add=(TLSA,)))
    assert path.read_text() == edit


def test_threads_do_not_overwrite_each_other(path: Path) -> None:
    zone = provider(path)
    several = [record(f"h{number}.example.org", "A", "192.0.2.9") for number in range(12)]
    threads = [threading.Thread(target=zone.write, args=(Change(add=(one,)),)) for one in several]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {held.record for held in zone.read("example.org", "A", below=True) if held.mark is Mark.OURS} == set(several)


def test_a_file_without_soa_is_edited_without_a_serial(path: Path) -> None:
    path.write_text("$ORIGIN example.org.\nmx 300 IN A 192.0.2.25\n")
    provider(path).write(Change(add=(TLSA,)))
    assert path.read_text() == "$ORIGIN example.org.\nmx 300 IN A 192.0.2.25\n" + LINE


@pytest.mark.parametrize(
    "content, told",
    [
        (b"", "neither an $ORIGIN nor a SOA"),
        (b"\xff\xfe", "byte 0 is not UTF-8"),
        (TEXT.encode() + b"$INCLUDE other.zone\n", "zone:14: $INCLUDE is not edited"),
        (b"mx IN A 192.0.2.1\n", "mx is relative"),
    ],
)
def test_a_file_that_cannot_be_edited_stays_and_is_named(path: Path, content: bytes, told: str) -> None:
    path.write_bytes(content)
    with pytest.raises(ForUser) as refusal:
        provider(path).write(Change(add=(TLSA,)))
    assert told in str(refusal.value)
    assert str(path) in str(refusal.value)
    assert path.read_bytes() == content


def test_a_file_that_is_not_there_is_a_folder_or_is_shut(path: Path, tmp_path: Path) -> None:
    for wrong, told in ((tmp_path / "none", "no such zone file"), (tmp_path, "is not a file")):
        with pytest.raises(ForUser, match=told):
            provider(wrong).read("example.org")


def test_a_ttl_that_does_not_exist(path: Path) -> None:
    for ttl in (-1, 2**31):
        with pytest.raises(ForUser, match="TTL"):
            provider(path).write(Change(add=(record("a.example.org", "A", "192.0.2.1", ttl),)))


def test_a_directory_holds_a_zone_in_each_file(tmp_path: Path) -> None:
    head = "@ SOA ns hostmaster 7 1 1 1 1\n@ NS ns\n"
    for zone in ("example.org", "sub.example.org", "example.net"):
        (tmp_path / f"{zone}.zone").write_text(f"$ORIGIN {zone}.\n$TTL 300\n{head}")
    (tmp_path / "notes.txt").write_text("no zone")
    provider = ZoneFiles(tmp_path)
    new = [record(f"a.{zone}", "A", "192.0.2.1") for zone in ("example.org", "sub.example.org", "example.net")]
    provider.write(Change(add=tuple(new)))
    for zone in ("example.org", "sub.example.org", "example.net"):
        assert (tmp_path / f"{zone}.zone").read_text().count("; mailsrv") == 1
    below = {held.record for held in provider.read("example.org", "A", below=True)}
    assert below == set(new[:2])
    assert provider.read("a.sub.example.org", "A")[0].record == new[1]
    provider.write(Change(remove=tuple(new)))
    assert provider.read("example.org", "A", below=True) == ()


@pytest.mark.parametrize("call", ["read", "write"])
def test_a_directory_without_the_zone_says_which_file_is_missing(tmp_path: Path, call: str) -> None:
    lost = record("a.example.org", "A", "192.0.2.1")
    for folder in (tmp_path, tmp_path / "nowhere"):
        provider = ZoneFiles(folder)
        ask = (
            partial(provider.read, "a.example.org") if call == "read" else partial(provider.write, Change(add=(lost,)))
        )
        with pytest.raises(ForUser, match=r"example\.org\.zone"):
            ask()
