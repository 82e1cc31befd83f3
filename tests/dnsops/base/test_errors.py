"""Messages have three parts, and each kind of ending its exit status."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dnsops.base.errors import Deliberate, Exit, ForUser, Later, Misconfigured, Misused


@pytest.mark.parametrize(
    "error, text, status",
    [
        (ForUser("not a number"), "not a number", 1),
        (ForUser("not a number", "a.yml:3: port"), "a.yml:3: port: not a number", 1),
        (ForUser("not a number", "a.yml:3: port", "write 25"), "a.yml:3: port: not a number - write 25", 1),
        (ForUser("not a number", advice="write 25"), "not a number - write 25", 1),
        (Misconfigured("x"), "x", 78),
        (Misused("x"), "x", 64),
        (Later("the zone is locked"), "the zone is locked - try again", 75),
        (Later("429", timedelta(seconds=90.9)), "429 - try again in 90 s", 75),
    ],
)
def test_what_a_person_reads_and_a_program_gets(error: Deliberate, text: str, status: int) -> None:
    assert str(error) == text
    assert error.status == status
    assert isinstance(error, Deliberate)


def test_the_statuses_are_those_of_sysexits() -> None:
    assert {status.name: int(status) for status in Exit} == {
        "OK": 0,
        "FINDINGS": 1,
        "PENDING": 2,
        "USAGE": 64,
        "BUG": 70,
        "LATER": 75,
        "CONFIG": 78,
    }


def test_a_bug_is_no_deliberate_answer() -> None:
    assert not issubclass(ValueError, Deliberate)
    assert not issubclass(Later, ForUser)
