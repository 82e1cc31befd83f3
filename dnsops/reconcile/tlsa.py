"""The story of TLSA reconciliation: look, decide, publish or prune, and switch keys when their records are ripe.

Standards: RFC 7671 8, RFC 7672. The order of writes is the promise: the ledger first, then the zone; the zone long before
the key; the key long before the removal. A kill between any two leaves both records published and the old key served.
Fails by: one `Outcome` a place. A place that fails never holds up another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from dnsops.base.errors import Deliberate, ForUser, Later
from dnsops.base.log import Log
from dnsops.base.moment import Moment
from dnsops.certs.chain import matches
from dnsops.providers.door import Change, Held, Mark, Provider
from dnsops.reconcile.ledgers import Ledgers
from dnsops.reconcile.looking import Eyes, look_at
from dnsops.reconcile.target import Outcome, Place, Target
from dnsops.records.rdata import Record
from dnsops.records.tlsa import Tlsa
from dnsops.rollover.ledger import Ledger
from dnsops.rollover.look import Finding, Policy
from dnsops.rollover.machine import Life
from dnsops.rollover.tlsa import Action, Decision, decide

PROBES_AFTER_RELOAD = 20


@dataclass(frozen=True)
class World:
    """What the story needs from outside. run: a command, giving "" or what went wrong.

    patience: seconds between two looks at a server that was told to reload.
    """

    eyes: Eyes
    ledgers: Ledgers
    now: Callable[[], Moment]
    log: Log
    run: Callable[[Sequence[str]], Awaitable[str]]
    patience: float = 0.5
    writes: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(4))


async def reconcile(targets: Sequence[Target], world: World, dry_run: bool = False) -> list[Outcome]:
    """One run over all targets. With `dry_run` nothing is written anywhere."""
    if not dry_run:
        await asyncio.to_thread(_announce_keys, targets)
    places = await look_at(targets, world.eyes)
    settled = await asyncio.gather(*(_settle(place, world, dry_run) for place in places))
    pairs = list(zip(places, settled, strict=True))
    if not dry_run:
        pairs = await _switch_keys(pairs, world)
    return [outcome for _, outcome in pairs]


def _announce_keys(targets: Iterable[Target]) -> None:
    """Each host whose keys are ours always has a next one to announce."""
    for host, keys in {target.host: target.keys for target in targets if target.keys}.items():
        if keys.next(host) is None:
            keys.make_next(host)


async def _settle(place: Place, world: World, dry_run: bool) -> Outcome:
    """Decide for one place, and do it."""
    if place.error:
        return Outcome(place.look, zone=place.zone, error=place.error)
    try:
        ledger = world.ledgers.load(place.look.place)
        decision = decide(ledger, place.look, _policy(place), world.now())
        outcome = Outcome(place.look, decision, place.zone)
        if dry_run or decision.action in (Action.LATER, Action.REFUSE):
            return outcome
        async with world.writes:
            return await asyncio.to_thread(_carry_out, place, outcome, decision, world)
    except Deliberate as error:
        return Outcome(place.look, zone=place.zone, error=error)


def _policy(place: Place) -> Policy:
    """One policy for all targets of a place: every form that any of them wants, and a switch when one is due."""
    first = place.targets[0].policy
    forms = tuple(dict.fromkeys(form for target in place.targets for form in target.policy.forms))
    return replace(first, forms=forms, switch=any(_due(target, place) for target in place.targets))


def _due(target: Target, place: Place) -> bool:
    """Whether a switch waits: the next key has its certificate, we know how to switch, and the port does not show it yet."""
    port = next(port for port in place.look.ports if (port.host, port.port) == (target.host, target.port))
    if not port.next_chains or not (target.keys or target.reload):
        return False
    upcoming = {chain.spki for chain in port.next_chains}
    return any(shown.chain is None or shown.chain.spki not in upcoming for shown in port.shown) or not port.shown


def _carry_out(place: Place, outcome: Outcome, decision: Decision, world: World) -> Outcome:
    """Change the zone. Runs in a thread: disks and providers block."""
    ledger = decision.ledger.published(decision.publish)
    world.ledgers.save(ledger)
    if decision.publish:
        return _publish(place, outcome, decision, world)
    if decision.prune:
        return _prune(place, outcome, decision, ledger, world)
    return outcome


def _publish(place: Place, outcome: Outcome, decision: Decision, world: World) -> Outcome:
    """Add what no server shows, and with it whatever else must stand there: adding what is there already changes nothing."""
    ttl, name = place.targets[0].ttl, place.look.place
    _provider(place).write(Change(add=tuple(Record(name, "TLSA", ttl, record) for record in sorted(decision.needed))))
    world.log("tlsa.published", name=name, records=[record.short for record in sorted(decision.publish)])
    return replace(outcome, added=decision.publish)


def _prune(place: Place, outcome: Outcome, decision: Decision, ledger: Ledger, world: World) -> Outcome:
    """Remove what is ours, after reading the zone once more: a human may have been there since we looked."""
    name, provider = place.look.place, _provider(place)
    held = provider.read(name, "TLSA")
    lost = decision.wanted.current - {entry.record.data for entry in held}
    if lost:
        missing = ", ".join(record.short for record in sorted(lost) if isinstance(record, Tlsa))
        raise Later(f"{name}: somebody removed {missing} since we looked; nothing was removed by us")
    mine = tuple(entry.record for entry in held if entry.record.data in decision.prune and _owned(entry, ledger))
    others = decision.prune & {entry.record.data for entry in held} - {record.data for record in mine}
    if mine:
        provider.write(Change(remove=mine))
        world.log("tlsa.pruned", name=name, records=[str(record.data)[:14] for record in mine])
    if others:
        world.ledgers.save(_given_up(ledger, frozenset(r for r in others if isinstance(r, Tlsa))))
    findings = tuple(Finding(f"left alone, it does not carry our mark: {r}", trouble=False) for r in others)
    removed = frozenset(record.data for record in mine if isinstance(record.data, Tlsa))
    return replace(outcome, removed=removed, findings=findings)


def _owned(entry: Held, ledger: Ledger) -> bool:
    match entry.mark:
        case Mark.OURS:
            return True
        case Mark.UNKNOWN:
            return entry.record.data in ledger.ours | ledger.adopted
        case Mark.FOREIGN:
            return entry.record.data in ledger.adopted


def _given_up(ledger: Ledger, records: frozenset[Tlsa]) -> Ledger:
    """Records that turned out to be another's leave our care."""
    stages = {record: stage for record, stage in ledger.life.stages.items() if record not in records}
    life = Life(stages, ledger.life.ttl, ledger.life.ttl_seen)
    return replace(ledger, life=life, ours=ledger.ours - records, foreign=ledger.foreign | records)


def _provider(place: Place) -> Provider:
    for target in place.targets:
        if target.provider:
            return target.provider()
    raise ForUser(
        "there are records to write, and nobody to write them",
        place.look.place,
        "name who holds the zone: --provider cloudflare, rfc2136:SERVER or zonefile:PATH",
    )


Settled = tuple[Place, Outcome]


async def _switch_keys(pairs: list[Settled], world: World) -> list[Settled]:
    """Serve the next key of every host all of whose ports are ready for it, and wake servers that missed a switch."""
    hosts = {t.host: t for place, _ in pairs for t in place.targets if t.keys or (t.reload and t.next_sources)}
    for host, target in hosts.items():
        mine = [pair for pair in pairs if any(t.host == host for t in pair[0].targets)]
        due = any(_due(t, place) for place, _ in mine for t in place.targets if t.host == host)
        ready = all(outcome.decision and outcome.decision.ready and not outcome.error for _, outcome in mine)
        if due and ready:
            changed = await _switch(host, target, mine, world)
        elif target.keys and target.reload and _overslept(host, mine):
            changed = await _reload(host, mine, world)
        else:
            continue
        pairs = [next((new for new in changed if new[0] is old[0]), old) for old in pairs]
    return pairs


async def _switch(host: str, target: Target, mine: list[Settled], world: World) -> list[Settled]:
    """The promise's one moment: every record of the next key is ripe, so it may be served."""
    try:
        if target.keys:
            await asyncio.to_thread(target.keys.promote, host)
    except Deliberate as error:
        return [(place, replace(outcome, error=error)) for place, outcome in mine]
    world.log("tlsa.switched", host=host)
    switched = [(place, replace(outcome, switched=(*outcome.switched, host))) for place, outcome in mine]
    return await _reload(host, switched, world) if target.reload else switched


async def _reload(host: str, mine: list[Settled], world: World) -> list[Settled]:
    """Tell the server, and look until every address shows a key that was just made current."""
    targets = [t for place, _ in mine for t in place.targets if t.host == host]
    trouble = []
    for command in dict.fromkeys(t.reload for t in targets if t.reload):
        problem = await world.run(command)
        trouble += [Finding(f"{' '.join(command)}: {problem}", "the old key is served on; both records stay")] * bool(
            problem
        )
    shown = await asyncio.gather(
        *(_shows_new_key(t, place, world) for place, _ in mine for t in place.targets if t.host == host)
    )
    if not all(shown):
        what = f"{host} does not show its new key after the reload"
        trouble.append(Finding(what, "look at the server's log; both records stay published until it does"))
    return [(place, replace(outcome, findings=(*outcome.findings, *trouble))) for place, outcome in mine]


async def _shows_new_key(target: Target, place: Place, world: World) -> bool:
    """Whether all addresses that answered before show the certificate that the sources now hold."""
    port = next(port for port in place.look.ports if (port.host, port.port) == (target.host, target.port))
    addresses = sorted({shown.address for shown in port.shown if shown.chain})
    sources = target.sources if target.keys else target.next_sources
    wanted = {chain.spki for chain in await asyncio.to_thread(lambda: [source.read(target.host) for source in sources])}
    for _ in range(PROBES_AFTER_RELOAD):
        seen = await asyncio.gather(*(world.eyes.probe(target, address, False) for address in addresses))
        if all(face.chain and face.chain.spki in wanted for faces in seen for face in faces):
            return True
        await asyncio.sleep(world.patience)
    return False


def _overslept(host: str, mine: list[Settled]) -> bool:
    """Whether a port still shows a retiring key of ours: a switch of which the server was never told."""
    for place, outcome in mine:
        if not outcome.decision or outcome.error:
            continue
        current = outcome.decision.wanted.current
        retired = frozenset(outcome.decision.ledger.life.stages) - outcome.decision.wanted.all
        for port in place.look.ports:
            for shown in port.shown if port.host == host else ():
                chain = shown.chain
                if chain and any(matches(r, chain) for r in retired) and not any(matches(r, chain) for r in current):
                    return True
    return False
