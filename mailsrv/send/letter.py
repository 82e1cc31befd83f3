"""A message made ready for a peer: what it needs, what a peer must offer for it, its MAIL and RCPT lines, its bytes. Pure.

Standards: RFC 5321 4.5.2 (dot stuffing), 2.3.8 (CRLF only), 1870 (SIZE), 3461 4 and 5.2 (DSN), 6152 3, 6531 3.2, 8689 4.2.1 and 5.
A peer without 8BITMIME or SMTPUTF8 gets nothing that needs it: we do not rewrite, because what was signed must arrive as it
was signed. The sender hears of it (5.6.3, 5.6.7, 5.6.9), as RFC 6152 3 allows.
Fails by: a `Verdict` for what cannot be sent; nothing that could end a command or the message early reaches the wire.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dnsops.base.errors import ForUser
from dnsops.records import names
from mailsrv.message.header import Header
from mailsrv.send.offers import Offers
from mailsrv.send.verdict import Verdict, failed

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_OUTSIDE_QUOTES = re.compile(r"[ <>]")
_OPTION = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*(?:=[!-<>-~]+)?")
_OPTION_UTF8 = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*(?:=[^\x00- =\x7f]+)?")
LONGEST_ADDRESS = 1000  # characters; what we accept is far shorter


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient: the queue's id, the address, and RCPT's options."""

    id: int
    address: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Letter:
    """A message and its envelope, without recipients. `utf8`: SMTPUTF8 was asked for; `body`: its content, ready to send.

    requires_tls: REQUIRETLS.  waives_tls: its header says that it may go without (RFC 8689 5), and REQUIRETLS does not object.
    """

    sender: str
    body: bytes
    size: int
    eight_bit: bool = False
    utf8_header: bool = False
    requires_tls: bool = False
    waives_tls: bool = False
    options: tuple[str, ...] = ()
    flaw: str = ""

    @classmethod
    def of(cls, sender: str, options: tuple[str, ...], content: bytes) -> Letter:
        """One look at the content; the long work of sending, so a large one belongs into a thread."""
        keys = {option.partition("=")[0].upper() for option in options}
        eight_bit = not content.isascii()
        end = content.find(b"\r\n\r\n")
        header = content[: end if end >= 0 else len(content)]
        utf8_header = "SMTPUTF8" in keys and eight_bit and not header.isascii()
        flaw = _flaw(content)
        body = b"" if flaw else stuffed(content)
        required = "REQUIRETLS" in keys
        waived = not required and _waives_tls(header)
        return cls(sender, body, len(content), eight_bit, utf8_header, required, waived, options, flaw)

    def unfit(self, offers: Offers, encrypted: bool, verified: bool) -> Verdict | None:
        """Why this peer can have it for no recipient at all."""
        if self.flaw:
            return failed("5.6.0", self.flaw)
        if 0 < offers.size < self.size:
            return failed("5.3.4", f"{self.size} bytes, and the next host takes {offers.size} at most")
        if self.requires_tls and not (encrypted and verified):
            return failed(
                "5.7.10", "the sender asked for TLS all the way (REQUIRETLS), and there is none that is proven"
            )
        if self.requires_tls and "REQUIRETLS" not in offers:
            return failed("5.7.30", "the sender asked for TLS all the way, and the next host does not offer REQUIRETLS")
        if self.eight_bit and not {"8BITMIME", "SMTPUTF8"} & offers.keywords.keys():
            return failed("5.6.3", "the message has 8-bit characters, and the next host offers no 8BITMIME")
        if not self.utf8_header or "SMTPUTF8" in offers:
            return unfit_address(self.sender, offers, "sender") if self.sender else None
        return failed("5.6.9", "the header is in UTF-8, and the next host offers no SMTPUTF8")

    def mail(self, offers: Offers, recipients: list[str]) -> bytes:
        """The MAIL line, with what this peer understands."""
        wide = "SMTPUTF8" in offers
        words = [f"MAIL FROM:<{spelled(self.sender, wide)}>"]
        if "SIZE" in offers:
            words.append(f"SIZE={self.size}")
        if "8BITMIME" in offers:
            words.append("BODY=8BITMIME" if self.eight_bit else "BODY=7BIT")
        addresses = [self.sender, *recipients]
        if wide and (self.utf8_header or not all(address.isascii() for address in addresses)):
            words.append("SMTPUTF8")
        if self.requires_tls:
            words.append("REQUIRETLS")
        return _line(words + _passed_on(self.options, ("RET", "ENVID"), offers))


def rcpt(recipient: Recipient, offers: Offers) -> bytes:
    """The RCPT line."""
    words = [f"RCPT TO:<{spelled(recipient.address, 'SMTPUTF8' in offers)}>"]
    return _line(words + _passed_on(recipient.options, ("NOTIFY", "ORCPT"), offers))


def unfit_address(address: str, offers: Offers, whose: str = "recipient") -> Verdict | None:
    """Why this address cannot be said to this peer; a domain alone may still be spelled in A-labels."""
    if not sayable(address):
        return failed("5.1.3" if whose == "recipient" else "5.1.7", f"the {whose}'s address cannot be written in SMTP")
    if "SMTPUTF8" in offers or spelled(address, False).isascii():
        return None
    return failed("5.6.7", f"the {whose}'s address needs SMTPUTF8, and the next host does not offer it")


def sayable(address: str) -> bool:
    """Whether it stays one word between < and >, whatever is in it."""
    local, _, domain = address.rpartition("@")
    quoted = local.startswith('"') and local.endswith('"') and len(local) > 1
    loose = domain if quoted else address
    return len(address) <= LONGEST_ADDRESS and not _CONTROL.search(address) and not _OUTSIDE_QUOTES.search(loose)


def spelled(address: str, utf8: bool) -> str:
    """As it goes to the wire: without SMTPUTF8 an internationalised domain in A-labels (RFC 5891)."""
    local, at, domain = address.rpartition("@")
    if utf8 or domain.isascii():
        return address
    try:
        return f"{local}{at}{names.canonical(domain)}"
    except ForUser:
        return address


def stuffed(content: bytes) -> bytes:
    """With a dot before each dot that begins a line, a CRLF at its end, and the final dot."""
    body = content.replace(b"\r\n.", b"\r\n..")
    if body.startswith(b"."):
        body = b"." + body
    return body + (b".\r\n" if body.endswith(b"\r\n") or not body else b"\r\n.\r\n")


def _flaw(content: bytes) -> str:
    """What keeps it from being sent at all: other ends of line than CRLF (SMTP smuggling), and NUL."""
    if not content.count(b"\r\n") == content.count(b"\r") == content.count(b"\n"):
        return "the message has a bare CR or LF, which no server may send on"
    return "the message holds a NUL" if b"\0" in content else ""


def _waives_tls(header: bytes) -> bool:
    """RFC 8689 5: `TLS-Required: No`, once; any other word in it means nothing."""
    if b"tls-required" not in header.lower():
        return False
    return [value.lower() for value in Header(header, 0, len(header)).every(b"tls-required")] == [b"no"]


def _passed_on(options: tuple[str, ...], keys: tuple[str, ...], offers: Offers) -> list[str]:
    """The DSN parameters as they came, when the peer offers DSN and they are well formed."""
    if "DSN" not in offers:
        return []
    form = _OPTION_UTF8 if "SMTPUTF8" in offers else _OPTION
    return [o for o in options if o.partition("=")[0].upper() in keys and form.fullmatch(o)]


def _line(words: list[str]) -> bytes:
    return (" ".join(words) + "\r\n").encode()
