"""The story of a certificate: when it is due, order it for the announced key, lay it beside, let it be served in its turn.

    sweep old challenges -> look -> decide -> order -> beside the next key -> its turn (TLSA) -> tell the server

Standards: RFC 8555, RFC 9773, RFC 7671 8. The order of writes is the promise: a try is in the journal before the authority
hears of it; a chain lies beside its key, whole, before anything is switched; the switch is one rename. A kill between any
two leaves the served pair as it was, and the next run goes on: a chain that came is not ordered again.
Fails by: one `Outcome` a host; what failed is in the journal, and the next try comes when its time has come.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from dnsops.acme.door import Wish
from dnsops.base.errors import Deliberate, Later
from dnsops.certs.chain import Chain
from dnsops.certs.generations import Generation
from dnsops.reconcile.certificate_looking import look_at, prove
from dnsops.reconcile.certificate_target import Outcome, Target
from dnsops.reconcile.certificate_world import World
from dnsops.rollover.certificate import Action, Decision, Look, decide
from dnsops.rollover.certificate_journal import Journal
from dnsops.rollover.look import Finding

ASK_AGAIN = timedelta(hours=6)  # about ARI, after no answer (RFC 9773 4.3.3)


async def reconcile(targets: Sequence[Target], world: World, dry_run: bool = False) -> list[Outcome]:
    """One run over all hosts, one after the other: they share an account and its limits."""
    return [await _reconcile(target, world, dry_run) for target in targets]


async def _reconcile(target: Target, world: World, dry_run: bool) -> Outcome:
    outcome = Outcome(target.host, Look(target.host, target.names))
    try:
        swept = () if dry_run else await asyncio.to_thread(_prepare, target, world)
        look, left_out = await look_at(target, world)
        journal = world.journals.load(target.host)
        if not dry_run:
            journal = await asyncio.to_thread(_ask_when, look, journal, world)
        look = replace(look, window=journal.window if journal.window_of == _print(look.latest) else None)
        decision = decide(look, journal, target.policy, world.now())
        outcome = Outcome(target.host, look, decision, findings=(*left_out, *swept))
        if dry_run:
            return outcome
        if decision.action is Action.ORDER:
            outcome = await _order(target, outcome, decision, world)
        return _settled(target, await _serve(target, outcome, world), world)
    except Deliberate as error:
        return replace(outcome, error=error)


def _settled(target: Target, outcome: Outcome, world: World) -> Outcome:
    """What was wrong before a new certificate came is no longer so."""
    if not (outcome.issued or outcome.switched) or outcome.decision is None:
        return outcome
    journal, policy = world.journals.load(target.host), replace(target.policy, force=False)
    now = decide(replace(outcome.look, window=None), journal, policy, world.now())
    decision = replace(outcome.decision, findings=now.findings, alarm=now.alarm, wait=now.wait)
    return replace(outcome, decision=decision)


def _prepare(target: Target, world: World) -> tuple[Finding, ...]:
    """There is always a next key, none that was served long ago is kept, and no challenge stands about of a killed run."""
    world.keys.make_next(target.host)
    world.keys.prune_old(target.host)
    try:
        world.solver(target).sweep()
    except Deliberate as error:
        return (Finding(f"old challenges could not be looked for: {error}", "the next run tries again", trouble=False),)
    return ()


def _ask_when(look: Look, journal: Journal, world: World) -> Journal:
    """The authority's word on when to renew, asked no oftener than it wants. No answer is no harm."""
    chain, now = look.latest, world.now()
    if chain is None or (journal.window_of == _print(chain) and journal.ask_after and now < journal.ask_after):
        return journal
    known = journal.window if journal.window_of == _print(chain) else None
    try:
        window = world.authority().window(chain.certificates[0])
        pause = timedelta(seconds=min(max(window.retry_after, 60.0), 86400.0)) if window else ASK_AGAIN
    except Deliberate as error:
        world.log("certificate.window.unknown", host=look.host, why=str(error))
        window, pause = known, ASK_AGAIN
    journal = journal.advised(window, _print(chain), now + pause)
    world.journals.save(journal)
    return journal


async def _order(target: Target, outcome: Outcome, decision: Decision, world: World) -> Outcome:
    """One order; the chain lies beside its key when this returns without an error."""
    names, findings = await prove(target, world)
    outcome = replace(outcome, findings=tuple(dict.fromkeys((*outcome.findings, *findings))))
    authority, solver = world.authority(), world.solver(target)  # what cannot be opened is no try
    journal = world.journals.load(target.host)
    world.journals.save(journal.begun(world.now()))
    try:
        wish = await asyncio.to_thread(_wish, target, outcome.look, names, decision.reuse, journal.open, world)
        chain = await asyncio.to_thread(authority.issue, wish, solver)
        await asyncio.to_thread(world.keys.install_chain, target.host, chain, names)
    except Deliberate as error:
        failing = world.journals.load(target.host).failing(world.now(), error)
        world.journals.save(failing)
        world.log("certificate.failed", host=target.host, why=failing.why, failures=failing.failures)
        later = decide(outcome.look, failing, target.policy, world.now())
        return replace(outcome, decision=replace(later, why=decision.why), error=error)
    world.journals.save(world.journals.load(target.host).succeeded())
    world.log("certificate.issued", host=target.host, names=len(names), why=decision.why)
    return replace(outcome, issued=True)


def _wish(target: Target, look: Look, names: tuple[str, ...], reuse: bool, open_before: bool, world: World) -> Wish:
    """For the next key or, where its turn does not come, for the one in use."""
    current = world.keys.current(target.host)
    csr = current.csr(names) if reuse and current else world.keys.csr(target.host, names)
    old = look.latest.certificates[0] if look.latest and not open_before else None
    return Wish(names, csr, target.profile, target.preferred_chain, old)


async def _serve(target: Target, outcome: Outcome, world: World) -> Outcome:
    """The next pair's turn, when it has come; then the server is told what it does not know yet."""
    upcoming, told = await asyncio.to_thread(world.keys.next, target.host), False
    if upcoming and upcoming.chain:
        try:
            turn = await world.turn(target)
            told = turn.told
            outcome = replace(outcome, switched=turn.switched, findings=(*outcome.findings, *turn.findings))
        except Deliberate as error:
            outcome = replace(outcome, findings=(*outcome.findings, _not_now(target.host, error)))
    if outcome.switched:
        await asyncio.to_thread(world.keys.make_next, target.host)
    current = await asyncio.to_thread(world.keys.current, target.host)
    outcome = replace(outcome, look=_afterwards(outcome.look, current, world))
    return await _tell(target, outcome, current, told, world)


def _not_now(host: str, error: Deliberate) -> Finding:
    what = f"{host}: the new certificate is not served yet: {error.reason if isinstance(error, Later) else error}"
    return Finding(what, "the next run tries again", trouble=not isinstance(error, Later))


def _afterwards(look: Look, current: Generation | None, world: World) -> Look:
    upcoming = world.keys.next(look.host)
    chain = current.chain if current else None
    return replace(look, current=chain, next=upcoming.chain if upcoming else None, served=current is not None)


async def _tell(target: Target, outcome: Outcome, current: Generation | None, told: bool, world: World) -> Outcome:
    """Tell the server of the current pair, until it once succeeded."""
    if not target.install or current is None or current.chain is None:
        return outcome
    journal = world.journals.load(target.host)
    if journal.installed == _print(current.chain):
        return outcome
    problem = "" if told else await world.install(target.install, current)
    if problem:
        advice = "the pair is current; the next run tells the server again"
        finding = Finding(f"{' '.join(target.install)}: {problem}", advice)
        return replace(outcome, findings=(*outcome.findings, finding))
    world.journals.save(journal.told(_print(current.chain)))
    world.log("certificate.installed", host=target.host)
    return replace(outcome, installed=True)


def _print(chain: Chain | None) -> str:
    """The certificate's fingerprint."""
    return hashlib.sha256(chain.certificates[0]).hexdigest() if chain else ""
