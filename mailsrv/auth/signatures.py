"""A message's DKIM signatures and its ARC chain, examined together and verified together.

    dkim, arc = await signatures(content, resolver, now)

The work on the octets - hashing, canonical forms - is done here for a small message and in a thread for a large one, so that
10 MB of somebody's mail hold up nobody else's. Standards: those of `dkim` and `arc`. Fails by: nothing; verdicts.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

from dnsops.base.flow import arun
from dnsops.resolve.answer import Answer, Question, Resolver
from mailsrv.auth import arc, dkim
from mailsrv.auth.verdicts import Arc, Dkim

AT_ONCE = 64 << 10  # octets that are worked on in the event loop

Examined = tuple[tuple[dkim.Signed, ...], arc.Chain]


async def signatures(content: bytes, resolver: Resolver, now: datetime) -> tuple[tuple[Dkim, ...], Arc]:
    """What every signature is worth, and what those who forwarded it saw."""
    signed, chain = await _examined(content)

    async def ask(question: Question) -> Answer:
        return await resolver.ask(question.name, question.type)

    return await arun(dkim.verify(signed, now), ask), await arun(arc.verify(chain, now), ask)


async def _examined(content: bytes) -> Examined:
    return examined(content) if len(content) <= AT_ONCE else await asyncio.to_thread(examined, content)


def examined(content: bytes) -> Examined:
    """All that can be known without asking anybody. Processor only."""
    return dkim.examine(content), arc.examine(content)
