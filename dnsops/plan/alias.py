"""Aliases: one that is wished, and one that stands where other records are wished. Pure.

Standards: RFC 1034 3.6.2, RFC 2181 10.1: at an alias's name stands nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dnsops.plan.desk import Desk, added, conflict, foreign, kept
from dnsops.plan.door import Item, Step
from dnsops.plan.ownership import Claim, Claimed
from dnsops.wanted.door import Wish

OURS = (Claim.WRITTEN, Claim.ADOPTED, Claim.MARKED)
REMOVE_IT = "remove it, and it becomes ours; or leave it, if it is right"


def wished(desk: Desk, targets: Mapping[str, frozenset[str]]) -> Iterator[Item]:
    """targets: the addresses of the hosts that are wished for, by name."""
    wish = next(wish for wish in desk.wishes if wish.record.type == "CNAME")
    there, strangers = desk.find(wish.record), [one for one in desk.held if one.claim not in OURS]
    if there:
        yield kept(wish, there, desk)
    elif not desk.held:
        yield added(wish)
    elif not strangers:
        yield from (Item(Step.REPLACE, one.record, wish.record, wish.why) for one in desk.held)
    elif _leads_there(desk, targets.get(str(wish.record.data).removesuffix("."), frozenset())):
        yield from (foreign(one, "it leads to the host, as our alias would") for one in desk.held)
    else:
        yield _stopped(wish, strangers[0])
        yield from map(foreign, strangers[1:])


def in_the_way(desk: Desk) -> Iterator[Item]:
    """An alias stands where other records are wished."""
    there = desk.of("CNAME")[0]
    for wish in desk.wishes:
        if there.claim in OURS:
            yield Item(Step.REPLACE, there.record, wish.record, wish.why)
        else:
            yield _stopped(wish, there)


def _leads_there(desk: Desk, addresses: frozenset[str]) -> bool:
    """Whether only addresses of the host stand there."""
    found = {str(one.record.data) for one in desk.held if one.record.type in ("A", "AAAA") and not one.held.proxied}
    return bool(found) and found <= addresses and len(found) == len(desk.held)


def _stopped(wish: Wish, there: Claimed) -> Item:
    what = "an alias" if wish.record.type == "CNAME" else f"a {wish.record.type} record"
    why = f"{what} cannot stand beside {'an alias' if there.record.type == 'CNAME' else 'it'}: {wish.why}"
    if {wish.record.type, there.record.type} == {"CNAME"}:
        why = f"a stranger's alias leads elsewhere: {wish.why}"
    return conflict(wish, there, why, REMOVE_IT)
