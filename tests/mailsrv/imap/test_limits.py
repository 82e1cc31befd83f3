"""Every limit, from the outside: who passes one is told and, where it must be, sent away; others do not notice."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from mailsrv.imap.limits import Limits
from tests.mailsrv.imap.house import Running, running


class Raw:
    """A socket that counts its tags."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self._file = self.socket.makefile("rb")
        self._number = 0
        self.greeting = self._file.readline()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def line(self) -> bytes:
        return self._file.readline()

    def do(self, command: bytes) -> bytes:
        """The tagged answer, or what came instead of it."""
        self._number += 1
        tag = b"T%d " % self._number
        with suppress(ConnectionError):
            self.send(tag + command + b"\r\n")
            while line := self.line():
                if line.startswith((tag, b"* BYE", b"+")):
                    return line.removeprefix(tag)
        return b"closed"

    def close(self) -> None:
        self._file.close()
        self.socket.close()


@contextmanager
def guest(house: Running, login: bool = True) -> Iterator[Raw]:
    raw = Raw(house.port)
    if login:
        assert raw.do(b"LOGIN alice foobar").startswith(b"OK")
    yield raw
    raw.close()


REFUSED_BEFORE_LOGIN = [
    b"LOGIN {2147483648}", b"LOGIN {99999999999999999999}", b"LOGIN {4294967295+}", b"LOGIN {-1}", b"LOGIN {18446744073709551615+}",
    b"LOGIN " + b"(" * 7000, b"A" * 70000, b"APPEND INBOX {100000}", b"LOGIN * foobar", b"LOGIN ../alice foobar", b"LOGIN alice\\ foobar",
]  # fmt: skip


@pytest.mark.parametrize("command", REFUSED_BEFORE_LOGIN, ids=range(len(REFUSED_BEFORE_LOGIN)))
def test_strangers_get_little_room(command: bytes) -> None:
    with running() as house, guest(house, login=False) as raw:
        assert raw.do(command).split()[0] in (b"BAD", b"NO", b"*")


def test_eight_megabytes_without_a_line_end_are_cut_off() -> None:
    with running() as house, guest(house, login=False) as raw:
        with suppress(OSError):
            for _ in range(128):
                raw.send(b"A" * 65536)
        wait(lambda: house.server.sessions == 0)


FLOODS = [
    (b"XYZZY", 20),
    (b"LOGIN alice wrong", 6),
    (b"AUTHENTICATE PLAIN AHgAeQ==", 8),
]


@pytest.mark.parametrize("command, most", FLOODS)
def test_who_only_errs_is_sent_away(command: bytes, most: int) -> None:
    with running() as house, guest(house, login=False) as raw:
        answers = [raw.do(command) for _ in range(most)]
        assert any(answer.startswith(b"* BYE") for answer in answers)
        assert answers[-1] == b"closed"


def test_errors_among_sense_are_forgiven() -> None:
    with running() as house, guest(house) as raw:
        for _ in range(100):
            assert raw.do(b"XYZZY").startswith(b"BAD")
            assert raw.do(b"NOOP").startswith(b"OK")
        last = [raw.do(b"XYZZY") for _ in range(51)][-2:]
        assert last in (
            [b"* BYE too many errors\r\n", b"closed"],
            [b"BAD there is no such command\r\n", b"* BYE too many errors\r\n"],
        )


def test_silence_ends_a_session() -> None:
    with running(Limits(login_time=0.3, idle_time=0.6)) as house:
        with guest(house, login=False) as raw:
            assert raw.line() == b"* BYE [UNAVAILABLE] you were silent for too long\r\n"
        with guest(house) as raw:
            assert raw.do(b"IDLE") == b"+ idling\r\n"
            assert raw.line() == b"* BYE [UNAVAILABLE] you were silent for too long\r\n"


def test_a_stranger_who_drips_is_sent_away_as_well() -> None:
    with running(Limits(login_time=0.5)) as house, guest(house, login=False) as raw:
        with suppress(OSError):
            for _ in range(100):
                raw.send(b"a")
                time.sleep(0.02)
        assert house.server.sessions == 0


def test_rooms_are_limited() -> None:
    with running(Limits(strangers=3, sessions=2)) as house:
        strangers = [Raw(house.port) for _ in range(4)]
        assert [raw.greeting[:5] for raw in strangers] == [b"* OK ", b"* OK ", b"* OK ", b"* BYE"]
        answers = [raw.do(b"LOGIN alice foobar") for raw in strangers[:3]]
        assert [answer[:2] for answer in answers] == [b"OK", b"OK", b"NO"]
        assert b"[LIMIT]" in answers[2]
        strangers[0].close()
        wait(lambda: house.server.sessions == 2)
        assert strangers[2].do(b"LOGIN alice foobar").startswith(b"OK")
        for raw in strangers[1:]:
            raw.close()


def wait(fact: Callable[[], bool]) -> None:
    for _ in range(200):
        if fact():
            return
        time.sleep(0.02)
    raise AssertionError("it never came true")


def test_memory_for_mail_on_its_way_is_limited() -> None:
    with (
        running(Limits(message=1000, messages=1000, arriving=1500)) as house,
        guest(house) as first,
        guest(house) as second,
    ):
        first.send(b"a APPEND INBOX {1000}\r\n")
        assert first.line().startswith(b"+")
        assert second.do(b"APPEND INBOX {1000}").startswith(b"* BYE [UNAVAILABLE]")
        first.close()
        wait(lambda: house.server.sessions == 0)
        with guest(house) as third:
            assert third.do(b"APPEND INBOX {1000}").startswith(b"+")


def test_who_does_not_read_holds_up_nobody() -> None:
    with running(Limits(stall_time=0.5)) as house, guest(house) as deaf, guest(house) as other:
        letter = b"A: b\r\n\r\n" + b"x" * 1_000_000
        assert other.do(b"APPEND INBOX {%d+}\r\n" % len(letter) + letter).startswith(b"OK")
        assert deaf.do(b"SELECT INBOX").startswith(b"OK")
        deaf.send(b"".join(b"x%d FETCH 1 BODY.PEEK[]\r\n" % n for n in range(40)))
        for _ in range(20):
            assert other.do(b"NOOP").startswith(b"OK")
        wait(lambda: house.server.sessions == 1)


def test_many_commands_at_once_are_answered_in_order() -> None:
    with running() as house, guest(house) as raw, guest(house) as other:
        raw.send(b"".join(b"x%d NOOP\r\n" % n for n in range(5000)))
        assert other.do(b"NOOP").startswith(b"OK")
        assert [raw.line().split()[0] for _ in range(5000)] == [b"x%d" % n for n in range(5000)]


SLOW = [
    b'LIST "" "' + b"%*" * 30 + b'x"', b"FETCH " + b",".join([b"1:*"] * 1500) + b" (FLAGS)", b"UID FETCH 1:4294967295 (FLAGS)",
    b"FETCH 1 BODY[" + b".".join([b"1"] * 1000) + b"]", b"FETCH 1 BODY[]<4294967295.4294967295>", b"SEARCH CHARSET zlib_codec TEXT x",
    b"FETCH 1 BODY[HEADER.FIELDS (" + b" ".join(b"H%d" % n for n in range(200)) + b")]", b'SEARCH TEXT "(a+)+$" BODY "' + b"a" * 500 + b'!"',
    b"STORE 1 +FLAGS (" + b" ".join(b"kw%d" % n for n in range(1000)) + b")", b"SEARCH " + b"(" * 3000 + b"ALL" + b")" * 3000,
]  # fmt: skip


def test_hostile_commands_are_answered_and_survived() -> None:
    with running() as house, guest(house) as raw:
        raw.do(b"APPEND INBOX {8+}\r\nA: b\r\n\r\n")
        raw.do(b"SELECT INBOX")
        for command in SLOW:
            assert raw.do(command).split()[0] in (b"OK", b"NO", b"BAD"), command[:40]
            assert raw.do(b"NOOP").startswith(b"OK")


def test_the_server_goes_down_politely() -> None:
    with running() as house, guest(house) as raw:
        house.do(house.server.close(1.0))
        assert raw.line() == b"* BYE [UNAVAILABLE] the server is going down\r\n"
