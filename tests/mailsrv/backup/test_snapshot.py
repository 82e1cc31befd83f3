"""A backup's list of files: read as it was written, or not at all."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from mailsrv.backup.snapshot import FORM, PIECE, Entry, Snapshot, Unreadable

PIECES = tuple(hashlib.sha256(bytes([n])).hexdigest() for n in range(3))
ROW = ["state/a", 0o600, 1, [PIECES[0]], ""]
WHOLE = Snapshot(
    "20261127T041500Z",
    (Entry("state/a", 0o600, 2 * PIECE + 1, PIECES), Entry("state/e", 0o600), Entry("state/l", 0o777, target="x/1")),
)


def text(*rows: Any, first: Any = None) -> bytes:
    lines = [[FORM, WHOLE.name, len(rows)] if first is None else first, *rows]
    body = "".join(json.dumps(line) + "\n" for line in lines).encode()
    return body + hashlib.sha256(body).hexdigest().encode() + b"\n"


def test_what_is_written_is_read_again() -> None:
    assert Snapshot.read(WHOLE.write()) == WHOLE
    assert Snapshot.read(text(ROW)).size == 1


@pytest.mark.parametrize("cut", [0, 1, 64, 65, 66, 200])
def test_a_list_that_was_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(Unreadable, match="digest"):
        Snapshot.read(WHOLE.write()[: -cut or None] if cut else b"")


@pytest.mark.parametrize("place", range(0, 300, 7))
def test_one_changed_octet_is_seen(place: int) -> None:
    data = bytearray(WHOLE.write())
    data[place] ^= 1
    with pytest.raises(Unreadable):
        Snapshot.read(bytes(data))


@pytest.mark.parametrize(
    "row",
    [
        ["../etc/passwd", *ROW[1:]],
        ["/etc/passwd", *ROW[1:]],
        ["state/../../x", *ROW[1:]],
        ["", *ROW[1:]],
        ["a\0b", *ROW[1:]],
        ["x" * 5000, *ROW[1:]],
        ["a", 0o4755, 1, [PIECES[0]], ""],
        ["a", 0o600, -1, [], ""],
        ["a", 0o600, 1, [], ""],
        ["a", 0o600, 1, ["../../x"], ""],
        ["a", 0o600, 1, [PIECES[0], PIECES[1]], ""],
        ["a", 0o777, 0, [], "/etc/shadow"],
        ["a", 0o777, 0, [], "../x"],
        ["a", 0o600],
        {"path": "a"},
        7,
    ],
)
def test_a_list_that_leads_elsewhere_is_refused(row: Any) -> None:
    with pytest.raises(Unreadable, match="a file in it"):
        Snapshot.read(text(row))


@pytest.mark.parametrize(
    "first",
    [["mailsrv-backup 2", WHOLE.name, 1], [FORM, "../x", 1], [FORM, WHOLE.name, 2], [FORM, 7, 1], [FORM], {}, 7, "x"],
)
def test_a_first_line_of_another_form_is_refused(first: Any) -> None:
    with pytest.raises(Unreadable):
        Snapshot.read(text(ROW, first=first))
