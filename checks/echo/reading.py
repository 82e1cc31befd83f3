"""A mailbox over IMAP, watched until something comes: log in, search for a token, wait by IDLE, search again.

    async with Box.opened(door, user, password) as box:
        content, where = await box.wait(token, matches, seconds)

Standards: RFC 9051 (LOGIN's place taken by AUTHENTICATE PLAIN, RFC 4616), RFC 2177 (IDLE; ended and begun anew every EVERY seconds, which
also looks into Junk), RFC 6154 (which mailbox that is).
Limits: LINE octets of a line, LARGEST of a message, FOUND messages with the token. A server that says more is hung up on.
Fails by: `Later` when nothing came, `ForUser` when the server refuses; OSError and TimeoutError when it is not there.
"""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from dnsops.base.errors import ForUser, Later
from dnsops.base.secrets import Secret
from mailsrv.spam.hints import plain

LINE, LARGEST, FOUND, LINES = 64 << 10, 256 << 10, 50, 10_000
EVERY = 15.0  # seconds that one IDLE lasts
STEP = 30.0  # seconds for a command
_LITERAL = re.compile(rb"\{([0-9]{1,9})\}\r\n\Z")
_JUNK = re.compile(
    rb'\* (?:LIST|XLIST) \([^)]*\\Junk[^)]*\) (?:"[^"]*"|NIL) (?:"((?:[^"\\]|\\.){1,500})"|(\S{1,500}))', re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Door:
    """Where a server is. name: which its certificate must have.  tls: None for a port without."""

    host: str
    port: int
    name: str = ""
    tls: ssl.SSLContext | None = None


@dataclass
class Said:
    """A command's untagged lines, and the literals in them in order."""

    lines: list[bytes] = field(default_factory=list)
    literals: list[bytes] = field(default_factory=list)


class Box:
    """One session."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer, self._count = reader, writer, 0

    @classmethod
    @asynccontextmanager
    async def opened(cls, door: Door, user: str, password: Secret) -> AsyncIterator[Box]:
        """Logged in."""
        async with asyncio.timeout(STEP):
            reader, writer = await asyncio.open_connection(
                door.host, door.port, ssl=door.tls, server_hostname=door.name if door.tls else None, limit=LINE
            )
        box = cls(reader, writer)
        try:
            async with asyncio.timeout(STEP):
                await box._greeted()
                await box._login(user, password)
            yield box
        finally:
            writer.transport.abort()

    async def wait(self, token: str, matches: Callable[[bytes], bool], seconds: float) -> tuple[bytes, bool]:
        """The first message with the token that matches, and whether it is in Junk."""
        try:
            async with asyncio.timeout(seconds):
                junk = await self._junk()
                while True:
                    for name in (*junk, "INBOX"):  # INBOX last: it stays selected for IDLE
                        if (found := await self._look(name, token, matches)) is not None:
                            return found, name != "INBOX"
                    await self._idle()
        except TimeoutError:
            raise Later(f"no answer within {seconds:.0f} s") from None

    @property
    def tls(self) -> str:
        """`TLSv1.3`; "" without."""
        line = self._writer.get_extra_info("ssl_object")
        return str(line.version() or "") if line else ""

    async def capabilities(self) -> frozenset[str]:
        """In capital letters, as they are after the login."""
        said = await self.command("CAPABILITY")
        words = (line.split()[2:] for line in said.lines if line.upper().startswith(b"* CAPABILITY"))
        return frozenset(word.decode("ascii", "replace").upper() for line in words for word in line)

    async def append(self, name: str, content: bytes) -> None:
        """A message into a mailbox (RFC 9051 6.3.12)."""
        async with asyncio.timeout(STEP):
            tag = self._send(f'APPEND "{name}" {{{len(content)}}}')
            line = await self._line()
            while line.startswith(b"* "):
                line = await self._line()
            if not line.startswith(b"+"):
                raise ForUser(f"the IMAP server says {plain(line)}", "APPEND", "")
            self._writer.write(content + b"\r\n")
            await self._until(tag)

    async def exists(self) -> int:
        """How many messages the selected mailbox has."""
        said = await self.command("UID SEARCH ALL")
        return sum(len(line.split()[2:]) for line in said.lines if line.upper().startswith(b"* SEARCH"))

    async def command(self, text: str) -> Said:
        """One command; `ForUser` when it is refused."""
        return await self._command(text)

    async def _look(self, name: str, token: str, matches: Callable[[bytes], bool]) -> bytes | None:
        await self._command(f'EXAMINE "{name}"')
        said = await self._command(f'UID SEARCH TEXT "{token}"')
        uids = [int(word) for line in said.lines if line.upper().startswith(b"* SEARCH") for word in line.split()[2:] if word.isdigit()]  # fmt: skip
        for uid in sorted(uids)[:FOUND]:
            fetched = await self._command(f"UID FETCH {uid} (BODY.PEEK[]<0.{LARGEST}>)")
            for content in fetched.literals:
                if matches(content):
                    return content
        return None

    async def _junk(self) -> Sequence[str]:
        """The mailbox of spam, where the server says which."""
        said = await self._command('LIST "" "*"')
        for line in said.lines:
            if found := _JUNK.match(line):
                return [(found[1] or found[2]).decode("ascii", "replace")]
        return []

    async def _idle(self) -> None:
        """Until the mailbox changes, or EVERY seconds are over."""
        tag = self._send("IDLE")
        with suppress(TimeoutError):
            async with asyncio.timeout(EVERY):
                while b"EXISTS" not in (line := await self._line()).upper():
                    if line.startswith(tag):  # no IDLE here: look again after a while
                        await asyncio.sleep(5)
                        return
        self._writer.write(b"DONE\r\n")
        await self._until(tag)

    # the line

    async def _greeted(self) -> None:
        line = await self._line()
        if not line.upper().startswith((b"* OK", b"* PREAUTH")):
            raise ForUser(f"the IMAP server says {plain(line)}", "echo", "look at its log")

    async def _login(self, user: str, password: Secret) -> None:
        tag = self._send("AUTHENTICATE PLAIN")
        line = await self._line()
        if line.startswith(b"+"):
            said = base64.b64encode(f"\0{user}\0{password.reveal()}".encode())
            self._writer.write(said + b"\r\n")
            await self._until(tag)
        else:
            _check(line)

    def _send(self, text: str) -> bytes:
        self._count += 1
        tag = f"e{self._count}"
        self._writer.write(f"{tag} {text}\r\n".encode())
        return tag.encode() + b" "

    async def _command(self, text: str) -> Said:
        async with asyncio.timeout(STEP):
            return await self._until(self._send(text))

    async def _until(self, tag: bytes) -> Said:
        """All up to the tagged line."""
        said = Said()
        for _ in range(LINES):
            line = await self._line()
            if line.startswith(tag):
                _check(line)
                return said
            while found := _LITERAL.search(line):
                size = int(found[1])
                if size > LARGEST:
                    raise ForUser("the IMAP server sends more than it was asked for", "echo", "")
                said.literals.append(await self._reader.readexactly(size))
                line = line[: found.start()] + await self._line()
            said.lines.append(line)
        raise ForUser("the IMAP server does not come to an end", "echo", "")

    async def _line(self) -> bytes:
        try:
            line = await self._reader.readline()
        except ValueError:
            raise ForUser("the IMAP server sends a line without an end", "echo", "") from None
        if not line.endswith(b"\n"):
            raise ConnectionResetError("the IMAP server hung up")
        return line


def _check(line: bytes) -> None:
    words = line.split(None, 2)
    if len(words) < 2 or words[1].upper() != b"OK":
        raise ForUser(f"the IMAP server says {plain(line)}", "echo", "is the account's name and password right?")
