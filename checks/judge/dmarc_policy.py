"""DMARC as internet.nl judges it: where the record is, what it asks for, and whether others agreed to get reports. Flows. Pure.

    none, NXDOMAIN, no data at `_dmarc.DOMAIN`  ->  once more at the organizational domain by the public suffix list (no tree walk)
    the policy in force: sp of an inherited record that has one, else p; none and `quarantine; t=y` do not protect, `reject; t=y` does
    reports to another organization: exactly one TXT at `DOMAIN._report._dmarc.HOST` must parse, else a notice that costs nothing

Limits: MOST_HOSTS report hosts are asked about.
Fails by: nothing; failures are verdicts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from checks.facts.looked import Lookup, Question
from checks.judge import dmarc_grammar
from dnsops.base.flow import Flow

FULL, LITTLE, NONE = 10, 2, 0
MOST_HOSTS = 20

Organizational = Callable[[str], str]

_MAILTO = re.compile(r"mailto:([^?#]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    """records: those that begin with v=dmarc1; exactly one is right.  domain: where, below `_dmarc.`.  inherited: of the
    organizational domain.  why: what is wrong with the answer, else "" """

    records: tuple[str, ...] = ()
    domain: str = ""
    inherited: bool = False
    why: str = ""

    @property
    def record(self) -> str:
        """The record; "" when there is none, or more."""
        return self.records[0] if len(self.records) == 1 else ""


@dataclass(frozen=True, slots=True)
class Judged:
    """verdict: the site's key (good, external, policy, bad, not-tested).  details: why."""

    verdict: str
    points: int
    details: tuple[str, ...] = ()


def find(domain: str, organizational: Organizational) -> Flow[Question, Lookup, Found]:
    """The record that counts for the domain."""
    own = yield Question(f"_dmarc.{domain}", "TXT")
    found = _records(own)
    if found or not own.answered:
        return Found(found, domain, why="" if own.answered else own.why or own.rcode)
    above = organizational(domain)
    if not above:
        return Found((), domain)
    answer = yield Question(f"_dmarc.{above}", "TXT")
    return Found(_records(answer), above, inherited=True, why="" if answer.answered else answer.why or answer.rcode)


def judge(found: Found, organizational: Organizational) -> Flow[Question, Lookup, Judged]:
    """Its policy. Not tested without exactly one record."""
    if not found.record:
        return Judged("not-tested", NONE)
    tags = dmarc_grammar.tags(found.record)
    if tags is None:
        return Judged("bad", NONE, (f"cannot be read: {found.record}",))
    weak = _weak(tags, found.inherited)
    if weak:
        return Judged("policy", LITTLE, (weak,))
    refusing = yield from _refusing(found.domain, tags, organizational)
    if refusing:
        return Judged("external", FULL, (f"{refusing} has not agreed to get reports of {found.domain}",))
    return Judged("good", FULL)


def _records(answer: Lookup) -> tuple[str, ...]:
    if answer.rcode != "NOERROR":
        return ()
    return tuple(text for text in answer.records if text.lower().startswith("v=dmarc1"))


def _weak(tags: Mapping[str, str], inherited: bool) -> str:
    """Why the policy does not protect; "" when it does."""
    name = "sp" if inherited and "sp" in tags else "p"
    request = tags.get(name, "").lower()
    if not request:
        return "it has no p="
    if request == "none":
        return f"{name}=none asks for nothing"
    if request == "quarantine" and tags.get("t", "").lower() == "y":
        return "quarantine is being tested only (t=y)"
    return ""


def _refusing(domain: str, tags: Mapping[str, str], organizational: Organizational) -> Flow[Question, Lookup, str]:
    """The first report host of another organization that did not agree; "" when all did."""
    own = organizational(domain)
    others = [host for host in _hosts(tags) if organizational(host) != own]
    for host in others[:MOST_HOSTS]:
        answer = yield Question(f"{domain}._report._dmarc.{host}", "TXT")
        if sum(dmarc_grammar.tags(text) is not None for text in answer.records) != 1:
            return host
    return ""


def _hosts(tags: Mapping[str, str]) -> Iterator[str]:
    """Of rua, then of ruf. The site cuts a list at a second `=`, and takes a mailto without @ as a host."""
    for name in ("rua", "ruf"):
        for uri in dmarc_grammar.uris(tags.get(name, "").partition("=")[0]):
            mailto = _MAILTO.match(uri)
            if mailto and mailto[1] and not mailto[1].startswith("//"):
                host = mailto[1].split("@", 1)[-1] if "@" in mailto[1] else mailto[1]
                yield host.partition("!")[0].strip().lower().rstrip(".")
