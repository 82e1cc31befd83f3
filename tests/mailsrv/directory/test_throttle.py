"""Delays that grow, for strangers and known alike; neighbours and owners are not locked out."""

from __future__ import annotations

import pytest

from mailsrv.directory.throttle import ACCOUNT, NETWORK, PAIR, Lately, Pace, Throttle, network

HERE, THERE = "192.0.2.1", "198.51.100.7"


@pytest.mark.parametrize(
    "peer, place",
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("/run/socket", "/run/socket"),
    ],
)
def test_what_counts_as_one_peer(peer: str, place: str) -> None:
    assert network(peer) == place


@pytest.mark.parametrize("failures, delay", [(0, 0), (3, 0), (4, 1), (5, 2), (6, 4), (9, 32), (10, 60), (10**9, 60)])
def test_a_pace(failures: int, delay: float) -> None:
    assert Pace(free=3, first=1, longest=60, forgets=600).delay(failures) == delay


def fail(throttle: Throttle, times: int, peer: str = HERE, name: str = "user1", now: float = 0.0) -> None:
    for _ in range(times):
        throttle.begin(peer, name, now)


STORIES = [
    # failures, (who asks, for whom, when), the wait
    (0, (HERE, "user1", 0.0), 0.0),
    (PAIR.free, (HERE, "user1", 0.0), 0.0),
    (PAIR.free + 1, (HERE, "user1", 0.0), 1.0),
    (PAIR.free + 1, (HERE, "user1", 0.4), 0.6),
    (PAIR.free + 1, (HERE, "user1", 1.0), 0.0),
    (PAIR.free + 3, (HERE, "user1", 0.0), 4.0),
    (PAIR.free + 3, (HERE, "nobody", 0.0), 0.0),  # another name, and the network has not failed often enough
    (NETWORK.free + 3, (HERE, "nobody", 0.0), 4.0),
    (NETWORK.free + 3, ("192.0.2.2", "nobody", 0.0), 0.0),
    (NETWORK.free + 3, (THERE, "user1", 0.0), 0.0),
    (ACCOUNT.free + 3, (THERE, "user1", 0.0), 4.0),  # from everywhere, a little
    (ACCOUNT.free + 50, (THERE, "user1", 0.0), 30.0),  # and never long: its owner comes from somewhere, too
    (500, (HERE, "user1", 0.0), 900.0),
    (500, (HERE, "user1", PAIR.forgets), 0.0),
]


@pytest.mark.parametrize("failures, asked, wait", STORIES)
def test_how_long_one_waits(failures: int, asked: tuple[str, str, float], wait: float) -> None:
    throttle = Throttle()
    fail(throttle, failures)
    assert throttle.wait(*asked) == pytest.approx(wait)


def test_many_at_once_are_many_failures() -> None:
    throttle = Throttle()
    allowed = 0
    for _ in range(100):  # nothing comes back in the meantime
        if throttle.wait(HERE, "user1", 0.0) == 0:
            throttle.begin(HERE, "user1", 0.0)
            allowed += 1
    assert allowed == PAIR.free + 1


def test_a_success_takes_back_itself_only() -> None:
    throttle = Throttle()
    for n in range(NETWORK.free + 1):  # whoever owns one account guesses at others in between
        fail(throttle, 1, name=f"victim{n}")
        throttle.begin(HERE, "own", 0.0)
        throttle.succeeded(HERE, "own", 0.0)
    assert throttle.wait(HERE, "victim", 0.0) == 1.0
    assert throttle.wait(HERE, "own", 0.0) == 0.0


def test_the_owner_at_home_is_not_kept_out_by_neighbours_or_strangers() -> None:
    throttle = Throttle()
    throttle.begin(HERE, "user1", 0.0)
    throttle.succeeded(HERE, "user1", 0.0)
    fail(throttle, 500, HERE, "forgotten-telephone")
    fail(throttle, 500, THERE, "user1")
    assert throttle.wait(HERE, "user1", 0.0) == 0.0
    assert throttle.wait(HERE, "user2", 0.0) > 0
    fail(throttle, PAIR.free + 1, HERE, "user1")
    assert throttle.wait(HERE, "user1", 0.0) == 1.0  # but who guesses from there waits, too


def test_a_withdrawn_attempt_is_none() -> None:
    throttle = Throttle()
    for _ in range(100):
        throttle.begin(HERE, "user1", 0.0)
        throttle.withdrawn(HERE, "user1", 0.0)
    assert throttle.wait(HERE, "user1", 0.0) == 0.0
    assert not throttle.counts


def test_the_tables_stay_small() -> None:
    throttle = Throttle(counts=Lately(30), familiar=Lately(2))
    for n in range(1000):
        throttle.begin(HERE, f"name{n}", 0.0)
        throttle.succeeded(f"10.0.0.{n % 250}", f"name{n}", 0.0)
    assert len(throttle.counts) <= 30
    assert len(throttle.familiar) == 2
    assert throttle.wait(HERE, "any", 0.0) > 0  # what is counted again and again is not what goes
