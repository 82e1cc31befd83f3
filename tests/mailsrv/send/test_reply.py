"""Replies read from bytes, in any pieces; garbage is told, and bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsrv.send.reply import LONGEST_LINE, MOST_LINES, Garbage, Replies, Reply
from mailsrv.send.verdict import Fate, of_reply, taken


def read(data: bytes, size: int = 1 << 20) -> list[Reply]:
    reader = Replies()
    return [r for start in range(0, len(data), size) for r in reader.feed(data[start : start + size])]


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    "data,expected",
    [
        (b"250 ok\r\n", [Reply(250, ("ok",))]),
        (b"250\r\n", [Reply(250, ("",))]),
        (b"250 ok\n", [Reply(250, ("ok",))]),
        (b"250-a\r\n250-b\r\n250 c\r\n", [Reply(250, ("a", "b", "c"))]),
        (b"250-a\r\n550 c\r\n", [Reply(550, ("a", "c"))]),
        (b"250 a\r\n354 b\r\n", [Reply(250, ("a",)), Reply(354, ("b",))]),
        (b"550 \xff\r\n", [Reply(550, ("\ufffd",))]),
        (b"250 half", []),
    ],
)
def test_replies(data: bytes, expected: list[Reply], size: int) -> None:
    assert read(data, size) == expected


@pytest.mark.parametrize(
    "data",
    [
        b"hello\r\n", b"\r\n", b"25 x\r\n", b"2500 x\r\n", b"150 x\r\n", b"650 x\r\n", b"\xd9\xa2\xd9\xa5\xd9\xa0 x\r\n",
        b"250 " + b"x" * LONGEST_LINE + b"\r\n", b"x" * (LONGEST_LINE + 1), b"250-x\r\n" * (MOST_LINES + 1),
        (b"250-" + b"x" * 2000 + b"\r\n") * 20,
    ],
)  # fmt: skip
def test_garbage_is_told(data: bytes) -> None:
    with pytest.raises(Garbage):
        read(data)


def test_what_came_before_garbage_counts() -> None:
    replies = Replies().feed(b"250 taken\r\ngarbage\r\n")
    assert next(replies) == Reply(250, ("taken",))
    with pytest.raises(Garbage):
        next(replies)


@given(st.binary(max_size=3000), st.integers(1, 100))
def test_any_bytes_are_replies_or_garbage(data: bytes, size: int) -> None:
    try:
        found = read(data, size)
    except Garbage:
        return
    assert all(200 <= reply.code <= 599 for reply in found)


@pytest.mark.parametrize(
    "reply,fate,code",
    [
        (Reply(550, ("5.1.1 nobody",)), Fate.FAILED, "5.1.1"),
        (Reply(550, ("nobody",)), Fate.FAILED, "5.0.0"),
        (Reply(550, ("4.1.1 at odds",)), Fate.FAILED, "5.0.0"),
        (Reply(451, ("4.7.1 greylisted",)), Fate.LATER, "4.7.1"),
        (Reply(421, ("",)), Fate.LATER, "4.0.0"),
        (Reply(354, ("what?",)), Fate.LATER, "4.0.0"),
    ],
)
def test_refusals_become_verdicts(reply: Reply, fate: Fate, code: str) -> None:
    verdict = of_reply(reply, "RCPT", "mx.example.org")
    assert (verdict.fate, verdict.code) == (fate, code)


def test_no_peer_writes_a_line_of_ours_or_a_long_one() -> None:
    verdict = of_reply(Reply(550, ("x\x1b[31m\u202e" + "y" * 2000,)), "RCPT", "mx.example.org")
    assert verdict.reply.isprintable()
    assert len(verdict.reply) <= 600
    assert taken(Reply(250, ("2.0.0 ok",)), "h", True).fate is Fate.DELIVERED
