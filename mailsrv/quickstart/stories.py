"""The stories of the other rooms, as the commands that everybody has: `dns plan`, `dns apply`, `cert issue`, `dns verify`.

Processes of their own: what they print is what a person would see, and a story that dies takes nothing with it.
Touches: processes. Fails by: the exit status of each (dnsops.base.errors.Exit); `Later` for 75, `ForUser` for 64, 70 and 78.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from dnsops.base.errors import Exit, ForUser, Later

LONGEST_SAID = 2000  # characters of a complaint that are passed on


@dataclass(frozen=True, slots=True)
class Ended:
    """How a story ended. document: its JSON, when that was asked for.  said: what it complained of, when it was listened to."""

    status: int
    document: Any = None
    said: str = ""

    @property
    def fine(self) -> bool:
        return self.status == Exit.OK


class Stories(Protocol):
    """What a quickstart has done by others."""

    def plan(self, saved: Path) -> Ended:
        """What the DNS lacks, shown and saved; 0 when nothing, 2 when there are changes."""
        ...

    def apply(self, saved: Path | None = None) -> Ended:
        """The saved plan, or a new one, carried out without asking."""
        ...

    def certify(self) -> Ended:
        """A certificate for the announced key."""
        ...

    def records(self) -> Ended:
        """What the DNS should say, as a zone file."""
        ...

    def verify(self) -> Ended:
        """What the world sees, compared with what it should see."""
        ...


@dataclass(frozen=True, slots=True)
class Commands:
    """The real ones. listen: JSON is asked for and kept, nothing is shown; an apply is always listened to, its plan was shown."""

    config: Path
    listen: bool = False

    def plan(self, saved: Path) -> Ended:
        return self._run("dns", "plan", "--out", str(saved))

    def apply(self, saved: Path | None = None) -> Ended:
        return self._run("dns", "apply", "--yes", *(["--plan", str(saved)] if saved else []), listen=True)

    def certify(self) -> Ended:
        return self._run("cert", "issue")

    def records(self) -> Ended:
        return self._run("dns", "records")

    def verify(self) -> Ended:
        return self._run("dns", "verify")

    def _run(self, *words: str, listen: bool = False) -> Ended:
        listen = listen or self.listen
        command = [*program(), *words, "--config", str(self.config), *(["--json"] if listen else [])]
        sys.stdout.flush()
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=listen, text=True, check=False)
        said = (done.stderr or "")[-LONGEST_SAID:].strip()
        return _judged(" ".join(words[:2]), Ended(done.returncode, _document(done.stdout), said))


def program() -> list[str]:
    """Ourselves, as a command."""
    return [sys.executable, "-m", "mailsrv"]


def _document(text: str | None) -> Any:
    with suppress(json.JSONDecodeError, RecursionError):
        return json.loads(text) if text else None
    return None


def _judged(name: str, ended: Ended) -> Ended:
    """A story that could not begin is no story."""
    error = ended.document.get("error", "") if isinstance(ended.document, dict) else ""
    why = str(error or ended.said or "it says why above")
    if ended.status == Exit.LATER:
        raise Later(f"mailsrv {name}: {why}")
    if ended.status not in (Exit.OK, Exit.FINDINGS, Exit.PENDING):
        raise ForUser(f"ended with status {ended.status}: {why}", f"mailsrv {name}", "mend that, then run this again")
    return ended
