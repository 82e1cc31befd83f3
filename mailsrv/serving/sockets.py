"""The sockets that the server listens on: made by us, or handed over by systemd.

    doors = open_doors(settings.listeners)               one Door a listener and address
    doors = open_doors(settings.listeners, workers=2)    each worker's own, side by side on one port (SO_REUSEPORT)

Standards: sd_listen_fds(3) - LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES. A socket is known by its name (smtp, submission,
submissions, imap, imaps, http, https, web), else by its port.
Fails by: `ForUser`, naming address and port. An IPv6 address that the machine cannot have is passed over where the listener has another one;
a port of the web that is not to be had is told, and mail goes on without it.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dnsops.base.errors import ForUser, Misconfigured

if TYPE_CHECKING:
    from dnsops.base.settings.mailserver import Listener, Listeners

KINDS = ("smtp", "submission", "submissions", "imap", "imaps", "http", "https", "web")
WEB = ("https", "web")  # what mail can do without, for a while
SINGLE = ("http", *WEB)  # the first worker's alone
FIRST = 3  # file descriptors handed over begin here (sd_listen_fds(3))
MOST_HANDED = 64
BACKLOG = 1024
_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


@dataclass(frozen=True, slots=True)
class Door:
    """A bound socket and the listener it is for. `implicit_tls`: TLS from the first byte."""

    kind: str
    sock: socket.socket
    implicit_tls: bool = False
    worker: int = 0
    shared: bool = False  # by all workers: systemd made it

    @property
    def address(self) -> str:
        return str(self.sock.getsockname()[0]) if self.sock.family != socket.AF_UNIX else ""

    @property
    def port(self) -> int:
        return int(self.sock.getsockname()[1]) if self.sock.family != socket.AF_UNIX else 0


def open_doors(
    listeners: Listeners,
    workers: int = 1,
    env: Mapping[str, str] = os.environ,
    pid: int | None = None,
    without: Callable[[str, ForUser], None] | None = None,
    kinds: Container[str] = KINDS,
) -> list[Door]:
    """All sockets of the configuration. A listener that systemd serves is not opened a second time.

    without: told of a port of the web that we cannot have (its kind, why); unless given, that is an error like any other.
    kinds: only these.
    """
    doors = list(handed_over(listeners, env, os.getpid() if pid is None else pid))
    given = {door.kind for door in doors}
    try:
        for kind in KINDS:
            if getattr(listeners, kind).enabled and kind not in given and kind in kinds:
                doors += _all_opened(kind, listeners, workers, without if kind in WEB else None)
    except BaseException:
        close(doors)
        raise
    if not doors:
        raise Misconfigured("no listener is enabled", "listeners", "enable one of them")
    return doors


def _all_opened(
    kind: str, listeners: Listeners, workers: int, without: Callable[[str, ForUser], None] | None
) -> list[Door]:
    """Each worker's, or only the first one's."""
    alone = kind in SINGLE
    doors: list[Door] = []
    try:
        for worker in range(1 if alone else workers):
            doors += _opened(kind, getattr(listeners, kind), worker, shared=workers > 1 and not alone)
    except ForUser as trouble:
        close(doors)
        if without is None:
            raise
        without(kind, trouble)
        return []
    return doors


def close(doors: list[Door]) -> None:
    for door in doors:
        door.sock.close()


def handed_over(listeners: Listeners, env: Mapping[str, str], pid: int) -> Iterator[Door]:
    """Those of systemd, when they are meant for us."""
    if env.get("LISTEN_PID", "") != str(pid):
        return
    text = env.get("LISTEN_FDS", "")
    count = int(text) if text.isdigit() else 0
    if not 0 < count <= MOST_HANDED:
        return
    names = env.get("LISTEN_FDNAMES", "").split(":")
    for number in range(count):
        handle = FIRST + number
        if not stat.S_ISSOCK(os.fstat(handle).st_mode):
            raise Misconfigured("is not a socket", f"file descriptor {handle} of systemd", "look at the .socket unit")
        sock = socket.socket(fileno=handle)
        os.set_inheritable(handle, False)
        kind = _kind(names[number] if number < len(names) else "", sock, listeners)
        yield Door(kind, sock, getattr(listeners, kind).implicit_tls, shared=True)


def _kind(name: str, sock: socket.socket, listeners: Listeners) -> str:
    if name in KINDS:
        return name
    port = sock.getsockname()[1] if sock.family != socket.AF_UNIX else None
    for kind in KINDS:
        if getattr(listeners, kind).port == port:
            return kind
    raise Misconfigured(
        f"a socket of systemd is for no listener: {name or 'without a name'}, port {port}",
        "LISTEN_FDNAMES",
        f"write FileDescriptorName= with one of: {', '.join(KINDS)}",
    )


def _opened(kind: str, listener: Listener, worker: int, shared: bool) -> list[Door]:
    """A socket for each address of a listener."""
    doors: list[Door] = []
    missing: ForUser | None = None
    for address in listener.bind:
        try:
            sock = bound(address, listener.port, shared)
        except OSError as error:
            trouble = taken(address, listener.port, error)
            if error.errno in _NOT_HERE and ":" in address:
                missing = trouble
                continue
            close(doors)
            raise trouble from None
        doors.append(Door(kind, sock, listener.implicit_tls, worker))
    if missing and not doors:
        raise missing
    return doors


def bound(address: str, port: int, shared: bool = False) -> socket.socket:
    """A bound TCP socket; an IPv6 one takes no IPv4. `shared`: others of our processes may have one of the same."""
    v6 = ":" in address
    sock = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if v6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address, port))
    except OSError:
        sock.close()
        raise
    return sock


def taken(address: str, port: int, error: OSError) -> ForUser:
    """Why there can be no listening there, and what now."""
    advice = {
        errno.EADDRINUSE: "end the program that has it (`ss -ltnp` names it), or write another port under `listeners`",
        errno.EACCES: "ports below 1024 are for root: start as root, by socket activation, or with CAP_NET_BIND_SERVICE",
    }.get(error.errno or 0, "write an address of this machine under `bind`")
    return ForUser(f"cannot listen there ({error.strerror})", f"{address}, port {port}", advice)
