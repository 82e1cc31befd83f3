"""Postfix instances of our own: a sender that verifies DANE (RFC 7672) and a receiver with STARTTLS.

    with Sender(directory) as sender, Receiver(directory, chain, key):
        assert sender.finger("example.org") is Verdict.VERIFIED
        assert sender.send("user1@example.org").status == "sent"

Each has its queue, data and configuration below the lab's directory; nothing below /etc is touched. Real root is needed:
Postfix changes to its own user. Postfix keeps TLSA answers in its smtp process for some seconds, hence `max_idle = 1s`.
Fails by: `Unavailable` with the reason.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Self

from tests.lab.network import MX, MX6, SENDER, Unavailable, needs, search_path
from tests.lab.program import listening, wait_until
from tests.lab.zones import DELEGATED

SETTINGS = Path("/etc/postfix")
COPIED = ("dynamicmaps.cf", "dynamicmaps.cf.d", "postfix-files", "postfix-files.d")
WHOLE_MACHINE = "0 0 4294967295"  # uid_map of a process whose root is the machine's


class Verdict(Enum):
    """What posttls-finger says of a connection."""

    VERIFIED = "Verified"
    TRUSTED = "Trusted"
    UNTRUSTED = "Untrusted"
    ANONYMOUS = "Anonymous"
    NONE = "no TLS connection"


@dataclass(frozen=True)
class Delivery:
    """What became of a message at one attempt."""

    status: str  # sent, deferred or bounced
    dsn: str
    tls: str  # Verified, Untrusted ... as logged
    line: str


class Instance:
    """One Postfix. `mail.log` in its directory is its log."""

    def __init__(self, directory: Path, name: str, settings: dict[str, str], services: str) -> None:
        self.home, self.name = directory / f"postfix-{name}", name
        self.log = self.home / "mail.log"
        self._settings, self._services = settings, services

    def start(self) -> Self:
        if reason := why_not():
            raise Unavailable(reason)
        self._write_files()
        self._postfix("start")
        wait_until(self.running, f"postfix ({self.name}) to start")
        return self

    def stop(self) -> None:
        """End the master by its process id; its children end with it."""
        pid = self._pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not self.running(), f"postfix ({self.name}) to stop")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def reload(self) -> None:
        self._postfix("reload")

    def running(self) -> bool:
        """Whether the master holds the lock of its pid file; a zombie holds none."""
        pid = self._pid()
        if pid is None:
            return False
        try:  # it may end between any look and the next: only reading tells
            stat = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return False
        return stat.rpartition(")")[2].split()[0] != "Z"

    def _pid(self) -> int | None:
        file = self.home / "queue" / "pid" / "master.pid"
        try:
            return int(file.read_text())
        except (FileNotFoundError, ValueError):
            return None

    def _write_files(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)  # of an instance that was here before
        for part in ("etc", "queue", "data"):
            (self.home / part).mkdir(parents=True)
        shutil.chown(self.home / "data", "postfix")
        self.log.touch()
        for name in COPIED:
            if (SETTINGS / name).is_dir():
                shutil.copytree(SETTINGS / name, self.home / "etc" / name)
            elif (SETTINGS / name).exists():
                shutil.copy(SETTINGS / name, self.home / "etc" / name)
        places = {"queue_directory": "queue", "data_directory": "data", "maillog_file": "mail.log"}
        settings = COMMON | {name: str(self.home / part) for name, part in places.items()}
        settings |= {"maillog_file_prefixes": str(self.home)} | self._settings
        lines = (f"{name} = {value}\n" for name, value in settings.items())
        (self.home / "etc" / "main.cf").write_text("".join(lines))
        (self.home / "etc" / "master.cf").write_text(_master_cf() + self._services)

    def _postfix(self, word: str) -> None:
        _run("postfix", "-c", str(self.home / "etc"), word)


class Sender(Instance):
    """Delivers by DANE and says what it saw."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, "sender", SENDING, "")
        self._sent = 0

    def finger(self, domain: str) -> Verdict:
        """The DANE verdict on a domain's MX, or on one host written as [host]."""
        return finger(domain)

    def send(self, recipient: str, patience: float = 20) -> Delivery:
        """Hand over one message; the outcome of the first attempt."""
        self._sent += 1
        before = self.log.stat().st_size
        _run(
            "sendmail", "-C", str(self.home / "etc" / "main.cf"), "-f", "user1@sender.lab", recipient,
            stdin=f"Subject: message {self._sent}\n\nhello\n",
        )  # fmt: skip
        return self._outcome(recipient, before, patience)

    def flush(self, recipient: str, patience: float = 20) -> Delivery:
        """Another attempt of what is deferred."""
        before = self.log.stat().st_size
        _run("postqueue", "-c", str(self.home / "etc"), "-f")
        return self._outcome(recipient, before, patience)

    def empty(self) -> None:
        """Forget all queued messages."""
        _run("postsuper", "-c", str(self.home / "etc"), "-d", "ALL")

    def _outcome(self, recipient: str, before: int, patience: float) -> Delivery:
        def fresh() -> str:
            return self.log.read_text(errors="replace")[before:]

        pattern = rf"to=<{re.escape(recipient)}>.*dsn=([\d.]+), status=(\w+).*"
        wait_until(lambda: re.search(pattern, fresh()) is not None, f"a delivery to {recipient}", patience)
        found, tls = re.search(pattern, fresh()), re.findall(r"(\w+) TLS connection established to", fresh())
        if found is None:
            raise TimeoutError(recipient)
        return Delivery(found[2], found[1], tls[-1] if tls else "", found[0])


class Receiver(Instance):
    """Takes mail for the lab's domains on port 25 of the lab's MX addresses and throws it away."""

    def __init__(self, directory: Path, chain: Path, key: Path, addresses: tuple[str, ...] = (MX, MX6)) -> None:
        tls = {"smtpd_tls_chain_files": f"{key}, {chain}"}
        bracketed = [f"[{address}]" if ":" in address else address for address in addresses]
        services = "".join(f"{address}:25 inet n - n - - smtpd\n" for address in bracketed)
        super().__init__(directory, "receiver", RECEIVING | tls, services)
        self._addresses = addresses

    def start(self) -> Self:
        super().start()
        wait_until(lambda: all(listening(address, 25) for address in self._addresses), "the receiver's port 25")
        return self


def finger(domain: str) -> Verdict:
    """What posttls-finger, Postfix's DANE client, says of a domain's MX, or of one host written as [host]."""
    if missing := needs("posttls-finger"):
        raise Unavailable(missing)
    return _verdict(finger_text(domain))


def finger_text(domain: str) -> str:
    """All that it says."""
    return _run("posttls-finger", "-c", "-l", "dane", "-L", "summary", "-t", "10", domain, check=False)


def why_not() -> str:
    """Why Postfix cannot run here; empty when it can."""
    if missing := needs("postfix", "postqueue", "postsuper", "sendmail", "posttls-finger"):
        return missing
    return "" if whole_machine() else "Postfix needs real root"


def whole_machine() -> bool:
    """Whether we are root, and not only in a user namespace."""
    return os.geteuid() == 0 and " ".join(Path("/proc/self/uid_map").read_text().split()) == WHOLE_MACHINE


def _verdict(said: str) -> Verdict:
    found = re.search(r"(Verified|Trusted|Untrusted|Anonymous) TLS connection", said)
    return Verdict(found[1]) if found else Verdict.NONE


def _master_cf() -> str:
    """The distribution's services without chroot, and without its listener."""
    lines = Path("/usr/share/postfix/master.cf.dist").read_text().splitlines()
    lines = [line for line in lines if not line.startswith("smtp      inet")]
    return "\n".join(re.sub(r"^(\w+ +unix +[-ny] +[-ny] +)y", r"\1n", line) for line in lines) + "\n"


def _run(*command: str, stdin: str = "", check: bool = True) -> str:
    environment = {**os.environ, "PATH": search_path()}
    done = subprocess.run(
        command, input=stdin, capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    if check and done.returncode:
        raise Unavailable(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()}")
    return done.stdout + done.stderr


COMMON = {
    "compatibility_level": "3.6",
    "command_directory": "/usr/sbin",
    "daemon_directory": "/usr/lib/postfix/sbin",
    "mail_owner": "postfix",
    "setgid_group": "postdrop",
    "mynetworks": "127.0.0.0/8",
    "alias_maps": "",
    "alias_database": "",
    "local_recipient_maps": "",
    "import_environment": "MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C",
}
SENDING = {
    "myhostname": "sender.lab",
    "mydestination": "",
    "inet_interfaces": "loopback-only",
    "inet_protocols": "ipv4",
    "smtp_bind_address": SENDER,
    "smtp_tls_security_level": "dane",
    "smtp_dns_support_level": "dnssec",
    "smtp_host_lookup": "dns",
    "smtp_tls_loglevel": "1",
    "minimal_backoff_time": "300s",
    "max_idle": "1s",
}
RECEIVING = {
    "myhostname": "mx1.example.org",
    "mydestination": ", ".join(DELEGATED),
    "local_transport": "discard:",
    "smtpd_tls_security_level": "may",
    "smtpd_tls_loglevel": "1",
}
