"""AUTH: the lines around a SASL exchange.

    C: AUTH PLAIN AGFsaWNlAGZvb2Jhcg==        S: 235 2.7.0 welcome

Standards: RFC 4954 (AUTH), RFC 4422 (SASL), RFC 4616 and others in the machines themselves (mailsrv.directory).
Limits: a line of 12288 octets (RFC 4954 4), 10 rounds. Fails by: `Refused`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable

from dnsops.base.errors import Later
from mailsrv.smtp.door import Challenge, LoggedIn, Login, Rejected
from mailsrv.smtp.replies import (
    BAD_BASE64,
    CANCELLED,
    LINE_TOO_LONG,
    LOGIN_NOT_NOW,
    TOKEN_TOO_LONG,
    WRONG_LOGIN,
    Refused,
    Reply,
    challenge,
)

MOST_ROUNDS = 10


async def exchange(login: Login, first: str, say: Callable[[Reply], None], hear: Callable[[], Awaitable[bytes]]) -> str:
    """Who it is. `first`: what stood behind the mechanism, "" for nothing; `hear` gives the client's next line."""
    response = _initial(first)
    for _ in range(MOST_ROUNDS):
        match await _step(login, response):
            case LoggedIn(account):
                return account
            case Rejected(reply):
                raise Refused(reply or WRONG_LOGIN)
            case Challenge(data):
                say(challenge(base64.b64encode(data).decode()))
        response = await _answer(hear)
    raise Refused(WRONG_LOGIN)


async def _step(login: Login, response: bytes | None) -> Challenge | LoggedIn | Rejected:
    try:
        return await login.step(response)
    except Later:
        raise Refused(LOGIN_NOT_NOW) from None


async def _answer(hear: Callable[[], Awaitable[bytes]]) -> bytes:
    try:
        line = await hear()
    except Refused as refused:
        raise Refused(TOKEN_TOO_LONG if refused.reply is LINE_TOO_LONG else refused.reply) from None
    if line == b"*":
        raise Refused(CANCELLED)
    return _decoded(line)


def _initial(text: str) -> bytes | None:
    """RFC 4954 4: nothing is no response, = is an empty one."""
    if not text:
        return None
    return b"" if text == "=" else _decoded(text.encode(errors="replace"))


def _decoded(line: bytes) -> bytes:
    try:
        return base64.b64decode(line, validate=True)
    except binascii.Error:
        raise Refused(BAD_BASE64) from None
