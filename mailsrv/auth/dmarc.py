"""DMARC: is the domain that From shows the one that SPF or DKIM has proven, and what does it ask for if not? A flow.

    discover(author)               which policy applies, of which of From's domains
    judge(policy, spf, dkim)       whether an identifier that passed is aligned, and the verdict
    evaluate(...)                  both, one after the other

Standard: RFC 9989 4.10 (policy, alignment), 5.3 (the receiver's steps), 11.5 (From with several domains: never a pass, and the
strictest wish of those that fail). A name that does not exist is one for which NXDOMAIN comes (3.2.10).
A pass needs no more than the one identifier that is aligned; where the only ones that could be are not known now, and where the
policy is not, the verdict is temperror. Limits: MOST_IDENTIFIERS identifiers, `author.MOST_DOMAINS` domains, `treewalk`'s.
Fails by: nothing. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from dnsops.base.flow import Flow
from dnsops.records import names
from dnsops.resolve.answer import Answer, Question
from mailsrv.auth.asked import unknown
from mailsrv.auth.author import Author
from mailsrv.auth.treewalk import Finder, Record, Walker
from mailsrv.auth.verdicts import Dkim, Dmarc, Result, Spf, Wish

MOST_IDENTIFIERS = 10
NOT_ALIGNED = "no identifier that passed SPF or DKIM is aligned with From"
STRICTNESS = (Wish.NONE, Wish.QUARANTINE, Wish.REJECT)


@dataclass(frozen=True, slots=True)
class Policy:
    """What applies to one author domain. record: None when DMARC does not apply.  trouble: why that is not known now."""

    domain: str
    record: Record | None = None
    wish: Wish = Wish.NONE
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """The policies of all of From's domains, and the walker that knows the way already."""

    author: Author
    policies: tuple[Policy, ...]
    walker: Walker = field(default_factory=Walker)


@dataclass(frozen=True, slots=True)
class Identifier:
    """A domain that SPF or DKIM is about. `proven`: it passed; else it may yet pass, later."""

    domain: str
    proven: bool
    by_spf: bool = False


def evaluate(
    author: Author, spf: Spf, dkim: Sequence[Dkim], find: Finder | None = None
) -> Flow[Question, Answer, Dmarc]:
    """The verdict on a message. spf: on MAIL FROM.  find: finds organizational domains instead of the tree walk."""
    found = yield from discover(author, find)
    return (yield from judge(found, spf, dkim))


def discover(author: Author, find: Finder | None = None) -> Flow[Question, Answer, Found]:
    """The policy of each of From's domains."""
    walker = Walker(find)
    policies: list[Policy] = []
    for domain in author.domains:
        policies.append((yield from _policy(domain, walker)))
    return Found(author, tuple(policies), walker)


def judge(found: Found, spf: Spf, dkim: Sequence[Dkim]) -> Flow[Question, Answer, Dmarc]:
    """The verdict, when the policies are known and SPF and DKIM are through."""
    author = found.author
    if not author.domains:
        return Dmarc(Result.PERMERROR, why=author.why)
    identifiers = _identifiers(spf, dkim)
    verdicts: list[Dmarc] = []
    for policy in found.policies:
        verdicts.append((yield from _verdict(policy, identifiers, found.walker)))
    return verdicts[0] if author.sound else _of_many(author, verdicts)


def _of_many(author: Author, verdicts: list[Dmarc]) -> Dmarc:
    """RFC 9989 11.5: From that names no single domain never passes; the strictest of what its domains ask for."""
    failing = [one for one in verdicts if one.result is Result.FAIL]
    if failing:
        return replace(max(failing, key=lambda one: STRICTNESS.index(one.wish)), why=author.why)
    trouble = next((one for one in verdicts if one.result is Result.TEMPERROR), None)
    return trouble or Dmarc(Result.PERMERROR, author.domain, why=author.why)


# which policy


def _policy(domain: str, walker: Walker) -> Flow[Question, Answer, Policy]:
    own = yield from walker.record(domain)
    if isinstance(own, str):
        return Policy(domain, trouble=own)
    if own is not None:
        return _applied(domain, own, below=False, there=True)
    walk = yield from walker.walk(domain)
    if walk.trouble:
        return Policy(domain, trouble=walk.trouble)
    if walk.inherited is None:
        return Policy(domain)
    return (yield from _inherited(domain, walk.inherited))


def _inherited(domain: str, record: Record) -> Flow[Question, Answer, Policy]:
    """sp or np, by whether there is such a name; that is asked only when it makes a difference."""
    as_there = _applied(domain, record, below=True, there=True)
    as_absent = _applied(domain, record, below=True, there=False)
    if as_there == as_absent:
        return as_there
    answer = yield Question(domain, "A")
    if unknown(answer):
        stricter = max(as_there, as_absent, key=lambda one: STRICTNESS.index(one.wish))
        return replace(stricter, trouble=f"whether there is a {domain} cannot be known now")
    return as_absent if answer.rcode == "NXDOMAIN" else as_there


def _applied(domain: str, record: Record, below: bool, there: bool) -> Policy:
    if not record.policy.applies:
        return Policy(domain)
    return Policy(domain, record, Wish(record.policy.request(below, there)))


# what passes


def _identifiers(spf: Spf, dkim: Sequence[Dkim]) -> list[Identifier]:
    """Those that passed before those that cannot be known now."""
    undecided = (Result.PASS, Result.TEMPERROR)
    found = [(spf.domain, spf.result, True)] if spf.result in undecided else []
    found += [(one.domain, one.result, False) for one in dkim if one.result in undecided]
    each = dict.fromkeys(
        Identifier(domain.lower().removesuffix("."), result is Result.PASS, by_spf)
        for domain, result, by_spf in found
        if domain
    )
    return sorted(each, key=lambda one: not one.proven)[:MOST_IDENTIFIERS]


def _verdict(policy: Policy, identifiers: list[Identifier], walker: Walker) -> Flow[Question, Answer, Dmarc]:
    if policy.record is not None:
        return (yield from _aligned(policy, policy.record, identifiers, walker))
    if not policy.trouble:
        return Dmarc(Result.NONE, policy.domain)
    # whatever the policy is: the author domain itself is aligned with itself
    same = [one for one in identifiers if one.proven and one.domain == policy.domain]
    by_spf, by_dkim = any(one.by_spf for one in same), any(not one.by_spf for one in same)
    return Dmarc(Result.TEMPERROR, policy.domain, by_spf=by_spf, by_dkim=by_dkim, why=policy.trouble)


def _aligned(
    policy: Policy, record: Record, identifiers: list[Identifier], walker: Walker
) -> Flow[Question, Answer, Dmarc]:
    """Each identifier beside the author domain."""
    by_spf = by_dkim = False
    trouble = policy.trouble
    for one in identifiers:
        if not one.proven and (by_spf or by_dkim):
            break
        strict = (record.policy.aspf if one.by_spf else record.policy.adkim) == "s"
        aligned = yield from _is_aligned(policy, one.domain, strict, walker)
        if isinstance(aligned, str) or (aligned and not one.proven):
            trouble = trouble or (aligned if isinstance(aligned, str) else _later(one))
        elif aligned:
            by_spf, by_dkim = by_spf or one.by_spf, by_dkim or not one.by_spf
    result, why = Result.PASS, ""
    if not by_spf and not by_dkim:
        result, why = (Result.TEMPERROR, trouble) if trouble else (Result.FAIL, NOT_ALIGNED)
    return Dmarc(
        result,
        policy.domain,
        found=record.domain,
        # a domain that needed no walk counts as its own (4.10.2)
        organizational=walker.organizational.get(policy.domain, policy.domain),
        wish=policy.wish,
        testing=record.policy.testing,
        by_spf=by_spf,
        by_dkim=by_dkim,
        record=record.text,
        reports=tuple(uri.mailbox for uri in record.policy.rua if uri.mailbox),
        why=why,
    )


def _is_aligned(policy: Policy, domain: str, strict: bool, walker: Walker) -> Flow[Question, Answer, bool | str]:
    """RFC 9989 4.10.2; in words, why it cannot be known now. Without questions where the names alone decide."""
    if domain == policy.domain:
        return True
    if strict or domain.rpartition(".")[2] != policy.domain.rpartition(".")[2]:
        return False
    author = yield from walker.walk(policy.domain)
    if author.trouble:
        return author.trouble
    if not names.under(domain, author.organizational):
        return False  # a domain's organizational domain is the domain or above it
    other = yield from walker.walk(domain)
    return other.trouble or other.organizational == author.organizational


def _later(one: Identifier) -> str:
    method = "SPF" if one.by_spf else "a signature"
    return f"{method} of {one.domain}, which is aligned with From, cannot be checked now"
