"""What a quickstart has to know before it writes anything, as values, and each read from what a person typed. Pure.

Standards: RFC 5321 4.1.2 and 4.5.3.1 (addresses), RFC 1123 2.1 (host names), RFC 8555 7.3 (contact).
Limits: 16 addresses; names as in `dnsops.records.names`. Fails by: `Misused`, with what to write instead.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from dnsops.base.errors import ForUser, Misused
from dnsops.base.printable import printable
from dnsops.base.settings.acme import LETS_ENCRYPT
from dnsops.records import names
from mailsrv.directory.address import parse

MOST_ADDRESSES = 16
LONGEST_ACCOUNT = 64
KINDS = ("cloudflare", "rfc2136", "zonefile", "octodns")
_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Kept(Enum):
    """Where the credential of the zone's holder is; the value is for people."""

    FILE = "a file"
    OURS = "typed, or from the environment: it goes into a file of ours"
    NONE = "none is needed"


@dataclass(frozen=True, slots=True)
class Credential:
    """What opens the zone. name: the file's path. The secret itself is never in here."""

    kept: Kept = Kept.NONE
    name: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """Everything. provider: a spec (`cloudflare`, `rfc2136:ns1.example.org`).  addresses: public ones of the host.

    bind: listen and send only there.  state, directory, roots: "" for what is usual.
    """

    domain: str
    hostname: str
    provider: str
    credential: Credential
    contact: str
    account: str
    addresses: tuple[str, ...] = ()
    bind: bool = False
    state: str = ""
    directory: str = LETS_ENCRYPT
    roots: str = ""

    @property
    def address(self) -> str:
        """The account's mail address."""
        return f"{self.account}@{self.domain}"

    @property
    def kind(self) -> str:
        """The provider without its place."""
        return self.provider.partition(":")[0]


def domain(text: str) -> str:
    """The mail domain in its one spelling."""
    return _named(names.host, text, "DOMAIN", "write a domain such as example.org")


def hostname(text: str) -> str:
    """The mail host's name."""
    return _named(names.host, text, "--hostname", "write a name such as mx1.example.org")


def provider(text: str) -> str:
    """Who holds the zone, as a spec; that its place can be reached is for the checks."""
    kind, colon, place = text.strip().partition(":")
    kind = kind.lower()
    if kind not in KINDS:
        known = "cloudflare, rfc2136:SERVER, zonefile:PATH or octodns:FILE#NAME"
        raise Misused(f"there is no provider {printable(kind[:40])!r}", "--provider", f"write {known}")
    if kind != "cloudflare" and not place.strip():
        raise Misused(f"{kind} needs its place", "--provider", f"write {_LIKE[kind]}")
    return f"{kind}:{place.strip()}" if colon and place.strip() else kind


def contact(text: str) -> str:
    """Whom the certificate authority may write to."""
    return _mail(text, "--contact", "write an address that somebody reads, such as you@example.net")


def account(text: str) -> str:
    """The first account: the name to log in with, and the part before the @."""
    name = text.strip()
    if len(name) > LONGEST_ACCOUNT or not _ACCOUNT.fullmatch(name):
        advice = "write letters, digits, dots and hyphens, such as user1; many servers take no other addresses"
        raise Misused(f"not a name for an account: {printable(name[:60])!r}", "--account", advice)
    return name.lower()


def addresses(text: str) -> tuple[str, ...]:
    """Public addresses, separated by commas or blanks; each once, IPv4 first."""
    found = [_address(word) for word in text.replace(",", " ").split()]
    if not found:
        raise Misused("no address is given", "--addresses", "write 192.0.2.25 or 2001:db8::25, or both")
    if len(found) > MOST_ADDRESSES:
        raise Misused(f"more than {MOST_ADDRESSES} addresses", "--addresses", "a mail host needs one of each family")
    return tuple(sorted(dict.fromkeys(found), key=lambda one: ":" in one))


_LIKE = {
    "rfc2136": "rfc2136:ns1.example.org",
    "zonefile": "zonefile:/var/lib/knot/example.org.zone",
    "octodns": "octodns:/etc/octodns/production.yaml#NAME",
}


def _named(read: Callable[[str, str], str], text: str, where: str, advice: str) -> str:
    try:
        return read(text, where)
    except ForUser as error:
        raise Misused(error.what, where, advice) from None


def _mail(text: str, where: str, advice: str) -> str:
    mailbox = parse(text.strip())
    if mailbox is None or "." not in mailbox.domain:
        raise Misused(f"not a mail address: {printable(text.strip()[:80])!r}", where, advice)
    return str(mailbox)


def _address(word: str) -> str:
    try:
        found = ipaddress.ip_address(word)
    except ValueError:
        advice = "write 192.0.2.25 or 2001:db8::25"
        raise Misused(f"not an IP address: {printable(word[:60])!r}", "--addresses", advice) from None
    if found.is_loopback or found.is_unspecified or found.is_link_local or found.is_multicast:
        raise Misused(f"{found} is no address that others can reach", "--addresses", "write the public one")
    return str(found)
