"""From facts to the report: every category, the total, and what a reader must know of it. Pure.

Fails by: nothing; what nobody looked at is an error or not run, never good.
"""

from __future__ import annotations

from checks.facts.domain import Facts
from checks.facts.looked import Addresses
from checks.finding import Category, Report
from checks.judge import auth, beyond, dnssec, ipv6, mailhosts, mx, routes
from checks.judge.dmarc_policy import Organizational
from checks.score import single, total
from dnsops.base.flow import run


def judge(facts: Facts, organizational: Organizational) -> Report:
    """What internet.nl would say, and what we say. organizational: of a domain by a public suffix list, "" of a suffix."""
    told = run(auth.look(facts.domain, organizational, facts.selectors, facts.heard), facts.answer)
    categories: tuple[Category, ...] = (
        single("ipv6", ipv6.findings(facts, told.spf_record)),
        dnssec.category(facts),
        auth.category(told),
        mailhosts.category(facts),
        routes.category(facts),
    )
    notes = _notes(facts, categories)
    return Report(facts.domain, facts.at, total(categories), categories, _states(facts), notes, beyond.category(facts))


def _states(facts: Facts) -> tuple[tuple[str, str], ...]:
    meant = mx.of(facts)
    return tuple((f"{host.removesuffix('.')}.", meant.state.value) for host in meant.hosts) or (
        ("", meant.state.value),
    )


def _tried(facts: Facts) -> tuple[Addresses, ...]:
    return (*facts.name_servers, *(host.addresses for host in facts.hosts))


def _notes(facts: Facts, categories: tuple[Category, ...]) -> tuple[str, ...]:
    notes = []
    if not all(category.run for category in categories):
        notes.append("RPKI was not looked at: the total is of the other categories, and internet.nl's may differ")
    if any(one.untold for host in _tried(facts) for one in host.reached):
        notes.append(
            "this machine has no way to IPv6 (or IPv4): such addresses count as dead, and internet.nl's total may differ"
        )
    left_out = mx.of(facts).left_out
    if left_out:
        notes.append(
            f"{left_out} mail hosts beyond the first {mx.MOST_HOSTS} were not looked at; internet.nl does the same"
        )
    return tuple(notes)
