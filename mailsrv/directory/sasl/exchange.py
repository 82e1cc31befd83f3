"""Driving a mechanism: the protocol's server hands bytes in, the directory answers the questions.

    logins_door = Answers(logins, peer)
    exchange = begin("SCRAM-SHA-256", offer, answers)          None: not on offer
    said = await exchange.start(initial)                       Challenge, Done or Failed; then `step` with each response

Base64, `*` and `=` are the protocol's business (RFC 4954 4, RFC 9051 6.2.2). Fails by: `Failed`, never by an exception for
what a client sends. Limits: responses of 12 KiB, 8 steps.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from dnsops.base.errors import Later
from mailsrv.directory.accounts import Account
from mailsrv.directory.passwords import Granted, Logins
from mailsrv.directory.sasl.door import (
    LONGEST_RESPONSE,
    Answer,
    AskAct,
    AskKeys,
    AskPassword,
    AskProved,
    AskToken,
    Binding,
    Challenge,
    Done,
    Failed,
    Mechanism,
    Question,
    Why,
)
from mailsrv.directory.sasl.login import login
from mailsrv.directory.sasl.oauthbearer import oauthbearer
from mailsrv.directory.sasl.plain import plain
from mailsrv.directory.sasl.scram import Form, scram

MOST_STEPS = 8
CheckToken: TypeAlias = Callable[[str, bytes], Awaitable[Account | None]]  # the authzid, the token
Said: TypeAlias = Challenge | Done | Failed
_SCRAM = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-1": "sha1"}
_DEFAULTS = ("tls-exporter", "tls-unique")  # RFC 9266 2: what a client takes unless it is told more


@dataclass(frozen=True)
class Offer:
    """What a connection is offered: made by `offer`."""

    mechanisms: tuple[str, ...]
    binding: Binding


def offer(
    configured: Sequence[str],
    logins: Logins,
    *,
    tls: bool,
    plaintext_allowed: bool = False,
    binding: Binding | None = None,
    tokens: bool = False,
) -> Offer:
    """The configured mechanisms that make sense here: SCRAM only when every account can, -PLUS only with the usual binding."""
    bound = binding or Binding()

    def fits(name: str) -> bool:
        base = name.removesuffix("-PLUS")
        if base in _SCRAM:
            bindable = base == name or any(bound.data(kind) for kind in _DEFAULTS)
            return bindable and logins.can_scram(_SCRAM[base])
        return (tls or plaintext_allowed) and (tokens or name != "OAUTHBEARER")

    return Offer(tuple(name for name in configured if fits(name)), bound)


@dataclass
class Answers:
    """Answers a mechanism's questions for one peer."""

    logins: Logins
    peer: str
    check_token: CheckToken | None = None
    by: str = ""

    async def __call__(self, question: Question) -> Answer:
        match question:
            case AskPassword(name, password):
                verdict = await self.logins.check(name, password, self.peer)
                return self._account(verdict)
            case AskKeys(name, hash_name):
                return await self.logins.keys(name, hash_name, self.peer)
            case AskProved(name):
                return self._account(self.logins.proved(name, self.peer))
            case AskToken(name, token):
                return await self.check_token(name, token) if self.check_token else None
            case AskAct(account, name):
                return self.logins.book.login(name) == account
        return None

    def _account(self, verdict: object) -> Account | None:
        if not isinstance(verdict, Granted):
            return None
        self.by = verdict.by
        return verdict.account


@dataclass
class Exchange:
    """One exchange, from AUTH to its end."""

    make: Callable[[bytes | None], Mechanism]
    answers: Answers
    _flow: Mechanism | None = None
    _steps: int = 0

    async def start(self, initial: bytes | None = None) -> Said:
        """The beginning; `initial`: the response that came with the command, None when there was none."""
        if initial is not None and len(initial) > LONGEST_RESPONSE:
            return Failed(Why.TOO_LONG)
        self._flow = self.make(initial)
        return await self._run(self._flow, None)

    async def step(self, data: bytes) -> Said:
        """The client's answer to the last challenge."""
        self._steps += 1
        if self._flow is None or self._steps > MOST_STEPS:
            return Failed(Why.MALFORMED)
        if len(data) > LONGEST_RESPONSE:
            return Failed(Why.TOO_LONG)
        return await self._run(self._flow, data)

    async def _run(self, flow: Mechanism, answer: Answer) -> Said:
        """On to the next challenge, or to the end."""
        try:
            while True:
                question = flow.send(answer)
                if isinstance(question, Challenge):
                    return question
                answer = await self.answers(question)
        except StopIteration as end:
            return self._ended(end.value)
        except Later as later:
            self._flow = None
            return Failed(Why.LATER, after=int(later.after.total_seconds()))

    def _ended(self, ending: Done | Failed) -> Said:
        self._flow = None
        return Done(ending.account, ending.by or self.answers.by) if isinstance(ending, Done) else ending


def begin(name: str, offered: Offer, answers: Answers) -> Exchange | None:
    """The exchange of a mechanism, by the name a client wrote."""
    name = name.upper()
    if name not in offered.mechanisms:
        return None
    simple = {"PLAIN": plain, "LOGIN": login, "OAUTHBEARER": oauthbearer}
    if name in simple:
        return Exchange(simple[name], answers)
    base = name.removesuffix("-PLUS")
    form = Form(_SCRAM[base], base != name, f"{base}-PLUS" in offered.mechanisms)
    nonce = secrets.token_urlsafe(24).encode()
    return Exchange(lambda initial: scram(initial, form, nonce, offered.binding), answers)
