"""A witness: sends numbered mail to a server, remembers every 250, and asks afterwards where each message is."""

from __future__ import annotations

import json
import re
import smtplib
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from tests.lab.mailserver import DOMAIN, MailServer

OUTSIDE = "example.net"
NUMBER = re.compile(rb"X-Number: (\d+)\r\n")
NO_PATH = re.compile(r"/(?:tmp|var|home|root|usr|store|state)\b|\.py\b|[A-Z][a-z]+Error\b|Traceback|apsw|sqlite", re.I)


def message(number: int) -> bytes:
    """Each another one; one of seven is large enough for a file of its own."""
    lines = 3000 if number % 7 == 0 else number % 11
    head = f"From: alice@{DOMAIN}\r\nTo: bob@{DOMAIN}\r\nSubject: n{number}\r\nX-Number: {number}\r\n\r\n"
    return head.encode() + f"{number} is the number of this message\r\n".encode() * (lines + 1)


def recipients(number: int) -> list[str]:
    """One of five is also for somebody elsewhere: it must be in the queue as well."""
    there = [f"alice@{DOMAIN}"] + ([f"bob@{DOMAIN}"] if number % 3 == 0 else [])
    return [*there, f"n{number}@{OUTSIDE}"] if number % 5 == 0 else there


def places(number: int) -> Counter[str]:
    """Where it must be, once each."""
    return Counter(address.partition("@")[0] if address.endswith(DOMAIN) else address for address in recipients(number))


@dataclass
class Witness:
    """`sure`: numbers that got their 250. `heard`: every reply that was not one."""

    server: MailServer
    sure: set[int] = field(default_factory=set)
    heard: list[tuple[int, str]] = field(default_factory=list)
    next: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _sealed: bool = False

    def session(self) -> smtplib.SMTP:
        return self.server.submission()

    def send(self, client: smtplib.SMTP, number: int | None = None) -> int:
        """One message; the code of the last reply, 0 when the line was cut."""
        number = self._number() if number is None else number
        try:
            client.sendmail(f"alice@{DOMAIN}", recipients(number), message(number))
        except smtplib.SMTPResponseException as refused:
            return self._refused(refused.smtp_code, refused.smtp_error)
        except smtplib.SMTPRecipientsRefused as refused:
            return self._refused(*next(iter(refused.recipients.values())))
        except (smtplib.SMTPException, OSError):
            return 0
        with self._lock:
            if not self._sealed:
                self.sure.add(number)
        return 250

    def _number(self) -> int:
        with self._lock:
            self.next += 1
            return self.next

    def _refused(self, code: int, text: bytes | str) -> int:
        with self._lock:
            self.heard.append((code, text.decode(errors="replace") if isinstance(text, bytes) else text))
        return code

    def work(self) -> None:
        """Send until the line is cut or the ledger is sealed."""
        with suppress(smtplib.SMTPException, OSError):
            client = self.session()
            while not self._sealed and self.send(client) == 250:
                pass
            client.close()

    def seal(self) -> None:
        """Whatever is heard from now on does not count."""
        with self._lock:
            self._sealed = True

    def unseal(self) -> None:
        with self._lock:
            self._sealed = False

    # afterwards

    def audit(self) -> None:
        """Everything that got a 250 is where it belongs; nothing is anywhere twice, nothing is half there."""
        found = dict[int, Counter[str]]()
        for place, number in (*self._mailboxes(), *self._queue()):
            found.setdefault(number, Counter())[place] += 1
        missing = {number: places(number) for number in self.sure if found.get(number) != places(number)}
        assert missing == {}, [(n, found.get(n)) for n in missing]
        half = {number: seen for number, seen in found.items() if seen != places(number)}
        assert half == {}
        assert [text for _, text in self.heard if NO_PATH.search(text)] == []

    def _mailboxes(self) -> Iterator[tuple[str, int]]:
        for user in ("alice", "bob"):
            client = self.server.imap(user)
            client.select("INBOX", readonly=True)
            _, answer = client.fetch("1:*", "(BODY.PEEK[])")
            for part in answer:
                if isinstance(part, tuple):
                    number = self._whole(bytes(part[1]))
                    yield user, number
            client.logout()

    @staticmethod
    def _whole(content: bytes) -> int:
        found = NUMBER.search(content)
        assert found
        number = int(found[1])
        assert content.endswith(message(number).partition(b"\r\n\r\n")[2])
        return number

    def _queue(self) -> Iterator[tuple[str, int]]:
        done = subprocess.run(
            [sys.executable, "-m", "mailsrv", "queue", "list", "--json", "--config", str(self.server.config)],
            capture_output=True,
            text=True,
            check=True,
        )
        for row in json.loads(done.stdout):
            yield row["recipient"], int(row["recipient"].partition("@")[0].removeprefix("n"))
