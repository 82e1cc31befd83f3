"""Before a zone's first write: whether the provider would let us. Said in its own words, while nothing is half done.

    LACKING   that zone is refused, with what a person must do; the others go on
    WIDE      a note: the credential allows more than is needed, or not for long
    UNKNOWN   and an API that answers neither yes nor no: the writing will tell

Fails by: an `Outcome` with its error, a zone each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from dnsops.base.errors import ForUser, Later
from dnsops.providers import several
from dnsops.providers.door import Access, Grade
from dnsops.reconcile.zone_target import Look, Outcome
from dnsops.reconcile.zone_world import World
from dnsops.rollover.look import Finding

Pair = tuple[Look, Outcome]


async def permitted(pairs: Sequence[Pair], world: World) -> list[Pair]:
    """The same, where something would be written that we may write."""
    zones = [outcome.zone for _, outcome in pairs if outcome.todo]
    found = await _access(zones, world) if zones else ()
    notes = tuple(Finding(str(one), trouble=False) for one in found if one.grade is Grade.WIDE)
    if not world.ours <= set(zones):
        notes = ()  # asked about a few zones only, a credential for all of ours would seem too wide
    return [(look, _judged(outcome, found, notes if outcome.zone in zones[:1] else ())) for look, outcome in pairs]


async def _access(zones: Sequence[str], world: World) -> tuple[Access, ...]:
    try:
        return await asyncio.to_thread(several.check, world.provider, zones)
    except Later as error:
        world.log("zone.rights_unknown", why=error.reason)
        return ()


def _judged(outcome: Outcome, found: Sequence[Access], notes: tuple[Finding, ...]) -> Outcome:
    lacking = [one for one in found if one.grade is Grade.LACKING and one.zone in ("", outcome.zone)]
    if outcome.todo and lacking:
        error = ForUser(lacking[0].what, outcome.zone, lacking[0].advice)
        return replace(outcome, todo=(), error=error)
    return replace(outcome, findings=(*outcome.findings, *notes))
