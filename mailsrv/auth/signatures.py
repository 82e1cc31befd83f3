"""A message's DKIM signatures and its ARC chain, examined together and verified together. Pure.

    flow = signatures(content, now)         reads and hashes: linear in the message, so for a large one in a thread
    dkim, arc = await arun(flow, ask)       asks for the keys, and checks

Standards: those of `dkim` and `arc`. Fails by: nothing; verdicts.
"""

from __future__ import annotations

from datetime import datetime

from dnsops.base.flow import Flow
from dnsops.resolve.answer import Answer, Question
from mailsrv.auth import arc, dkim
from mailsrv.auth.canonical import Fields, mentions, readable
from mailsrv.auth.verdicts import Arc, Dkim


def signatures(content: bytes, now: datetime) -> Flow[Question, Answer, tuple[tuple[Dkim, ...], Arc]]:
    """What every signature is worth, and what those who forwarded it saw. The work on the octets is done when it is called."""
    if not mentions(content, dkim.NAME, arc.PREFIX):
        return _verified((), arc.NO_CHAIN, now)
    fields = Fields(content) if readable(content) else None
    return _verified(dkim.examine(content, fields=fields), arc.examine(content, fields), now)


def _verified(
    signed: tuple[dkim.Signed, ...], chain: arc.Chain, now: datetime
) -> Flow[Question, Answer, tuple[tuple[Dkim, ...], Arc]]:
    own = yield from dkim.verify(signed, now)
    return own, (yield from arc.verify(chain, now))
