"""What each method of authentication found, as values. Pure.

Standards: RFC 8601 2.7 (the words of every method), RFC 7208 2.6 (SPF), 6376 3.9 (DKIM), 9989 (DMARC), 8617 5.2 (ARC).
A verdict is a value, never an exception. `why` is one sentence for a person, "" where the result says it all.
Verdicts are keys too: what follows from equal ones is found out once. So the words hash as the single objects they are (Enum would
hash their names, in Python), and `unmarked` leaves away what differs from message to message and decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache

MOST_KEPT = 1024  # the latest signers


class Result(Enum):
    """The words of RFC 8601 2.7; each method uses some of them."""

    NONE = "none"
    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    SOFTFAIL = "softfail"
    NEUTRAL = "neutral"
    POLICY = "policy"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"

    __hash__ = object.__hash__


class Wish(Enum):
    """What a domain asks for mail that fails its DMARC (RFC 9989 4.7, tag p)."""

    NONE = "none"
    QUARANTINE = "quarantine"
    REJECT = "reject"

    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True)
class Spf:
    """One check of RFC 7208. `domain`: whose record was looked at; `identity`: smtp.mailfrom or smtp.helo, as checked."""

    result: Result
    domain: str = ""
    identity: str = ""
    helo: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Dkim:
    """One signature. domain, selector, identity: d=, s=, i=.  algorithm: rsa-sha256 or ed25519-sha256.  bits: the key's size.

    b: the first characters of b=, to tell signatures apart (RFC 6008).  testing: the key says t=y.
    fields: the names in h=, lower case.
    """

    result: Result
    domain: str = ""
    selector: str = ""
    identity: str = ""
    algorithm: str = ""
    bits: int = 0
    b: str = ""
    testing: bool = False
    fields: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Seal:
    """One ARC set: its instance, who sealed it, and what it says that the sealer saw (the text of its AAR)."""

    instance: int
    domain: str
    selector: str
    results: str = ""


@dataclass(frozen=True, slots=True)
class Arc:
    """The chain (RFC 8617 5.2): none, pass or fail, and temperror when a key cannot be known now. `seals`: the oldest first."""

    result: Result
    seals: tuple[Seal, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Iprev:
    """The client's address, and the name that leads back to it (RFC 8601 3); "" for none."""

    result: Result
    name: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Dmarc:
    """RFC 9989. domain: of From.  found: where the policy record stands.  organizational: the organizational domain.

    wish: what applies to this domain (p, sp or np).  published: p as it stands.  testing: t=y.
    by_spf, by_dkim: whether an aligned identifier passed.  record: the text of the policy.  reports: its rua addresses.
    """

    result: Result
    domain: str = ""
    found: str = ""
    organizational: str = ""
    wish: Wish = Wish.NONE
    testing: bool = False
    by_spf: bool = False
    by_dkim: bool = False
    record: str = ""
    reports: tuple[str, ...] = ()
    why: str = ""


def unmarked(signatures: tuple[Dkim, ...]) -> tuple[Dkim, ...]:
    """Verdicts on signatures without what tells one message's signature from another's."""
    return tuple([
        _unmarked(one.result, one.domain, one.selector, one.identity, one.algorithm, one.bits, one.testing, one.why)
        for one in signatures
    ])  # fmt: skip


@lru_cache(MOST_KEPT)
def _unmarked(
    result: Result, domain: str, selector: str, identity: str, algorithm: str, bits: int, testing: bool, why: str
) -> Dkim:
    return Dkim(result, domain, selector, identity, algorithm, bits, testing=testing, why=why)


@dataclass(frozen=True, slots=True)
class Authentication:
    """All that is known of one message's origin."""

    iprev: Iprev = field(default_factory=lambda: Iprev(Result.NONE))
    helo: Spf = field(default_factory=lambda: Spf(Result.NONE, helo=True))
    mail: Spf = field(default_factory=lambda: Spf(Result.NONE))
    dkim: tuple[Dkim, ...] = ()
    arc: Arc = field(default_factory=lambda: Arc(Result.NONE))
    dmarc: Dmarc = field(default_factory=lambda: Dmarc(Result.NONE))

    @property
    def unmarked(self) -> Authentication:
        """The same without b= and h= of the signatures: equal for all messages that are the same to a policy."""
        return Authentication(self.iprev, self.helo, self.mail, unmarked(self.dkim), self.arc, self.dmarc)

    @property
    def passed(self) -> Iterator[Dkim]:
        """The signatures that hold."""
        return (one for one in self.dkim if one.result is Result.PASS)
