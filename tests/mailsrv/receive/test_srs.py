"""SRS: out and back, and nothing but what we wrote comes back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsrv.receive.srs import OLDEST, forward, is_rewritten, reverse
from mailsrv.smtp.grammar import address

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECRET, OTHER, OLD = b"a secret of ours", b"a secret of theirs", b"the one before"
ATEXT = "abcXYZ019!#$%&'*+/=?^_`{|}~-"
DOMAINS = st.builds(
    "{}.{}".format, st.text("abcxyz019", min_size=1, max_size=8), st.sampled_from(["example", "co.example"])
)
SENDERS = st.builds("{}@{}".format, st.text(ATEXT, min_size=1, max_size=30), DOMAINS)


def test_it_is_written_as_everyone_writes_it() -> None:
    once = forward("Bob@remote.example", SECRET, "ours.example", NOON)
    tag, digest, day, host, local = once.partition("@")[0].split("=")
    assert (tag, len(digest), len(day), host, local) == ("SRS0", 6, 2, "remote.example", "Bob")
    assert once.endswith("@ours.example")
    twice = forward("SRS0=HHHH=TT=remote.example=bob@x.example", SECRET, "ours.example", NOON)
    assert twice.startswith("SRS1=")
    assert twice.endswith("=x.example==HHHH=TT=remote.example=bob@ours.example")
    # a third forwarder drops the second: bounces go straight to the first
    thrice = forward("SRS1+hhhh=x.example=-HHHH=TT=remote.example=bob@y.example", SECRET, "ours.example", NOON)
    assert thrice.endswith("=x.example=-HHHH=TT=remote.example=bob@ours.example")
    assert thrice.count("SRS1") == 1


def test_bounces_go_to_the_first_forwarder() -> None:
    first = "SRS0+HHHH=TT=remote.example=bob@x.example"
    assert reverse(forward(first, SECRET, "ours.example", NOON), [SECRET], NOON) == first
    second = forward("SRS1=hhhh=x.example=+HHHH=TT=remote.example=bob@y.example", SECRET, "ours.example", NOON)
    assert reverse(second, [SECRET], NOON) == first


@given(SENDERS, DOMAINS, DOMAINS, DOMAINS)
def test_round_trip_over_three_forwarders(sender: str, first: str, second: str, third: str) -> None:
    chain, hosts = [sender], list(dict.fromkeys([first, second, third]))
    for host in hosts:
        chain.append(forward(chain[-1], host.encode(), host, NOON))
    for before, after, host in zip(chain, chain[1:], hosts, strict=False):
        if after == before:
            continue  # too long, or its own
        assert address(after) is not None
        back = reverse(after, [host.encode()], NOON + timedelta(days=3))
        assert back is not None
        if before == sender:
            assert back == sender
        else:  # whoever had it first
            assert reverse(back, [back.rpartition("@")[2].encode()], NOON) == sender or len(hosts) < 3


@given(SENDERS)
def test_whatever_case_it_comes_back_in(sender: str) -> None:
    written = forward(sender, SECRET, "ours.example", NOON)
    if written != sender:
        for spelling in (written.lower(), written.upper()):
            back = reverse(spelling, [SECRET], NOON)
            assert back is not None
            assert back.lower() == sender.lower()


@given(SENDERS, st.data())
def test_a_forged_one_is_nobodys(sender: str, data: st.DataObject) -> None:
    written = forward(sender, SECRET, "ours.example", NOON)
    if written == sender:
        return
    assert reverse(written, [OTHER], NOON) is None
    at = data.draw(st.integers(5, len(written.partition("@")[0]) - 1))
    spoilt = written[:at] + ("A" if written[at] not in "Aa" else "B") + written[at + 1 :]
    assert reverse(spoilt, [SECRET], NOON) is None


def test_a_secret_of_before_still_counts() -> None:
    written = forward("bob@remote.example", OLD, "ours.example", NOON)
    assert reverse(written, [SECRET, OLD], NOON) == "bob@remote.example"
    assert reverse(written, [SECRET], NOON) is None
    assert reverse(written, [], NOON) is None


@pytest.mark.parametrize(
    "days, works",
    [
        (-2, False),
        (-1, True),
        (0, True),
        (OLDEST, True),
        (OLDEST + 1, False),
        (500, False),
        (1020, False),
        (1024, True),
    ],
)
def test_it_has_its_time(days: int, works: bool) -> None:
    """The day wraps after 1024; a clock may be a day behind."""
    for start in (NOON, NOON + timedelta(days=700)):
        written = forward("bob@remote.example", SECRET, "ours.example", start)
        assert (reverse(written, [SECRET], start + timedelta(days=days)) is not None) is works


@pytest.mark.parametrize(
    "sender",
    [
        "",
        "me@ours.example",
        "me@OURS.example",
        "bob@[192.0.2.1]",
        "not an address",
        "Postmaster",
        "x" * 60 + "@remote.example",
        "bob@" + "a" * 60 + ".example",
    ],
)
def test_what_cannot_or_need_not_be_written_stays(sender: str) -> None:
    assert forward(sender, SECRET, "ours.example", NOON) == sender


def test_the_limit_of_a_local_part_is_kept_to_the_octet() -> None:
    room = 64 - len("SRS0=HHHHHH=TT=remote.example=")
    longest, longer = "b" * room + "@remote.example", "b" * (room + 1) + "@remote.example"
    assert len(forward(longest, SECRET, "ours.example", NOON).partition("@")[0]) == 64
    assert reverse(forward(longest, SECRET, "ours.example", NOON), [SECRET], NOON) == longest
    assert forward(longer, SECRET, "ours.example", NOON) == longer


def test_quoted_and_utf8_local_parts_come_back() -> None:
    for sender in ('"a b"@remote.example', '"a@b"@remote.example', "jürgen@remote.example", '"a=b"@remote.example'):
        written = forward(sender, SECRET, "ours.example", NOON)
        assert written != sender
        assert reverse(written, [SECRET], NOON) == str(address(sender))


def test_a_domain_of_other_letters_travels_in_ascii() -> None:
    written = forward("bob@bücher.example", SECRET, "ours.example", NOON)
    assert written.isascii()
    assert reverse(written, [SECRET], NOON) == "bob@xn--bcher-kva.example"


@pytest.mark.parametrize(
    "recipient, has_the_form",
    [
        ("SRS0=AAAA=BB=c.example=d@ours.example", True),
        ("srs1=AAAAAA=c.example==AAAA=BB=e.example=f@ours.example", True),
        ("SRS0=AAA=BB=c.example=d@ours.example", False),
        ("SRS0=AAAA=B1=c.example=d@ours.example", False),
        ("SRS0=@ours.example", False),
        ("SRS2=AAAA=BB=c.example=d@ours.example", False),
        ("bob@ours.example", False),
        ("", False),
    ],
)
def test_other_addresses_are_left_alone(recipient: str, has_the_form: bool) -> None:
    assert is_rewritten(recipient) is has_the_form
    assert reverse(recipient, [SECRET], NOON) is None
