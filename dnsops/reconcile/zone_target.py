"""What a person asked of a zone's records, and what a run did about it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dnsops.base.errors import Deliberate
from dnsops.plan.difference import Zone
from dnsops.plan.door import Item, Plan
from dnsops.plan.ownership import Ledger
from dnsops.records.rdata import Record
from dnsops.resolve.answer import Security
from dnsops.rollover.look import Finding
from dnsops.wanted.door import Wish


@dataclass(frozen=True)
class Terms:
    """How a plan is carried out. agreed: the plans that a person saw, by zone; None: whatever is planned now.

    additions: only what we wrote before and is gone; all else is told.  force: past the caps on removals.
    """

    agreed: Mapping[str, Plan] | None = None
    additions: bool = False
    force: bool = False


@dataclass(frozen=True)
class Look:
    """One zone: what is wished there, how it was read, our ledger of it, and the plan; or why there is none."""

    zone: str
    wishes: tuple[Wish, ...] = ()
    read: Zone | None = None
    ledger: Ledger = field(default_factory=lambda: Ledger(""))
    plan: Plan | None = None
    error: Deliberate | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A record after it was written: whether every authoritative server shows it, and what DNSSEC says. why: if not."""

    name: str
    type: str
    everywhere: bool
    security: Security
    why: str = ""

    @property
    def well(self) -> bool:
        return self.everywhere and not self.why and self.security in (Security.SECURE, Security.INSECURE)


@dataclass(frozen=True)
class Outcome:
    """What a run did in one zone: everything a report needs.

    todo: what was to be carried out.  done: what was.  seen: the records that came, looked at afterwards.
    untouched: nobody asked for anything there.  tolerant: conflicts were told before, and are not told again.
    error: why it could not do what it decided.
    """

    zone: str
    plan: Plan | None = None
    todo: tuple[Item, ...] = ()
    done: tuple[Item, ...] = ()
    seen: tuple[Seen, ...] = ()
    findings: tuple[Finding, ...] = ()
    untouched: bool = False
    tolerant: bool = False
    error: Deliberate | None = None
    decision: None = None  # a zone's records have no life of their own that a report could tell


def standing(read: Zone, done: tuple[Item, ...]) -> list[Record]:
    """What stands in a zone once these items are carried out."""
    gone = {item.before for item in done}
    kept = [one.record for one in read.held if one.record not in gone]
    return [*kept, *(item.after for item in done if item.after)]
