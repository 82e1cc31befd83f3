"""A client's side of an exchange, for tests: what it says, and what it is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from mailsrv.directory.passwords import Logins
from mailsrv.directory.sasl.door import Binding, Challenge, Done, Failed
from mailsrv.directory.sasl.exchange import Answers, CheckToken, Offer, begin

ALL = ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-1", "PLAIN", "LOGIN", "OAUTHBEARER")


async def talk(
    logins: Logins,
    mechanism: str,
    said: Sequence[bytes | None],
    binding: Binding | None = None,
    check_token: CheckToken | None = None,
    offered: Sequence[str] = ALL,
) -> list[str]:
    """What the server says to each: the challenge, `= account/by`, or `! WHY name`."""
    exchange = begin(mechanism, Offer(tuple(offered), binding or Binding()), Answers(logins, "192.0.2.1", check_token))
    if exchange is None:
        return ["not on offer"]
    answers = [await exchange.start(said[0])]
    for data in said[1:]:
        answers.append(await exchange.step(data or b""))
    return [_written(answer) for answer in answers]


def heard(logins: Logins, mechanism: str, said: Sequence[bytes | None], **more: object) -> list[str]:
    """The same, from outside a loop."""
    return asyncio.run(talk(logins, mechanism, said, **more))  # type: ignore[arg-type]


def _written(answer: Challenge | Done | Failed) -> str:
    match answer:
        case Challenge(data):
            return data.decode()
        case Done(account, by):
            return f"= {account.name}/{by}"
        case Failed(why, name, after):
            return f"! {why.name} {name}" + (f" {after}" if after else "")
