"""One command from bytes to its answer: understood, allowed here, run, news told, ended (RFC 9051 2.2.2). Pure.

What the store says becomes a response code (RFC 5530). What nobody expected is not caught here: the connection does that.
"""

from __future__ import annotations

from dnsops.base.errors import Later
from mailsrv.imap.replies import Ok, Refused, bad
from mailsrv.imap.session import Session
from mailsrv.imap.verbs import Asked, Bad, parse
from mailsrv.store.door import Absent, Cannot, Exists, Full


async def perform(session: Session, data: bytes) -> bool:
    """Answer one command; whether it was one that we understood and allow."""
    asked = parse(data, session.utf8)
    session.tag = asked.tag
    if isinstance(asked, Bad):
        session.send(asked.refused.line(asked.tag))
        return False
    if session.state not in asked.verb.states:
        session.send(bad(f"not now: {session.state.value}").line(asked.tag))
        return False
    answer = await ran(session, asked)
    await session.tell(expunge=asked.verb.renumbers)
    session.send(answer.line(asked.tag))
    return isinstance(answer, Ok) or answer.word != b"BAD"


async def ran(session: Session, asked: Asked) -> Ok | Refused:
    try:
        return await asked.command.run(session)
    except Refused as refused:
        return refused
    except Absent:
        return Refused("there is no such mailbox or message", b"NONEXISTENT")
    except Exists:
        return Refused("there is one of that name already", b"ALREADYEXISTS")
    except Full as full:
        return Refused(str(full) or "there is no room left", b"OVERQUOTA")
    except Cannot as cannot:
        return Refused(str(cannot) or "that cannot be done", b"CANNOT")
    except Later:
        return Refused("not now: try again later", b"UNAVAILABLE")
