"""What is said before TLS may begin, per protocol, as flows: each yields what to send and receives the next line. Pure.

Standards: RFC 3207 4 (SMTP), RFC 9051 6.2.1 (IMAP), RFC 2595 4 (POP3 STLS), RFC 5804 1.7 and 2.2 (ManageSieve).
A flow returns "" when the peer has agreed, otherwise a sentence. Its driver bounds lines, lengths and time.
"""

from __future__ import annotations

from collections.abc import Generator

from dnsops.base.printable import printable

Dialogue = Generator[bytes, bytes, str]
LONGEST_QUOTE = 120


def smtp(name: str) -> Dialogue:
    """Greeting, EHLO as `name`, STARTTLS."""
    greeting = yield from _reply(b"")
    if not greeting[-1].startswith(b"220"):
        return f"it greets with {_quoted(greeting[-1])}"
    offers = yield from _reply(b"EHLO " + name.encode() + b"\r\n")
    if not offers[-1].startswith(b"250"):
        return f"it answers EHLO with {_quoted(offers[-1])}"
    if not any(line[4:].strip().upper() == b"STARTTLS" for line in offers[1:]):
        return "it does not offer STARTTLS"
    answer = yield from _reply(b"STARTTLS\r\n")
    return "" if answer[-1].startswith(b"220") else f"it refuses STARTTLS: {_quoted(answer[-1])}"


def imap(name: str) -> Dialogue:
    """Greeting, STARTTLS."""
    greeting = (yield b"").upper()
    if not greeting.startswith(b"* OK"):  # RFC 9051 7.1.4: after PREAUTH there is no STARTTLS
        return f"it greets with {_quoted(greeting)}"
    line = yield b"a STARTTLS\r\n"
    while line.startswith(b"* "):
        line = yield b""
    return "" if line.upper().startswith(b"A OK") else f"it refuses STARTTLS: {_quoted(line)}"


def pop3(name: str) -> Dialogue:
    """Greeting, STLS."""
    greeting = yield b""
    if not greeting.startswith(b"+OK"):
        return f"it greets with {_quoted(greeting)}"
    line = yield b"STLS\r\n"
    return "" if line.startswith(b"+OK") else f"it refuses STLS: {_quoted(line)}"


def sieve(name: str) -> Dialogue:
    """Capabilities, STARTTLS."""
    greeting = yield from _sieve_reply(b"")
    if not greeting[-1].upper().startswith(b"OK"):
        return f"it greets with {_quoted(greeting[-1])}"
    if not any(line.strip().upper() == b'"STARTTLS"' for line in greeting):
        return "it does not offer STARTTLS"
    answer = yield from _sieve_reply(b"STARTTLS\r\n")
    return "" if answer[-1].upper().startswith(b"OK") else f"it refuses STARTTLS: {_quoted(answer[-1])}"


def _reply(send: bytes) -> Generator[bytes, bytes, list[bytes]]:
    """All lines of one SMTP reply (RFC 5321 4.2.1)."""
    lines = [(yield send)]
    while lines[-1][3:4] == b"-":
        lines.append((yield b""))
    return lines


def _sieve_reply(send: bytes) -> Generator[bytes, bytes, list[bytes]]:
    """All lines up to OK, NO or BYE (RFC 5804 1.2)."""
    lines = [(yield send)]
    while not lines[-1].upper().startswith((b"OK", b"NO", b"BYE")):
        lines.append((yield b""))
    return lines


def _quoted(line: bytes) -> str:
    """A peer's words for our error text."""
    return repr(printable(line[:LONGEST_QUOTE].decode("utf-8", "replace")))
