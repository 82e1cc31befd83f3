"""What a mail domain should have in DNS, as values: the words that `wanted`, `plan` and the stories share. Pure.

A `Wish` is a record that we would publish. An `Expectation` is one that only somebody else can: a PTR, a DS.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from dnsops.records.rdata import Record


class Keeper(Enum):
    """Which story writes a record, and takes it away when its time has come."""

    ZONE = "written by `dns apply`"
    TLSA = "written and retired by the TLSA story: a record comes long before its key and goes long after it"
    DKIM = "written and retired by the DKIM story: a record outlives its last signature"
    ACME = "written while a certificate is being issued, and removed after"


class Family(Enum):
    """Kinds of TXT records of which there may be only one at a name, by how their text begins."""

    NONE = ""
    SPF = "v=spf1"
    DMARC = "v=DMARC1"
    MTA_STS = "v=STSv1"
    TLS_RPT = "v=TLSRPTv1"
    DKIM = "v=DKIM1"
    BIMI = "v=BIMI1"
    UAAC = "v=UAAC1"


@dataclass(frozen=True, slots=True)
class Wish:
    """One record that should be there.

    why: one sentence for a person.  standard: RFC and section, or "" where there is none.
    family: TXT records of this family may stand at the name only once; a wish replaces one of ours, merges with a stranger's.
    alone: it must be the only RRset member of its type at the name (a CNAME, a null MX, a negative SRV).
    """

    record: Record
    why: str
    standard: str = ""
    keeper: Keeper = Keeper.ZONE
    family: Family = Family.NONE
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Expectation:
    """A record that we cannot publish: what it should say, why, and who can write it."""

    name: str
    type: str
    text: str
    why: str
    advice: str
    standard: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a person should know before the records stand. `trouble`: without them something would not work."""

    what: str
    advice: str = ""
    trouble: bool = False

    def __str__(self) -> str:
        return f"{self.what} - {self.advice}" if self.advice else self.what


@dataclass(frozen=True, slots=True)
class Wanted:
    """All of it. wishes: sorted by name and type, none twice.  expectations: what others must write.  findings: what is odd."""

    wishes: tuple[Wish, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    findings: tuple[Finding, ...] = ()
