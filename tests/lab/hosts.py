"""Whole machines of the lab: each a systemd of its own above this machine's files, behind a bridge, to be had by ssh.

    with Hosts(directory, 2) as hosts:
        hosts.first.ssh("systemctl", "is-active", "ssh")      as root
        hosts.first.crash(); hosts.first.start()              the disk stays;  hosts.first.replace(): a new machine

A host is an overlay (upper layer on a tmpfs) over `/`, booted by systemd-nspawn: it has this machine's packages and none of its
services but sshd. The lab's DNS, ACME and Cloudflare are beyond its default route, which is us; there is nothing else.
Standards: systemd-nspawn(1), overlayfs. Real root is needed. Fails by: `Unavailable` with the reason, or the host's last words.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.lab.network import RESOLVER, Unavailable, needs, run, search_path
from tests.lab.postfix import whole_machine
from tests.lab.program import wait_until

GATE, GATE6, BRIDGE = "198.51.100.129", "2001:db8:1::1", "lab-hosts"
HIDDEN = ("tmp", "srv", "home", "work")  # what a host does not see of this machine's files
UNITS = "etc/systemd/system"
SIZE = "4g"  # the most that all hosts write
PATIENCE = 90.0
NSPAWN = ("--quiet", "--boot", "--keep-unit", "--register=no", "--resolv-conf=off", "--timezone=off", "--console=pipe")
POWER_OFF = signal.SIGRTMIN + 4  # systemd(1), of process 1
SSHD = """HostKey /etc/ssh/ssh_host_ed25519_key
# without a user manager for every session: playbooks take half the time
UsePAM no
UseDNS no
MaxSessions 100
"""
RESOLV_CONF = f"nameserver {RESOLVER}\noptions edns0 trust-ad timeout:2 attempts:2\n"


def addresses(number: int) -> tuple[str, str]:
    """Of the host of this number: IPv4, IPv6."""
    return f"198.51.100.{140 + number}", f"2001:db8:1::{10 + number}"


@dataclass
class Host:
    """One machine. number: from 1; it makes its addresses. names: more lines for its /etc/hosts.

    environ: of every service and every session.  files: PATH -> text, on its disk from the start.
    """

    number: int
    home: Path
    key: Path
    names: str
    environ: Mapping[str, str]
    files: Mapping[str, str]
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        return f"host{self.number}"

    @property
    def address(self) -> str:
        return addresses(self.number)[0]

    @property
    def address6(self) -> str:
        return addresses(self.number)[1]

    @property
    def upper(self) -> Path:
        """All that was ever written on it."""
        return self.home / "upper"

    @property
    def root(self) -> Path:
        """Its files, as it sees them, but for what it has mounted itself."""
        return self.home / "root"

    @property
    def log(self) -> Path:
        return self.home / "console.log"

    # life

    def start(self) -> None:
        """Begin to boot; `wait` for it."""
        namespace = f"--network-namespace-path=/run/netns/{self.name}"
        command = ["systemd-nspawn", *NSPAWN, f"--machine={self.name}", namespace, "-D", str(self.root)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": search_path()},
                preexec_fn=self._enter_group,
            )

    def wait(self) -> None:
        """Until every unit has started."""
        said: list[str] = []

        def up() -> bool:
            if not self.running:
                raise Unavailable(f"{self.name} ended:\n{self.log.read_text(errors='replace')[-2000:]}")
            said[:] = self.ssh("systemctl", "is-system-running", "--wait", status=None).split()
            return said[:1] in (["running"], ["degraded"])

        try:
            wait_until(up, f"{self.name} to boot", PATIENCE)
        except TimeoutError as error:
            raise Unavailable(f"{error}: {said}\n{self.log.read_text(errors='replace')[-2000:]}") from None
        if said[0] == "degraded":
            raise Unavailable(f"{self.name}: {self.ssh('systemctl', '--failed', '--no-legend', '--plain')}")

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Orderly: every unit is stopped."""
        if (init := self._init()) is not None:
            os.kill(init, POWER_OFF)
        self._end(PATIENCE)

    def crash(self) -> None:
        """At once, as without power; what was written stays."""
        if (init := self._init()) is not None:
            with suppress(ProcessLookupError):
                os.kill(init, signal.SIGKILL)
        self._end(10)

    def replace(self) -> None:
        """Destroyed, with its disk; another one of the same name and addresses begins to boot."""
        self.crash()
        self._unmount()
        shutil.rmtree(self.upper)
        self.furnish()
        self.start()

    def close(self) -> None:
        self.crash()
        self._unmount()

    # what one does with it

    @property
    def ssh_options(self) -> list[str]:
        fixed = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "ConnectTimeout=5")
        return [word for option in fixed for word in ("-o", option)] + ["-i", str(self.key)]

    def ssh(self, *words: str, stdin: str = "", status: int | None = 0) -> str:
        """A command as root, by words; its output. status: what it must end with, None for anything."""
        quoted = " ".join("'" + word.replace("'", "'\\''") + "'" for word in words)
        done = subprocess.run(
            ["ssh", "-F", "none", *self.ssh_options, f"root@{self.address}", quoted],
            input=stdin, capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        if status is not None and done.returncode != status:
            raise AssertionError(f"{self.name}: {quoted}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def processes(self) -> Iterator[int]:
        """The process ids, as we see them, of all that runs on it."""
        if (init := self._init()) is None:
            return
        ours = Path(f"/proc/{init}/ns/pid").readlink()
        for entry in Path("/proc").glob("[0-9]*/ns/pid"):
            with suppress(OSError):
                if entry.readlink() == ours:
                    yield int(entry.parts[2])

    # how it is made

    def furnish(self) -> None:
        """Its disk, new."""
        work = self.home / "work"
        for path in (self.upper, work, self.root):
            path.mkdir(parents=True, exist_ok=True)
        for name in HIDDEN:
            self._emptied(name)
        run(
            "mount",
            "-t",
            "overlay",
            self.name,
            "-o",
            f"lowerdir=/,upperdir={self.upper},workdir={work}",
            str(self.root),
        )
        for wants in (self.root / UNITS).glob("*.wants"):
            shutil.rmtree(wants)
        wants = self.root / UNITS / "multi-user.target.wants"
        wants.mkdir(parents=True)
        (wants / "ssh.service").symlink_to("/lib/systemd/system/ssh.service")
        self._write_files()

    def _write_files(self) -> None:
        (self.root / "usr/sbin/policy-rc.d").unlink(missing_ok=True)
        (self.root / "etc/ssh").mkdir(exist_ok=True)
        for old in (self.root / "etc/ssh").glob("ssh_host_*"):
            old.unlink()
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.root / "etc/ssh/ssh_host_ed25519_key"))
        here = f"127.0.0.1 localhost\n::1 localhost\n{self.address} {self.name}\n"
        pairs = " ".join(f"{name}={value}" for name, value in self.environ.items())
        files = {
            "etc/ssh/sshd_config.d/lab.conf": SSHD + (f"SetEnv {pairs}\n" if pairs else ""),
            "etc/systemd/system.conf.d/lab.conf": f"[Manager]\nDefaultEnvironment={pairs}\n",
            "etc/hostname": f"{self.name}\n",
            "etc/machine-id": "",
            "etc/resolv.conf": RESOLV_CONF,
            "etc/hosts": here + self.names,
            "root/.ssh/authorized_keys": self.key.with_suffix(".pub").read_text(),
        }
        for name, text in (files | dict(self.files)).items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            path.write_text(text)
        for name in ("root", "root/.ssh"):
            (self.root / name).chmod(0o700)

    def _emptied(self, name: str) -> None:
        """Before it is mounted: a directory of the lower layer is covered by an opaque one (overlayfs)."""
        if not (lower := Path("/") / name).is_dir():
            return
        shadow = self.upper / name
        shadow.mkdir()
        os.setxattr(shadow, "trusted.overlay.opaque", b"y")
        shadow.chmod(lower.stat().st_mode & 0o7777)

    def _unmount(self) -> None:
        run("umount", "-l", str(self.root))
        shutil.rmtree(self.home / "work", ignore_errors=True)

    def _enter_group(self) -> None:
        """Before exec: a control group of its own, for nspawn makes its groups below the one that it is started in."""
        for group in self._groups():
            group.mkdir(exist_ok=True)
            (group / "cgroup.procs").write_text(str(os.getpid()))

    def _groups(self) -> list[Path]:
        ours = Path("/proc/self/ns/net").readlink().name.strip("net:[]")  # several labs may be on one machine
        return [folder / f"mailsrv-lab-{ours}-{self.name}" for folder in _hierarchies()]

    def _init(self) -> int | None:
        """Its process 1, as we see it."""
        if not self.running or self._process is None:
            return None
        pid = self._process.pid
        with suppress(OSError, IndexError):
            return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
        return None

    def _end(self, patience: float) -> None:
        if self._process is None:
            return
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
        for group in self._groups():
            for folder in sorted(group.rglob("*/"), reverse=True):
                with suppress(OSError):
                    folder.rmdir()
            with suppress(OSError):
                group.rmdir()


class Hosts:
    """Some hosts on one bridge. names: lines for their /etc/hosts, such as where Cloudflare's API is."""

    def __init__(
        self,
        directory: Path,
        count: int,
        names: str = "",
        environ: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
    ) -> None:
        self.directory = directory / "hosts"
        self.key = self.directory / "key"
        self._undo = ExitStack()
        self.all = [
            Host(number, self.directory / f"host{number}", self.key, names, environ or {}, files or {})
            for number in range(1, count + 1)
        ]

    def __getitem__(self, index: int) -> Host:
        return self.all[index]

    def __iter__(self) -> Iterator[Host]:
        return iter(self.all)

    @property
    def first(self) -> Host:
        return self.all[0]

    def __enter__(self) -> Self:
        if reason := why_not():
            raise Unavailable(reason)
        with ExitStack() as undo:
            undo.callback(self._undo.close)
            self._prepare()
            for host in self.all:
                self._wire(host)
                host.furnish()
                self._undo.callback(host.close)
                host.start()
            for host in self.all:
                host.wait()
            undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def _prepare(self) -> None:
        disk = self.directory
        disk.mkdir(parents=True)
        run("mount", "-t", "tmpfs", "-o", f"mode=755,size={SIZE}", "lab-hosts", str(disk))
        self._undo.callback(run, "umount", "-l", str(disk))
        Path("/run/netns").mkdir(exist_ok=True)
        run("mount", "-t", "tmpfs", "lab-netns", "/run/netns")  # else the names would be seen outside
        self._undo.callback(run, "umount", "-l", "/run/netns")
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key))
        _links(
            f"link add {BRIDGE} type bridge",
            f"link set {BRIDGE} up",
            f"addr add {GATE}/25 dev {BRIDGE}",
            f"addr add {GATE6}/64 dev {BRIDGE} nodad",
        )
        self._undo.callback(run, "ip", "link", "del", BRIDGE)

    def _wire(self, host: Host) -> None:
        name, veth = host.name, f"lab-{host.name}"
        run("ip", "netns", "add", name)
        self._undo.callback(run, "ip", "netns", "del", name)
        _links(f"link add {veth} type veth peer name host0 netns {name}", f"link set {veth} master {BRIDGE} up")
        _links(
            "link set lo up",
            f"addr add {host.address}/25 dev host0",
            f"addr add {host.address6}/64 dev host0 nodad",
            "link set host0 up",
            f"route add default via {GATE}",
            f"-6 route add default via {GATE6}",
            namespace=name,
        )


def why_not() -> str:
    """Why no host can be had here; empty when they can."""
    if missing := needs("ip", "mount", "systemd-nspawn", "ssh", "ssh-keygen", "sshd"):
        return missing
    if not whole_machine():
        return "whole hosts need real root"
    return "" if list(_hierarchies()) else "systemd-nspawn needs control groups (/sys/fs/cgroup)"


def _hierarchies() -> Iterator[Path]:
    """Where process groups are made: systemd's own hierarchy, the unified one, or both (cgroups(7))."""
    base = Path("/sys/fs/cgroup")
    for folder in (base, base / "unified", base / "systemd"):
        if (folder / "cgroup.procs").exists():
            yield folder


def _links(*lines: str, namespace: str = "") -> None:
    where = ("-n", namespace) if namespace else ()
    for line in lines:
        run("ip", *where, *line.split())
