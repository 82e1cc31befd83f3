"""Starting the server where systemd is: its unit is written once, enabled, and started. Touches files below /etc and systemctl.

Standards: systemd.unit(5), systemctl(1), sd_booted(3). Fails by: `ForUser`, with the unit left in place for a person to look at.
"""

from __future__ import annotations

import pwd
import shutil
import subprocess
import sys
from pathlib import Path

from dnsops.base import files, settings
from dnsops.base.errors import ForUser
from dnsops.records import names
from mailsrv.quickstart.stories import program
from mailsrv.serving import privileges, unit

UNITS = Path("/etc/systemd/system")
BOOTED = Path("/run/systemd/system")  # sd_booted(3)
NAME = "mailsrv.service"
SECONDS = 90


def possible() -> bool:
    """Whether systemd runs this machine."""
    return BOOTED.is_dir() and shutil.which("systemctl") is not None


def text(config: Path, state: str) -> str:
    """The unit for this installation."""
    place = settings.load(config, names.host).backup.place if config.is_file() else None
    backups = place if place and not place.startswith("s3://") else ""
    return unit.service(_program(), str(config), state, backups=backups)


def start(config: Path, state: Path, own_state: str, units: Path = UNITS) -> None:
    """Write the unit unless there is one, hand the state over to the server's user, enable and start."""
    user = _user()
    path = units / NAME
    try:
        if not path.exists():
            files.replace(path, text(config, own_state).encode(), 0o644)
    except OSError as error:
        raise ForUser(f"cannot be written ({error.strerror})", str(path), "run as root") from None
    privileges.hand_over(state, user)
    for words in (("daemon-reload",), ("enable", "--now", NAME)):
        _systemctl(*words)


def _user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(privileges.USUAL)
    except KeyError:
        advice = "useradd --system --home /var/lib/mailsrv --shell /usr/sbin/nologin mailsrv"
        raise ForUser(f"there is no user {privileges.USUAL}", "--start", advice) from None


def _systemctl(*words: str) -> None:
    try:
        done = subprocess.run(["systemctl", *words], capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise ForUser(
            f"no end after {SECONDS} s", f"systemctl {' '.join(words)}", f"see journalctl -u {NAME}"
        ) from None
    if done.returncode:
        why = done.stderr.strip()[-300:] or f"status {done.returncode}"
        raise ForUser(why, f"systemctl {' '.join(words)}", f"see journalctl -u {NAME}")


def _program() -> list[str]:
    """The installed command, or this Python with our module."""
    script = Path(sys.argv[0])
    return [str(script.absolute())] if script.name == "mailsrv" and script.is_file() else program()
