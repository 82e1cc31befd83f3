"""Whether a record in the DNS lets an authority validate a name without a challenge (dns-persist-01). Pure.

    lasts(texts, issuers, account_uri, wildcard, now)

Standard: draft-ietf-acme-dns-persist; such a record is an issue-value (RFC 8659 4.2), read and written in records/txt/caa.
Fails by: nothing; a text that cannot be read validates nothing, and the challenge takes its place.
"""

from __future__ import annotations

from collections.abc import Iterable

from dnsops.base.errors import ForUser
from dnsops.records.txt.caa import Issuer

KIND = "dns-persist-01"


def lasts(texts: Iterable[str], issuers: Iterable[str], account_uri: str, wildcard: bool, now: float) -> bool:
    """Whether one of these texts is for one of the issuers and our account. now: seconds since 1970."""
    return any(_lets(text, frozenset(issuers), account_uri, wildcard, now) for text in texts)


def _lets(text: str, issuers: frozenset[str], account_uri: str, wildcard: bool, now: float) -> bool:
    try:
        found = Issuer.parse(text)
    except ForUser:
        return False
    if found.domain not in issuers or found.values("accounturi") != (account_uri,):
        return False
    if wildcard and [value.lower() for value in found.values("policy")] != ["wildcard"]:
        return False
    return all(_later(value, now) for value in found.values("persistuntil"))


def _later(until: str, now: float) -> bool:
    return until.isascii() and until.isdigit() and float(until[:20]) > now
