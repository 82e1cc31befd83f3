"""What `mailsrv dkim show` prints: each domain's selectors as a table, and its records as lines of a zone file. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dnsops.base.errors import Exit
from dnsops.dkim.ring import Generation, Role, Selector
from dnsops.reconcile import dkim_report, telling
from dnsops.reconcile.dkim_target import Outcome
from dnsops.records.rdata import Record, txt

STANDING = (Role.NEXT, Role.CURRENT, Role.RETIRED)


def status(outcomes: Sequence[Outcome]) -> Exit:
    """A signature that nobody can verify is for a person, and so is a domain without keys; a doubt is for later."""
    shown = [
        _shown(key, outcome) for outcome in outcomes for one in outcome.ring.of(Role.CURRENT) for key in one.selectors
    ]
    if any(not outcome.ring.generations for outcome in outcomes) or "nowhere" in shown or "somewhere" in shown:
        return Exit.FINDINGS
    if any(finding.trouble for outcome in outcomes for finding in telling.findings_of(outcome)):
        return Exit.FINDINGS
    return Exit.LATER if any(not sight.trusted for outcome in outcomes for sight in outcome.look.sights) else Exit.OK


def rows(outcome: Outcome) -> list[tuple[str, ...]]:
    """Selector, algorithm, what it does and since when, and who shows its record."""
    return [
        (key.name, key.algorithm, f"{one.role.value} (since {one.since:%Y-%m-%d})", _where(one, key, outcome))
        for one in outcome.ring.generations
        for key in one.selectors
    ]


def lines(outcome: Outcome, ttl: int) -> Iterator[str]:
    """The records that must stand in the DNS now, for people who write their zone by hand."""
    needed = outcome.decision.needed if outcome.decision else None
    standing = [key for one in outcome.ring.generations if one.role in STANDING for key in one.selectors]
    for key in sorted(needed, reverse=True) if needed else standing:
        yield str(Record(_place(key, outcome), "TXT", ttl, txt(key.text)))


def superfluous(outcome: Outcome) -> Iterator[str]:
    """Names whose records nobody needs any more."""
    for key in sorted(outcome.decision.prune if outcome.decision else ()):
        yield _place(key, outcome)


def _where(one: Generation, key: Selector, outcome: Outcome) -> str:
    place, shown = _place(key, outcome), _shown(key, outcome)
    if one.role is Role.GONE and shown == "nowhere":
        return "removed"
    alias = "" if place == key.owner(outcome.domain) else f", at {place}, to which its name is an alias"
    return shown + alias


def _shown(key: Selector, outcome: Outcome) -> str:
    return dkim_report.shown(key, outcome.look.sight(key.name))


def _place(key: Selector, outcome: Outcome) -> str:
    sight = outcome.look.sight(key.name)
    return sight.place if sight and sight.trusted else key.owner(outcome.domain)
