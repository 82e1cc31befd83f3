"""The MTA-STS policy of a domain: announced in the DNS, fetched when its id is new, kept for as long as it says.

    TXT known, id as kept ──> what is kept        TXT known, id new ──> fetch ──┬─> keep, use
    TXT gone or wrong ──> what is kept, else none                               └─> what is kept, else none and why
    TXT forged, SERVFAIL, silent ──> what is kept, else Later (promise P-28)

Standard: RFC 8461 3.1, 3.3, 5.1 (a policy once known holds until its end, whatever an attacker makes of the DNS), 10.2
(refreshed before that end). A fetch that failed is not tried again for five minutes.
Limits: 20 fetches at a time, one for a domain; 10 000 failures remembered.
Fails by: `Later`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Protocol

from dnsops.base.errors import ForUser, Later
from dnsops.records import names, rdata
from dnsops.records.rdata import Rdata
from dnsops.records.txt.mtasts import OWNER, Announcement, Sts, announced
from dnsops.resolve.answer import Answer, Resolver, Security
from mailsrv.transport.caching import Cache, Kept
from mailsrv.transport.found import NOTHING, Fault, Found

PATIENCE = timedelta(minutes=5)  # RFC 8461 3.3: after a fetch that failed
FRESH = timedelta(days=1)
FORGOTTEN = timedelta(days=30)  # nobody here has written there for so long
LOOK = 3600.0  # seconds between two looks for what wants refreshing
MOST_FETCHES, MOST_FAILURES, MOST_RECORDS = 20, 10_000, 100


class Fetches(Protocol):
    """Who gets policies: `Fetcher`."""

    async def fetch(self, domain: str) -> Sts | Fault: ...


class StsPolicies:
    """clock: UTC now."""

    def __init__(self, resolver: Resolver, fetcher: Fetches, cache: Cache, clock: Callable[[], datetime]) -> None:
        self._resolver, self._fetcher, self._cache, self._clock = resolver, fetcher, cache, clock
        self._failed: dict[tuple[str, str], tuple[datetime, Fault]] = {}
        self._under_way: dict[str, asyncio.Task[Sts | Fault]] = {}
        self._gate = asyncio.Semaphore(MOST_FETCHES)

    async def find(self, domain: str) -> Found:
        """The policy that holds now for mail to a domain, the part after the last @ and nothing else (RFC 8461 3.4)."""
        try:
            domain = names.canonical(domain)
        except ForUser:
            return NOTHING
        kept = self._cache.get(domain, self._clock())
        answer = await self._resolver.ask(f"{OWNER}.{domain}", "TXT")
        if trouble := _trouble(answer):
            if kept is None:
                raise Later(f"whether {domain} has an MTA-STS policy cannot be known now: {trouble}")
            return Found(kept.sts, f"kept; the DNS does not say whether it is still the one ({trouble})")
        announcement = _announced(answer.items)
        if announcement is None:
            return Found(kept.sts, "kept; it is not announced any more") if kept else NOTHING
        if kept is not None and kept.id == announcement.id:
            return Found(kept.sts, "kept")
        return await self._renewed(domain, announcement.id, kept)

    async def _renewed(self, domain: str, number: str, kept: Kept | None) -> Found:
        got = self._recently_failed(domain, number) or await self._fetched(domain, number)
        if isinstance(got, Sts):
            return Found(got, "fetched")
        if kept is not None:
            return Found(kept.sts, f"kept; the new one cannot be had ({got.details})", got)
        return Found(None, f"the policy that is announced cannot be had ({got.details})", got)

    def _recently_failed(self, domain: str, number: str) -> Fault | None:
        until, fault = self._failed.get((domain, number), (None, None))
        return fault if until is not None and self._clock() < until else None

    async def _fetched(self, domain: str, number: str, used: datetime | None = None) -> Sts | Fault:
        """One fetch for all who wait for it; it is kept, or its failure is remembered for a while. used: else now."""
        task = self._under_way.get(domain)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._fetch(domain, number, used))
            self._under_way[domain] = task
            task.add_done_callback(lambda _: self._under_way.pop(domain, None))
        return await asyncio.shield(task)

    async def _fetch(self, domain: str, number: str, used: datetime | None) -> Sts | Fault:
        async with self._gate:
            got = await self._fetcher.fetch(domain)
        now = self._clock()
        if isinstance(got, Fault):
            self._failed = {key: value for key, value in self._failed.items() if value[0] > now}
            if len(self._failed) < MOST_FAILURES:
                self._failed[domain, number] = now + PATIENCE, got
        else:
            kept = Kept(domain, number, got, now, used or now)
            self._cache.put(kept)
            await asyncio.to_thread(self._cache.save, kept)
        return got

    # before they end

    async def keep_fresh(self) -> None:
        """For ever: now and then, what wants refreshing."""
        while True:
            await asyncio.sleep(LOOK)
            await self.refresh()

    async def refresh(self) -> int:
        """Policies that grow old are fetched anew, also under the id that they had; how many were."""
        now, count = self._clock(), 0
        for kept in self._cache:
            if now >= kept.ends:
                self._cache.drop(kept.domain)
            elif _ripe(kept, now) and await self._refreshed(kept):
                count += 1
        return count

    async def _refreshed(self, kept: Kept) -> bool:
        answer = await self._resolver.ask(f"{OWNER}.{kept.domain}", "TXT")
        announcement = None if _trouble(answer) else _announced(answer.items)
        if announcement is None or self._recently_failed(kept.domain, announcement.id):
            return False
        return isinstance(await self._fetched(kept.domain, announcement.id, kept.used), Sts)

    async def close(self) -> None:
        """Fetches under way end."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _ripe(kept: Kept, now: datetime) -> bool:
    """A day old, or half of its life over; and mail went there of late."""
    half = timedelta(seconds=kept.sts.max_age) / 2
    return now - kept.fetched >= min(FRESH, half) and now - kept.used < FORGOTTEN


@lru_cache(maxsize=256)  # reading TXT records costs more than all the rest of a decision
def _announced(items: frozenset[Rdata]) -> Announcement | None:
    """What these TXT records say, their strings joined (RFC 8461 3.1)."""
    found = sorted((item for item in items if item.type == "TXT"), key=str)[:MOST_RECORDS]
    return announced(b"".join(rdata.strings(item)).decode("latin-1") for item in found)


def _trouble(answer: Answer) -> str:
    if answer.security in (Security.BOGUS, Security.FAILED) or answer.rcode not in ("NOERROR", "NXDOMAIN"):
        return answer.why or answer.rcode or answer.security.value
    return ""
