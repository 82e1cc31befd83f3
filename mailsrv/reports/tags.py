"""As much of a DMARC record as reports need: its tags, its report addresses, the policy as the report repeats it. Pure.

Standards: RFC 9989 4.7 (tags, rua) and 4.8 (the grammar), RFC 9990 3.4 and 4; `!10m` is the size that a destination takes.
Limits: `LONGEST` characters, `MOST_URIS` destinations. Fails by: None for a text that is no DMARC record.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailsrv.directory import address
from mailsrv.directory.address import Mailbox
from mailsrv.reports.aggregate import Policy

LONGEST = 8192  # characters of a record
MOST_URIS = 10  # of one record that are looked at
LONGEST_URI = 1024  # characters
_VERSION = re.compile(r"v[ \t]*=[ \t]*DMARC1")
_SIZE = re.compile(r"(.*)!([0-9]{1,12})([kmgt]?)", re.IGNORECASE)
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_UNITS = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40}
_WISHES = ("none", "quarantine", "reject")


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a report shall go: a mailbox, or a web address for TLS reports. `most`: octets that it takes, None: any."""

    uri: str
    mailbox: Mailbox | None = None
    most: int | None = None

    def __str__(self) -> str:
        return str(self.mailbox or self.uri)

    @property
    def host(self) -> str:
        return self.mailbox.domain if self.mailbox else ""


def tags(text: str) -> dict[str, str] | None:
    """Names in lower case -> values as they stand, the first of each name."""
    version, *others = [part.strip() for part in text[:LONGEST].split(";")]
    if not _VERSION.fullmatch(version):
        return None
    found: dict[str, str] = {}
    for other in others:
        name, sign, value = other.partition("=")
        if sign:
            found.setdefault(name.strip().lower(), value.strip())
    return found


def destinations(rua: str) -> tuple[Destination, ...]:
    """The mailboxes of a rua tag, in their order; what is no mailbox, or comes after `MOST_URIS`, is left out."""
    found = [mailto(uri.strip()) for uri in rua[:LONGEST].split(",")[:MOST_URIS]]
    return tuple(dict.fromkeys(one for one in found if one is not None))


def mailto(uri: str) -> Destination | None:
    """One mailto URI (RFC 6068), with or without a size; header fields that it would set are not for us."""
    sized = _SIZE.fullmatch(uri)
    bare, most = (sized[1], int(sized[2]) << _UNITS[sized[3].lower()]) if sized else (uri, None)
    scheme, _, rest = bare.partition(":")
    if scheme.lower() != "mailto" or len(bare) > LONGEST_URI:
        return None
    mailbox = address.parse(_plain(rest.partition("?")[0]))
    if mailbox is None or mailbox.domain.startswith("[") or not str(mailbox).isascii():
        return None
    return Destination(bare, mailbox, most)


def published(domain: str, record: str) -> Policy:
    """The policy as a report repeats it: "" for what the record does not say, words that mean nothing left out."""
    said = tags(record) or {}
    p, sp, np = (_one_of(said.get(tag, ""), _WISHES) for tag in ("p", "sp", "np"))
    return Policy(
        domain=domain,
        p=p or "none",
        sp=sp,
        np=np,
        adkim=_one_of(said.get("adkim", ""), ("r", "s")),
        aspf=_one_of(said.get("aspf", ""), ("r", "s")),
        discovery="treewalk",
        fo=said.get("fo", "")[:20],
        testing=_one_of(said.get("t", ""), ("y", "n")),
    )


def _plain(text: str) -> str:
    """Percent-encoding taken off."""
    octets = _PERCENT.sub(lambda found: bytes((int(found[1], 16),)), text.encode("utf-8", "replace"))
    return octets.decode("utf-8", "replace")


def _one_of(value: str, words: tuple[str, ...]) -> str:
    return value.lower() if value.lower() in words else ""
