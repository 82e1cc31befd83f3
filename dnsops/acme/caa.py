"""What the DNS may say of our authority: the value of a CAA record, and of a persistent validation. Pure.

    letsencrypt.org; accounturi=https://acme-v02.api.letsencrypt.org/acme/acct/1; validationmethods=dns-01

Standards: RFC 8659 4.2 (issue), RFC 8657 (accounturi, validationmethods), draft-ietf-acme-dns-persist (_validation-persist).
Fails by: nothing; without an identity there are no values.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

PERSIST_LABEL = "_validation-persist"
PERSIST = "dns-persist-01"


@dataclass(frozen=True, slots=True)
class CaaFacts:
    """identities: the authority's issuer domain names (caaIdentities).  account_uri: ""  when it shall not be named.
    methods: how we validate, empty for any."""

    identities: tuple[str, ...]
    account_uri: str = ""
    methods: tuple[str, ...] = ()


def values(facts: CaaFacts) -> tuple[str, ...]:
    """The value of an `issue` or `issuewild` property for each identity: any one of them is enough."""
    parameters = [f"accounturi={facts.account_uri}"] if facts.account_uri else []
    parameters += [f"validationmethods={','.join(facts.methods)}"] if facts.methods else []
    return tuple("; ".join([identity, *parameters]) for identity in facts.identities)


def persist(issuer: str, account_uri: str, wildcard: bool = False) -> str:
    """The TXT at _validation-persist.NAME. wildcard: it shall do for `*.NAME` and everything below, too."""
    return f"{issuer}; accounturi={account_uri}" + ("; policy=wildcard" if wildcard else "")


def persisted(texts: Iterable[str], issuers: Iterable[str], account_uri: str, wildcard: bool, now: float) -> bool:
    """Whether one of these texts lets one of the issuers validate without a challenge. now: seconds since 1970."""
    return any(_lets(text, frozenset(issuers), account_uri, wildcard, now) for text in texts)


def _lets(text: str, issuers: frozenset[str], account_uri: str, wildcard: bool, now: float) -> bool:
    issuer, *parameters = (part.strip() for part in text.split(";"))
    found = {key.strip().lower(): value.strip() for key, _, value in (part.partition("=") for part in parameters)}
    if issuer.lower().rstrip(".") not in issuers or found.get("accounturi") != account_uri:
        return False
    if wildcard and found.get("policy", "").lower() != "wildcard":
        return False
    until = found.get("persistuntil")
    return until is None or (until.isascii() and until.isdigit() and float(until[:20]) > now)
