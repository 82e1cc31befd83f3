"""One TLSA RRset: what was seen of it turned into the machine's terms, and the step into a decision with its reasons. Pure.

Standards: RFC 6698 4.1 and RFC 7672 2.2, 3.1 (secure, insecure, bogus; which records are usable), RFC 7671 8.
Fails by: deciding for less. Bogus or unanswered: nothing at all. Insecure: nothing, unless a person insists.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum

from dnsops.base.moment import Moment
from dnsops.certs.chain import Chain, association, flaws, matches, spki_association
from dnsops.records.tlsa import Tlsa
from dnsops.resolve.answer import Security
from dnsops.rollover.findings import findings
from dnsops.rollover.ledger import Ledger
from dnsops.rollover.look import Finding, Form, Look, Policy, Port, bare, usable
from dnsops.rollover.machine import Phase, Seen, Stage, Step, Wanted, step


class Action(Enum):
    """The one word for a run at one name, in JSON and tables; the value explains it."""

    NONE = "in sync: nothing to do"
    PUBLISH = "records that senders need were missing"
    WAIT = "nothing to do until servers agree or caches run out"
    PRUNE = "old records that nobody needs any more go"
    SWITCH = "the next key may be served, and now it is"
    REFUSE = "doing nothing is right, and a person should look"
    LATER = "the DNS gave no answer that can be trusted: nothing was touched"


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do at one place now, and why. `ledger` is what to remember; `wait`: how long until time allows more.

    foreign: records there that are not ours to touch.  ready: the announced keys may be served from now on.
    """

    action: Action
    ledger: Ledger
    publish: frozenset[Tlsa] = frozenset()
    needed: frozenset[Tlsa] = frozenset()
    prune: frozenset[Tlsa] = frozenset()
    ready: bool = False
    wait: timedelta | None = None
    findings: tuple[Finding, ...] = ()
    wanted: Wanted[Tlsa] = field(default_factory=lambda: Wanted(frozenset()))
    foreign: frozenset[Tlsa] = frozenset()


def decide(ledger: Ledger, look: Look, policy: Policy, now: Moment) -> Decision:
    """The decision for one place at one moment."""
    stop = _not_now(ledger, look, policy)
    if stop:
        return stop
    wanted, known = wanted_records(look, policy, now.wall)
    if not wanted.current:
        return Decision(Action.REFUSE, ledger, findings=tuple(known), wanted=wanted)
    if policy.adopt:
        ledger = _adopted(ledger, look.present - wanted.all, policy, now)
    users = _users(ledger, look, policy)
    wanted = replace(wanted, kept=frozenset(users) - wanted.all)
    result = step(ledger.life, wanted, _seen(ledger, look, wanted, policy), now)
    kept = replace(ledger, place=look.place, life=result.life, users=users).forget_absent(look.present)
    known += findings(ledger, look, wanted, result, now)
    return Decision(
        _action(result, wanted, policy),
        kept if _mismatched(look) else replace(kept, matched=now),
        publish=result.publish,
        needed=result.needed,
        prune=result.prune,
        ready=result.ready,
        wait=result.wait,
        findings=tuple(known),
        wanted=wanted,
        foreign=look.present - frozenset(result.life.stages),
    )


def wanted_records(look: Look, policy: Policy, now: datetime) -> tuple[Wanted[Tlsa], list[Finding]]:
    """The records that the keys in use and the announced keys need, and what is wrong with their certificates."""
    flawed = [
        Finding(f"{chain.where}: {problem}", "renew it or name the right source")
        for port in look.ports
        for chain in port.current
        for problem in flaws(chain, port.host, now)
    ]
    current = frozenset().union(*(_current(port, policy, flawed) for port in look.ports))
    upcoming = frozenset().union(*(_upcoming(port, policy, flawed) for port in look.ports))
    return Wanted(current, upcoming - current), list(dict.fromkeys(flawed))


def _current(port: Port, policy: Policy, flawed: list[Finding]) -> frozenset[Tlsa]:
    """What the keys that this port's sources hold need."""
    fitting = (chain for chain in port.current if chain.covers(port.host))
    return frozenset().union(*(_records(chain, policy.forms, flawed) for chain in fitting))


def _upcoming(port: Port, policy: Policy, flawed: list[Finding]) -> frozenset[Tlsa]:
    """What the keys that are announced for this port need."""
    chains = (_records(chain, policy.forms, flawed) for chain in port.next_chains)
    matchings = [matching for usage, selector, matching in policy.forms if (usage, selector) == (3, 1)]
    bare_keys = {spki_association(key, 3, matching) for key in port.next_keys for matching in matchings}
    return frozenset(bare_keys).union(*chains)


def _users(ledger: Ledger, look: Look, policy: Policy) -> dict[Tlsa, frozenset[str]]:
    """Who wants each record: the ports of this look by what they say now, everybody else by what was said last.

    A port that is not part of this run, or whose own name or source cannot be read now, goes on needing its record.
    """
    read = [port for port in look.ports if port.current]
    heard = look.elsewhere | {port.answer.name for port in read}
    users = {record: names - heard for record, names in ledger.users.items()} if not policy.adopt else {}
    for port in read:
        for record in _current(port, policy, []) | _upcoming(port, policy, []):
            users[record] = users.get(record, frozenset()) | {port.answer.name}
    return {record: names for record, names in users.items() if names}


def _records(chain: Chain, forms: tuple[Form, ...], flawed: list[Finding]) -> set[Tlsa]:
    records = set()
    for usage, selector, matching in forms:
        if usage == 3:
            records.add(association(chain.certificates[0], usage, selector, matching))
        elif len(chain.certificates) > 1:
            records.add(association(chain.certificates[1], usage, selector, matching))
        else:
            flawed.append(
                Finding(f"{chain.where}: no issuer in the chain, so nothing for usage 2", "use the full chain")
            )
    return records


def _not_now(ledger: Ledger, look: Look, policy: Policy) -> Decision | None:
    """The cases in which nothing may be touched."""
    for answer in (port.answer for port in look.ports):
        if answer.security in (Security.BOGUS, Security.FAILED):
            why = f"{answer.name} TLSA: {answer.security.value}" + (f" ({answer.why})" if answer.why else "")
            finding = Finding(why, f"nothing was changed; look with `mailsrv ask {answer.name} TLSA`", trouble=False)
            return Decision(Action.LATER, ledger, findings=(finding,))
        if answer.security is Security.INSECURE and not policy.allow_insecure:
            what = f"{answer.name}: the zone is not signed with DNSSEC, and there TLSA does nothing"
            finding = Finding(what, "sign the zone and set its DS at the parent, or insist with --allow-insecure")
            return Decision(Action.REFUSE, ledger, findings=(finding,))
    return None


def _adopted(ledger: Ledger, strangers: frozenset[Tlsa], policy: Policy, now: Moment) -> Ledger:
    """A person says that records of our forms at this place are ours, whoever made them."""
    taken = frozenset(r for r in strangers if (r.usage, r.selector, r.matching) in policy.forms)
    stages = {record: Stage(Phase.ASKED, now) for record in taken} | dict(ledger.life.stages)
    return replace(
        ledger, life=replace(ledger.life, stages=stages), adopted=ledger.adopted | taken, foreign=ledger.foreign - taken
    )


def _seen(ledger: Ledger, look: Look, wanted: Wanted[Tlsa], policy: Policy) -> Seen[Tlsa]:
    """The look in the machine's terms."""
    candidates = look.present | wanted.all | frozenset(ledger.life.stages)
    chains = [shown.chain for port in look.ports for shown in port.shown if shown.chain]
    satisfied = [frozenset(record for record in candidates if matches(record, chain)) for chain in chains]
    believed = [_current(port, policy, []) for port in look.ports if not port.probe and port.current]
    return Seen(
        everywhere=look.everywhere,
        anywhere=look.present,
        usable=frozenset() if bare(look) else usable(look),
        ttl=timedelta(seconds=look.ttl),
        shown=(*satisfied, *believed),
        blind=any(port.blind for port in look.ports),
    )


def _mismatched(look: Look) -> bool:
    """Whether senders that verify are refused somewhere right now."""
    acted_on = usable(look)
    chains = [shown.chain for port in look.ports for shown in port.shown if shown.chain]
    return bool(acted_on) and not all(any(matches(r, chain) for r in acted_on) for chain in chains)


def _action(result: Step[Tlsa], wanted: Wanted[Tlsa], policy: Policy) -> Action:
    """The most important thing that happens at this place."""
    phases = {stage.phase for stage in result.life.stages.values()}
    if result.publish:
        return Action.PUBLISH
    if result.withheld:
        return Action.REFUSE
    if result.prune:
        return Action.PRUNE
    if policy.switch and result.ready:
        return Action.SWITCH
    if Phase.RETIRING in phases or Phase.ASKED in phases or (policy.switch and wanted.next):
        return Action.WAIT
    return Action.NONE
