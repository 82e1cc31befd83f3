"""SPF's policy as internet.nl judges it: the walk over the terms, its budget, includes and the redirect. A flow. Pure.

    budget    10, shared by the whole tree; redirect, include: and every term with mx, ptr or exists in it cost 1, so does `a` alone
    looked at only when something is to be followed: eleven `mx` and -all without include are good (an oddity of the site)
    targets with a macro are not followed and count as fine

Limits: at most BUDGET + 1 questions, as following stops when the budget is gone.
Fails by: nothing; failures are verdicts.
"""

from __future__ import annotations

from dataclasses import dataclass

from checks.facts.looked import Lookup, Question
from checks.judge import spf_grammar
from dnsops.base.flow import Flow

BUDGET = 10
FULL, LITTLE, NONE = 10, 2, 0


@dataclass(frozen=True, slots=True)
class Judged:
    """verdict: the site's key (good, bad, all, max-lookups, include, redirect).  left: of the budget.

    where: the domains whose records are wrong, the innermost first, with those records.
    """

    verdict: str
    points: int
    left: int
    where: tuple[tuple[str, str], ...] = ()

    @property
    def good(self) -> bool:
        return self.verdict == "good"


@dataclass(frozen=True, slots=True)
class _Walked:
    """The terms to follow, and what the walk already tells. ended: an `all` was met."""

    verdict: str
    left: int
    includes: tuple[str, ...] = ()
    redirect: str = ""
    ended: bool = False


def records(answer: Lookup) -> list[str]:
    """The TXT records that are meant as SPF."""
    return [text for text in answer.records if text.lower().startswith("v=spf1")]


def judge(domain: str, record: str, budget: int = BUDGET, included: bool = False) -> Flow[Question, Lookup, Judged]:
    """A record's policy, with all that it includes."""
    terms = spf_grammar.terms(record)
    where = ((domain, record),)
    if terms is None:
        return Judged("bad", NONE, budget, where)
    if not terms:
        return Judged("all", LITTLE, budget, where)
    walked = _walk(terms, budget, included)
    if walked.verdict != "good":
        return Judged(walked.verdict, LITTLE, walked.left, where)
    judged = yield from _follow_all(walked)
    return judged if judged.good else Judged(judged.verdict, judged.points, judged.left, (*judged.where, *where))


def _walk(terms: list[str], budget: int, included: bool) -> _Walked:
    includes, redirects, left = [], [], budget
    for term in terms:
        if term.startswith("redirect"):
            redirects.append(term)
            left -= 1
        elif "include:" in term:
            includes.append(term)
            left -= 1
        elif "mx" in term or "ptr" in term or "exists" in term or term == "a":
            left -= 1
        elif term.endswith("all") and len(term) < 5:
            lax = term[0] in "+a" or (term[0] == "?" and not included)
            return _Walked("all" if lax else "good", left, tuple(includes), "", ended=True)
    missing = not included and not redirects
    return _Walked("all" if missing else "good", left, tuple(includes), redirects[0] if redirects else "")


def _follow_all(walked: _Walked) -> Flow[Question, Lookup, Judged]:
    judged = Judged("good", FULL, walked.left)
    for term in walked.includes:
        judged = yield from _follow(_part(term, ":"), judged.left, "include")
        if not judged.good:
            return judged
    if walked.redirect:
        return (yield from _follow(_part(walked.redirect, "="), judged.left, "redirect"))
    return judged


def _follow(target: str, left: int, kind: str) -> Flow[Question, Lookup, Judged]:
    if left < 0:
        return Judged("max-lookups", LITTLE, left)
    if "{" in target:
        return Judged("good", FULL, left)
    answer = yield Question(target.removesuffix("."), "TXT")
    found = records(answer)
    if answer.rcode != "NOERROR" or not answer.records:
        return Judged(kind, LITTLE, left, ((target, "no record"),))
    if len(found) != 1:
        return Judged(kind, NONE, left, tuple((target, text) for text in found) or ((target, "no SPF record"),))
    judged = yield from judge(target, found[0], left, included=kind == "include")
    if judged.good or judged.verdict == "max-lookups":
        return judged
    return Judged(kind, judged.points, judged.left, judged.where)


def _part(term: str, sign: str) -> str:
    """What stands behind the first sign, and before the second: `include:include:x` means `include`."""
    return [*term.split(sign), ""][1].strip()
