"""A marked mail goes to each echo address, and its answer is waited for.

    report = await round_trips(ways, ["echo@example.net"], late, wait)
    report = await each_host(ways, routes, Direct("mx.example.org", sign), late, wait)      past our own submission

Limits: one mail to an address; all of them at once. Fails by: nothing; each trouble is a finding.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from checks.echo import marked
from checks.echo.direct import Route, deliver
from checks.echo.judging import End, Trip, judge
from checks.echo.marked import Mark
from checks.echo.reading import Box
from checks.echo.submitting import submit
from checks.echo.ways import Ways
from checks.finding import Report
from dnsops.base.errors import ForUser, Later
from mailsrv.spam.hints import plain


async def round_trips(ways: Ways, echoes: Sequence[str], late: timedelta, wait: timedelta) -> Report:
    """The report about all of them."""
    trips = await asyncio.gather(*(_trip(ways, echo, wait) for echo in echoes))
    return judge(ways.sender, datetime.now(UTC), trips, late)


@dataclass(frozen=True, slots=True)
class Direct:
    """helo: what we call ourselves.  sign: puts our signatures on a message."""

    helo: str
    sign: Callable[[bytes, datetime], bytes]


async def each_host(ways: Ways, routes: Mapping[str, Sequence[Route]], how: Direct, late: timedelta, wait: timedelta) -> Report:  # fmt: skip
    """Each mail host of each echo address by itself, one after the other: an echo may answer a sender only now and then."""
    trips = []
    for echo, hosts in routes.items():
        for route in hosts:
            trips.append(await _past(ways, echo, route, how, wait))
    return judge(ways.sender, datetime.now(UTC), trips, late)


async def _past(ways: Ways, echo: str, route: Route, how: Direct, wait: timedelta) -> Trip:
    made, sent = marked.mark(secrets.token_hex(12), ways.sender), datetime.now(UTC)
    content = how.sign(marked.message(made, ways.sender, echo, sent), sent)
    name = f"{echo} by {route.host}"
    if trouble := await asyncio.to_thread(deliver, route, how.helo, ways.sender, echo, content):
        return Trip(name, sent, End.REFUSED, why=trouble)
    return await _answer(ways, name, made, sent, wait)


async def _trip(ways: Ways, echo: str, wait: timedelta) -> Trip:
    made, sent = marked.mark(secrets.token_hex(12), ways.sender), datetime.now(UTC)
    content = marked.message(made, ways.sender, echo, sent)
    login = (ways.user, ways.password)
    trouble = await asyncio.to_thread(submit, ways.submission, ways.implicit, login, ways.sender, echo, content)
    if trouble:
        return Trip(echo, sent, End.REFUSED, why=trouble)
    return await _answer(ways, echo, made, sent, wait)


async def _answer(ways: Ways, echo: str, made: Mark, sent: datetime, wait: timedelta) -> Trip:
    began = time.monotonic()
    try:
        async with Box.opened(ways.reading, ways.user, ways.password) as box:
            mine = lambda content: marked.is_answer(content, made)  # noqa: E731 - a name for one line
            content, junk = await box.wait(made.token, mine, wait.total_seconds())
    except Later:
        return Trip(echo, sent, End.SILENT, waited=wait)
    except ForUser as error:
        return Trip(echo, sent, End.BLIND, why=error.what)
    except (OSError, EOFError) as error:
        return Trip(echo, sent, End.BLIND, why=plain(f"{type(error).__name__}: {error}"))
    took = timedelta(seconds=time.monotonic() - began)
    end = End.BOUNCED if marked.bounced(content) else End.ANSWERED
    return Trip(echo, sent, end, took, wait, junk=junk, answer=content)
