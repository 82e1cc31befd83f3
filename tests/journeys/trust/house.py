"""What a house that judges is made of, and the strangers who write to it.

nsec.org       p=reject; SPF allows SENDER alone; signs with `KEY`; its mail comes in at FAR, as does that of an alias;
                   gone@ is nobody there
nods.org       p=quarantine, and SPF allows nobody          unsigned.org   p=none, and SPF allows nobody
expired.org    everything it says is bogus                  bogus.org, missig.org   only their TLSA records are
"""

from __future__ import annotations

import json
import smtplib
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Self

import dns.message
import dns.query
import dns.rdatatype
from cryptography.hazmat.primitives.asymmetric import rsa

from mailsrv.auth.keys import Signer
from mailsrv.auth.signing import sign
from tests.journeys.shell import Shell
from tests.lab.cloudflare_api import CloudflareApi
from tests.lab.dnstree import DnsTree
from tests.lab.mailserver import MailServer
from tests.lab.mx import Message, Mx
from tests.lab.network import MX, RESOLVER, SENDER
from tests.lab.pki import Pki
from tests.lab.program import wait_until

DOMAIN, HOST = "example.org", "mx1.example.org"
STRANGER = "203.0.113.66"  # a client that nobody's SPF allows
FAR = "203.0.113.50"
ALICE, BOB, AWAY, GONE = (f"{name}@{DOMAIN}" for name in ("alice", "bob", "away", "gone"))
ECHO, REPORTS = f"echo@{DOMAIN}", f"dmarc-reports@{DOMAIN}"
ZONES = ("nsec.org", "nods.org", "unsigned.org")
DKIM = ("dkim", "reconcile", "--json")


@cache
def key() -> Signer:
    return Signer("nsec.org", "s1", rsa.generate_private_key(65537, 2048))


def strangers(tree: DnsTree, mx: Mx) -> Sequence[str]:
    """Their DNS, and where their mail comes in; the zones that were changed."""
    mx.listen(FAR, 25, name="mail.nsec.org")
    mx.nobody.add("gone@nsec.org")
    record = str(key().record)
    for name, kind, text in (
        ("mail.nsec.org", "A", FAR),
        ("nsec.org", "MX", "10 mail.nsec.org."),
        ("nsec.org", "TXT", f'"v=spf1 ip4:{SENDER} -all"'),
        ("_dmarc.nsec.org", "TXT", '"v=DMARC1; p=reject; rua=mailto:d@nsec.org"'),
        ("s1._domainkey.nsec.org", "TXT", f'"{record[:200]}" "{record[200:]}"'),
        ("nods.org", "TXT", '"v=spf1 -all"'),
        ("_dmarc.nods.org", "TXT", '"v=DMARC1; p=quarantine"'),
        ("unsigned.org", "TXT", '"v=spf1 -all"'),
        ("_dmarc.unsigned.org", "TXT", '"v=DMARC1; p=none"'),
    ):
        tree.replace(name, kind, text)
    return ZONES


def letter(domain: str, subject: str, header: bytes = b"", body: bytes = b"hello\r\n", signed: bool = False) -> bytes:
    content = header + f"From: Ann <ann@{domain}>\r\nTo: {ALICE}\r\nSubject: {subject}\r\n".encode()
    content += f"Date: Wed, 25 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{subject}@{domain}>\r\n\r\n".encode() + body
    return sign(content, [key()], datetime.now(UTC)) + content if signed else content


def resolved(name: bytes, timeout: float = 5) -> bytes | None:
    """A TXT record as a stranger sees it, for dkimpy."""
    question = dns.message.make_query(name.decode(), "TXT", want_dnssec=True)
    answer = dns.query.udp_with_fallback(question, RESOLVER, timeout=timeout)[0]
    found = [rrset for rrset in answer.answer if rrset.rdtype == dns.rdatatype.TXT]
    return b"".join(found[0][0].strings) if found else None


class House:
    """The server and all around it. Its own users submit with a login, strangers come in at port 25."""

    def __init__(self, directory: Path, api: CloudflareApi, tree: DnsTree, pki: Pki, mx: Mx, **settings: Any) -> None:
        self.api, self.tree, self.mx, self._numbers = api, tree, mx, iter(range(10**6))
        directory.mkdir(exist_ok=True)
        (directory / "token").write_text(api.token)
        (directory / "token").chmod(0o600)
        self.server = MailServer(
            directory,
            pki=pki,
            address=MX,
            hostname=HOST,
            domains=[DOMAIN],
            accounts=[
                {"name": name, "password": "!file password", "addresses": [f"{name}@{DOMAIN}"]}
                for name in ("alice", "bob")
            ],
            aliases=[
                {"address": AWAY, "to": ["far@nsec.org"]},
                {"address": GONE, "to": ["gone@nsec.org"]},
                {"address": f"postmaster@{DOMAIN}", "to": ["bob"]},
            ],
            dns={"provider": "cloudflare", "token": "!file token", "ttl": 60},
            dkim={"hold": "1s"},
            echo={"addresses": ECHO},
            imap={"allow_plaintext_auth": True},
            **settings,
        )
        self.server.ports["smtp"] = 25
        self.server.settings["listeners"]["smtp"] = {"port": 25, "bind": MX}
        self.write(queue={})
        self.shell = Shell(directory, {"MAILSRV_CONFIG": str(self.server.config)})

    def __enter__(self) -> Self:
        while not self.command(*DKIM)["results"][0]["switched"]:
            time.sleep(0.3)  # a command costs more than a look
        self.server.start()
        return self

    def __exit__(self, *what: object) -> None:
        self.server.__exit__(*what)

    def write(self, **changes: Any) -> None:
        """The configuration on disk, as `MailServer` writes it; our token's tag, too."""
        self.server.write(**changes)
        text = self.server.config.read_text()
        self.server.config.write_text(text.replace('"!file token"', "!file token"))

    def command(self, *words: str) -> Any:
        """The answer of a command in JSON."""
        done = self.shell.here(*words)
        return json.loads(done.out)

    # strangers

    def stranger(self, address: str = SENDER, name: str = "mail.nsec.org") -> smtplib.SMTP:
        return smtplib.SMTP(MX, 25, local_hostname=name, timeout=60, source_address=(address, 0))

    def hears(self, sender: str, to: str | Sequence[str], content: bytes, address: str = SENDER) -> tuple[int, str]:
        """The reply to a stranger's message, or to the command that was refused."""
        with self.stranger(address) as client:
            try:
                client.sendmail(sender, [to] if isinstance(to, str) else list(to), content)
            except smtplib.SMTPDataError as refused:
                return refused.smtp_code, _text(refused.smtp_error)
            except smtplib.SMTPRecipientsRefused as refused:
                code, text = next(iter(refused.recipients.values()))
                return code, _text(text)
        return 250, ""

    def name(self) -> str:
        """A subject that nobody had before."""
        return f"n{next(self._numbers)}x"

    # what became of it

    def kept(self, subject: str, user: str = "alice") -> dict[str, bytes]:
        """The messages with that subject, by mailbox."""
        found: list[tuple[str, bytes]] = []
        with self.server.imap(user) as client:
            for mailbox in ("INBOX", "Junk"):
                if client.select(mailbox, readonly=True)[0] == "OK":
                    _, parts = client.uid("FETCH", "1:*", "(BODY.PEEK[])")
                    contents = [part[1] for part in parts if isinstance(part, tuple)]
                    found += [(mailbox, one) for one in contents if f"Subject: {subject}\r\n".encode() in one]
        return dict(found)

    def arrived(self, of: Callable[[Message], bool], what: str) -> Message:
        """What came in at FAR."""

        def every() -> Iterator[Message]:
            return (message for message in list(self.mx.messages) if of(message))

        wait_until(lambda: any(every()), what, 20)
        return next(every())


def _text(octets: bytes | str) -> str:
    return octets.decode() if isinstance(octets, bytes) else octets
