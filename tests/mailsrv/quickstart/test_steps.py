"""What comes next, from what exists: every way through ends, and nothing is done twice."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from mailsrv.quickstart import steps
from mailsrv.quickstart.steps import Diary, Seen, Step, Wish, next_step

AFTER = {
    Step.CONFIGURE: "configured",
    Step.KEYS: "keys",
    Step.RECORDS: "records",
    Step.CERTIFICATE: "certified",
    Step.SERVE: "serving",
    Step.SETTLE: "settled",
}


def way(seen: Seen, wish: Wish) -> list[Step]:
    done = []
    while step := next_step(seen, wish):
        done.append(step)
        seen = replace(seen, **{AFTER[step]: True})
        assert len(done) <= len(Step)
    return done


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (Wish(start=True), list(Step)),
        (Wish(), [step for step in Step if step is not Step.SERVE]),
        (Wish(apply=False), [Step.CONFIGURE, Step.KEYS]),
        (Wish(certify=False), [Step.CONFIGURE, Step.KEYS, Step.RECORDS, Step.SETTLE]),
    ],
)
def test_from_nothing(wish: Wish, expected: list[Step]) -> None:
    assert way(Seen(), wish) == expected


def test_whatever_exists_the_rest_is_done_once_and_in_order() -> None:
    for values in itertools.product([False, True], repeat=6):
        for wish in (Wish(), Wish(start=True), Wish(apply=False), Wish(certify=False, start=True)):
            done = way(Seen(*values), wish)
            assert done == [step for step in Step if step in done]
            assert not {AFTER[step] for step in done} & {
                name for name, there in zip(AFTER.values(), values, strict=True) if there
            }


def test_records_come_before_the_certificate_and_never_without_leave() -> None:
    assert next_step(Seen(configured=True, keys=True, certified=True), Wish()) is Step.RECORDS
    assert next_step(Seen(configured=True, keys=True), Wish(apply=False)) is None


def test_the_diary_is_kept_and_read() -> None:
    diary = Diary("example.org", "/etc/mailsrv/mailsrv.yml").with_step(Step.CONFIGURE).with_step(Step.KEYS)
    assert diary.with_step(Step.KEYS).done == ("configure", "keys")
    assert steps.read(steps.write(diary)) == diary


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"version": 2}', b'{"version": 1, "domain": "x"}', b"\xff"])
def test_a_damaged_diary_is_none(data: bytes) -> None:
    with pytest.raises(ValueError):
        steps.read(data)
