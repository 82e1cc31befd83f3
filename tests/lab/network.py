"""The lab's network: documentation addresses on the loopback of a namespace without a way out (RFC 5737, RFC 3849).

    with private_network() as directory: ...      # inside `tests/lab/enter.sh`

Own /etc/resolv.conf and /etc/hosts by bind mounts; state in a temporary directory (LAB_DIR overrides) on a tmpfs.
Fails by: `Unavailable`, with the reason, wherever it could touch the world outside.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

PRIMARY, PRIMARY6, SECONDARY, BIND = "192.0.2.1", "2001:db8::1", "192.0.2.2", "192.0.2.3"
SECONDARY6 = "2001:db8::2"  # it answers there, but no record of the first day says so
RESOLVER, LOCAL_RESOLVER = "192.0.2.53", "127.0.0.1"
MX, MX6, MX2 = "192.0.2.25", "2001:db8::25", "192.0.2.26"
ACME, CLOUDFLARE, SENDER = "192.0.2.14", "192.0.2.10", "198.51.100.25"
CROWD = "203.0.113.0/24"  # every address of it is ours: room for hundreds of hosts

RESOLV_CONF = f"nameserver {RESOLVER}\noptions edns0 trust-ad timeout:2 attempts:2\n"
HOSTS = f"127.0.0.1 localhost\n::1 localhost\n{CLOUDFLARE} api.cloudflare.com\n{ACME} acme.lab\n"


class Unavailable(Exception):
    """Why this part of the lab cannot be had here."""


def why_not(environ: Mapping[str, str] = os.environ) -> str:
    """Why no lab can be built here; empty when one can."""
    if environ.get("MAILSRV_LAB") != "inside":
        return "not in the lab's namespace: run it as `tests/lab/enter.sh COMMAND`"
    outside = environ.get("MAILSRV_LAB_OUTSIDE", "").split()
    ours = [str(Path(f"/proc/self/ns/{kind}").readlink()) for kind in ("net", "mnt")]
    if len(outside) != 2 or set(outside) & set(ours):
        return "refused: these are the machine's own network or mount namespaces"
    if missing := needs("ip", "mount", "umount"):
        return missing
    return _way_out()


def needs(*programs: str) -> str:
    """Which of these programs is not installed, as a sentence; empty when all are."""
    missing = [program for program in programs if not shutil.which(program, path=search_path())]
    return f"not installed: {', '.join(missing)}" if missing else ""


def search_path() -> str:
    """PATH with the directories of daemons."""
    return os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/local/sbin:/usr/sbin:/sbin"


@contextmanager
def private_network() -> Iterator[Path]:
    """Addresses and files in place; gives the lab's directory. Afterwards everything is as before."""
    if reason := why_not():
        raise Unavailable(reason)
    with ExitStack() as later:
        directory = later.enter_context(_state_directory())
        _configure_loopback()
        for name, text in (("resolv.conf", RESOLV_CONF), ("hosts", HOSTS)):
            later.enter_context(_mounted_over(Path("/etc") / name, directory / "etc" / name, text))
        yield directory


def _way_out() -> str:
    for family in ("-4", "-6"):
        if run("ip", family, "route", "show", "default").strip():
            return "refused: this network namespace has a way out (a default route)"
    links = run("ip", "-o", "link", "show", "up").splitlines()
    if others := [line.split(":")[1].strip() for line in links if not line.split(":")[1].startswith(" lo")]:
        return f"refused: this network namespace has a way out ({', '.join(others)})"
    return ""


@contextmanager
def _state_directory() -> Iterator[Path]:
    """A directory that every user may enter, postfix among them. A given one stays, with its logs, for reading."""
    if given := os.environ.get("LAB_DIR"):
        yield _emptied(Path(given))
        return
    directory = Path(tempfile.mkdtemp(prefix="mailsrv-lab-"))
    run("mount", "-t", "tmpfs", "-o", "mode=755,size=512m", "mailsrv-lab", str(directory))
    try:
        yield directory
    finally:
        run("umount", "-l", str(directory))
        directory.rmdir()


def _emptied(directory: Path) -> Path:
    """The directory that a person named, as new; one that was not made by the lab is left alone."""
    mark = directory / ".mailsrv-lab"
    if directory.exists() and any(directory.iterdir()) and not mark.exists():
        raise Unavailable(f"LAB_DIR={directory}: holds files that are not the lab's - name a new directory")
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    mark.touch()
    return directory


def _configure_loopback() -> None:
    addresses = (PRIMARY, SECONDARY, BIND, RESOLVER, MX, MX2, ACME, CLOUDFLARE, SENDER)
    lines = ["link set lo up"]
    lines += [f"address replace {address}/32 dev lo" for address in addresses]
    lines += [f"address replace {address}/128 dev lo nodad" for address in (PRIMARY6, SECONDARY6, MX6)]
    lines += [f"route replace local {CROWD} dev lo"]
    run("ip", "-batch", "-", stdin="\n".join(lines) + "\n")


@contextmanager
def _mounted_over(target: Path, source: Path, text: str) -> Iterator[None]:
    source.parent.mkdir(exist_ok=True)
    source.write_text(text)
    run("mount", "--bind", str(source), str(target.resolve()))
    try:
        yield
    finally:
        run("umount", "-l", str(target.resolve()))


def run(*command: str, stdin: str = "") -> str:
    """What a command of the system prints; `Unavailable` when it fails."""
    done = subprocess.run(
        command, input=stdin, capture_output=True, text=True, env={**os.environ, "PATH": search_path()}, check=False
    )
    if done.returncode:
        raise Unavailable(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
