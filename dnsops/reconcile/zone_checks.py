"""The public DNS against what is wanted, judged: each wish and expectation by what the answers show, and records beside them. Pure.

    as a plan judges a zone without marks: the same, as good, missing, or another's          `checks_of`
    records beside ours that lead mail, passwords or trust to somebody else                  `strays`

Standards: RFC 1034 3.6.2 (aliases), RFC 5321 5.1 (any MX host takes mail), RFC 2782 (SRV), RFC 8659 4 (CAA), RFC 7671 8 (TLSA).
Fails by: `Check` with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from dnsops.plan.difference import Zone, difference
from dnsops.plan.door import Item, Step
from dnsops.plan.ownership import Ledger, key
from dnsops.plan.purpose import Merge
from dnsops.plan.safety import Limits
from dnsops.providers.door import Held, Mark
from dnsops.records.rdata import Record, parse
from dnsops.resolve.answer import Answer, Security
from dnsops.wanted.door import Expectation, Keeper, Wanted, Wish

ADDRESSES = ("A", "AAAA")

Answers = Mapping[tuple[str, str], Answer]


class State(Enum):
    """What the DNS says of one record; the value is what a person reads."""

    RIGHT = "as wanted"
    AS_GOOD = "another record serves the purpose"
    MISSING = "missing"
    OTHER = "something else stands there"
    BOGUS = "DNSSEC says that the answer is forged or broken"
    FAILED = "there was no answer"


TROUBLE = (State.MISSING, State.OTHER, State.BOGUS)


@dataclass(frozen=True, slots=True)
class Check:
    """One record that should be there. text: what is wanted.  said: what stands there instead.  theirs: for others to write."""

    name: str
    type: str
    text: str
    state: State
    security: Security
    why: str
    said: str = ""
    advice: str = ""
    theirs: bool = False
    ttl: int = 0


@dataclass(frozen=True, slots=True)
class Stray:
    """A record beside ours that nobody here wished. grave: it leads mail or passwords to somebody else."""

    name: str
    type: str
    text: str
    why: str
    grave: bool = False


@dataclass(frozen=True, slots=True)
class Unequal:
    """A server whose word differs from what the resolver has. why: what it says."""

    name: str
    type: str
    server: str
    why: str


@dataclass(frozen=True, slots=True)
class Public:
    """All that the world's DNS says of what is wanted: by the resolver, and at each authoritative server."""

    checks: tuple[Check, ...] = ()
    strays: tuple[Stray, ...] = ()
    unequal: tuple[Unequal, ...] = ()


# type -> why a record beside ours matters, and whether it is grave
STRAYS = {
    "A": ("a part of all mail goes to that address", True),
    "AAAA": ("a part of all mail goes to that address", True),
    "MX": ("mail goes there, too, or first", True),
    "SRV": ("mail programs give their passwords there, too", True),
    "TLSA": ("whoever has that key may pose as this server", False),
    "CAA": ("another authority may issue certificates", False),
}


def _questions(wishes: Iterable[Wish]) -> Iterator[tuple[str, str]]:
    for wish in wishes:
        yield wish.record.name, wish.record.type
        if wish.record.type == "CNAME":
            yield from ((wish.record.name, one) for one in ADDRESSES)


def checks_of(found: Wanted, answers: Answers, merge: Merge) -> list[Check]:
    """Every wish and every expectation, in their order."""
    planned = _planned(found.wishes, answers, merge)
    wished = (_check(wish, answers, planned) for wish in found.wishes)
    return [*wished, *(_expected(one, answers) for one in found.expectations)]


def questions(found: Wanted) -> set[tuple[str, str]]:
    """All that must be asked."""
    return {*_questions(found.wishes), *((one.name, one.type) for one in found.expectations)}


def strays(found: Wanted, answers: Answers, known: Iterable[Record] = ()) -> list[Stray]:
    """Records of the same name and type as a wish that nobody wishes. known: others of ours, as a TLSA record that retires."""
    wished: dict[tuple[str, str], list[Wish]] = {}
    for wish in found.wishes:
        wished.setdefault((wish.record.name, wish.record.type), []).append(wish)
    ours = {key(record) for record in (*(wish.record for wish in found.wishes), *known)}
    return [
        Stray(*place, str(data), *STRAYS[place[1]])
        for place in wished
        if place[1] in STRAYS and answers[place].canonical in ("", place[0])
        for data in sorted(answers[place].items, key=str)
        if data.type == place[1] and key(Record(*place, 0, data)) not in ours
    ]


def _planned(wishes: Iterable[Wish], answers: Answers, merge: Merge) -> dict[str, list[Item]]:
    """By name: what a plan would do where these records stand, all of them strangers'."""
    mine = [wish for wish in wishes if wish.keeper is Keeper.ZONE]
    held = [Held(record, Mark.UNKNOWN) for record in dict.fromkeys(_shown(answers))]
    found: dict[str, list[Item]] = {}
    for item in difference(Zone("", tuple(held)), mine, Ledger(""), Limits(), merge).items:
        found.setdefault(item.record.name, []).append(item)
    return found


def _shown(answers: Answers) -> Iterator[Record]:
    """What the answers show; of a name that leads elsewhere, the alias."""
    for (name, type_name), answer in answers.items():
        if answer.canonical in ("", name):
            yield from (Record(name, type_name, answer.ttl, data) for data in answer.items if data.type == type_name)
        elif answer.items:
            yield Record(name, "CNAME", answer.ttl, parse("CNAME", f"{answer.canonical}."))


def _check(wish: Wish, answers: Answers, planned: Mapping[str, list[Item]]) -> Check:
    record, answer = wish.record, answers[wish.record.name, wish.record.type]
    check = Check(record.name, record.type, str(record.data), State.RIGHT, answer.security, wish.why, ttl=record.ttl)
    if state := _unanswered(answer):
        return replace(check, state=state, said=answer.why)
    if wish.keeper is not Keeper.ZONE:
        there = any(key(replace(record, data=data)) == key(record) for data in answer.items if data.type == record.type)
        return check if there else replace(check, state=State.MISSING)
    return _judged(check, record, planned.get(record.name, []))


def _judged(check: Check, record: Record, items: Iterable[Item]) -> Check:
    """As the plan's line about this record says."""
    item = next((one for one in items if one.after and key(one.after) == key(record)), None)
    if item is None:
        item = next((one for one in items if one.record.type in (record.type, *ADDRESSES)), None)
    if item is None:
        return replace(check, state=State.MISSING)
    said = str(item.before.data) if item.before and item.step is not Step.KEEP else ""
    state = {Step.ADD: State.MISSING, Step.KEEP: State.RIGHT, Step.FOREIGN: State.AS_GOOD}.get(item.step, State.OTHER)
    return replace(check, state=state, said=said, advice=item.advice)


def _expected(one: Expectation, answers: Answers) -> Check:
    answer = answers[one.name, one.type]
    check = Check(one.name, one.type, one.text, State.RIGHT, answer.security, one.why, "", one.advice, theirs=True)
    if state := _unanswered(answer):
        return replace(check, state=state, said=answer.why)
    said = sorted(str(data) for data in answer.items if data.type == one.type)
    if not said:
        return replace(check, state=State.MISSING)
    right = one.type == "DS" or one.text in said
    return check if right else replace(check, state=State.OTHER, said=", ".join(said)[:200])


def _unanswered(answer: Answer) -> State | None:
    return {Security.BOGUS: State.BOGUS, Security.FAILED: State.FAILED}.get(answer.security)
