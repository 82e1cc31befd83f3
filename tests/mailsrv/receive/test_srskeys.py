"""The secrets of SRS: made once, kept, changed by hand."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dnsops.base.errors import Misconfigured
from mailsrv.receive.srskeys import FILE, secrets


def test_one_is_made_once_whoever_asks_first(tmp_path: Path) -> None:
    home = tmp_path / "state"
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: secrets(home), range(16)))
    assert len(found) == 1
    assert [path.name for path in home.iterdir()] == [FILE]
    assert (home / FILE).stat().st_mode & 0o777 == 0o600


def test_the_old_one_stays_below_the_new_one(tmp_path: Path) -> None:
    file = tmp_path / "srs"
    file.write_bytes(b"a new secret of ours\r\n\nan older one, of before\n")
    assert secrets(tmp_path, file) == (b"a new secret of ours", b"an older one, of before")


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"short\n", b"long enough, surely\nshort\n", b"x" * 5000, b"long enough, surely\n" * 9]
)
def test_what_is_no_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(Misconfigured):
        secrets(tmp_path)


def test_a_configured_file_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot be read"):
        secrets(tmp_path, tmp_path / "missing")
