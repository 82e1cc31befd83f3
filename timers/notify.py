"""Telling systemd that we are ready, or stopping.

Standards: sd_notify(3): one datagram to the socket that NOTIFY_SOCKET names.
Fails by: silence, as sd_notify(3) itself advises; without the variable nobody wants to know.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress


def tell(state: str, place: str | None = None) -> None:
    """`READY=1`, `STOPPING=1`."""
    address = os.environ.get("NOTIFY_SOCKET", "") if place is None else place
    if not address:
        return
    address = "\0" + address[1:] if address.startswith("@") else address  # an abstract socket, unix(7)
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
        out.sendto(state.encode(), address)
