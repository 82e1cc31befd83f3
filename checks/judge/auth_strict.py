"""What we think of DMARC, DKIM and SPF where internet.nl is lenient, or wrong. Pure.

    DMARC   read by RFC 9989: unknown tags and any order are fine; p=none is a notice; no reports, or pct=, an info
    DKIM    an empty name proves nothing: a known selector's key does
    SPF     look-ups and voids as receivers count them: above the limit it is a fail, whatever the site says

Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from checks.facts.looked import Lookup
from checks.finding import Status
from checks.judge import dkim_keys
from checks.judge.dmarc_policy import Found
from checks.judge.dmarc_policy import Judged as DmarcJudged
from checks.judge.spf_policy import Judged as SpfJudged
from checks.judge.spf_tree import Tree
from dnsops.records.txt.dmarc import Policy, is_policy
from dnsops.records.txt.spf import Spf


@dataclass(frozen=True, slots=True)
class Opinion:
    """status: None when we think as the site does."""

    status: Status | None = None
    details: tuple[str, ...] = ()


def dmarc(found: Found, judged: DmarcJudged) -> Opinion:
    """Of the record as RFC 9989 reads it."""
    if not found.record:
        return Opinion()
    if not is_policy(found.record):
        return Opinion(Status.FAIL, ("receivers do not take it for a DMARC record",))
    policy = Policy.parse(found.record)
    request = (policy.sp or policy.p) if found.inherited else policy.p
    if policy.spoilt or not request:
        return Opinion(Status.FAIL, ("p, sp or np is missing or says nothing known: receivers do nothing",))
    if request == "none" or policy.testing:
        return Opinion(Status.FAIL, (f"receivers are asked for nothing: {'t=y' if policy.testing else request}",))
    remarks = _remarks(policy, found)
    if judged.verdict == "external":
        return Opinion(Status.NOTICE, (*judged.details, *remarks))
    return Opinion(Status.INFO if remarks else Status.GOOD, remarks)


def _remarks(policy: Policy, found: Found) -> tuple[str, ...]:
    remarks = []
    if not policy.rua:
        remarks.append("no rua=: nobody tells you who sends in your name")
    if any(name.lower() in ("pct", "rf", "ri") for name, _ in policy.others):
        remarks.append("pct, rf and ri mean nothing any more (RFC 9989)")
    if not found.inherited and policy.p != "none" and "none" in (policy.sp, policy.np):
        remarks.append("names below the domain are not protected (sp or np is none)")
    return tuple(remarks)


def dkim(keys: Sequence[Lookup], heard: Collection[str] = ()) -> Opinion:
    """Of the keys at selectors that are known. heard: owners that only mail named."""
    if not keys:
        return Opinion(Status.INFO, ("no selector is known, so no key was looked at",))
    judged = [dkim_keys.judge(answer, answer.name in heard) for answer in keys]
    wrong = tuple(str(one) for one in judged if one.status is not Status.GOOD)
    if all(one.status is Status.FAIL for one in judged):
        return Opinion(Status.FAIL, wrong)
    worst = max(min(one.status for one in judged), Status.NOTICE)
    return Opinion(worst, wrong or tuple(map(str, judged)))


def spf(record: str, judged: SpfJudged, tree: Tree) -> Opinion:
    """Of the whole tree."""
    if tree.problems:
        return Opinion(Status.FAIL, tuple(tree.problems + tree.advice))
    if judged.verdict == "bad":  # our grammar reads what the site's does not
        if _open_ended(Spf.parse(record)):
            return Opinion(Status.FAIL, ("it does not end in -all or ~all",))
        return Opinion(Status.GOOD if not tree.advice else Status.INFO, tuple(tree.advice))
    return Opinion(Status.INFO, tuple(tree.advice)) if tree.advice and judged.good else Opinion()


def _open_ended(record: Spf) -> bool:
    if record.ending is not None:
        return record.ending.qualifier in "+?"
    return not any(term.name == "redirect" for term in record.terms)
