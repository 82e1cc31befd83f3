"""SPF as receivers count it: all look-ups of a record and of what it includes, voids, loops. A flow, for the strict column. Pure.

Standard: RFC 7208 4.6.4: 10 terms that ask (include, a, mx, ptr, exists, redirect), 2 void look-ups, 10 names per mx.
Terms with macros are counted and not followed. Limits: MOST_QUESTIONS; after them the rest is not looked at.
Fails by: nothing; what is wrong is among `problems`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from checks.facts.looked import Lookup, Question
from checks.judge.spf_policy import records
from dnsops.base.errors import ForUser
from dnsops.base.flow import Flow
from dnsops.records.txt.spf import Mechanism, Spf, Term

MOST_LOOKUPS, MOST_VOIDS, MOST_NAMES = 10, 2, 10
MOST_QUESTIONS = 60


@dataclass(slots=True)
class Tree:
    """What was counted. problems: sentences; those make a receiver say permerror.  advice: what is merely unwise."""

    lookups: int = 0
    voids: int = 0
    problems: list[str] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)
    asked: int = 0
    seen: list[str] = field(default_factory=list)

    def conclude(self) -> Tree:
        """With the totals judged."""
        if self.lookups > MOST_LOOKUPS:
            self.problems.append(f"{self.lookups} look-ups, {MOST_LOOKUPS} are allowed (RFC 7208 4.6.4)")
        if self.voids > MOST_VOIDS:
            self.problems.append(f"{self.voids} look-ups of nothing, {MOST_VOIDS} are allowed (RFC 7208 4.6.4)")
        return self


def count(domain: str, record: str) -> Flow[Question, Lookup, Tree]:
    """Of a domain's record."""
    tree = Tree()
    yield from _record(domain, record, tree)
    return tree.conclude()


def _record(domain: str, record: str, tree: Tree) -> Flow[Question, Lookup, None]:
    try:
        spf = Spf.parse(record)
    except ForUser as error:
        tree.problems.append(f"{domain}: {error.what}")
        return
    tree.seen.append(domain)
    _advise(domain, record, spf, tree)
    for term in spf.terms:
        if isinstance(term, Mechanism) and term.name == "all":
            break
        yield from _term(domain, term, tree)
    redirect = next((term for term in spf.terms if term.name == "redirect"), None)
    if redirect and spf.ending is None:
        yield from _redirect(redirect.value, tree)
    tree.seen.pop()


def _advise(domain: str, record: str, spf: Spf, tree: Tree) -> None:
    if any(term.name == "ptr" for term in spf.terms):
        tree.advice.append(f"{domain}: ptr is slow and not to be used (RFC 7208 5.5)")
    if spf.ending is not None and spf.terms[-1] is not spf.ending:
        behind = spf.terms[spf.terms.index(spf.ending) + 1 :]
        if any(isinstance(term, Mechanism) for term in behind):
            tree.advice.append(f"{domain}: what stands behind `all` means nothing")
    if len(record) > 450:
        tree.advice.append(f"{domain}: {len(record)} octets; above 450 answers may not fit (RFC 7208 3.4)")


def _term(domain: str, term: Term, tree: Tree) -> Flow[Question, Lookup, None]:
    value = term.value or domain
    if not isinstance(term, Mechanism) or term.name not in ("include", "a", "mx", "ptr", "exists"):
        return
    tree.lookups += 1
    if "%" in value or term.name in ("ptr", "exists"):
        return
    if term.name == "include":
        yield from _include(value, tree)
    elif term.name == "a":
        yield from _addresses(value, tree)
    else:
        yield from _mail_hosts(value, tree)


def _redirect(target: str, tree: Tree) -> Flow[Question, Lookup, None]:
    tree.lookups += 1
    if "%" not in target:
        yield from _include(target, tree)


def _include(target: str, tree: Tree) -> Flow[Question, Lookup, None]:
    if target.lower().removesuffix(".") in tree.seen:
        tree.problems.append(f"{target} includes itself")
        return
    answer = yield from _ask(target, "TXT", tree)
    found = records(answer) if answer else []
    if answer is not None and len(found) != 1:
        tree.problems.append(f"{target} is included and has {'no' if not found else 'more than one'} SPF record")
    elif found:
        yield from _record(target.lower().removesuffix("."), found[0], tree)


def _addresses(host: str, tree: Tree) -> Flow[Question, Lookup, None]:
    """An `a`: void for an IPv4 client without A, and for an IPv6 client without AAAA; counted when both are missing."""
    for type_name in ("A", "AAAA"):
        answer = yield from _ask(host, type_name, tree)
        if answer is None or not answer.none:
            return
    tree.voids += 1
    tree.advice.append(f"a:{host} has no address")


def _mail_hosts(host: str, tree: Tree) -> Flow[Question, Lookup, None]:
    answer = yield from _ask(host, "MX", tree)
    if answer is not None and answer.none:
        tree.voids += 1
        tree.advice.append(f"mx:{host} has no MX")
    elif answer is not None and len(answer.records) > MOST_NAMES:
        tree.problems.append(f"mx:{host} has {len(answer.records)} names, {MOST_NAMES} are allowed (RFC 7208 4.6.4)")


def _ask(name: str, type_name: str, tree: Tree) -> Flow[Question, Lookup, Lookup | None]:
    """None when enough was asked."""
    if tree.asked >= MOST_QUESTIONS:
        return None
    tree.asked += 1
    return (yield Question(name.lower().removesuffix("."), type_name))
