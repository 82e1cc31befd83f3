"""Where state lives: the first of systemd's word, the configuration's, and the usual place."""

from __future__ import annotations

from pathlib import Path

import pytest

from dnsops.base.places import handed_over, state_directory

CASES = [
    # environment, configured, root, place
    ({"STATE_DIRECTORY": "/s/a:/s/b"}, "/c", True, "/s/a"),
    ({"STATE_DIRECTORY": ""}, "/c", True, "/c"),
    ({}, None, True, "/var/lib/mailsrv"),
    ({"XDG_STATE_HOME": "/x", "HOME": "/h"}, None, False, "/x/mailsrv"),
    ({"XDG_STATE_HOME": "relative", "HOME": "/h"}, None, False, "/h/.local/state/mailsrv"),
    ({"HOME": "/h"}, None, False, "/h/.local/state/mailsrv"),
]


@pytest.mark.parametrize("env, configured, root, place", CASES)
def test_state_directory(env: dict[str, str], configured: str | None, root: bool, place: str) -> None:
    assert state_directory(Path(configured) if configured else None, env, root) == Path(place)


def test_a_file_that_systemd_hands_over(tmp_path: Path) -> None:
    (tmp_path / "token").touch()
    env = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert handed_over(Path("/etc/token"), env) == tmp_path / "token"
    assert handed_over(Path("/etc/other"), env) == Path("/etc/other")
    assert handed_over(Path("token"), {}) == Path("token")
