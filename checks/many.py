"""Many domains in one run: a few at a time, told as they are done, gone on with where an earlier run was ended.

    with Journal.opened(path) as journal:
        left = [domain for domain in listed(file) if domain not in journal.done]
        async for done in check_each(left, world):     # in the order in which they end
            journal.add(done.domain, value)

What is kept in memory is what is under way and the names, never the reports. Mail hosts that serve several of the domains are looked at
once in 200 s (`checks.probe.known`).
Limits: MOST domains, LONGEST octets of the file. Fails by: `ForUser` for files that are none of ours; one domain's trouble is its result.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from checks.run import check_mail, domain_of
from dnsops.base import files
from dnsops.base.errors import Deliberate, ForUser

if TYPE_CHECKING:
    from checks.finding import Report
    from checks.probe.world import World

MOST = 100_000
LONGEST = 32 << 20
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Checked:
    """One domain's end. report: None when there is none, and `trouble` says why."""

    domain: str
    report: Report | None = None
    trouble: str = ""


def listed(path: Path) -> tuple[str, ...]:
    """The domains of a file, one a line, each once; `#` begins a comment."""
    try:
        text = files.read_bounded(path, LONGEST).decode("utf-8")
    except (OSError, ValueError) as error:
        raise ForUser(f"cannot be read ({error})", str(path), "give a text file with one domain a line") from None
    found: dict[str, None] = {}
    for number, line in enumerate(text.splitlines(), 1):
        word = line.partition("#")[0].strip()
        if word:
            found[_domain(word, f"{path}:{number}")] = None
    if not found or len(found) > MOST:
        raise ForUser(f"{len(found)} domains", str(path), f"give at least one, and not more than {MOST}")
    return tuple(found)


def _domain(word: str, where: str) -> str:
    try:
        return domain_of(word)
    except ForUser as error:
        raise ForUser(error.what, where, error.advice) from None


async def check_each(domains: Iterable[str], world: World, at_once: int = AT_ONCE) -> AsyncGenerator[Checked, None]:
    """Each domain's result as soon as it is there; no more than `at_once` under way or waiting to be told."""
    waiting, told = iter(domains), asyncio.Queue[Checked | None](maxsize=at_once)

    async def work() -> None:
        for domain in waiting:
            await told.put(await _check(domain, world))
        await told.put(None)

    workers = [asyncio.create_task(work()) for _ in range(at_once)]
    try:
        left = at_once
        while left:
            done = await told.get()
            if done is None:
                left -= 1
            else:
                yield done
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


async def _check(domain: str, world: World) -> Checked:
    try:
        return Checked(domain, await check_mail(domain, world))
    except Deliberate as answer:
        return Checked(domain, trouble=str(answer))
