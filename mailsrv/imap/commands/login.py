"""LOGIN (RFC 9051 6.2.3) and AUTHENTICATE (6.2.2, SASL-IR RFC 4959). Pure; the directory says who it is.

Fails by: the same NO for a wrong password and a user who is not there. Without TLS neither is looked at.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field

from mailsrv.imap.capabilities import capabilities
from mailsrv.imap.grammar.cursor import Cursor, Unreadable, decoded
from mailsrv.imap.login import Answer, Challenge, Granted
from mailsrv.imap.replies import Ok, Refused, bad
from mailsrv.imap.session import Session

LONGEST_RESPONSE = 16384  # base64; OAUTHBEARER tokens are long
MOST_STEPS = 10


@dataclass(frozen=True, slots=True)
class Login:
    user: str
    password: str = field(repr=False)

    @classmethod
    def read(cls, cursor: Cursor) -> Login:
        cursor.space()
        user = cursor.astring()
        cursor.space()
        return cls(decoded(user), decoded(cursor.astring()))

    async def run(self, session: Session) -> Ok:
        require_tls(session)
        house = session.house
        account = await house.login.password(self.user, house.hide(self.password), session.wire.peer)
        return enter(session, account)


@dataclass(frozen=True, slots=True)
class Authenticate:
    mechanism: str
    initial: bytes | None  # None: none came; b"": an empty one, written "="

    @classmethod
    def read(cls, cursor: Cursor) -> Authenticate:
        cursor.space()
        mechanism = cursor.word()
        if not cursor.skip(b" "):
            return cls(mechanism, None)
        rest = cursor.data[cursor.at :]
        cursor.at = len(cursor.data)
        return cls(mechanism, from_base64(rest))

    async def run(self, session: Session) -> Ok:
        require_tls(session)
        peer = session.wire.peer
        if self.mechanism not in session.house.login.mechanisms(peer):
            raise Refused("this mechanism is not offered")
        dialogue = session.house.login.begin(self.mechanism, peer)
        if dialogue is None:
            raise Refused("this mechanism is not offered")
        response = self.initial
        for _ in range(MOST_STEPS):
            answer = await dialogue.step(b"" if response is None else response)
            if not isinstance(answer, Challenge):
                return await settled(session, answer)
            response = await asked(session, answer.data)
        raise Refused("this takes too long", b"AUTHENTICATIONFAILED")


def require_tls(session: Session) -> None:
    if not session.may_say_passwords:
        raise Refused("not without TLS: STARTTLS, or the port for TLS", b"PRIVACYREQUIRED")


async def asked(session: Session, challenge: bytes) -> bytes:
    """One turn: our challenge, the client's response."""
    session.send(b"+ %b\r\n" % base64.b64encode(challenge))
    line = await session.wire.line(LONGEST_RESPONSE)
    if line == b"*":
        raise bad("given up, as you wish")
    try:
        return from_base64(line)
    except Unreadable as error:
        raise bad(str(error)) from None


async def settled(session: Session, answer: Answer) -> Ok:
    if not isinstance(answer, Granted):
        return enter(session, None)
    if answer.data:  # the mechanism's last word, which IMAP cannot carry in its OK
        await asked(session, answer.data)
    return enter(session, answer.account)


def enter(session: Session, account: str | None) -> Ok:
    if account is None:
        raise Refused("the name or the password is wrong", b"AUTHENTICATIONFAILED")
    if not session.wire.admit(account):
        raise Refused("this account has too many sessions", b"LIMIT")
    session.admitted(account)
    return Ok("welcome", b"CAPABILITY " + capabilities(session))


def from_base64(text: bytes) -> bytes:
    if text == b"=":
        return b""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Unreadable("not base64") from None
