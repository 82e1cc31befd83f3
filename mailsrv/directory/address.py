"""Mail addresses as they are looked up: one spelling for each mailbox. Not the wire's grammar, which is stricter.

    "User1"@Example.ORG.  ->  user1@example.org          Päivi@bücher.example  ->  päivi@xn--bcher-kva.example

Standards: RFC 5321 4.1.2 (quoting means nothing), 4.5.3.1 (limits); RFC 6531 (UTF-8 local parts), here in NFC (RFC 6532 3.1);
RFC 5890 (domains as A-labels). Only ASCII is folded: folding more would let two people's mailboxes meet.
Fails by: None for what is no address.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from dnsops.base.errors import ForUser
from dnsops.records import names

LONGEST_LOCAL = 64  # octets, RFC 5321 4.5.3.1.1
LONGEST_ADDRESS = 254  # octets: a path of 256 without its brackets
_UPPER = re.compile("[A-Z]+")
_ATEXT = r"[a-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+"
_DOT_STRING = re.compile(rf"{_ATEXT}(\.{_ATEXT})*", re.IGNORECASE)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address in its one spelling; `local` is without quotes."""

    local: str
    domain: str

    def __str__(self) -> str:
        if _DOT_STRING.fullmatch(self.local):
            return f"{self.local}@{self.domain}"
        return '"' + re.sub(r'(["\\])', r"\\\1", self.local) + f'"@{self.domain}'


@lru_cache(maxsize=4096)
def parse(text: str) -> Mailbox | None:
    """The mailbox that a text means, without brackets around it."""
    local, at, domain = text.rpartition("@")
    if not at or len(text) > 4 * LONGEST_ADDRESS:
        return None
    plain = _unquoted(local)
    place = canonical_domain(domain)
    if plain is None or place is None:
        return None
    mailbox = Mailbox(folded(plain), place)
    return mailbox if _fits(mailbox) else None


def folded(text: str) -> str:
    """Composed, and ASCII in lower case; the rest keeps its case."""
    if text.isascii():
        return text.lower()
    return _UPPER.sub(lambda found: found[0].lower(), unicodedata.normalize("NFC", text))


def canonical_domain(text: str) -> str | None:
    """A domain, or an address literal, in its one spelling."""
    if text.startswith("[") and text.endswith("]"):
        return _literal(text[1:-1])
    # a name of 253 octets has never more characters; IDNA takes its time with longer ones
    if not text or len(text) > names.LONGEST_NAME + 1 or re.search(r"[\s*]", text):
        return None
    try:
        return names.canonical(text) or None
    except ForUser:
        return None


def _unquoted(local: str) -> str | None:
    """Without quotes; None when what is left could not be a local part. An @ must be quoted."""
    quoted = len(local) > 1 and local[0] == local[-1] == '"'
    if quoted:
        inside = _QUOTED_PAIR.sub("", local[1:-1])
        local = _QUOTED_PAIR.sub(r"\1", local[1:-1])
        if '"' in inside or "\\" in inside:
            return None
    elif not _DOT_STRING.fullmatch(local) and re.search(r'[\s@"\\<>(),:;\[\]]', local):
        return None
    odd = any(unicodedata.category(char) in ("Cc", "Cs", "Cf", "Zl", "Zp") for char in local)
    return None if odd or not local else local


def _fits(mailbox: Mailbox) -> bool:
    local = len(mailbox.local.encode())
    return local <= LONGEST_LOCAL and local + 1 + len(mailbox.domain) <= LONGEST_ADDRESS


def _literal(text: str) -> str | None:
    """RFC 5321 4.1.3."""
    version6 = text[:5].lower() == "ipv6:"
    try:
        address = ipaddress.IPv6Address(text[5:]) if version6 else ipaddress.IPv4Address(text)
    except ValueError:
        return None
    return f"[ipv6:{address}]" if version6 else f"[{address}]"
