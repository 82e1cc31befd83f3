"""DMARC's tree walk: which policy records stand above a domain, and which of those names is its organizational domain. A flow.

    a.b.c.d.e.f.g.h.i.j.mail.example.com  ->  _dmarc. of itself, then of its last 7 labels, 6, 5 ... and of com: 8 questions
    psd=n or psd=y ends a walk early

Standard: RFC 9989 4.10 (the walk), 4.10.2 (the organizational domain). Two records at one name count as none.
Limits: MOST_QUESTIONS a walk. Fails by: `Walk.trouble`, for what cannot be known now; nothing is raised. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from dnsops.base.errors import ForUser
from dnsops.base.flow import Flow
from dnsops.records import names
from dnsops.records.txt.dmarc import Policy, is_policy
from dnsops.records.txt.texts import texts
from dnsops.resolve.answer import Answer, Question
from mailsrv.auth.asked import unknown

MOST_QUESTIONS = 8
LONGEST_TARGET = 7  # labels of every name but the first (RFC 9989 4.10, step 4)

Finder = Callable[[str], str]  # an organizational domain without questions: `suffixes.organizational`


@dataclass(frozen=True, slots=True)
class Record:
    """A policy and the domain that it stands at (as the owner is `_dmarc.` and that domain). text: as it was found."""

    domain: str
    policy: Policy
    text: str


@dataclass(frozen=True, slots=True)
class Walk:
    """What one walk found, the longest name first, and what it says. trouble: what cannot be known now, "" when all is.

    inherited: the record of the organizational domain, or of the public suffix above it (RFC 9989 4.10.1).
    """

    start: str
    records: tuple[Record, ...] = ()
    organizational: str = ""
    inherited: Record | None = None
    trouble: str = ""


@dataclass(slots=True)
class Walker:
    """Walks for one message; no name is asked for twice. find: an organizational domain by other means than walking."""

    find: Finder | None = None
    organizational: dict[str, str] = field(default_factory=dict)  # of each domain walked from
    _known: dict[str, Record | str | None] = field(default_factory=dict)

    def walk(self, domain: str) -> Flow[Question, Answer, Walk]:
        """From a domain up to the top, or to where its organizational domain is said."""
        found: list[Record] = []
        for target in self.targets(domain):
            record = yield from self.record(target)
            if isinstance(record, str):
                return Walk(domain, tuple(found), trouble=record)
            if record is not None:
                found.append(record)
                if record.policy.psd in "yn" and self.find is None:
                    break
        organizational = self.find(domain) if self.find is not None else _organizational(domain, found)
        self.organizational[domain] = organizational
        return Walk(domain, tuple(found), organizational, _inherited(organizational, found))

    def targets(self, domain: str) -> list[str]:
        """The domains whose records a walk asks for."""
        if self.find is not None:
            return list(dict.fromkeys((domain, self.find(domain))))
        labels = domain.split(".")
        rest = labels[1:][-LONGEST_TARGET:]
        return [domain, *(".".join(rest[at:]) for at in range(len(rest)))]

    def record(self, domain: str) -> Flow[Question, Answer, Record | str | None]:
        """The one record of a domain, None for none, or in words why it cannot be known now."""
        if domain not in self._known:
            self._known[domain] = yield from _asked(domain)
        return self._known[domain]


def _asked(domain: str) -> Flow[Question, Answer, Record | str | None]:
    try:
        owner = names.canonical(f"_dmarc.{domain}")
    except ForUser:
        return None  # longer than a name may be: nothing can stand there
    answer = yield Question(owner, "TXT")
    if unknown(answer):
        return f"the DMARC record of {domain} cannot be known now"
    found = texts(answer.items, is_policy, most=2)
    return Record(domain, _read(found[0]), found[0]) if len(found) == 1 else None


@lru_cache(maxsize=256)
def _read(text: str) -> Policy:
    return Policy.parse(text)


def _organizational(start: str, records: list[Record]) -> str:
    """RFC 9989 4.10.2."""
    for record in records:
        if record.policy.psd == "n":
            return record.domain
        if record.policy.psd == "y" and record.domain != start:
            return _one_below(record.domain, start)
    return records[-1].domain if records else start


def _inherited(organizational: str, records: list[Record]) -> Record | None:
    own = next((record for record in records if record.domain == organizational), None)
    return own or next((record for record in records if record.policy.psd == "y"), None)


def _one_below(domain: str, start: str) -> str:
    """The name with one label more, on the way down to `start`."""
    return ".".join(start.split(".")[-(domain.count(".") + 2) :])
