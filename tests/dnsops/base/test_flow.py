"""One decision, driven by a dict and by coroutines, with the same end."""

from __future__ import annotations

import asyncio
from collections.abc import Generator

import pytest

from dnsops.base import flow

ANSWERS = {"mx": "mx1", "mx1": "192.0.2.25"}


def address(domain: str) -> Generator[str, str, tuple[str, str]]:
    """Two questions, the second from the first's answer."""
    host = yield domain
    found = yield host
    return domain, found


def silent() -> Generator[str, str, int]:
    """No question at all."""
    yield from ()
    return 7


async def later(question: str) -> str:
    await asyncio.sleep(0)
    return ANSWERS[question]


def test_both_drivers_come_to_the_same_end() -> None:
    assert flow.run(address("mx"), ANSWERS.__getitem__) == ("mx", "192.0.2.25")
    assert asyncio.run(flow.arun(address("mx"), later)) == ("mx", "192.0.2.25")


def test_a_flow_may_ask_nothing() -> None:
    assert flow.run(silent(), ANSWERS.__getitem__) == 7
    assert asyncio.run(flow.arun(silent(), later)) == 7


def test_whoever_cannot_answer_ends_the_flow_with_his_error() -> None:
    with pytest.raises(KeyError):
        flow.run(address("nowhere"), ANSWERS.__getitem__)
    with pytest.raises(KeyError):
        asyncio.run(flow.arun(address("nowhere"), later))


@pytest.mark.parametrize(
    "known, left", [({}, ["mx", "mx1"]), ({"mx": "mx1"}, ["mx1"]), ({"mx1": "x"}, ["mx", "mx1"]), (ANSWERS, [])]
)
def test_a_flow_goes_as_far_as_what_is_known_leads_and_asks_for_the_rest(
    known: dict[str, str], left: list[str]
) -> None:
    asked: list[str] = []

    async def noting(question: str) -> str:
        asked.append(question)
        return ANSWERS[question]

    begun = flow.Begun(address("mx"), known.get)
    assert begun.finished is (left == [])
    assert asyncio.run(begun.finish(noting)) == ("mx", "192.0.2.25") == begun.result
    assert begun.finished
    assert asked == left


def test_a_flow_that_asks_nothing_is_finished_when_it_has_begun() -> None:
    begun = flow.Begun(silent(), ANSWERS.get)
    assert (begun.finished, begun.result) == (True, 7)
