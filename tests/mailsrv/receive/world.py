"""A small world to receive mail in: a directory of a few people, rights, logins, the store in memory, TLS on loopback."""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import re
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dnsops.base.errors import Later
from mailsrv.directory.accounts import Delivery, Forward, Outcome, Route
from mailsrv.receive.judging import Judging
from mailsrv.receive.needs import Nobody, Said
from mailsrv.receive.outgoing import Outgoing
from mailsrv.receive.stations import Stations
from mailsrv.receive.story import Reception
from mailsrv.smtp.door import Client, Login
from mailsrv.smtp.house import House
from mailsrv.smtp.limits import Limits
from mailsrv.store.door import Full, Message, Placed, Usage
from mailsrv.store.memory import MemoryStore
from tests.mailsrv.smtp.null import Lines, Peer, Plain, serving

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DOMAIN = "mail.test"
OWN = b"From: User One <user1@mail.test>\r\nSubject: x\r\n\r\nbody\r\n"
TEXT = b"From: <a@evil.test>\r\nSubject: x\r\n\r\nbody\r\n"


@dataclass
class People:
    """user1 and user2 at mail.test; `list` goes to both, `away` elsewhere, `both` to user2 and elsewhere."""

    catch_all: str = ""
    trouble: bool = False
    postmaster: tuple[tuple[str, ...], tuple[str, ...]] | None = None

    def resolve(self, address: str) -> Route:
        if self.trouble:
            raise Later("the database is away")
        local, _, domain = address.lower().rpartition("@")
        if address.lower() == "postmaster":
            local, domain = "postmaster", DOMAIN
        if domain != DOMAIN:
            return Route(Outcome.ELSEWHERE, address)
        there = f"{local}@{domain}"
        names, onward = _PEOPLE.get(local.partition("+")[0], ((), ()))
        if local == "postmaster" and self.postmaster is not None:
            names, onward = self.postmaster
        if not names and not onward and self.catch_all:
            names = (self.catch_all,)
        if not names and not onward:
            return Route(Outcome.CIRCLE if local == "circle" else Outcome.UNKNOWN, address)
        deliveries = tuple(Delivery(name, there) for name in names)
        return Route(Outcome.KNOWN, address, deliveries, tuple(Forward(one, there) for one in onward))

    def exact(self, address: str) -> bool:
        return address.lower().partition("@")[0] in _PEOPLE


_PEOPLE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "user1": (("user1",), ()),
    "user2": (("user2",), ()),
    "postmaster": (("user1",), ()),
    "list": (("user1", "user2"), ()),
    "away": ((), ("Far@ext.test",)),
    "both": (("user2",), ("far@ext.test",)),
    "sales/eu": (("user1",), ()),
}


@dataclass(frozen=True)
class May:
    allowed: bool
    why: str = ""


class Own:
    """Everyone writes as NAME@mail.test and its subaddresses."""

    def envelope(self, account: str, sender: str) -> May:
        return May(True) if not sender else self._one(account, sender)

    def header(self, account: str, fields: Sequence[Said]) -> May:
        if [field.name for field in fields].count("From") != 1:
            return May(False, "write one From field")
        verdicts = [self._one(account, address) for field in fields for address in field.addresses or ("",)]
        return next((verdict for verdict in verdicts if not verdict.allowed), May(True))

    def _one(self, account: str, address: str) -> May:
        local, _, domain = address.lower().rpartition("@")
        mine = domain == DOMAIN and local.partition("+")[0] == account
        return May(mine, "" if mine else f"you may send as {account}@{DOMAIN}")


class ByPlain:
    """Everyone logs in by PLAIN, as user1 with foobar."""

    def mechanisms(self, client: Client) -> tuple[str, ...]:
        return ("PLAIN",)

    def login(self, client: Client, mechanism: str) -> Login | None:
        return Plain("user1") if mechanism == "PLAIN" else None


@dataclass
class Shelf:
    """The store in memory, which can be told to fail."""

    inner: MemoryStore = field(default_factory=lambda: MemoryStore(lambda: NOON))
    fail: Exception | None = None
    accepted: list[Message] = field(default_factory=list)

    async def accept(self, message: Message, *more: Message) -> tuple[Placed, ...]:
        if self.fail:
            raise self.fail
        placed = await self.inner.accept(message, *more)
        self.accepted += [message, *more]
        return placed

    async def usage(self, account: str) -> Usage:
        return await self.inner.usage(account)


@dataclass
class World:
    people: People = field(default_factory=People)
    shelf: Shelf = field(default_factory=Shelf)
    log: Lines = field(default_factory=Lines)
    submission: bool = False
    limits: Limits = field(default_factory=Limits)
    tls: ssl.SSLContext | None = None
    plain_login: bool = False
    implicit_tls: bool = False
    logins: bool = False
    judging: Judging | None = None
    outgoing: Outgoing = field(default_factory=lambda: Outgoing("mx.mail.test"))
    stations: Stations = field(default_factory=lambda: Stations({}))

    @property
    def reception(self) -> Reception:
        numbers = itertools.count(1)
        return Reception(
            "mx.mail.test",
            self.people,
            Own(),
            self.shelf,
            self.log,
            lambda: NOON,
            lambda: f"Q{next(numbers)}",
            self.submission,
            ByPlain() if self.submission or self.logins else Nobody(),
            judging=self.judging,
            outgoing=self.outgoing,
            stations=self.stations,
        )

    @property
    def house(self) -> House:
        context = self.tls
        return House(
            "mx.mail.test",
            self.reception,
            self.log,
            self.limits,
            tls=(lambda: context) if context else None,
            implicit_tls=self.implicit_tls,
            plain_login=self.plain_login,
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[int]:
        """The port it listens on. A bug in a session fails the test that caused it."""
        for name in ("user1", "user2"):
            await self.shelf.inner.account(name)
        async with serving(self.house) as port:
            yield port
        assert self.log.bugs == []

    async def inbox(self, account: str) -> list[bytes]:
        """What lies in an account's INBOX."""
        box = await self.shelf.inner.mailbox(account, "INBOX")
        return [await self.shelf.inner.content(row.blob) for row in await self.shelf.inner.rows(box.id)]


async def send(port: int, sender: str, recipients: list[str], content: bytes, login: bool = False) -> list[str]:
    """All replies from MAIL on."""
    peer = await Peer.call(port)
    await peer.ask(b"EHLO client.test\r\n")
    if login:
        assert (await peer.ask(b"AUTH PLAIN AHVzZXIxAGZvb2Jhcg==\r\n")).startswith("235")
    said = [await peer.ask(f"MAIL FROM:{sender}\r\n".encode())]
    said += [await peer.ask(f"RCPT TO:{recipient}\r\n".encode()) for recipient in recipients]
    said.append(await peer.ask(b"DATA\r\n"))
    if said[-1].startswith("354"):
        said.append(await peer.ask(content + b".\r\n"))
    peer.close()
    return said


def sent(world: World, sender: str, recipients: list[str], content: bytes = TEXT, login: bool = False) -> list[str]:
    async def talk() -> list[str]:
        async with world.open() as port:
            return await send(port, sender, recipients, content, login)

    return asyncio.run(talk())


def codes(replies: list[str]) -> list[str]:
    return [" ".join(reply.split(" ", 2)[:2]) if reply[:3] != "354" else "354" for reply in replies]


def unfolded(content: bytes) -> bytes:
    return re.sub(rb"\r\n[ \t]", b" ", content)


def contents(world: World) -> list[bytes]:
    return [message.content for message in world.shelf.accepted]


def full(account: str) -> Full:
    return Full("the quota is used up", account)


def context(folder: Path) -> ssl.SSLContext:
    """A server's TLS, from PEM files as certificates lie on disk."""
    chain, key = pem_files(folder)
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(chain, key)
    return made


def pem_files(folder: Path) -> tuple[Path, Path]:
    """A certificate for mx.mail.test that signs itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mx.mail.test")])
    names = [x509.DNSName("mx.mail.test"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain, private = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return chain, private
