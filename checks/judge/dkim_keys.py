"""A DKIM key record as receivers use it: found, readable, not revoked, long enough, not in test mode. Pure.

    no record, two, no key in it, revoked, RSA below 1024 bits      fail
    RSA below 2048 bits, t=y, only for something else than mail     notice

A selector that only a mail named may be a forger's, or of a key that was rotated since: that its key is gone is told, and no more.
Standards: RFC 6376 3.6.1 and 3.6.2.2, RFC 8301 3.2 (sizes), RFC 8463 (Ed25519). Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from checks.facts.looked import Lookup
from checks.finding import Status
from dnsops.base.errors import ForUser
from dnsops.base.printable import printable
from dnsops.records import rdata
from dnsops.records.txt.dkim import DkimKey
from mailsrv.auth import keys

USED_FOR_MAIL = ("*", "email")


@dataclass(frozen=True, slots=True)
class KeyVerdict:
    """One selector's. owner: SELECTOR._domainkey.DOMAIN.  words: what is wrong, or what it is."""

    owner: str
    status: Status
    words: str

    def __str__(self) -> str:
        return f"{self.owner}: {self.words}"


def judge(answer: Lookup, heard: bool = False) -> KeyVerdict:
    """Of the TXT records at a selector. heard: only a mail named it."""
    if not answer.answered:
        return KeyVerdict(answer.name, Status.INFO, f"could not be looked up: {answer.why or answer.rcode}")
    status, words = _judged(answer.texts)
    if heard and status is Status.FAIL:
        return KeyVerdict(answer.name, Status.INFO, f"a mail named it: {words} (rotated since, or a forger's)")
    return KeyVerdict(answer.name, status, words)


def _judged(texts: Sequence[str]) -> tuple[Status, str]:
    if not texts:
        return Status.FAIL, "no key"
    if len(texts) > 1:
        return Status.FAIL, "more than one TXT record: which one counts nobody knows"
    try:
        record = DkimKey.parse(texts[0])
    except ForUser as error:
        return Status.FAIL, printable(error.what)
    if record.revoked:
        return Status.FAIL, "it is revoked (p= is empty)"
    return _of_key(texts[0], record)


def _of_key(text: str, record: DkimKey) -> tuple[Status, str]:
    key = keys.public_key(str(rdata.txt(text.encode("latin-1", "replace"))))
    if isinstance(key, str):
        return Status.FAIL, printable(key)
    if key.flaw:
        return Status.FAIL, key.flaw
    said = f"{record.kind} {key.bits} bits"
    remarks = []
    if record.kind == "rsa" and key.bits < keys.WEAK_BITS:
        remarks.append(f"RSA of {key.bits} bits; {keys.WEAK_BITS} are asked for (RFC 8301 3.2)")
    if record.testing:
        remarks.append("t=y: it is only tested, and receivers may take its mail for unsigned")
    if record.services and not set(record.services) & {*USED_FOR_MAIL}:
        remarks.append(f"it is for {', '.join(record.services)}, not for mail (s=)")
    return (Status.NOTICE, "; ".join(remarks)) if remarks else (Status.GOOD, said)
