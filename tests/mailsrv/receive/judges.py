"""Who judges in these tests: a little DNS of domains that each say one thing, advisers who say what they are told to, a client.

proven.test      SPF allows CLIENT, DMARC says reject          reject.test, quarantine.test, watched.test    SPF forbids it
plain.test       says nothing of itself                         forbidden.test    SPF forbids it, no DMARC
bogus.test       DNSSEC says that its answers are forged
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from dnsops.resolve.answer import Security
from dnsops.resolve.memory import MemoryDns
from mailsrv.auth.decide import Rules
from mailsrv.auth.signatures import signatures
from mailsrv.auth.story import Means
from mailsrv.receive.judging import Judged, Judging
from mailsrv.receive.letters import Envelope
from mailsrv.reports.seen import Seen
from mailsrv.smtp.door import Client
from mailsrv.smtp.grammar import Address
from mailsrv.smtp.parameters import MailOptions
from mailsrv.spam.hints import Hint
from mailsrv.spam.mail import Mail
from mailsrv.spam.scanning import Panel, Scanning
from tests.mailsrv.smtp.null import Lines

CLIENT = "127.0.0.1"  # as the tests' own listeners see it
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOST = "mx.mail.test"
POLICIES = {"reject.test": "reject", "quarantine.test": "quarantine", "watched.test": "none"}


def dns() -> MemoryDns:
    made = MemoryDns({})
    made.put("proven.test", "TXT", f'"v=spf1 ip4:{CLIENT} -all"')
    made.put("_dmarc.proven.test", "TXT", '"v=DMARC1; p=reject; rua=mailto:d@proven.test"')
    for name, wish in POLICIES.items():
        made.put(name, "TXT", '"v=spf1 -all"')
        made.put(f"_dmarc.{name}", "TXT", f'"v=DMARC1; p={wish}; rua=mailto:d@{name}"')
    made.put("forbidden.test", "TXT", '"v=spf1 -all"')
    made.verdict("bogus.test", Security.BOGUS)
    return made


@dataclass(frozen=True)
class Advisers(Scanning):
    """Lists and scanners that say this, and remember what they were asked."""

    lists: tuple[Hint, ...] = ()
    scanners: tuple[Hint, ...] = ()
    asked: list[Mail] = field(default_factory=list)  # of the scanners

    async def of_client(self, mail: Mail) -> tuple[Hint, ...]:
        return self.lists

    async def of_message(self, mail: Mail) -> tuple[Hint, ...]:
        self.asked.append(mail)
        return self.scanners


@dataclass
class Noted:
    """What was seen for reports."""

    seen: list[Seen] = field(default_factory=list)

    def saw(self, seen: Seen | None) -> None:
        if seen is not None:
            self.seen.append(seen)


def advisers(lists: Collection[Hint] = (), scanners: Collection[Hint] = ()) -> Advisers:
    return Advisers(Panel(), dns(), Lines(), lists=tuple(lists), scanners=tuple(scanners))


def judge(rules: Rules | None = None, scanning: Scanning | None = None, **more: Any) -> Judging:
    """With a log that keeps what it is told."""
    known = dns()
    means = Means(known, signatures, HOST)
    return Judging(HOST, means, scanning or advisers(), rules or Rules(), Lines(), lambda: NOON, **more)


def mail_from(domain: str) -> bytes:
    return f"From: Ann <ann@{domain}>\r\nTo: user1@mail.test\r\nSubject: x\r\n\r\nbody\r\n".encode()


def envelope(domain: str, *recipients: str, when: datetime = NOON) -> Envelope:
    """From ann@DOMAIN, "" for the null sender."""
    sender = Address("ann", domain) if domain else None
    to = tuple(Address(*one.split("@")) for one in recipients or ("user1@mail.test",))
    return Envelope(HOST, "Q1", when, Client(CLIENT, helo="client.test"), sender, MailOptions(), to)


def judged(
    judging: Judging, domain: str, accounts: Collection[str] = ("user1",), content: bytes = b"", when: datetime = NOON
) -> Judged:
    """The verdict on mail from there; `Refused` as it comes."""
    given = envelope(domain, *(f"{account}@mail.test" for account in accounts), when=when)
    return asyncio.run(judging.judge(given, content or mail_from(domain), accounts))
