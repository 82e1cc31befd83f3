"""The addresses of this machine: what the queue must never take for another host.

Standards: netdevice(7) SIOCGIFCONF; proc_net(5) if_inet6. Fails by: leaving out what the kernel does not tell.
"""

from __future__ import annotations

import ctypes
import fcntl
import ipaddress
import socket
import struct
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from mailsrv.serving.sockets import Door

_SIOCGIFCONF = 0x8912
_RECORD = 40  # octets of a struct ifreq on 64-bit Linux
_MOST = 256  # addresses


def ours(doors: Iterable[Door]) -> frozenset[str]:
    """Where mail for us comes in: the addresses listened on, and all of the machine when that is every one."""
    listened = {door.address for door in doors if door.kind == "smtp" and door.address}
    if any(ipaddress.ip_address(address.partition("%")[0]).is_unspecified for address in listened):
        return frozenset(listened | local())
    return frozenset(listened)


def local() -> set[str]:
    """Every address of every interface."""
    return {*_v4(), *_v6()}


def _v4() -> Iterable[str]:
    room = bytearray(_MOST * _RECORD)
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        where = ctypes.addressof(ctypes.c_char.from_buffer(room))
        answer = fcntl.ioctl(sock, _SIOCGIFCONF, struct.pack("iP", len(room), where))
        used = struct.unpack("iP", answer)[0]
        for start in range(0, used, _RECORD):
            yield socket.inet_ntoa(room[start + 20 : start + 24])


def _v6() -> Iterable[str]:
    with suppress(OSError):
        for line in Path("/proc/net/if_inet6").read_text(encoding="ascii").splitlines()[:_MOST]:
            address = ipaddress.IPv6Address(bytes.fromhex(line[:32]))
            if not address.is_link_local:
                yield str(address)
