"""The answer of an echo address: what we saw of the connection, of SPF, DKIM and DMARC, and the header as it arrived. Pure.

Standard: RFC 3834 3.1 (fields of an automatic answer; its envelope sender is the null sender), RFC 5322 3.6.4 (threads).
Everything the peer said is printable ASCII here. Limits: HEADER octets of the header, SIGNATURES signatures, THREAD identifiers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from mailsrv.auth.verdicts import Authentication, Dkim, Result, Spf
from mailsrv.message import compose, identifiers, words
from mailsrv.message.header import Header, header
from mailsrv.smtp.door import Client

HEADER = 16 << 10
SIGNATURES = 10
THREAD = 20
LONGEST_LINE = 900
NOT_SEEN = "whether your server checked our certificate by DANE (or MTA-STS) cannot be seen from here"


@dataclass(frozen=True, slots=True)
class Seen:
    """What arrived. echo: the address that answers.  sender: of the envelope.  content: the message, our Received at its top.

    dane: a sentence on DANE between the two, when the caller knows one.  token: something that never comes twice.
    """

    echo: str
    host: str
    sender: str
    client: Client
    content: bytes
    now: datetime
    token: str
    authentication: Authentication = field(default_factory=Authentication)
    dane: str = ""


def answer(seen: Seen) -> bytes:
    """The message to send to `seen.sender`, from the null sender."""
    head = header(seen.content)
    identifier = compose.message_id(seen.token, seen.host)
    return compose.message(_fields(seen, head), seen.now, identifier, compose.text_part(_text(seen, head)))


def _fields(seen: Seen, head: Header) -> list[tuple[str, str]]:
    subject = compose.one_line(words.text(head.first(b"subject") or b""))[:200]
    fields = [
        ("From", compose.mailbox("Echo", seen.echo)),
        ("To", compose.mailbox("", seen.sender)),
        ("Subject", compose.words(f"Auto: {subject}" if subject else "Auto: your mail")),
        ("Auto-Submitted", "auto-replied"),
    ]
    answered = identifiers.message_id(head)
    if not answered or not answered.isascii():
        return fields
    thread = [one for one in (*identifiers.references(head), answered) if one.isascii()][-THREAD:]
    return [*fields, ("In-Reply-To", f"<{answered}>"), ("References", " ".join(f"<{one}>" for one in thread))]


def _text(seen: Seen, head: Header) -> str:
    lines = [
        f"This is the automatic answer of {seen.echo}. Your mail arrived; this is what",
        f"{seen.host} saw of it.",
        "",
        *(f"  {name:8}{_shown(value)}" for name, value in _saw(seen)),
        "",
        "The header as it arrived:",
        "",
        *_quoted(seen.content[head.start : head.end]),
    ]
    return "\n".join(lines) + "\n"


def _saw(seen: Seen) -> Iterator[tuple[str, str]]:
    client, known = seen.client, seen.authentication
    yield "From", f"<{seen.sender}> (envelope)"
    yield "Client", f"{client.address} called itself {client.helo or '(nothing)'}"
    yield "Name", f"{known.iprev.name or 'none'}: {known.iprev.result.value}{_because(known.iprev.why)}"
    tls = client.tls
    yield "TLS", f"{tls.version} with {tls.cipher}" if tls else "none: the mail came in the clear"
    yield "DANE", seen.dane or NOT_SEEN
    yield "SPF", _spf(known.mail)
    if known.helo.result is not Result.NONE:
        yield "", f"HELO: {_spf(known.helo)}"
    for signature in known.dkim[:SIGNATURES]:
        yield "DKIM", _dkim(signature)
    if not known.dkim:
        yield "DKIM", "none: the mail bears no signature"
    dmarc = known.dmarc
    policy = f", the policy at {dmarc.found} is {dmarc.wish.value}" if dmarc.found else ""
    yield "DMARC", f"{dmarc.result.value} for {dmarc.domain or 'no domain'}{policy}{_because(dmarc.why)}"
    if known.arc.result is not Result.NONE:
        yield "ARC", f"{known.arc.result.value}{_because(known.arc.why)}"


def _spf(spf: Spf) -> str:
    return f"{spf.result.value} for {spf.domain or 'no domain'}{_because(spf.why)}"


def _dkim(one: Dkim) -> str:
    key = f", {one.algorithm}" + (f", {one.bits} bits" if one.bits else "") if one.algorithm else ""
    return f"{one.result.value} for {one.domain or 'no domain'} (selector {one.selector or 'none'}{key}){_because(one.why)}"


def _because(why: str) -> str:
    return f": {why}" if why else ""


def _quoted(block: bytes) -> Iterator[str]:
    """A header, line by line, so that nobody's program takes it for part of our own."""
    for line in block[:HEADER].decode("utf-8", "replace").replace("\r\n", "\n").split("\n"):
        if line:
            yield f"> {_shown(line)}"
    if len(block) > HEADER:
        yield "> (and more)"


def _shown(text: str) -> str:
    return "".join(c if " " <= c <= "~" else " " if c == "\t" else "?" for c in text[:LONGEST_LINE])
