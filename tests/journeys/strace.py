"""Commands that die by SIGKILL at a system call of one's choice, by strace's injection.

strace counts in each thread for itself: a sweep by number is for what one thread does, a path is for the rest.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

KILLED = -signal.SIGKILL
DEAD = (KILLED, 128 + signal.SIGKILL)  # strace says it as a shell does
RENAMES, SYNCS = "rename,renameat,renameat2", "fsync,fdatasync"


def killing(calls: str, number: int = 1, path: Path | None = None) -> tuple[str, ...]:
    """What starts a command that dies at its number-th call of these; of those that concern a path, when one is given."""
    inject = f"inject={calls}:signal=KILL:when={number}"
    about = ("-P", str(path)) if path else ()
    return ("strace", "-f", "-qq", "-o", os.devnull, *about, "-e", f"trace={calls}", "-e", inject)


def why_not() -> str:
    """Why it cannot be used here; empty when it can."""
    if not shutil.which("strace"):
        return "not installed: strace"
    tried = subprocess.run([*killing("rename", 9), "true"], capture_output=True, text=True, check=False)
    return f"strace may not trace here: {tried.stderr.strip()}" if tried.returncode else ""
