"""Wanted against present: for each name the wishes, what stands there and whose it is, and what follows. Pure.

    nothing there            ADD                              a stranger's SPF            REPLACE: ours is worked into it
    the same there           KEEP, adopted                    another of ours             REPLACE, or ADD and REMOVE
    a stranger's, as good    FOREIGN                          a stranger's, in the way    CONFLICT: a person decides
    ours, not wanted         REMOVE                           a stranger's, elsewhere     counted, and no more

Only wishes of `Keeper.ZONE` are looked at: TLSA and DKIM records have stories of their own.
Standards: RFC 1034 3.6.2 (an alias stands alone), RFC 2181 5.2 (one TTL an RRset), RFC 7208 3.2, RFC 7505 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dnsops.plan import alias, fingerprint, plain, purpose, safety, single
from dnsops.plan.desk import Desk
from dnsops.plan.door import Item, Plan, Step
from dnsops.plan.ownership import Claim, Claimed, Ledger, claimed
from dnsops.plan.purpose import Merge
from dnsops.plan.safety import Limits
from dnsops.providers.door import Held
from dnsops.wanted.door import Family, Keeper, Wish


@dataclass(frozen=True, slots=True)
class Zone:
    """One zone as it was read: its apex and everything in it."""

    apex: str
    held: tuple[Held, ...]


def difference(
    zone: Zone, wishes: Iterable[Wish], ledger: Ledger, limits: Limits, merge: Merge = purpose.joined
) -> Plan:
    """The plan of one zone. wishes: all of them lie in it.  merge: how a stranger's SPF record and ours become one."""
    mine = [wish for wish in wishes if wish.keeper is Keeper.ZONE]
    there = [claimed(held, ledger) for held in zone.held if not safety.untouchable(held.record)]
    targets = _targets(mine)
    items = [item for desk in _desks(mine, there) for item in _at(desk, targets, merge)]
    items += _remaining(items, there)
    told = {record for item in items for record in (item.before, item.after)}
    owned = sum(one.claim is Claim.WRITTEN for one in there)
    return Plan(
        zone.apex,
        tuple(items),
        fingerprint.of(zone.apex, zone.held, items),
        safety.refusal(items, owned, limits),
        sum(one.record not in told for one in there),
    )


def _desks(wishes: Sequence[Wish], there: Sequence[Claimed]) -> Iterator[Desk]:
    """Each name that something is wished for, in the order of the wishes."""
    held: dict[str, list[Claimed]] = {}
    for one in there:
        held.setdefault(one.record.name, []).append(one)
    wished: dict[str, list[Wish]] = {}
    for wish in wishes:
        wished.setdefault(wish.record.name, []).append(wish)
    for name, some in wished.items():
        yield Desk(name, tuple(some), tuple(held.get(name, ())))


def _at(desk: Desk, targets: dict[str, frozenset[str]], merge: Merge) -> Iterator[Item]:
    """What is to happen at one name."""
    if any(wish.record.type == "CNAME" for wish in desk.wishes):
        yield from alias.wished(desk, targets)
    elif desk.of("CNAME"):
        yield from alias.in_the_way(desk)
    else:
        for type_name, family in dict.fromkeys((wish.record.type, wish.family) for wish in desk.wishes):
            part = desk.part(type_name, family)
            yield from plain.items(part) if family is Family.NONE else single.items(part, merge)


def _remaining(items: Sequence[Item], there: Sequence[Claimed]) -> list[Item]:
    """What we wrote once and nobody wishes any more."""
    told = {item.before for item in items} | {item.after for item in items}
    ours = [one.record for one in there if one.claim is Claim.WRITTEN and one.record not in told]
    return [Item(Step.REMOVE, record, None, "ours, and not wanted any more") for record in ours]


def _targets(wishes: Iterable[Wish]) -> dict[str, frozenset[str]]:
    """The addresses of each host that is wished for: a stranger's A record may do what our alias would."""
    found: dict[str, set[str]] = {}
    for wish in wishes:
        if wish.record.type in ("A", "AAAA"):
            found.setdefault(wish.record.name, set()).add(str(wish.record.data))
    return {name: frozenset(addresses) for name, addresses in found.items()}
