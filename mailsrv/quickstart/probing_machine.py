"""What this machine is: its public addresses, room, rights, and whether its clock is kept. Touches the kernel and files.

Standards: adjtimex(2), capabilities(7), ip-sysctl (ip_unprivileged_port_start).
Fails by: leaving out what the kernel does not tell.
"""

from __future__ import annotations

import ctypes
import ipaddress
import os
import pwd
import shutil
from pathlib import Path

from dnsops.base import files
from dnsops.reconcile.interfaces import global_addresses
from mailsrv.quickstart import facts
from mailsrv.serving.addresses import local
from mailsrv.serving.privileges import USUAL
from mailsrv.spam.dnsbl import NOBODYS

_NET_BIND_SERVICE = 10  # capabilities(7)
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
_TIMEX = 512  # octets: more than struct timex has anywhere


def public_addresses() -> tuple[str, ...]:
    """Those that the kernel would send from, when they mean us everywhere; else all such of our interfaces, IPv4 first."""
    if chosen := global_addresses():
        return chosen
    found = [ipaddress.ip_address(one) for one in local()]
    everywhere = [
        one for one in found if not any(one in network for network in NOBODYS if network.version == one.version)
    ]
    return tuple(str(one) for one in sorted(everywhere, key=lambda one: (one.version, int(one))))


async def machine(output: Path, state: Path) -> facts.Machine:
    where = _standing(state)
    return facts.Machine(
        root=os.geteuid() == 0,
        low_ports=_low_ports(),
        user=_there_is(USUAL),
        state=str(where),
        free=shutil.disk_usage(where).free,
        unwritable=tuple((str(path), why) for path in (output, state) if (why := _unwritable(path))),
    )


def synchronised() -> bool | None:
    """What the kernel thinks of its clock; None when it does not say."""
    try:
        answer: int = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_TIMEX))
    except (OSError, AttributeError):
        return None
    return None if answer < 0 else answer != _TIME_ERROR


def _standing(path: Path) -> Path:
    """The directory itself, or the nearest one above it that is there."""
    return next((one for one in (path, *path.absolute().parents) if one.is_dir()), Path("/"))


def _unwritable(path: Path) -> str:
    where = _standing(path)
    return "" if os.access(where, os.W_OK | os.X_OK) else f"{where} is not ours"


def _there_is(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def _low_ports() -> bool:
    """Whether port 25 may be opened: by capability, or because the kernel is told that everybody may."""
    try:
        first = int(files.read_bounded(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start"), 64))
        status = files.read_bounded(Path("/proc/self/status"), 1 << 16).decode("ascii", "replace")
        capabilities = int(next(line for line in status.splitlines() if line.startswith("CapEff")).split()[1], 16)
    except (OSError, ValueError, StopIteration):
        return os.geteuid() == 0
    return first <= 25 or bool(capabilities >> _NET_BIND_SERVICE & 1)
