"""Records of which a name may have several: addresses, MX, SRV, CAA and texts of no family. Pure.

A stranger's address, MX or SRV at the name says that somebody else serves there. Ours beside it would share their traffic, so
a person decides. CAA and texts stand beside a stranger's in peace.
Standards: RFC 7505 3 (a null MX stands alone), RFC 2782 (SRV, and "." for a service that is not there).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dnsops.plan.desk import Desk, added, conflict, foreign, kept, removed
from dnsops.plan.door import Item, Step
from dnsops.plan.ownership import Claim, Claimed, key
from dnsops.records.rdata import Record
from dnsops.wanted.door import Wish

SERVING = ("A", "AAAA", "MX", "SRV")
SHOWN = (*SERVING, "CAA")
IN_THE_WAY = {
    "A": ("the host has another address there", "add it to records.addresses, or remove it"),
    "AAAA": ("the host has another address there", "add it to records.addresses, or remove it"),
    "MX": ("mail of this domain goes elsewhere", "remove it to move the mail here, or add it to records.other_mx"),
    "SRV": ("somebody else offers this service", "remove it, and ours takes its place"),
}
BY_HAND = "remove it by hand, if no other mail host needs it"


def items(desk: Desk) -> Iterator[Item]:
    """desk: one type of one name."""
    here = {key(wish.record): desk.find(wish.record) for wish in desk.wishes}
    others = [one for one in desk.held if key(one.record) not in here]
    as_good = [one for one in others if any(_same_host(wish, one) for wish in desk.wishes)]
    missing = [
        wish
        for wish in desk.wishes
        if here[key(wish.record)] is None and not any(_same_host(wish, one) for one in as_good)
    ]
    for wish in desk.wishes:
        there = here[key(wish.record)]
        if there:
            yield kept(wish, there, desk)
    yield from (foreign(one, "it names our host, with another preference") for one in as_good)
    yield from _missing(missing, [one for one in others if one not in as_good])


def _missing(missing: Sequence[Wish], others: Sequence[Claimed]) -> Iterator[Item]:
    """Wishes that nothing fulfils yet, and what else stands there."""
    strangers = [one for one in others if one.claim is Claim.FOREIGN and one.record.type in SERVING]
    if missing and strangers:
        why, advice = IN_THE_WAY[strangers[0].record.type]
        yield from (conflict(wish, strangers[0], f"{why}: {wish.why}", advice) for wish in missing)
        yield from (foreign(one, "", advice) for one in strangers[1:])
        return
    alone = [one for one in others if one.yields and missing and (_null(one.record) or missing[0].alone)]
    if alone:
        yield from (Item(Step.REPLACE, one.record, wish.record, wish.why) for one in alone for wish in missing)
    else:
        yield from map(added, missing)
    yield from _leftovers([one for one in others if one not in alone], missing)


def _leftovers(others: Sequence[Claimed], missing: Sequence[Wish]) -> Iterator[Item]:
    for one in others:
        if one.claim is Claim.WRITTEN or (one.yields and missing):
            yield removed(one, "ours takes its place" if missing else "ours, and not wanted any more")
        elif one.record.type in SHOWN:
            yield foreign(one, "", BY_HAND if one.claim is Claim.MARKED else "")


def _same_host(wish: Wish, there: Claimed) -> bool:
    """A stranger's MX for the same host with another preference does what ours would."""
    if wish.record.type != "MX" or _null(wish.record) or there.claim is not Claim.FOREIGN:
        return False
    return str(wish.record.data).split()[-1] == str(there.record.data).split()[-1]


def _null(record: Record) -> bool:
    """`0 .` or `0 0 0 .`: the service is not there, and nothing stands beside that."""
    return record.type in ("MX", "SRV") and str(record.data).split()[-1] == "."
