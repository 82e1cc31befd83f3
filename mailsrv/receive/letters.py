"""From what came over the line to what is kept: trace fields, digest, one letter for each group of copies. Pure.

    places of this house            Return-Path, Delivered-To (of a recipient who is alone), what we found, Received, the message
    forwarded by an alias of ours   our ARC set, Delivered-To of the alias, by which a loop is known, Received, the message
    written by one of ours          Received, the message

What is junk to some of its readers makes two letters, each with its own decision.
Standards: RFC 5321 4.4 (trace), 3.9 (forwarding), 6.3 (loops), RFC 8601 4 (our results stand above our Received). Fails by: `Refused` for what goes round in circles.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple, Protocol

from mailsrv.message.digest import digest
from mailsrv.message.header import Header
from mailsrv.message.received import Arrival, With, delivered_to, received, return_path
from mailsrv.receive.heading import Heading
from mailsrv.smtp.door import Client
from mailsrv.smtp.grammar import Address
from mailsrv.smtp.parameters import MailOptions
from mailsrv.smtp.replies import LOOP, Refused
from mailsrv.store.door import Hop, Message, Place

MOST_HOPS = 50
INBOX, JUNK = "INBOX", "Junk"


@dataclass
class Ways:
    """Where a mail goes, collected recipient by recipient; each way once, however often it is named."""

    places: dict[Place, str] = field(default_factory=dict)  # and the address of ours that leads there
    hops: dict[str, dict[str, Hop]] = field(default_factory=dict)  # by the alias that forwards, "" for none

    def place(self, account: str, via: str) -> None:
        self.places.setdefault(Place(account), via)

    def hop(self, hop: Hop, via: str) -> None:
        self.hops.setdefault(via, {}).setdefault(hop.recipient, hop)

    @property
    def accounts(self) -> tuple[str, ...]:
        return tuple(place.account for place in self.places)

    @property
    def ours(self) -> set[str]:
        """The addresses of ours that the mail passes."""
        return {*self.places.values(), *self.hops} - {""}


class Verdict(Protocol):
    """What was found out about a stranger's mail, as much of it as the letters need."""

    def in_junk(self, account: str) -> bool: ...

    def fields(self, account: str) -> bytes:
        """What we found and decided, as fields of the header."""
        ...

    def seal(self, via: str, content: bytes) -> bytes:
        """The fields under which an alias sends it on."""
        ...

    def sender(self, via: str, sender: str) -> str:
        """The sender under which it does."""
        ...


class Envelope(NamedTuple):
    """What the session has said about a mail, and we about its arrival. name: the client's, proven, or ""."""

    host: str
    id: str
    when: datetime
    client: Client
    sender: Address | None
    options: MailOptions
    recipients: tuple[Address, ...]
    name: str = ""

    def trace(self) -> bytes:
        """Our Received. It tells no stranger where our users are."""
        client = self.client
        extended = With.UTF8SMTP if self.options.smtputf8 else With.ESMTP
        return received(
            Arrival(
                host=self.host,
                id=self.id,
                when=self.when,
                helo=client.helo,
                address="" if client.account else client.address,
                name="" if client.account else self.name,
                protocol=extended if client.esmtp else With.SMTP,
                tls=client.tls.version if client.tls else "",
                cipher=client.tls.cipher if client.tls else "",
                authenticated=bool(client.account),
                recipient=str(self.recipients[0]) if len(self.recipients) == 1 else "",
            )
        )


def letters(envelope: Envelope, ways: Ways, content: bytes, heading: Heading, verdict: Verdict | None) -> list[Message]:
    """What is to be accepted together. `content`: the message as it will go on; `verdict`: of a stranger's."""
    if heading.hops > MOST_HOPS or any(heading.went_to(address) for address in ways.ours):
        raise Refused(LOOP)
    trace = envelope.trace()
    head = heading.of(content)
    made = []
    for mailbox, places in _by_mailbox(ways, verdict).items():
        account = places[0].account
        found = verdict.fields(account) if verdict else b""
        moved = places if mailbox == INBOX else [replace(place, mailbox=mailbox, create=True) for place in places]
        made.append(_letter(envelope, _local_trace(envelope, ways) + found + trace, content, head, tuple(moved)))
    for via, hops in ways.hops.items():
        noted = (delivered_to(via) if via else b"") + trace
        made.append(_onward(envelope, via, noted, content, head, tuple(hops.values()), verdict))
    return made


def _by_mailbox(ways: Ways, verdict: Verdict | None) -> dict[str, list[Place]]:
    """INBOX, and Junk for those who have it there."""
    by: dict[str, list[Place]] = {}
    for place in ways.places:
        by.setdefault(JUNK if verdict and verdict.in_junk(place.account) else INBOX, []).append(place)
    return by


def _onward(
    envelope: Envelope,
    via: str,
    trace: bytes,
    content: bytes,
    head: Header,
    hops: tuple[Hop, ...],
    verdict: Verdict | None,
) -> Message:
    """What an alias sends on is sealed, and comes back to us when it cannot be delivered there."""
    if not via or verdict is None:
        return _letter(envelope, trace, content, head, hops=hops)
    made = _letter(envelope, verdict.seal(via, content) + trace, content, head, hops=hops)
    return replace(made, sender=verdict.sender(via, made.sender))


def _local_trace(envelope: Envelope, ways: Ways) -> bytes:
    back = return_path(str(envelope.sender) if envelope.sender else "")
    if len(envelope.recipients) > 1:  # one body for all: it tells nobody of the others
        return back
    return back + delivered_to(next(iter(ways.places.values())))


def _letter(
    envelope: Envelope,
    trace: bytes,
    content: bytes,
    head: Header,
    places: tuple[Place, ...] = (),
    hops: tuple[Hop, ...] = (),
) -> Message:
    whole = trace + content
    return Message(
        content=whole,
        digest=digest(whole, head.under(whole, len(trace))),
        received=envelope.when,
        places=places,
        hops=hops,
        sender=str(envelope.sender) if envelope.sender else "",
        options=envelope.options.words(),
    )
