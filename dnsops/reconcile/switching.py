"""The promise's one moment: a key is served from now on, since every record that stands for it is ripe.

All ports of a host switch together, or none: one key serves them all. A port that has TLSA records and is not part of this
run holds the switch up, for nobody looked whether its records are ripe.
Standards: RFC 7671 8. Fails by: serving the old key on; both records stay published.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from dnsops.base.errors import Deliberate
from dnsops.certs.chain import matches
from dnsops.reconcile.target import Outcome, Place, Target
from dnsops.reconcile.world import World
from dnsops.rollover.look import Finding, Port

PROBES_AFTER_RELOAD = 20
Settled = tuple[Place, Outcome]


def due(target: Target, place: Place) -> bool:
    """Whether a switch waits: the next key has its certificate, we know how to switch, and the port shows another key.

    Without own keys only the port can tell whether a switch was made already; an address that shows nothing tells nothing.
    """
    port = _port(target, place)
    if not port.next_chains or not (target.keys or target.reload):
        return False
    if target.keys:
        return True  # a switch makes them current, and then there is no next certificate
    upcoming = {chain.spki for chain in port.next_chains}
    return any(shown.chain.spki not in upcoming for shown in port.shown if shown.chain)


async def switch_keys(pairs: list[Settled], world: World) -> list[Settled]:
    """Serve the next key of every host all of whose ports are ready for it, and wake servers that missed a switch."""
    hosts = {t.host: t for place, _ in pairs for t in place.targets if t.keys or (t.reload and t.next_sources)}
    for host, target in hosts.items():
        mine = [pair for pair in pairs if any(t.host == host for t in pair[0].targets)]
        changed = await _of_host(host, target, mine, world)
        pairs = [next((new for new in changed if new[0] is old[0]), old) for old in pairs]
    return pairs


async def _of_host(host: str, target: Target, mine: list[Settled], world: World) -> list[Settled]:
    """One host's switch, when it is time for it."""
    waiting = any(due(t, place) for place, _ in mine for t in place.targets if t.host == host)
    ready = all(outcome.decision and outcome.decision.ready and not outcome.error for _, outcome in mine)
    if waiting and ready:
        others = await asyncio.to_thread(_ports_left_out, host, mine, world)
        return _held_up(mine, others) if others else await _switch(host, target, mine, world)
    if target.keys and target.reload and _overslept(host, mine):
        return await _reload(host, mine, world)
    return mine


def _ports_left_out(host: str, mine: list[Settled], world: World) -> list[str]:
    """Owner names of this host whose records we keep, and which nobody named in this run."""
    named = {port.answer.name for place, _ in mine for port in place.look.ports}
    return sorted(owner for owner in world.ledgers.owners() if owner.endswith(f"._tcp.{host}") and owner not in named)


def _held_up(mine: list[Settled], others: list[str]) -> list[Settled]:
    what = f"not switched: {', '.join(others)} has records too and was not looked at"
    advice = (
        "name all ports of the host in one run; or, when that port is gone, remove its file from the state directory"
    )
    finding = Finding(what, advice)
    return [(place, replace(outcome, findings=(*outcome.findings, finding))) for place, outcome in mine]


async def _switch(host: str, target: Target, mine: list[Settled], world: World) -> list[Settled]:
    """Every record of the next key is ripe, so it may be served."""
    try:
        if target.keys:
            await asyncio.to_thread(target.keys.promote, host)
    except Deliberate as error:
        return [(place, replace(outcome, error=error)) for place, outcome in mine]
    world.log("tlsa.switched", host=host)
    switched = [(place, replace(outcome, switched=(*outcome.switched, host))) for place, outcome in mine]
    return await _reload(host, switched, world) if any(t.reload for t in _targets(host, mine)) else switched


async def _reload(host: str, mine: list[Settled], world: World) -> list[Settled]:
    """Tell the server, and look until every address shows a key that was just made current."""
    trouble = []
    for command in dict.fromkeys(target.reload for target in _targets(host, mine) if target.reload):
        if problem := await world.run(command):
            trouble.append(Finding(f"{' '.join(command)}: {problem}", "the old key is served on; both records stay"))
    rounds = 1 if trouble else PROBES_AFTER_RELOAD
    try:
        shown = await asyncio.gather(
            *(_shows_new_key(t, place, world, rounds) for place, _ in mine for t in place.targets if t.host == host)
        )
    except Deliberate as error:
        shown = [False]
        trouble.append(Finding(str(error)))
    if not all(shown):
        what = f"{host} does not show its new key after the reload"
        trouble.append(Finding(what, "look at the server's log; both records stay published until it does"))
    else:
        mine = [(place, _without(outcome, host)) for place, outcome in mine]
    return [(place, replace(outcome, findings=(*outcome.findings, *trouble))) for place, outcome in mine]


def _without(outcome: Outcome, host: str) -> Outcome:
    """What was found at this host's ports before they were reloaded is no longer so."""
    if outcome.decision is None:
        return outcome
    left = tuple(finding for finding in outcome.decision.findings if finding.host != host)
    return replace(outcome, decision=replace(outcome.decision, findings=left))


async def _shows_new_key(target: Target, place: Place, world: World, rounds: int) -> bool:
    """Whether all addresses that answered before show the certificate that the sources now hold."""
    addresses = sorted({shown.address for shown in _port(target, place).shown if shown.chain})
    sources = target.sources if target.keys else target.next_sources
    wanted = {chain.spki for chain in await asyncio.to_thread(lambda: [source.read(target.host) for source in sources])}
    for _ in range(rounds):
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


def _targets(host: str, mine: list[Settled]) -> list[Target]:
    return [target for place, _ in mine for target in place.targets if target.host == host]


def _port(target: Target, place: Place) -> Port:
    return next(port for port in place.look.ports if (port.host, port.port) == (target.host, target.port))
