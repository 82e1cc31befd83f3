"""One name's wishes and what stands there, side by side; and the lines of a plan that every kind of record shares. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dnsops.plan.door import Item, Step
from dnsops.plan.ownership import Claim, Claimed, key
from dnsops.plan.purpose import family_of
from dnsops.providers.door import Mark
from dnsops.records.rdata import Record
from dnsops.wanted.door import Family, Wish

PROXIED = "Cloudflare proxies it, and mail does not pass the proxy"
UNPROXY = "switch it to DNS only in the dashboard"


@dataclass(frozen=True, slots=True)
class Desk:
    """A name, or one type or family of it."""

    name: str
    wishes: tuple[Wish, ...]
    held: tuple[Claimed, ...]

    def of(self, *types: str) -> tuple[Claimed, ...]:
        return tuple(one for one in self.held if one.record.type in types)

    def part(self, type_name: str, family: Family) -> Desk:
        """One type; of TXT one family."""
        wishes = tuple(wish for wish in self.wishes if (wish.record.type, wish.family) == (type_name, family))
        held = tuple(one for one in self.of(type_name) if type_name != "TXT" or family_of(one.record) is family)
        return Desk(self.name, wishes, held)

    def find(self, record: Record) -> Claimed | None:
        """The same record, as it stands there."""
        wanted = key(record)
        return next((one for one in self.held if key(one.record) == wanted), None)


def kept(wish: Wish, there: Claimed, desk: Desk) -> Item:
    """The record stands there already; where the whole RRset is ours, its TTL is kept true, too."""
    record = there.record
    if there.held.proxied:
        return Item(Step.CONFLICT, record, wish.record, PROXIED, UNPROXY)
    if record.ttl != wish.record.ttl and all(_ours(one) for one in desk.of(record.type)):
        return Item(Step.REPLACE, record, replace(record, ttl=wish.record.ttl), f"its TTL is {record.ttl}; {wish.why}")
    return Item(Step.KEEP, record, record, wish.why)


def added(wish: Wish) -> Item:
    return Item(Step.ADD, None, wish.record, wish.why)


def conflict(wish: Wish, there: Claimed, why: str, advice: str) -> Item:
    return Item(Step.CONFLICT, there.record, wish.record, why, advice)


def foreign(there: Claimed, why: str = "", advice: str = "") -> Item:
    """A stranger's record that a reader of the plan should see."""
    return Item(Step.FOREIGN, there.record, None, why or there.claim.value, advice)


def removed(there: Claimed, why: str) -> Item:
    return Item(Step.REMOVE, there.record, None, why)


def _ours(one: Claimed) -> bool:
    """Whose TTL we may change: the ledger's, or what carries our mark where a provider has marks."""
    return one.claim is Claim.WRITTEN or (one.claim is Claim.MARKED and one.held.mark is Mark.OURS)
