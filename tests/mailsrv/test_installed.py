"""Subcommands are found without importlib.metadata, and are the ones that importlib.metadata finds."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from mailsrv.installed import GROUP, Entry, entries, read


def test_the_same_are_found_as_by_the_standard_library() -> None:
    theirs = {(entry.name, entry.module, entry.attr) for entry in metadata.entry_points(group=GROUP)}
    assert {(entry.name, entry.module, entry.attribute) for entry in entries()} == theirs
    assert "tlsa" in {name for name, _, _ in theirs}


def test_only_the_group_counts_and_extras_are_passed_over() -> None:
    text = "[console_scripts]\nmailsrv = a:b\n\n[mailsrv.commands]\n# words\ntlsa = dnsops.x:y\nodd=m.n:o [extra]\n[other]\nz = z:z\n"
    assert list(read(text)) == [Entry("tlsa", "dnsops.x", "y"), Entry("odd", "m.n", "o")]


def test_the_first_on_the_path_counts_and_a_broken_file_is_left_out(tmp_path: Path) -> None:
    for folder, data in (
        ("one", b"[mailsrv.commands]\nx = one:x\n"),
        ("two", b"[mailsrv.commands]\nx = two:x\n"),
        ("bad", b"\xff"),
    ):
        (tmp_path / folder / "d-1.dist-info").mkdir(parents=True)
        (tmp_path / folder / "d-1.dist-info" / "entry_points.txt").write_bytes(data)
    assert entries([str(tmp_path / folder) for folder in ("bad", "one", "two", "none")]) == [Entry("x", "one", "x")]
