"""A session with another IMAP server, read only: it looks, and it fetches; whatever comes back is bounded.

    async with opened(source) as session:
        await session.login(password)
        box = await session.examine(b"INBOX")

Limits: LINE octets a line, LARGEST a literal, BUDGET a command's answer, PATIENCE seconds of silence, MOST mailboxes and messages.
Fails by: `Lost` when the session is of no use any more, `Slow` when the server wants it slower: both may go better later;
`Denied` for a NO that will stay one; `ForUser` where a person must do something.
Standards: RFC 9051, RFC 3501, RFC 2342, RFC 6154, RFC 5258, RFC 4959 and RFC 7628 for tokens.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from array import array
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime

from dnsops.base.errors import Deliberate, ForUser
from dnsops.base.printable import printable
from dnsops.base.secrets import Secret
from mailsrv.archive.kept import LARGEST
from mailsrv.imap.grammar.cursor import Unreadable
from mailsrv.moving import answers
from mailsrv.moving.answers import Answer
from mailsrv.moving.listed import MOST as MOST_MAILBOXES
from mailsrv.moving.listed import Listed, listed, personal

LINE = 256 << 10
BUDGET = LARGEST + (64 << 20)
PATIENCE = 120.0
CHUNK = 64 << 10
MOST_MESSAGES = 5_000_000
AT_ONCE = 2000  # messages whose UIDs and sizes are asked for at once
SLOW = frozenset({"LIMIT", "UNAVAILABLE", "INUSE", "SERVERBUG", "CONTACTADMIN", "OVERQUOTA", "THROTTLED"})
PORTS = {"implicit": 993, "starttls": 143, "none": 143}


class Lost(Deliberate):
    """The session has ended, or cannot be understood."""


class Slow(Deliberate):
    """The server is busy, or has had enough of us for now."""


class Denied(Deliberate):
    """The server says no."""


@dataclass(frozen=True)
class Source:
    """Where the mail is. tls: implicit, starttls or none; context: what proves the server's name."""

    host: str
    port: int
    user: str
    tls: str = "implicit"
    context: ssl.SSLContext | None = None
    token: bool = False  # what is shown is an OAuth token, no password

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Box:
    """A mailbox that was opened."""

    messages: int
    uidvalidity: int
    uidnext: int


@dataclass(frozen=True)
class Fetched:
    """A message. content None: the server has no octets for it."""

    uid: int
    content: bytes | None = field(repr=False)
    received: datetime | None
    flags: frozenset[str]


@asynccontextmanager
async def opened(source: Source) -> AsyncIterator[Session]:
    """A session that is encrypted as `source` wants it, before anybody logs in."""
    session = await connected(source)
    try:
        yield session
    finally:
        await session.close()


async def connected(source: Source) -> Session:
    implicit = source.context if source.tls == "implicit" else None
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(
                source.host, source.port, ssl=implicit, server_hostname=source.host if implicit else None, limit=LINE
            )
    except ssl.SSLCertVerificationError as error:
        raise _unproven(source, error) from None
    except (OSError, TimeoutError) as error:
        raise Lost(f"{source} cannot be reached ({getattr(error, 'strerror', None) or type(error).__name__})") from None
    session = Session(source, reader, writer)
    try:
        await session.begin()
    except BaseException:
        await session.close()
        raise
    return session


def _unproven(source: Source, error: ssl.SSLCertVerificationError) -> ForUser:
    advice = "say the name that is in its certificate, or --ca FILE; --no-verify believes anybody"
    return ForUser(f"the server does not prove its name: {error.verify_message}", str(source), advice)


class Session:
    """Made by `connected`."""

    def __init__(self, source: Source, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._source, self._reader, self._writer = source, reader, writer
        self._count = 0
        self._spent = 0
        self.can: frozenset[str] = frozenset()

    async def begin(self) -> None:
        """The greeting, and TLS if it is still to come."""
        greeting = await self._answer()
        if greeting.kind == "BYE":
            raise Slow(f"{self._source} greets with BYE: {_short(greeting.text)}")
        if greeting.kind not in ("OK", "PREAUTH"):
            raise ForUser("this is no IMAP server", str(self._source), "say HOST:PORT")
        if self._source.tls == "starttls":
            await self._encrypt(greeting)
        await self._capabilities()

    async def _encrypt(self, greeting: Answer) -> None:
        if greeting.kind == "PREAUTH":  # RFC 9051 7.1.4
            raise ForUser("it takes us for logged in before TLS", str(self._source), "use --tls implicit")
        try:
            await self.ask("STARTTLS")
            if self._reader._buffer:  # type: ignore[attr-defined]  # said before TLS, and nobody knows by whom
                raise Lost(f"{self._source} says more than it may before TLS")
            await self._writer.start_tls(
                self._source.context or ssl.create_default_context(), server_hostname=self._source.host
            )
            # Python 3.11 lets the reader hold back the old transport, and a large message then never goes on
            self._reader._transport = self._writer.transport  # type: ignore[attr-defined]
        except ssl.SSLCertVerificationError as error:
            raise _unproven(self._source, error) from None
        except (OSError, ssl.SSLError) as error:
            raise Lost(f"TLS with {self._source} does not come about ({type(error).__name__})") from None
        except Denied as error:
            raise ForUser(f"it has no STARTTLS: {error}", str(self._source), "use --tls implicit") from None

    async def _capabilities(self) -> None:
        words: list[str] = []
        for answer in await self.ask("CAPABILITY"):
            if answer.kind == "CAPABILITY":
                words += [word.upper() for word in answers.words(answer.values)]
        self.can = frozenset(words)

    async def login(self, password: Secret) -> None:
        """With a password, or with a token by XOAUTH2 or OAUTHBEARER."""
        user = self._source.user
        try:
            if self._source.token:
                await self._token(user, password.reveal())
            elif "AUTH=PLAIN" in self.can:
                await self._authenticate("PLAIN", f"\0{user}\0{password.reveal()}".encode())
            else:
                await self.ask("LOGIN", user.encode(), password.reveal().encode())
        except Denied as error:
            raise ForUser(f"{user} may not log in: {error}", str(self._source), "look at name and password") from None
        await self._capabilities()

    async def _token(self, user: str, token: str) -> None:
        if "AUTH=XOAUTH2" in self.can:
            await self._authenticate("XOAUTH2", f"user={user}\x01auth=Bearer {token}\x01\x01".encode())
        else:
            await self._authenticate("OAUTHBEARER", f"n,a={user},\x01auth=Bearer {token}\x01\x01".encode())

    async def _authenticate(self, mechanism: str, response: bytes) -> None:
        """One answer for one question; what is asked after it is answered with nothing, so that the NO comes."""
        tag = await self._send(f"AUTHENTICATE {mechanism}")
        lines = [base64.b64encode(response)]
        while (answer := await self._answer()).tag != tag:
            if answer.tag == "+":
                self._writer.write((lines.pop() if lines else b"") + b"\r\n")
        self._judge(answer)

    async def ask(self, *words: str | bytes) -> list[Answer]:
        """A command: text as it is, octets as strings. What came before its OK."""
        found: list[Answer] = []
        self._spent = 0
        tag = await self._send(*words)
        while (answer := await self._answer()).tag != tag:
            if answer.kind == "BYE":
                raise Lost(f"{self._source} ends the session: {_short(answer.text)}")
            if answer.tag == "*":
                found.append(answer)
        self._judge(answer)
        return found

    def _judge(self, answer: Answer) -> None:
        if answer.kind == "OK":
            return
        said = _short(f"[{answer.code}] {answer.text}" if answer.code else answer.text)
        if answer.kind == "NO" and answer.code in SLOW:
            raise Slow(f"{self._source} wants it slower: {said}")
        raise Denied(said or "no reason is given")

    async def _send(self, *words: str | bytes) -> str:
        self._count += 1
        tag = f"M{self._count}"
        line = tag.encode()
        for word in words:
            line += b" " + (word.encode() if isinstance(word, str) else b"")
            if isinstance(word, bytes):
                line = await self._string(line, word)
        await self._write(line + b"\r\n")
        return tag

    async def _string(self, line: bytes, word: bytes) -> bytes:
        """Quoted if it can be, else a literal that the server must ask for."""
        if all(0x20 <= octet < 0x7F and octet not in b'"\\' for octet in word):
            return line + b'"' + word + b'"'
        await self._write(line + b"{%d}\r\n" % len(word))
        while (answer := await self._answer()).tag != "+":
            if answer.tag != "*":
                self._judge(answer)
                raise Lost(f"{self._source} does not take a literal")
        return word

    async def _write(self, data: bytes) -> None:
        try:
            self._writer.write(data)
            async with asyncio.timeout(PATIENCE):
                await self._writer.drain()
        except (OSError, TimeoutError):
            raise Lost(f"{self._source} has gone") from None

    async def _answer(self) -> Answer:
        parts = [await self._line()]
        while (size := answers.literal(parts[-1])) is not None:
            if size > LARGEST or len(parts) > AT_ONCE:
                raise Lost(f"{self._source} wants to send {size} octets at once")
            parts += [await self._octets(size), await self._line()]
        try:
            return answers.read(parts)
        except Unreadable as error:
            raise Lost(f"{self._source} says what is no IMAP: {error}") from None

    async def _line(self) -> bytes:
        try:
            async with asyncio.timeout(PATIENCE):
                line = await self._reader.readuntil(b"\n")
        except asyncio.LimitOverrunError:
            raise Lost(f"{self._source} sends a line longer than {LINE >> 10} KiB") from None
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            raise Lost(f"{self._source} has gone, or is silent") from None
        self._spend(len(line))
        return line.rstrip(b"\r\n")

    async def _octets(self, size: int) -> bytes:
        """Memory is taken as they come, not as they are announced."""
        self._spend(size)
        content = bytearray()
        try:
            while len(content) < size:
                async with asyncio.timeout(PATIENCE):
                    content += await self._reader.readexactly(min(CHUNK, size - len(content)))
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            raise Lost(f"{self._source} has gone, or is silent") from None
        return bytes(content)

    def _spend(self, size: int) -> None:
        self._spent += size
        if self._spent > BUDGET:
            raise Lost(f"{self._source} sends more than was asked for")

    # what is asked

    async def mailboxes(self) -> tuple[list[Listed], str, list[Listed]]:
        """All mailboxes, the prefix of one's own, and those that are subscribed."""
        prefix = ""
        if "NAMESPACE" in self.can:
            for answer in await self.ask("NAMESPACE"):
                prefix = personal(answer) if answer.kind == "NAMESPACE" else prefix
        special = " RETURN (SPECIAL-USE)" if {"LIST-EXTENDED", "SPECIAL-USE"} <= self.can else ""
        found = await self._listed("LIST", "LIST", '"" "*"' + special)
        return found, prefix, await self._listed("LSUB", "LSUB", '"" "*"')

    async def _listed(self, kind: str, *command: str) -> list[Listed]:
        try:
            found = [listed(answer) for answer in await self.ask(*command) if answer.kind == kind]
        except Unreadable as error:
            raise Lost(f"{self._source}: {error}") from None
        except Denied:
            return []
        if len(found) > MOST_MAILBOXES:
            raise ForUser(f"more than {MOST_MAILBOXES} mailboxes", str(self._source), "move them with --only")
        return found

    async def status(self, mailbox: bytes) -> int:
        """How many messages it has now."""
        for answer in await self.ask("STATUS", mailbox, "(MESSAGES)"):
            if answer.kind == "STATUS":
                with suppress(Unreadable, KeyError):
                    return answers.number(answers.pairs(answer.values[-1])["MESSAGES"])
        raise Lost(f"{self._source} has no STATUS of it")

    async def examine(self, mailbox: bytes) -> Box:
        """Open it, to look only."""
        messages, codes = 0, dict[str, str]()
        for answer in await self.ask("EXAMINE", mailbox):
            messages = answer.number if answer.kind == "EXISTS" else messages
            codes[answer.code] = answer.argument
        if messages > MOST_MESSAGES:
            raise Denied(f"more than {MOST_MESSAGES} messages")
        numbers = [
            int(text) if (text := codes.get(code, "")).isdecimal() and len(text) < 11 else 0
            for code in ("UIDVALIDITY", "UIDNEXT")
        ]
        return Box(messages, *numbers)

    async def sizes(self, box: Box) -> tuple[array[int], array[int]]:
        """UIDs, ascending, and how large the server says that they are."""
        found: dict[int, int] = {}
        for start in range(1, box.messages + 1, AT_ONCE):
            last = min(start + AT_ONCE - 1, box.messages)
            for fields in await self._fetched("FETCH", f"{start}:{last}", "(UID RFC822.SIZE)"):
                with suppress(Unreadable, KeyError):
                    found[answers.number(fields["UID"])] = answers.number(fields["RFC822.SIZE"], 1 << 62)
            if len(found) > box.messages + AT_ONCE:
                raise Lost(f"{self._source} tells more messages than there are")
        uids = sorted(found)
        return array("Q", uids), array("Q", [found[uid] for uid in uids])

    async def fetch(self, uids: Sequence[int]) -> list[Fetched]:
        """Whole messages, those that are still there, in order."""
        asked = set(uids)
        found: dict[int, Fetched] = {}
        for fields in await self._fetched(
            "UID FETCH", ",".join(map(str, uids)), "(UID FLAGS INTERNALDATE BODY.PEEK[])"
        ):
            with suppress(Unreadable, KeyError):
                uid = answers.number(fields["UID"])
                if uid in asked and "BODY[]" in fields:
                    content = None if fields["BODY[]"] is None else answers.octets(fields["BODY[]"])
                    flags = frozenset(answers.words(fields.get("FLAGS", [])))
                    found[uid] = Fetched(uid, content, answers.moment(fields.get("INTERNALDATE")), flags)
        return [found[uid] for uid in sorted(found)]

    async def _fetched(self, *command: str) -> list[dict[str, answers.Value]]:
        found = []
        for answer in await self.ask(*command):
            if answer.kind == "FETCH" and answer.values:
                with suppress(Unreadable):
                    found.append(answers.pairs(answer.values[0]))
        return found

    async def close(self) -> None:
        """Without a word: a server that is busy would let us wait."""
        self._writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await self._writer.wait_closed()


def _short(text: str) -> str:
    return printable(text)[:200]
