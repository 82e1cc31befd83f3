"""What the disk tells of the host's health."""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime
from pathlib import Path

from checks.health import host
from checks.health.facts import Backup
from mailsrv.backup.folder import Folder
from mailsrv.backup.memory import Memory, Note
from mailsrv.backup.shelf import Shelf
from mailsrv.backup.snapshot import Snapshot

OLD = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_backup_that_failed_does_not_look_like_a_young_one(tmp_path: Path) -> None:
    shelf = Shelf(Folder(tmp_path))
    shelf.prepare()
    assert host.backup(tmp_path).newest is None
    shelf.save(Snapshot("20260101T000000Z", ()))
    os.utime(tmp_path / "lists" / "20260101T000000Z", (OLD.timestamp(), OLD.timestamp()))
    with shelf.alone():
        shelf.take("state/a", 0o600, io.BytesIO(b"new"))
    assert host.backup(tmp_path).newest == OLD


def test_of_other_peoples_backups_every_file_counts(tmp_path: Path) -> None:
    (tmp_path / "week").mkdir()
    (tmp_path / "week" / "1.tar").write_bytes(b"x")
    os.utime(tmp_path / "week" / "1.tar", (OLD.timestamp(), OLD.timestamp()))
    assert host.backup(tmp_path).newest == host.backup(tmp_path / "week" / "1.tar").newest == OLD


def test_of_a_bucket_the_note_of_the_last_backup_counts(tmp_path: Path) -> None:
    bucket = "s3://mail/mx1"
    assert host.backups(None, bucket, tmp_path) == Backup(bucket, None)
    Memory(tmp_path).note(Note("20260101T000000Z", bucket, OLD))
    assert host.backups(None, bucket, tmp_path) == Backup(bucket, OLD)
    assert host.backups(None, "s3://mail/another", tmp_path) == Backup("s3://mail/another", None)
    assert host.backups(None, None, tmp_path) is None
    (tmp_path / "backup" / ".last.json").write_text("[]")
    assert host.backups(None, bucket, tmp_path) == Backup(bucket, None)
