"""A message's DKIM signatures and its ARC chain, examined together and verified together. Pure.

    flow = signatures(content, now, head)   reads and hashes: linear in the message, so for a large one in a thread
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
from mailsrv.message.header import Header


def signatures(
    content: bytes, now: datetime, head: Header | None = None
) -> Flow[Question, Answer, tuple[tuple[Dkim, ...], Arc]]:
    """What every signature is worth, and what those who forwarded it saw. The work on the octets is done when it is called.

    head: the header of `content`, where that has been read; one that is not complete is read again.
    """
    known = head if head and head.complete else None
    if not (_signed(known) if known else mentions(content, dkim.NAME, arc.PREFIX)):
        return _verified((), arc.NO_CHAIN, now)
    fields = Fields(content, known) if readable(content, known) else None
    return _verified(dkim.examine(content, fields=fields), arc.examine(content, fields), now)


def _signed(head: Header) -> bool:
    return dkim.NAME in head.fields or any(name.startswith(arc.PREFIX) for name in head.fields)


def _verified(
    signed: tuple[dkim.Signed, ...], chain: arc.Chain, now: datetime
) -> Flow[Question, Answer, tuple[tuple[Dkim, ...], Arc]]:
    own = yield from dkim.verify(signed, now)
    return own, (yield from arc.verify(chain, now))
