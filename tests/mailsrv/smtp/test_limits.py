"""Limits of sessions, networks, accounts; replies that fit their lines."""

from __future__ import annotations

import pytest

from mailsrv.smtp.limits import Allowance, Gate, Limits, Spent, network_of
from mailsrv.smtp.replies import NOBODY, TOO_MANY_ALL, TOO_MANY_ERRORS, TOO_MANY_HERE, TOO_OFTEN, Reply, not_allowed


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7/32"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ("::1", "::1/128"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "None"),
    ],
)
def test_who_is_one_household(address: str, network: str) -> None:
    assert str(network_of(address)) == network


def test_connections_of_one_network_are_counted_and_leave_again() -> None:
    gate = Gate(Limits(per_network=2, new_per_minute=100))
    assert gate.enter("2001:db8::1", 0.0) is None
    assert gate.enter("2001:db8::2", 0.0) is None
    assert gate.enter("2001:db8::3", 0.0) is TOO_MANY_HERE
    assert gate.enter("2001:db8:0:1::3", 0.0) is None
    gate.leave("2001:db8::1")
    assert gate.enter("2001:db8::3", 0.0) is None


def test_new_connections_come_at_their_rate_and_no_faster() -> None:
    gate = Gate(Limits(per_network=1000, new_per_minute=60))
    for limit in (60, 1, 30):
        now = {60: 0.0, 1: 1.0, 30: 31.0}[limit]
        entered = 0
        while gate.enter("192.0.2.1", now) is None:
            gate.leave("192.0.2.1")
            entered += 1
        assert entered == limit
        assert gate.enter("192.0.2.1", now) is TOO_OFTEN


def test_all_together_have_a_limit_and_loopback_no_other() -> None:
    gate = Gate(Limits(connections=3, per_network=1, new_per_minute=1))
    assert [gate.enter("127.0.0.1", 0.0) for _ in range(4)] == [None, None, None, TOO_MANY_ALL]


def test_the_gate_forgets_who_was_quiet_longest_and_nobody_who_is_in() -> None:
    gate = Gate(Limits(connections=10**6))
    gate.MOST_GUESTS = 10
    gate.enter("192.0.2.1", 0.0)
    for last in range(100):
        gate.enter(f"198.51.100.{last}", 1.0)
        gate.leave(f"198.51.100.{last}")
    assert len(gate.guests) <= 11
    gate.leave("192.0.2.1")
    assert gate.inside == 0


def test_a_session_at_its_limits() -> None:
    spent = Spent(Limits(errors=3, junk=2, logins=1, messages=1))
    assert [spent.error() for _ in range(3)] == [None, None, TOO_MANY_ERRORS]
    assert [bool(spent.bare_command()) for _ in range(3)] == [False, False, True]
    assert spent.failed_login() is not None
    assert spent.another() is None
    spent.message()
    assert spent.another() is not None
    assert spent.error() is None


def test_an_account_writes_to_so_many_in_an_hour() -> None:
    allowance = Allowance(10)
    assert [allowance.one_more("a", 0.0) for _ in range(10)] == [None] * 10
    assert allowance.one_more("a", 0.0) is not None
    assert allowance.one_more("b", 0.0) is None
    assert allowance.one_more("a", 361.0) is None
    assert allowance.one_more("a", 361.0) is not None


@pytest.mark.parametrize(
    ("reply", "octets"),
    [
        (NOBODY, b"550 5.1.1 nobody here has this address\r\n"),
        (Reply(250, "", "a\nb\nc"), b"250-a\r\n250-b\r\n250 c\r\n"),
        (Reply(250, "2.0.0", "a\nb"), b"250-2.0.0 a\r\n250 2.0.0 b\r\n"),
        (Reply(220, "", ""), b"220 \r\n"),
        (not_allowed("no\rx\x1bü\u202e"), b"550 5.7.1 no\\rx\\x1b\\xfc\\u202e\r\n"),
    ],
)
def test_replies_on_the_wire(reply: Reply, octets: bytes) -> None:
    assert bytes(reply) == octets


def test_a_long_reply_takes_several_lines() -> None:
    lines = bytes(not_allowed("word " * 400)).split(b"\r\n")
    assert all(len(line) <= 510 for line in lines)
    assert len(lines) > 3
    assert lines[0].startswith(b"550-5.7.1 word")
    assert lines[-2].startswith(b"550 5.7.1 word")
