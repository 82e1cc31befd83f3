"""What an SPF record costs its readers, with everything that it includes, as the DNS is now: a flow. Pure.

    cost = yield from cost_of(Spf.parse(text), "example.org")      run(cost_of(...), ask) in tests

Standard: RFC 7208 4.6.4: terms that ask count 10 at the most, answers without data 2, also inside include and redirect.
What a macro makes of it, and what cannot be known now, is not followed. Terms behind `all` cost nothing.
Limits: MOST_COUNTED look-ups, each name asked for once. Fails by: nothing; an include that cannot be read counts as one look-up.
"""

from __future__ import annotations

from collections.abc import Iterator

from dnsops.base.errors import ForUser
from dnsops.base.flow import Flow
from dnsops.records import names
from dnsops.records.txt.spf import ASKING, Mechanism, Spf, Term, is_spf
from dnsops.records.txt.texts import texts
from dnsops.resolve.answer import Answer, Question, Security
from dnsops.wanted.merge import Cost

MOST_COUNTED = 40  # look-ups; a circle ends here
TYPES = {"a": ("A", "AAAA"), "mx": ("MX",)}


def cost_of(record: Spf, domain: str) -> Flow[Question, Answer, Cost]:
    """domain: where the record stands."""
    lookups = voids = 0
    known: dict[Question, Answer] = {}
    waiting = [(term, domain) for term in _asking(record)]
    while waiting and lookups < MOST_COUNTED:
        term, at = waiting.pop(0)
        lookups += 1
        place = _place(term, at)
        if place is None:
            continue
        empty = True
        for kind in TYPES.get(term.name, ("TXT",)):
            question = Question(place, kind)
            known[question] = known.get(question) or (yield question)
            empty = empty and _void(known[question])
            if kind == "TXT":
                waiting += [(inner, place) for inner in _read(known[question])]
        voids += empty
    return Cost(lookups, voids)


def _asking(record: Spf) -> Iterator[Term]:
    """The terms that cost something: those before `all`, and a redirect where there is none."""
    for term in record.terms:
        if term.name == "all":
            return
        if isinstance(term, Mechanism) and term.name in ASKING:
            yield term
    yield from (term for term in record.terms if term.name == "redirect")


def _place(term: Term, at: str) -> str | None:
    """The name that it asks for; None where that depends on the message."""
    if term.name in ("ptr", "exists") or "%" in term.value:
        return None
    try:
        return names.asked(term.value) if term.value else at
    except ForUser:
        return None


def _void(answer: Answer) -> bool:
    """No data there, and that is known."""
    return answer.security not in (Security.BOGUS, Security.FAILED) and not answer.items


def _read(answer: Answer) -> Iterator[Term]:
    found = texts(answer.items, is_spf)
    try:
        yield from _asking(Spf.parse(found[0])) if len(found) == 1 else ()
    except ForUser:
        return
