"""Trying it at a server of ours: recipients elsewhere up to RCPT, never further; and messages to a mailbox of ours with endings inside.

    facts = await look(Target("mx1.example.org", "127.0.0.1", 25, "example.org"), box="alice+tag@example.org")

Limits: A_LINE tricks over one connection, one connection at a time; each trick is tried again once when the line was cut; ENOUGH connections
in a row that gave nothing, or FEW messages that were not taken at all, and it is left in peace.
Fails by: nothing; what could not be tried is in the facts.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from checks.relay.facts import Cut, Ending, Facts, Trick, Tried
from checks.relay.talking import Answer, Talk
from checks.relay.tricks import ENDINGS, MARK, OUTSIDE, body, tricks, unknown
from mailsrv.spam.hints import plain

A_LINE = 4
ENOUGH = 6
FEW = 3
SHORT = ("plain", "sender of our domain", "percent at our domain")
GLANCE = 30.0  # seconds
LOGIN = b"AUTH PLAIN " + base64.b64encode(b"\0relay-test\0wrong")
Arrived = Callable[[], Awaitable[Collection[str]]]  # the tokens of messages that came by themselves


@dataclass(frozen=True, slots=True)
class Target:
    """domain: of whose mail it is the server."""

    host: str
    address: str
    port: int
    domain: str
    outside: str = OUTSIDE


async def look(target: Target, box: str = "", untold: str = "", arrived: Arrived | None = None) -> Facts:
    """box: an address of ours there; without one no message is sent, and `untold` says why."""
    lines: list[str] = []
    facts = Facts(datetime.now(UTC), target.host)
    try:
        control, *tried = await _tricks(target, lines)
    except (OSError, TimeoutError) as error:
        return replace(facts, why=plain(f"{target.address} port {target.port}: {error or type(error).__name__}"))
    facts = replace(facts, tried=tuple(tried), unknown=control, untold=untold, lines=tuple(lines))
    if not box:
        return facts
    tokens = {ending: secrets.token_hex(8) for ending in ENDINGS}
    cuts: list[Cut] = []
    for ending, token in tokens.items():
        cuts.append(await _cut(target, ending, box, token, lines))
        if len(cuts) == FEW and not any(cut.replies for cut in cuts):
            break  # it takes nothing from us: no use to knock on
    if arrived:
        came = await arrived()
        cuts = [replace(cut, arrived=tokens[cut.ending] in came) if cut.replies else cut for cut in cuts]
    return replace(facts, cuts=tuple(cuts), lines=tuple(lines))


async def glance(target: Target) -> Facts:
    """For a timer, every few minutes: the SHORT list, over one connection, no login that fails, no message."""
    lines: list[str] = []
    facts = Facts(datetime.now(UTC), target.host)
    try:
        async with asyncio.timeout(GLANCE):
            control, *tried = await _tricks(target, lines, SHORT)
    except TimeoutError:
        return replace(facts, why=f"{target.address} port {target.port}: no answer in time")
    except OSError as error:
        return replace(facts, why=plain(f"{target.address} port {target.port}: {error or type(error).__name__}"))
    return replace(facts, tried=tuple(tried), unknown=control, lines=tuple(lines))


async def _tricks(target: Target, lines: list[str], names: Collection[str] = ()) -> list[Tried]:
    """The control first. names: of the tricks, all without any."""
    waiting: list[Trick] = [unknown(target.domain, secrets.token_hex(5))]
    every = tricks(target.domain, target.host, target.address, target.outside)
    waiting += [one for one in every if not names or one.name in names]
    done: list[Tried] = []
    again: set[Trick] = set()
    empty = 0  # connections in a row that gave nothing
    while waiting:
        if empty == ENOUGH:
            return [*done, *(Tried(trick, 0, "it lets nobody in any more") for trick in waiting)]
        group, waiting = waiting[:A_LINE], waiting[A_LINE:]
        found = await _group(target, group, lines)
        done += found
        empty = 0 if found else empty + 1
        left = list(group[len(found) :])
        if left and left[0] in again:
            done.append(Tried(left.pop(0), 0, "it hung up"))
        elif left:
            again.add(left[0])
        waiting = left + waiting
    return done


async def _group(target: Target, group: Sequence[Trick], lines: list[str]) -> list[Tried]:
    """Those that were answered, as far as the line held."""
    found: list[Tried] = []
    async with Talk.opened(target.address, target.port, lines) as talk:
        if talk.greeting.code != 220:
            return found
        for trick in group:
            answer, outside = await _one(talk, trick)
            if answer.code in (0, 421):
                return found
            found.append(Tried(trick, answer.code, answer.text, outside))
        await talk.rest()
    return found


async def _one(talk: Talk, trick: Trick) -> tuple[Answer, bool]:
    """Up to RCPT, and back; and whether it was turned away at EHLO."""
    answer = await talk.say(b"EHLO " + trick.helo)
    if trick.login and answer.code == 250:
        answer = await talk.say(LOGIN)
        if answer.code in (0, 421):
            return answer, False
    elif answer.code != 250:
        return answer, True
    answer = await talk.say(b"MAIL FROM:" + trick.sender)
    if answer.code != 250:
        return answer, False
    answer = await talk.say(b"RCPT TO:" + trick.rcpt)
    if answer.code:
        await talk.say(b"RSET")
    return answer, False


async def _cut(target: Target, ending: Ending, box: str, token: str, lines: list[str]) -> Cut:
    try:
        async with Talk.opened(target.address, target.port, lines) as talk:
            return await _sent(talk, ending, box, token)
    except (OSError, TimeoutError) as error:
        return Cut(ending, why=plain(f"{error or type(error).__name__}"))


async def _sent(talk: Talk, ending: Ending, box: str, token: str) -> Cut:
    """One message; what stands inside is answered only by a server that takes it for commands."""
    hello = await talk.say(b"EHLO probe.invalid")
    if talk.greeting.code != 220 or hello.code != 250:
        return Cut(ending, why=hello.text or talk.greeting.text)
    chunks = any(line[4:].upper().startswith("CHUNKING") for line in hello.lines)
    if not ending.data and not chunks:
        return Cut(ending, why="it has no BDAT")
    content = body(ending, box, f"{MARK} outer {token}", f"{MARK} inner {token}")
    steps = [b"MAIL FROM:<>", b"RCPT TO:<" + box.encode() + b">", *([b"DATA"] if ending.data else [])]
    for step in steps:
        answer = await talk.say(step)
        if answer.code not in (250, 251, 354):
            return Cut(ending, why=answer.text)
    if ending.data:
        await talk.write(content + b"\r\n.\r\n", b"(a message with " + ending.name.encode() + b" inside)")
    else:
        content += b"\r\n"
        await talk.write(b"BDAT %d LAST\r\n" % len(content) + content, b"BDAT %d LAST (and a message)" % len(content))
    first = await talk.answer()
    if not first.code:
        return Cut(ending, why=first.text)
    return Cut(ending, (first.code, *(await talk.rest())))
