"""Telling systemd how we are: READY, RELOADING, STOPPING, WATCHDOG.

Standards: sd_notify(3), systemd.service(5) Type=notify-reload. Without NOTIFY_SOCKET nothing is told.
Fails by: silence; a supervisor that does not listen stops nobody's mail.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress


def notify(state: str, env: Mapping[str, str] = os.environ) -> None:
    """One message, such as READY=1."""
    place = env.get("NOTIFY_SOCKET", "")
    if not place.startswith(("/", "@")):
        return
    address = "\0" + place[1:] if place.startswith("@") else place
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        sock.connect(address)
        sock.sendall(state.encode())


def reloading() -> None:
    """With the time that systemd asks for."""
    notify(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")


def watchdog(env: Mapping[str, str] = os.environ) -> float | None:
    """Seconds after which we should show that we live: half of what systemd waits; None when it does not."""
    text = env.get("WATCHDOG_USEC", "")
    meant = env.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return int(text) / 2e6 if text.isdigit() and int(text) and meant else None
