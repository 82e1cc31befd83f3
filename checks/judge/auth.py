"""DMARC, DKIM and SPF of a domain: what must be asked, and the five findings. Pure.

`look` is a flow: the prober drives it with its resolver, the judge with the book, so that both ask the same questions.
A domain that sends nothing and says so in DMARC and SPF is excused from DKIM (reference internet.nl 5.3).
Fails by: nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from checks.catalogue import by_id
from checks.facts.looked import Lookup, Question
from checks.finding import Category, Finding, Status
from checks.judge import auth_strict, dmarc_policy, spf_policy, spf_tree
from checks.score import single
from dnsops.base.flow import Flow

FULL, NONE = 10, 0

_DIRECT = re.compile(r"v=DMARC1; *p=reject")
_INHERITED = re.compile(r"v=DMARC1;(?:.*sp=reject| *p=reject(?!.*sp=))")
_NOTHING_SENT = re.compile(r"v=spf1 +(?:exp=[^ ]+ +)?-all;?(?: +exp=[^ ]+)?\Z")

_DMARC = {"good": Status.GOOD, "external": Status.NOTICE, "policy": Status.FAIL, "bad": Status.FAIL}


@dataclass(frozen=True, slots=True)
class Auth:
    """What was asked and what it means. heard: owners of keys that only mail named.  spf: its records.  spf_policy, spf_tree: None without exactly one."""

    domain: str
    dmarc: dmarc_policy.Found
    dmarc_policy: dmarc_policy.Judged
    dkim: Lookup
    spf: tuple[str, ...]
    spf_policy: spf_policy.Judged | None = None
    spf_tree: spf_tree.Tree | None = None
    keys: tuple[Lookup, ...] = ()
    heard: frozenset[str] = frozenset()

    @property
    def spf_record(self) -> str:
        """The one SPF record, else "" """
        return self.spf[0] if len(self.spf) == 1 else ""

    @property
    def sends_nothing(self) -> bool:
        """DMARC and SPF are valid and say so."""
        said = (_INHERITED if self.dmarc.inherited else _DIRECT).match(self.dmarc.record)
        valid = self.dmarc_policy.verdict == "good" and self.spf_policy is not None and self.spf_policy.good
        return bool(valid and said and _NOTHING_SENT.match(self.spf_record))


def look(
    domain: str,
    organizational: dmarc_policy.Organizational,
    selectors: Sequence[str] = (),
    heard: Sequence[str] = (),
) -> Flow[Question, Lookup, Auth]:
    """All questions, and the answers' meaning. organizational: of a domain by a public suffix list, "" of a suffix."""
    found = yield from dmarc_policy.find(domain, organizational)
    policy = yield from dmarc_policy.judge(found, organizational)
    dkim = yield Question(f"_domainkey.{domain}", "TXT")
    answer = yield Question(domain, "TXT")
    records = tuple(spf_policy.records(answer)) if answer.rcode == "NOERROR" else ()
    judged = tree = None
    if len(records) == 1:
        judged = yield from spf_policy.judge(domain, records[0])
        tree = yield from spf_tree.count(domain, records[0])
    only = frozenset(f"{selector}._domainkey.{domain}" for selector in heard if selector not in selectors)
    keys = []
    for selector in dict.fromkeys((*selectors, *heard)):
        keys.append((yield Question(f"{selector}._domainkey.{domain}", "TXT")))
    return Auth(domain, found, policy, dkim, records, judged, tree, tuple(keys), only)


def category(auth: Auth) -> Category:
    """The five findings."""
    return single("auth", (_dmarc(auth), _dmarc_policy(auth), _dkim(auth), _spf(auth), _spf_policy(auth)))


def _dmarc(auth: Auth) -> Finding:
    good = bool(auth.dmarc.record)
    status, verdict, points = (Status.GOOD, "good", FULL) if good else (Status.FAIL, "bad", NONE)
    details = (*auth.dmarc.records, *((auth.dmarc.why,) if auth.dmarc.why else ()))
    return by_id("dmarc").finding(status, verdict, points, details=details or ("no DMARC record",))


def _dmarc_policy(auth: Auth) -> Finding:
    subtest, judged = by_id("dmarc_policy"), auth.dmarc_policy
    opinion = auth_strict.dmarc(auth.dmarc, judged)
    if judged.verdict == "not-tested":
        return subtest.untested(worst=subtest.worst, points=NONE)
    return subtest.finding(
        _DMARC[judged.verdict],
        judged.verdict,
        judged.points,
        details=judged.details,
        strict=opinion.status,
        strict_details=opinion.details,
    )


def _dkim(auth: Auth) -> Finding:
    subtest = by_id("dkim")
    if auth.dkim.rcode == "NOERROR":
        opinion = auth_strict.dkim(auth.keys, auth.heard)
        return subtest.finding(Status.GOOD, "good", FULL, strict=opinion.status, strict_details=opinion.details)
    if auth.sends_nothing:
        return subtest.finding(Status.NOT_TESTED, "no-email", FULL, worst=Status.NOT_TESTED)
    why = "no such name" if auth.dkim.rcode == "NXDOMAIN" else auth.dkim.why or auth.dkim.rcode
    return subtest.finding(Status.FAIL, "bad", NONE, details=(f"_domainkey.{auth.domain}: {why}",))


def _spf(auth: Auth) -> Finding:
    good = len(auth.spf) == 1
    status, verdict, points = (Status.GOOD, "good", FULL) if good else (Status.FAIL, "bad", NONE)
    return by_id("spf").finding(status, verdict, points, details=auth.spf or ("no SPF record",))


def _spf_policy(auth: Auth) -> Finding:
    subtest, judged = by_id("spf_policy"), auth.spf_policy
    if judged is None or auth.spf_tree is None:
        return subtest.untested(worst=subtest.worst, points=NONE)
    opinion = auth_strict.spf(auth.spf_record, judged, auth.spf_tree)
    return subtest.finding(
        Status.GOOD if judged.good else Status.FAIL,
        judged.verdict,
        judged.points,
        details=[f"{name}: {record}" for name, record in judged.where],
        strict=opinion.status,
        strict_details=opinion.details,
    )
