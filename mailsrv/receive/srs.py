"""SRS: the envelope sender of mail that an alias sends on elsewhere, written so that SPF passes there and bounces find back. Pure.

    bob@remote.example                        SRS0=HHHHHH=TT=remote.example=bob@ours.example      we forward it first
    SRS0=HHHH=TT=remote.example=bob@x.example SRS1=HHHHHH=x.example==HHHH=TT=remote.example=bob@ours.example  x has, before us
    SRS1=hhhh=x.example==HHHH=...@y.example   SRS1=HHHHHH=x.example==HHHH=...@ours.example        y too; bounces go to x itself

HHHHHH is a keyed hash (HMAC-SHA-256, 30 bits in base32) of what follows it, TT the day (base32 of days since 1970, modulo 1024).
Source: the Sender Rewriting Scheme by Wong, Shevek and others (libspf2.net/srs); why: RFC 7208 D (mediators). Case is not
counted, for local parts are folded on the way; the recipient's own spelling is kept where nobody folds it.
The null sender, our own addresses, address literals, and what would exceed RFC 5321 4.5.3.1 (64 octets of local part) stay
as they are. Limits: 21 days, and one day of clocks that disagree.
Fails by: None for what is no address of ours, forged, or too old. Whoever reverses takes such addresses from `<>` only.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Sequence
from datetime import datetime

from dnsops.base.errors import ForUser
from dnsops.records import names
from mailsrv.smtp.grammar import LONGEST_LOCAL, LONGEST_PATH, Address, address

OLDEST = 21  # days
HASH = 6  # letters
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_DAYS = len(_LETTERS) ** 2
# a hash has four letters or more, whosever it is
_SRS0 = re.compile(r"SRS0[-+=]([^=]{4,})=([A-Z2-7]{2})=([^=]+)=(.+)", re.IGNORECASE | re.DOTALL)
_SRS1 = re.compile(r"SRS1[-+=]([^=]{4,})=([^=]+)=([-+=].+)", re.IGNORECASE | re.DOTALL)


def forward(sender: str, secret: bytes, domain: str, now: datetime) -> str:
    """The envelope sender to forward with. `sender`: without brackets, "" for the null sender.  domain: ours."""
    known = address(sender) if sender else None
    if known is None or known.literal or not known.domain or known.domain == domain.lower():
        return sender
    local = _local(known, secret, now)
    if local is None or len(local.encode()) > LONGEST_LOCAL:
        return sender
    written = str(Address(local, domain.lower()))
    return written if len(written.encode()) <= LONGEST_PATH - 2 else sender


def _local(sender: Address, secret: bytes, now: datetime) -> str | None:
    try:
        host = names.canonical(sender.domain)
    except ForUser:
        return None
    if again := _SRS1.fullmatch(sender.local):
        return f"SRS1={_hash(secret, again[2] + again[3])}={again[2]}={again[3]}"
    if _SRS0.fullmatch(sender.local):
        tail = sender.local[len("SRS0") :]
        return f"SRS1={_hash(secret, host + tail)}={host}={tail}"
    day = _stamp(now)
    return f"SRS0={_hash(secret, f'{day}={host}={sender.local}')}={day}={host}={sender.local}"


def reverse(recipient: str, secrets: Sequence[bytes], now: datetime) -> str | None:
    """Where a bounce to one of our rewritten addresses goes. `secrets`: the current one, and those of before."""
    known = address(recipient)
    if known is None:
        return None
    if found := _SRS1.fullmatch(known.local):
        if not _ours(secrets, found[1], found[2] + found[3]):
            return None
        return _written(f"SRS0{found[3]}", found[2])
    found = _SRS0.fullmatch(known.local)
    if found is None or not _ours(secrets, found[1], f"{found[2]}={found[3]}={found[4]}") or _old(found[2], now):
        return None
    return _written(found[4], found[3])


def is_rewritten(recipient: str) -> bool:
    """Whether it has the form of an address of ours; `reverse` says whether it is one."""
    known = address(recipient)
    return known is not None and bool(_SRS0.fullmatch(known.local) or _SRS1.fullmatch(known.local))


def _written(local: str, domain: str) -> str | None:
    """Only what is an address again."""
    back = address(str(Address(local, domain.lower())))
    return str(back) if back is not None and not back.literal else None


def _hash(secret: bytes, text: str) -> str:
    digest = hmac.digest(secret, text.lower().encode("utf-8", "surrogateescape"), "sha256")
    return base64.b32encode(digest).decode()[:HASH]


def _ours(secrets: Sequence[bytes], given: str, text: str) -> bool:
    """In the same time however much of the hash is right."""
    said = given.upper().encode("utf-8", "surrogateescape")
    return any(hmac.compare_digest(_hash(secret, text).encode(), said) for secret in secrets)


def _stamp(now: datetime) -> str:
    day = _day(now)
    return _LETTERS[day // len(_LETTERS)] + _LETTERS[day % len(_LETTERS)]


def _day(now: datetime) -> int:
    return int(now.timestamp() // 86400) % _DAYS


def _old(stamp: str, now: datetime) -> bool:
    high, low = (_LETTERS.index(letter) for letter in stamp.upper())
    age = (_day(now) - high * len(_LETTERS) - low) % _DAYS
    return OLDEST < age < _DAYS - 1
