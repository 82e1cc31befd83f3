"""Where things live on this machine: our state, and files that systemd hands over as credentials.

Standards: systemd.exec(5) STATE_DIRECTORY and CREDENTIALS_DIRECTORY, XDG Base Directory 0.8.
Fails by: nothing here; who opens a place says what is wrong with it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

SYSTEM_STATE = Path("/var/lib/mailsrv")


def state_directory(configured: Path | None, env: Mapping[str, str] = os.environ, root: bool | None = None) -> Path:
    """systemd's word first, then the configuration's, then the system's place for root and the user's own for others."""
    given = env.get("STATE_DIRECTORY", "").split(":")[0]
    if given:
        return Path(given)
    if configured is not None:
        return configured
    if os.geteuid() == 0 if root is None else root:
        return SYSTEM_STATE
    home = env.get("XDG_STATE_HOME", "")
    # XDG: a relative path is invalid and must be ignored
    base = Path(home) if home.startswith("/") else Path(env.get("HOME") or "~").expanduser() / ".local" / "state"
    return base / "mailsrv"


def handed_over(path: Path, env: Mapping[str, str] = os.environ) -> Path:
    """The credential of the file's own name, when systemd passed one (LoadCredential=NAME:PATH); else the path itself."""
    folder = env.get("CREDENTIALS_DIRECTORY", "")
    credential = Path(folder) / path.name
    return credential if folder and credential.is_file() else path
