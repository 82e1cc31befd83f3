"""What no plan may do, whatever was wished: bones of a zone, records of other stories, more removals than allowed. Pure.

Standards: RFC 1034 4.2.1 (NS, SOA hold a zone together), RFC 4034 (DNSSEC's types are the signer's and the parent's).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dnsops.plan.door import Item, Step
from dnsops.records.rdata import Record

BONES = ("SOA", "NS", "DS", "DNSKEY", "CDS", "CDNSKEY", "RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "ZONEMD")
STORIES = ("_domainkey", "_acme-challenge")  # labels whose records other stories write and remove


@dataclass(frozen=True, slots=True)
class Limits:
    """Removals that one run may do in a zone: so many, or that share of our records there; the larger holds."""

    most: int = 3
    percent: int = 30

    def allowed(self, owned: int) -> int:
        return max(self.most, owned * self.percent // 100)


def untouchable(record: Record) -> bool:
    """Whether a record is none of a plan's business."""
    return record.type in BONES or record.type == "TLSA" or any(label in STORIES for label in record.name.split("."))


def refusal(items: Iterable[Item], owned: int, limits: Limits) -> str:
    """Why a plan may not be carried out as it is; "" when it may. owned: our records in the zone."""
    removals, allowed = sum(item.step is Step.REMOVE for item in items), limits.allowed(owned)
    if removals <= allowed:
        return ""
    return f"it removes {removals} of our {owned} records, and {allowed} are allowed in one run"


def check(items: Iterable[Item]) -> None:
    """The last look before anything is written: ValueError for what no plan should ever say."""
    for item in items:
        for record in (item.before, item.after):
            if record is not None and untouchable(record):
                raise ValueError(f"a plan touches {record.name} {record.type}")
        if item.step is Step.REPLACE and (item.before is None or item.after is None):
            raise ValueError("a replacement without its two records")
