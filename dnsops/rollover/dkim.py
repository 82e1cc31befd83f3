"""One domain's DKIM selectors: when new keys are due, and what one look at the DNS allows. Pure.

The machine (see `machine`) knows records that are wanted, shown and ripe. Here it meets them so:
- wanted now: the records of the keys that sign, and of those that signed until lately: mail on its way still shows them.
- wanted next: the records of the keys to come. They sign when all are ripe, and each stands alone at its name.
- Nothing is ever withheld: a selector that nobody signs with yet breaks nothing.
- A zone without DNSSEC is as good as another; a bogus one, or a server that is silent, means waiting.
- A record leaves when its keys have signed nothing for the policy's hold and twice the TTL after it, and keys that leaked as
  soon as others sign; then, where wished, its
  key is revoked by an empty p= for a while. The private key is destroyed, or given to everybody, when all that is over.

Standards: RFC 6376 3.6.1 (revocation), 6.1.2 (no key, no verification), RFC 5321 4.5.4.1 (mail waits 4 to 5 days in queues).
Fails by: waiting. Bogus, or no answer: nothing at all.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum

from dnsops.base.moment import Moment
from dnsops.dkim.ring import Generation, Ring, Role, Selector
from dnsops.rollover.dkim_ledger import Ledger
from dnsops.rollover.dkim_look import Look, Policy, Sight
from dnsops.rollover.look import Finding
from dnsops.rollover.machine import NOTHING, Life, Phase, Seen, Stage, Step, Wanted, step

MOST_GENERATIONS = 16
LEAKED = timedelta(days=30)  # for which a key that leaked is told to be revoked
JITTER = 10  # per cent of the time between two rotations, by which one may come earlier


class Action(Enum):
    """The one word for a run at one domain, in JSON and tables; the value explains it."""

    NONE = "in sync: nothing to do"
    MAKE = "new keys are due"
    PUBLISH = "records that verifiers need were missing"
    WAIT = "nothing to do until servers agree, caches run out or mail has arrived"
    PRUNE = "records of keys that signed until lately go"
    SWITCH = "the next keys are known everywhere, and now they sign"
    REFUSE = "doing nothing is right, and a person should look"
    LATER = "the DNS gave no answer that can be trusted: nothing was touched"


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do for one domain now, and why. `ledger` is what to remember; `wait`: how long until time allows more.

    gone: generations whose records have left the DNS.  over: generations to forget, with their keys.
    """

    action: Action
    ledger: Ledger
    publish: frozenset[Selector] = frozenset()
    needed: frozenset[Selector] = frozenset()
    prune: frozenset[Selector] = frozenset()
    ready: bool = False
    gone: tuple[str, ...] = ()
    over: tuple[str, ...] = ()
    wait: timedelta | None = None
    findings: tuple[Finding, ...] = field(default=())


def due(ring: Ring, policy: Policy, now: datetime) -> str:
    """Why new keys are due; "" when they are not."""
    current = ring.current
    if ring.next or len(ring.generations) >= MOST_GENERATIONS:
        return ""
    if current is None:
        return "there are no keys yet"
    if policy.rotate:
        return "somebody asks for it"
    if current.algorithms != frozenset(policy.algorithms):
        return "the algorithms changed"
    age = now - current.since
    return f"they have signed for {age.days} days" if policy.every and age >= _span(current, policy.every) else ""


def _span(generation: Generation, every: timedelta) -> timedelta:
    """The time until a rotation: not the same for all domains, nor to be foretold, but the same at every look."""
    share = int.from_bytes(hashlib.sha256(generation.name.encode()).digest()[:4], "big") / 2**32
    return every * (1 - share * JITTER / 100)


def decide(ring: Ring, ledger: Ledger, look: Look, policy: Policy, now: Moment) -> Decision:
    """The decision for one domain at one moment."""
    stop = _not_now(ledger, look)
    if stop:
        return stop
    known = frozenset(ledger.life.stages)
    ledger = replace(ledger, life=_taken_up(ring, ledger.life, look, now), waits=ledger.counted(ring, now))
    wanted = _wanted(ring, ledger, look, policy)
    result = step(ledger.life, wanted, _seen(ring, ledger, look, wanted), now)
    ledger = replace(ledger, life=result.life)
    gone = _gone(ring, ledger, look, policy)
    over = _over(ring, ledger, look, policy)
    return Decision(
        _action(ring, result, gone + over),
        ledger,
        publish=result.publish,
        needed=result.needed,
        prune=result.prune,
        ready=result.ready,
        gone=gone,
        over=over,
        wait=_wait(ring, result, ledger, policy),
        findings=tuple(_findings(ring, ledger, look, result.publish & known)),
    )


def _not_now(ledger: Ledger, look: Look) -> Decision | None:
    """The cases in which nothing may be touched."""
    for sight in look.sights:
        if not sight.trusted:
            answer = sight.answer
            why = f"{answer.name} TXT: {answer.security.value}" + (f" ({answer.why})" if answer.why else "")
            advice = f"nothing was changed; look with `mailsrv ask {answer.name} TXT`"
            return Decision(Action.LATER, ledger, findings=(Finding(why, advice, trouble=False),))
    shared = _one_place(look)
    return Decision(Action.REFUSE, ledger, findings=(shared,)) if shared else None


def _one_place(look: Look) -> Finding | None:
    """Aliases that lead several selectors to one name, where a verifier could not tell their records apart."""
    places: dict[str, str] = {}
    for sight in look.sights:
        other = places.setdefault(sight.place, sight.selector)
        if other != sight.selector:
            what = f"{sight.answer.name}: an alias leads it and the selector {other} to {sight.place}"
            return Finding(what, "remove the alias of `*._domainkey`, or delegate `_domainkey` as a zone")
    return None


def _wanted(ring: Ring, ledger: Ledger, look: Look, policy: Policy) -> Wanted[Selector]:
    """What must stand in the DNS. kept: records once in our care that no key of ours explains any more."""
    now = [selector for one in ring.of(Role.CURRENT) for selector in one.selectors]
    now += [
        selector for one in ring.of(Role.RETIRED) if not _held_out(one, ledger, policy) for selector in one.selectors
    ]
    for one in ring.of(Role.GONE):
        if ledger.waits[one.name].waited < _revoked(one, policy):
            now += [selector.revoked for selector in one.selectors]
    later = frozenset(ring.next.selectors if ring.next else ())
    known = {selector.name for selector in ring.selectors}
    strays = frozenset(one for one in ledger.life.stages if one.name not in known)
    return Wanted(frozenset(now), later, kept=strays & look.anywhere(strays))


def _held_out(generation: Generation, ledger: Ledger, policy: Policy) -> bool:
    """Whether the last mail that these keys signed has had its time to arrive."""
    return generation.leaked or ledger.waits[generation.name].waited >= policy.hold


def _revoked(generation: Generation, policy: Policy) -> timedelta:
    """For how long an empty p= stands in the place of a record that is gone."""
    return max(policy.revoked, LEAKED) if generation.leaked else policy.revoked


def _taken_up(ring: Ring, life: Life[Selector], look: Look, now: Moment) -> Life[Selector]:
    """Records of our own keys are in our care, whatever a lost ledger has forgotten."""
    found = {one: Stage(Phase.ASKED, now) for one in look.anywhere(_ours(ring))}
    return replace(life, stages={**found, **life.stages})


def _ours(ring: Ring) -> list[Selector]:
    """Every record that we may have published."""
    return [*ring.selectors, *(selector.revoked for one in ring.of(Role.GONE) for selector in one.selectors)]


def _seen(ring: Ring, ledger: Ledger, look: Look, wanted: Wanted[Selector]) -> Seen[Selector]:
    """The look in the machine's terms: what signs is what a verifier is shown."""
    candidates = wanted.all | frozenset(ledger.life.stages)
    signing = frozenset(ring.current.selectors) if ring.current else frozenset()
    return Seen(
        everywhere=look.everywhere(candidates),
        anywhere=look.anywhere(candidates),
        usable=wanted.all,  # an addition is harmless in any case
        ttl=look.ttl,
        shown=tuple(frozenset({one}) for one in signing),
    )


def _gone(ring: Ring, ledger: Ledger, look: Look, policy: Policy) -> tuple[str, ...]:
    """Retired generations of which nothing stands in the DNS any more."""
    return tuple(
        one.name
        for one in ring.of(Role.RETIRED)
        if _held_out(one, ledger, policy) and _absent(one.selectors, ledger, look)
    )


def _over(ring: Ring, ledger: Ledger, look: Look, policy: Policy) -> tuple[str, ...]:
    """Generations that no cache can hold any more, and whose revocation, if there was one, has left as well."""
    return tuple(
        one.name
        for one in ring.of(Role.GONE)
        if ledger.waits[one.name].waited >= max(_revoked(one, policy), ledger.life.hold)
        and _absent([text for key in one.selectors for text in (key, key.revoked)], ledger, look)
    )


def _absent(selectors: tuple[Selector, ...] | list[Selector], ledger: Ledger, look: Look) -> bool:
    """Proven to be nowhere, and not asked for."""
    asked_for = any(one in ledger.life.stages for one in selectors)
    return look.complete and not asked_for and not look.anywhere(selectors)


def _action(ring: Ring, result: Step[Selector], ended: tuple[str, ...]) -> Action:
    """The most important thing that happens for this domain."""
    phases = {stage.phase for stage in result.life.stages.values()}
    if result.publish:
        return Action.PUBLISH
    if result.ready:
        return Action.SWITCH
    if result.prune:
        return Action.PRUNE
    busy = ring.next or ring.of(Role.RETIRED) or ring.of(Role.GONE) or ended
    return Action.WAIT if busy or phases & {Phase.ASKED, Phase.RETIRING} else Action.NONE


def _wait(ring: Ring, result: Step[Selector], ledger: Ledger, policy: Policy) -> timedelta | None:
    """How long the clock alone holds things up: caches, and mail on its way."""
    holds = [policy.hold - ledger.waits[one.name].waited for one in ring.of(Role.RETIRED)]
    holds += [
        max(_revoked(one, policy), result.life.hold) - ledger.waits[one.name].waited for one in ring.of(Role.GONE)
    ]
    left = [span for span in [*holds, result.wait] if span is not None and span > NOTHING]
    if result.wait is not None and ring.next:
        return result.wait  # what a person waits for
    return min(left, default=result.wait)


def _findings(ring: Ring, ledger: Ledger, look: Look, lost: frozenset[Selector]) -> list[Finding]:
    """What a person should know about this look. lost: records that stood there before, and are published again."""
    found = [Finding(look.blind, "no record is removed and no key switched")] if look.blind else []
    found += list(dict.fromkeys(finding for sight in look.sights for finding in _silence(sight, look)))
    for selector, text in sorted(look.strangers([*_ours(ring), *ledger.life.stages])):
        what = f"{selector}._domainkey.{look.domain}: another record stands there: {text[:60]!r}"
        found.append(
            Finding(what, "remove it: with two records at a name a verifier may take either (RFC 6376 3.6.2.2)")
        )
    signing = frozenset(ring.current.selectors if ring.current else ())
    for one in sorted(signing & lost):
        what = f"{one.owner(look.domain)} was lost: its signatures fail"
        found.append(Finding(what, "its record is being published"))
    for stray in sorted(one for one in ledger.life.stages if one.name not in {key.name for key in ring.selectors}):
        what = f"left alone: {stray.owner(look.domain)}, whose key is not here any more"
        found.append(Finding(what, "remove the record by hand when nobody signs with it", trouble=False))
    if len(ring.generations) >= MOST_GENERATIONS:
        found.append(
            Finding(f"{look.domain} has {len(ring.generations)} generations of keys", "wait until some are gone")
        )
    return found


def _silence(sight: Sight, look: Look) -> list[Finding]:
    """Who did not answer for this selector."""
    if look.blind:
        return []
    if sight.consensus.silent:
        names = ", ".join(f"{told.server}: {told.why or 'no answer'}" for told in sight.consensus.silent)
        return [Finding(f"silent name servers: {names}", "no record is removed and no key switched until they answer")]
    if not sight.consensus.told:
        return [Finding(f"no name server of {sight.place} is known", "no record is removed and no key switched")]
    return []
