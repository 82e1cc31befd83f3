"""The demo's second promise: mail that others trust. Keys of DKIM published, mail judged by a stranger's server, keys rotated,
and a downgrade that gets nothing.

The stranger is `mailsrv serve` too, of another domain on another address, with its own DANE record; what it writes into
Authentication-Results is what any verifier would. Fails by: `Broken` of the demo.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from dnsops.certs.chain import association, from_pem
from tests.lab.dnstree import DnsTree
from tests.lab.downgrade import Between, Trick
from tests.lab.mailserver import MailServer
from tests.lab.pki import Pki
from tests.lab.program import wait_until

FAR, FAR_HOST, FAR_DOMAIN = "203.0.113.50", "mx.nsec.org", "nsec.org"
MAN = "203.0.113.66"
USER = "user2"
PASSED = ("spf=pass", "dkim=pass", "dmarc=pass")


class Distrust(Exception):
    """A mail that was not trusted, or one that should not have gone."""


@dataclass
class Far:
    """The stranger's house."""

    server: MailServer
    seen: int = 0

    def next(self) -> str:
        """What its Authentication-Results say of the next mail."""
        wait_until(lambda: len(self.server.messages(USER)) > self.seen, "mail at the stranger's", 20)
        message = self.server.messages(USER)[self.seen].decode()
        self.seen += 1
        unfolded = re.sub(r"\r\n[ \t]+", " ", message)
        return next(line for line in unfolded.splitlines() if line.startswith("Authentication-Results: "))


@contextmanager
def far_house(directory: Path, tree: DnsTree, pki: Pki) -> Iterator[Far]:
    """A server of another domain, with its MX and its TLSA record."""
    server = MailServer(
        directory / "far",
        pki=pki,
        address=FAR,
        users=(USER,),
        hostname=FAR_HOST,
        domains=[FAR_DOMAIN],
        accounts=[{"name": USER, "password": "!file password", "addresses": [f"{USER}@{FAR_DOMAIN}"]}],
        listeners={"smtp": {"port": 25, "bind": [FAR]}},
    )
    leaf = from_pem(Path(server.settings["tls"]["certificate"]).read_bytes(), "").certificates[0]
    tree.replace(FAR_HOST, "A", FAR, ttl=1)
    tree.replace(f"_25._tcp.{FAR_HOST}", "TLSA", str(association(leaf)))
    tree.replace(FAR_DOMAIN, "MX", f"10 {FAR_HOST}.")
    with server:
        yield Far(server)


class Rotation:
    """A command of `mailsrv dkim` beside the rest of the demo; `join` tells how it ended."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work

    def begin(self) -> Rotation:
        beside = ThreadPoolExecutor(1)
        self._ended = beside.submit(self._work)
        beside.shutdown(wait=False)
        return self

    def join(self) -> None:
        self._ended.result()


def letter(near: MailServer, user: str, sender: str, to: str, subject: str) -> None:
    """One of ours writes, by submission."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message.set_content("How are you?\n")
    with near.submission(user) as client:
        client.send_message(message, sender, [to])


def trusted(far: Far) -> tuple[str, ...]:
    """The selectors that signed the next mail, which the stranger trusts."""
    results = far.next()
    if not all(word in results for word in PASSED):
        raise Distrust(f"not all pass: {results}")
    return tuple(sorted(set(re.findall(r"header\.s=([^ ;]+)", results))))


def downgraded(near: MailServer, tree: DnsTree, pki: Pki, user: str, sender: str) -> str:
    """A man on the way to the stranger takes STARTTLS away; what the log says became of the mail."""
    with Between([(MAN, 25)], behind=(FAR, 25), impostor=pki.issue([FAR_HOST])) as man:
        man.trick = Trick.STRIP
        tree.replace(FAR_HOST, "A", MAN, ttl=1)
        time.sleep(2)  # what was remembered of the host's address
        letter(near, user, sender, f"{USER}+secret@{FAR_DOMAIN}", "for your eyes only")
        event = _last(near, f"{USER}+secret@{FAR_DOMAIN}")
        if event["event"] != "send.later" or b"for your eyes only" in b"".join(man.read) or not man.connections:
            raise Distrust(f"the mail went through a man in the middle, or never met him: {event}")
    return f"{man.trick.value}; the mail waits: {event['code']} {event['said']}"


def _last(near: MailServer, to: str) -> dict[str, Any]:
    """What the log says of the first attempt to reach somebody."""

    def found() -> list[dict[str, Any]]:
        return [event for name in ("send.later", "send.delivered") for event in near.events(name) if event["to"] == to]

    wait_until(lambda: bool(found()), "an attempt", 20)
    return found()[0]
