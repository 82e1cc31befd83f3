"""TXT records of which a name may have one: SPF, DMARC, MTA-STS, TLS-RPT. Pure.

Two SPF records are an error for every receiver (RFC 7208 4.5), so one is never added beside another: it is swapped, and a
stranger's gets our terms worked in. What it said before us is remembered, so that our terms can change and theirs stay.
Fails by: values; what cannot be merged is a CONFLICT.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dnsops.base.errors import ForUser
from dnsops.plan import purpose
from dnsops.plan.desk import Desk, added, conflict, foreign, kept, removed
from dnsops.plan.door import Item, Step
from dnsops.plan.ownership import Claim, Claimed
from dnsops.plan.purpose import Merge
from dnsops.records.rdata import txt
from dnsops.wanted.door import Family, Wish


def items(desk: Desk, merge: Merge) -> Iterator[Item]:
    """desk: one family of one name.  merge: how two SPF records become one."""
    wish = desk.wishes[0]
    there = desk.find(wish.record)
    others = [one for one in desk.held if one is not there]
    if there:
        yield kept(wish, there, desk)
        yield from (_too_many(wish, one) for one in others)
    elif not others:
        yield added(wish)
    elif all(one.yields for one in others):
        yield from (Item(Step.REPLACE, one.record, wish.record, wish.why) for one in others)
    elif len(others) > 1:
        yield from (conflict(wish, one, f"{len(others)} of them stand there", _advice(wish)) for one in others)
    else:
        yield _beside(wish, others[0], merge)


def _beside(wish: Wish, there: Claimed, merge: Merge) -> Item:
    """One other stands there, and it is not simply ours."""
    if wish.family is Family.SPF:
        return _merged(wish, there, merge)
    if there.claim is Claim.MARKED:
        return Item(Step.REPLACE, there.record, wish.record, wish.why)
    theirs, ours = purpose.text_of(there.record), purpose.text_of(wish.record)
    if purpose.served(wish.family, theirs, ours):
        return foreign(there, f"it serves the purpose: {wish.why}", _advice(wish))
    return conflict(wish, there, f"another says something else: {wish.why}", _advice(wish))


def _merged(wish: Wish, there: Claimed, merge: Merge) -> Item:
    """A stranger's SPF record with our terms in it."""
    base = there.base or purpose.text_of(there.record)
    try:
        text = merge(base, purpose.text_of(wish.record), wish.record.name)
    except ForUser as error:
        return conflict(wish, there, error.what, error.advice or _advice(wish))
    if text == purpose.text_of(there.record):
        return Item(Step.KEEP, there.record, there.record, f"theirs says it, too: {wish.why}", merged=base)
    record = replace(there.record, data=txt(text))
    return Item(Step.REPLACE, there.record, record, f"theirs, and ours worked into it: {wish.why}", merged=base)


def _too_many(wish: Wish, one: Claimed) -> Item:
    if one.yields:
        return removed(one, "another of ours stands there")
    return conflict(wish, one, "two of a kind at one name: readers take neither", _advice(wish))


def _advice(wish: Wish) -> str:
    return purpose.ADVICE.get(wish.family, "remove it, and it becomes ours; or leave it, if it is right")
