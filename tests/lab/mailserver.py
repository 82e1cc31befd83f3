"""`mailsrv serve` as a server of the lab: its own state directory, ports of its own, alice and bob.

    with MailServer(directory, pki=pki) as server:
        server.smtp(), server.submission("alice"), server.imap("bob")     logged in by the standard library
        server.events("mail.received"); server.reload(); server.kill(); server.start()

A child process, so that signals, crashes and restarts are the real ones. Unless told otherwise it listens on 127.0.0.1.
Fails by: `Unavailable` with its log when it does not come up; `end` fails a test whose server told of a bug of its own.
"""

from __future__ import annotations

import imaplib
import json
import os
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from tests.lab import bugs
from tests.lab.network import Unavailable
from tests.lab.pki import Pki
from tests.lab.program import wait_until

DOMAIN, HOST = "mail.test", "mx.mail.test"
PASSWORD = "foobar"
LISTENERS = ("smtp", "submission", "submissions", "imap", "imaps", "http")
WEB = ("https", "web")  # off unless asked for: `MailServer(..., web=True)`
ROOT = Path(__file__).parents[2]


class MailServer:
    """One server. `settings` overrides the configuration, section by section; `around` goes before its command line.

    web: whether the web listeners are on; its settings, if it has some.
    """

    def __init__(
        self,
        directory: Path,
        pki: Pki | None = None,
        address: str = "127.0.0.1",
        users: Sequence[str] = ("alice", "bob"),
        around: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        web: Mapping[str, Any] | bool = False,
        **settings: Any,
    ) -> None:
        self.directory, self.address, self.around = directory, address, tuple(around)
        self.password = PASSWORD
        directory.mkdir(parents=True, exist_ok=True)
        self.state, self.log, self.config = directory / "state", directory / "serve.log", directory / "mailsrv.yml"
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT), **(env or {})}
        kinds = (*LISTENERS, *WEB) if web else LISTENERS
        self.ports = dict(zip(kinds, free_ports(len(kinds), address), strict=True))
        (directory / "password").write_text(PASSWORD)
        (directory / "password").chmod(0o600)
        self.pki = pki or Pki(directory)
        self.ca = str(self.pki.ca)  # whom clients trust
        self.settings: dict[str, Any] = {
            "hostname": HOST,
            "domains": [DOMAIN],
            "accounts": [
                {"name": user, "password": "!file password", "addresses": [f"{user}@{DOMAIN}"]} for user in users
            ],
            "state": {"directory": str(self.state)},
            "listeners": {kind: {"enabled": False} for kind in WEB}
            | {kind: {"port": port, "bind": address} for kind, port in self.ports.items()},
            "web": dict(web) if isinstance(web, Mapping) else {},
            "queue": {"next_hop": "local"},
            "timers": {"run": False},
            "log": {"format": "json"},
        }
        for key, value in settings.items():
            here = self.settings.get(key)
            self.settings[key] = {**here, **value} if isinstance(here, dict) and isinstance(value, dict) else value
        if self.settings.get("tls", self) is None:  # the pair that mailsrv keeps in its state
            del self.settings["tls"]
        elif "tls" not in self.settings:
            names = [self.settings["hostname"], address, *(web_names(self.settings["domains"]) if web else ())]
            chain, secret = self.pki.issue(names).write(directory, "tls")
            self.settings["tls"] = {"certificate": str(chain), "key": str(secret)}
        self.options: tuple[str, ...] = ()  # of `mailsrv serve`
        self.process: subprocess.Popen[bytes] | None = None
        self._seen = 0
        self.write()

    # its life

    def write(self, **changes: Any) -> None:
        """The configuration on disk, for `start` or `reload`."""
        self.settings |= changes
        text = json.dumps(self.settings, indent=1)
        self.config.write_text(text.replace('"!file password"', "!file password"))  # JSON is YAML, but for our tags

    def start(self, patience: float = 30.0) -> Self:
        """Returns when it is ready."""
        self._seen = len(self._text())
        bugs.watch(self.log)
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [*self.around, sys.executable, "-m", "mailsrv", "serve", "--config", str(self.config), *self.options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self.environment,
                cwd=self.directory,
            )
        try:
            wait_until(lambda: not self.running or "serve.ready" in self._text()[self._seen :], "serve", patience)
        except TimeoutError as error:
            self.kill()
            raise Unavailable(f"{error}:\n{self._text()[-2000:]}") from None
        if not self.running:
            raise Unavailable(f"serve ended at once:\n{self._text()[self._seen :][-2000:]}")
        return self

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        """Of the server itself, also when another program started it."""
        assert self.process
        if not self.around:
            return self.process.pid
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0]) if children else self.process.pid

    def stop(self, patience: float = 40.0) -> int:
        """SIGTERM; its exit status."""
        if self.process is None:
            return 0
        if self.running:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)
        try:
            status = self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        self.process = None
        return status

    def kill(self) -> None:
        """SIGKILL: as a crash would."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def restart(self) -> Self:
        self.stop()
        return self.start()

    def reload(self) -> None:
        """SIGHUP; returns when the log says how it went."""
        before = len(self._text())
        os.kill(self.pid, signal.SIGHUP)
        wait_until(lambda: "reloaded" in self._text()[before:], "serve to reload")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: object, *_: object) -> None:
        status = self.stop()
        if kind is None:
            assert status == 0, self._text()[-2000:]
            self.check()

    def check(self) -> None:
        """That it told of no bug of its own; after each test it is asked anyway."""
        found = bugs.in_file(self.log)
        assert found == [], "\n".join(found[:20]) + self._text()[-2000:]

    # its log

    def _text(self) -> str:
        try:
            return self.log.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def lines(self) -> Iterator[dict[str, Any]]:
        for line in self._text().splitlines():
            with suppress(json.JSONDecodeError):
                found = json.loads(line)
                if isinstance(found, dict):
                    yield found

    def events(self, name: str) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line.get("event") == name]

    # its clients

    @property
    def trust(self) -> ssl.SSLContext:
        """A client's context that trusts the lab; the name is checked where it is given."""
        context = ssl.create_default_context(cafile=self.ca)
        context.check_hostname = False
        return context

    def smtp(self, timeout: float = 30.0) -> smtplib.SMTP:
        return smtplib.SMTP(self.address, self.ports["smtp"], timeout=timeout)

    def submission(self, user: str = "alice", timeout: float = 30.0) -> smtplib.SMTP:
        client = smtplib.SMTP(self.address, self.ports["submission"], timeout=timeout)
        client.starttls(context=self.trust)
        client.login(user, self.password)
        return client

    def imap(self, user: str = "alice", timeout: float = 30.0) -> imaplib.IMAP4:
        client = imaplib.IMAP4_SSL(self.address, self.ports["imaps"], ssl_context=self.trust, timeout=timeout)
        client.login(user, self.password)
        return client

    def send(
        self, to: str = "alice", subject: str = "hello", sender: str = "you@example.org", body: str = "hello"
    ) -> None:
        """A message from outside, to one of the users."""
        text = f"From: {sender}\r\nTo: {to}@{DOMAIN}\r\nSubject: {subject}\r\n\r\n{body}\r\n"
        with self.smtp() as client:
            client.sendmail(sender, [f"{to}@{DOMAIN}"], text.encode())

    def messages(self, user: str = "alice", mailbox: str = "INBOX") -> list[bytes]:
        """All messages of a mailbox, whole."""
        with self.imap(user) as client:
            status, _ = client.select(f'"{mailbox}"', readonly=True)
            assert status == "OK"
            _, parts = client.uid("FETCH", "1:*", "(BODY.PEEK[])")
            return [part[1] for part in parts if isinstance(part, tuple)]


def web_names(domains: Sequence[str]) -> list[str]:
    """The names of the domains that the web listeners answer to."""
    labels = ("", "mta-sts.", "autoconfig.", "autodiscover.", "ua-auto-config.", "mail.")
    return [label + domain for domain in domains for label in labels]


def free_ports(count: int, address: str = "127.0.0.1") -> list[int]:
    """Ports that nobody has at this moment."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    held = [socket.socket(family) for _ in range(count)]
    try:
        for sock in held:
            sock.bind((address, 0))
        return [int(sock.getsockname()[1]) for sock in held]
    finally:
        for sock in held:
            sock.close()
