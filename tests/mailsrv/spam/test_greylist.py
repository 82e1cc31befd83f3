"""Greylisting: who comes again comes in, and stays known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsrv.spam.greylist import COME_AGAIN, DELAY, GOOD_FOR, PATIENCE, Answer, State, network, step, triplet

DAY = 86400.0


@pytest.mark.parametrize(
    "before, now, after, answer",
    [
        (State(), 0.0, State(0.0), Answer.WAIT),
        (State(0.0), 1.0, State(0.0), Answer.WAIT),
        (State(0.0), DELAY - 0.1, State(0.0), Answer.WAIT),
        (State(0.0), DELAY, State(None, DELAY), Answer.BACK),
        (State(0.0), PATIENCE - 1, State(None, PATIENCE - 1), Answer.BACK),
        (State(0.0), PATIENCE, State(PATIENCE), Answer.WAIT),
        (State(100.0), 50.0, State(50.0), Answer.WAIT),  # the clock was set back
        (State(None, 0.0), GOOD_FOR - 1, State(None, GOOD_FOR - 1), Answer.KNOWN),
        (State(None, 0.0), GOOD_FOR, State(GOOD_FOR), Answer.WAIT),
        (State(None, 100.0), 50.0, State(None, 100.0), Answer.KNOWN),
        (State(0.0, 5.0), 6.0, State(None, 6.0), Answer.KNOWN),
    ],
)
def test_each_step(before: State, now: float, after: State, answer: Answer) -> None:
    assert step(before, now) == (after, answer)


@given(st.lists(st.floats(0, 5 * DAY), max_size=40))
def test_nobody_waits_for_ever_and_nobody_passes_at_once(pauses: list[float]) -> None:
    state, now = State(), 1e9
    for pause in pauses:
        before, now = state, now + pause
        state, answer = step(before, now)
        if before.good is not None and now - before.good < GOOD_FOR:
            assert answer is Answer.KNOWN
        elif before.first is None:
            assert answer is Answer.WAIT
        else:
            assert answer.passes is (DELAY <= now - before.first < PATIENCE)
        assert (state.first is None) is answer.passes


def test_the_answer_is_polite_and_temporary() -> None:
    assert bytes(COME_AGAIN).startswith(b"451 4.7.1 ")
    assert b"please" in bytes(COME_AGAIN)


@pytest.mark.parametrize(
    "client, wanted",
    [("192.0.2.9", "192.0.2.0/24"), ("192.0.2.200", "192.0.2.0/24"), ("::ffff:192.0.2.9", "192.0.2.0/24"),
     ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"), ("fe80::1%eth0", "fe80::/64"), ("unknown", "unknown")],
)  # fmt: skip
def test_a_farm_is_one_network(client: str, wanted: str) -> None:
    assert network(client) == wanted


def test_what_a_mailing_list_counts_is_no_other_sender() -> None:
    one = triplet("192.0.2.9", "Bounce-17-user1=ours.example@List.example", "User1@ours.example")
    two = triplet("192.0.2.77", "bounce-18-user1=ours.example@list.example", "user1@ours.example")
    assert (one.waiting, one.pair) == (two.waiting, two.pair)
    assert one.pair == "192.0.2.0/24 list.example"
    assert triplet("192.0.2.9", "", "user1@ours.example").pair == "192.0.2.0/24 "
    assert one.waiting != triplet("192.0.2.9", "other@list.example", "user1@ours.example").waiting
