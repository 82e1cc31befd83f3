"""Found out once, however many ask; again when it is old, or went wrong."""

from __future__ import annotations

import asyncio

import pytest

from checks.probe.lately import Lately


def test_it_is_found_out_once_in_a_while() -> None:
    clock, found = [0.0], []

    async def find() -> int:
        await asyncio.sleep(0)
        found.append(clock[0])
        return len(found)

    async def story() -> None:
        lately = Lately[int](10, 2, lambda: clock[0])
        assert await asyncio.gather(*(lately.get("a", find) for _ in range(5))) == [1] * 5
        clock[0] = 9
        assert await lately.get("a", find) == 1
        clock[0] = 11
        assert await lately.get("a", find) == 2
        assert [await lately.get(key, find) for key in "bcab"] == [3, 4, 5, 6]  # room for two

    asyncio.run(story())


def test_what_went_wrong_is_tried_again_and_who_leaves_ends_nothing() -> None:
    tries = []

    async def find() -> int:
        tries.append(1)
        await asyncio.sleep(0.01)
        if len(tries) == 1:
            raise OSError
        return 7

    async def story() -> None:
        lately = Lately[int](10, 2)
        with pytest.raises(OSError):
            await lately.get("a", find)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await lately.get("a", find)
        assert await lately.get("a", find) == 7

    asyncio.run(story())
    assert len(tries) == 2
