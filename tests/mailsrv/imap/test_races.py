"""What happens in between: mail that goes while it is read, a store that fails, sessions that meet."""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from dnsops.base.errors import Later
from mailsrv.store.door import Flagged, Full, Mailbox, Op
from mailsrv.store.memory import MemoryStore
from tests.mailsrv.imap.house import ENGINES, running
from tests.mailsrv.imap.test_limits import Raw, guest


class Meddling(MemoryStore):
    """A store where something else happens during the next call."""

    def __init__(self) -> None:
        super().__init__()
        self.lose: tuple[int, ...] = ()  # these go while digests or contents are read
        self.fail: Exception | None = None

    async def _meddle(self) -> None:
        if self.fail:
            raise self.fail
        if self.lose:
            lost, self.lose = self.lose, ()
            box = await super().mailbox("alice", "INBOX")
            await super().flag(box.id, lost, Op.ADD, frozenset({"\\Deleted"}))
            await super().expunge(box.id, lost)

    async def digests(self, mailbox: int, uids: Sequence[int], fields: Collection[str]) -> list[tuple[object, ...]]:
        await self._meddle()
        return await super().digests(mailbox, uids, fields)

    async def contents(self, blobs: Sequence[int]) -> list[bytes]:
        await self._meddle()
        return await super().contents(blobs)

    async def content(self, blob: int, start: int = 0, length: int | None = None) -> bytes:
        if start:
            await self._meddle()
        return await super().content(blob, start, length)

    async def mailbox(self, account: str, name: str) -> Mailbox:
        if self.fail:
            raise self.fail
        return await super().mailbox(account, name)

    async def flag(
        self, mailbox: int, uids: Sequence[int], op: Op, flags: frozenset[str], unchanged_since: int | None = None
    ) -> Flagged:
        if self.fail:
            raise self.fail
        return await super().flag(mailbox, uids, op, flags, unchanged_since)


def filled(raw: Raw, count: int) -> None:
    for n in range(1, count + 1):
        assert raw.do(b"APPEND INBOX {12+}\r\nSubject: %03d" % n).startswith(b"OK")
    assert raw.do(b"SELECT INBOX").startswith(b"OK")


def answers(raw: Raw, command: bytes) -> list[bytes]:
    """All lines up to the tagged one."""
    raw.send(b"q " + command + b"\r\n")
    found = []
    while not found or not found[-1].startswith(b"q "):
        found.append(raw.line())
        assert found[-1]
    return found


@pytest.mark.parametrize(
    "what", [b"ENVELOPE", b"BODY.PEEK[]", b"BODY.PEEK[HEADER]", b"BODY.PEEK[] BODY.PEEK[TEXT] PREVIEW"]
)
@pytest.mark.parametrize("lost", [(1,), (2,), (4,), (2, 3), (1, 4), (1, 2, 3, 4)])
def test_mail_that_goes_while_it_is_read_is_left_out(what: bytes, lost: tuple[int, ...]) -> None:
    store = Meddling()
    with running(store=store) as house, guest(house) as raw:
        filled(raw, 4)
        store.lose = lost
        found = b"".join(answers(raw, b"FETCH 1:4 (UID " + what + b")"))
        assert b"q OK [EXPUNGEISSUED]" in found
        told = {int(n): int(uid) for n, uid in re.findall(rb"\* (\d+) FETCH \(UID (\d+)", found)}
        assert all(n == uid for n, uid in told.items())
        assert set(told) >= {1, 2, 3, 4} - set(lost)
        for uid in told:
            assert (b"Subject: %03d" % uid in found) or (b'"%03d"' % uid in found)
        assert [line for line in answers(raw, b"NOOP") if b"EXPUNGE" in line] == [
            b"* %d EXPUNGE\r\n" % n for n in sorted(lost, reverse=True)
        ]


def test_a_literal_that_cannot_be_finished_ends_the_connection() -> None:
    store = Meddling()
    with running(store=store) as house, guest(house) as raw:
        letter = b"A: b\r\n\r\n" + b"x" * 1_000_000
        raw.do(b"APPEND INBOX {%d+}\r\n" % len(letter) + letter)
        raw.do(b"SELECT INBOX")
        store.lose = (1,)
        raw.send(b"q FETCH 1 BODY.PEEK[]\r\n")
        assert raw.line().endswith(b"{%d}\r\n" % len(letter))
        rest = b""
        while data := raw.socket.recv(65536):
            rest += data
        assert len(rest) < len(letter)
        assert b"q " not in rest


FAILURES = [
    (Later("the disk is full", timedelta(0)), b"NO [UNAVAILABLE]"),
    (Full("the quota is exceeded"), b"NO [OVERQUOTA]"),
]


@pytest.mark.parametrize("error, said", FAILURES)
def test_what_the_store_says_is_said_in_imaps_words(error: Exception, said: bytes) -> None:
    store = Meddling()
    with running(store=store) as house, guest(house) as raw:
        filled(raw, 2)
        store.fail = error
        for command in (b"STATUS INBOX (MESSAGES)", b"STORE 1 +FLAGS (a)", b"FETCH 1 ENVELOPE", b"SELECT Sent"):
            assert raw.do(command).startswith(said), command
        store.fail = None
        assert raw.do(b"SELECT INBOX").startswith(b"OK")


@pytest.mark.faults
def test_a_bug_is_logged_and_tells_nothing() -> None:
    store = Meddling()
    with running(store=store, bugs=True) as house, guest(house) as raw:
        filled(raw, 1)
        store.fail = KeyError("/var/lib/secret")
        assert raw.do(b"STATUS INBOX (MESSAGES)") == b"NO [SERVERBUG] something went wrong here\r\n"
        store.fail = None
        assert raw.do(b"NOOP").startswith(b"OK")
        assert {"imap.bug", "KeyError", "test_races.py"} <= set(re.findall(r"[\w.]+", house.log.getvalue()))


@pytest.mark.parametrize("engine", ENGINES)
def test_resynchronisation_brings_a_client_up_to_date(engine: str, tmp_path: Path) -> None:
    """RFC 7162 3.2.5: what it knows of a mailbox after SELECT is what is there, whatever happened meanwhile."""
    rng = random.Random(3)
    with running(store=ENGINES[engine](tmp_path)) as house, guest(house) as away, guest(house) as here:
        away.do(b"ENABLE QRESYNC")
        filled(here, 30)
        found = answers(away, b"SELECT INBOX")
        validity = number(found, rb"UIDVALIDITY (\d+)")
        known = set(range(1, 31))
        for turn in range(12):
            modseq = number(answers(away, b"STATUS INBOX (HIGHESTMODSEQ)"), rb"HIGHESTMODSEQ (\d+)")
            answers(away, b"UNSELECT")
            flagged = {uid: rng.random() < 0.2 for uid in known}
            for uid, chosen in flagged.items():
                if chosen:
                    here.do(b"UID STORE %d FLAGS.SILENT (%s)" % (uid, rng.choice([b"\\Deleted", b"w%d" % turn])))
            here.do(b"EXPUNGE")
            here.do(b"APPEND INBOX {1+}\r\nx")
            truth = {int(uid) for uid in re.findall(rb"UID (\d+)", b"".join(answers(here, b"FETCH 1:* (UID)")))}
            known_set = b"%d:%d" % (min(known), max(known))
            found = answers(away, b"SELECT INBOX (QRESYNC (%d %d %s))" % (validity, modseq, known_set))
            gone = [part for line in found for part in re.findall(rb"VANISHED \(EARLIER\) ([\d:,]+)", line)]
            known -= {uid for part in b",".join(gone).split(b",") if part for uid in span(part)}
            changed = {int(uid) for line in found for uid in re.findall(rb"FETCH \(UID (\d+)", line)}
            assert known == truth & known
            assert truth - known <= set(range(max(known) + 1, 99))
            assert {uid for uid, chosen in flagged.items() if chosen and uid in truth} <= changed | (truth - known)
            known = truth


def number(lines: list[bytes], pattern: bytes) -> int:
    found = re.search(pattern, b"".join(lines))
    assert found
    return int(found[1])


def span(part: bytes) -> range:
    low, _, high = part.partition(b":")
    return range(int(low), int(high or low) + 1)


@pytest.mark.parametrize("engine", ENGINES)
def test_sessions_agree_whatever_they_do(engine: str, tmp_path: Path) -> None:
    """Three sessions at random on one mailbox; each keeps count by what it hears, and all agree in the end."""
    rng = random.Random(4)
    with (
        running(store=ENGINES[engine](tmp_path)) as house,
        guest(house) as one,
        guest(house) as two,
        guest(house) as three,
    ):
        filled(one, 20)
        sessions = [one, two, three]
        counts = {raw: listen(raw, answers(raw, b"SELECT INBOX"), 0) for raw in sessions}
        for _ in range(150):
            raw = rng.choice(sessions)
            uid = rng.randint(1, 40)
            command = rng.choice(
                [
                    b"NOOP", b"APPEND INBOX {1+}\r\nx", b"UID STORE %d +FLAGS (\\Deleted)" % uid, b"UID STORE %d FLAGS.SILENT (k%d)" % (uid, uid),
                    b"EXPUNGE", b"UID EXPUNGE %d" % uid, b"UID MOVE %d Archive" % uid, b"FETCH 1:* (FLAGS)", b"SEARCH ALL", b"UID COPY %d INBOX" % uid,
                ]
            )  # fmt: skip
            counts[raw] = listen(raw, answers(raw, command), counts[raw])
        seen = []
        for raw in sessions:
            counts[raw] = listen(raw, answers(raw, b"NOOP"), counts[raw])
            rows = sorted(line for line in answers(raw, b"FETCH 1:* (UID FLAGS)") if b"FETCH" in line)
            assert len(rows) == counts[raw]
            seen.append([line.replace(b"\\Recent ", b"").replace(b"\\Recent", b"") for line in rows])
        assert seen[0] == seen[1] == seen[2]


def listen(raw: Raw, lines: list[bytes], count: int) -> int:
    for line in lines:
        exists = re.match(rb"\* (\d+) EXISTS", line)
        if exists:
            assert int(exists[1]) >= count
            count = int(exists[1])
        if re.match(rb"\* \d+ EXPUNGE", line):
            count -= 1
    return count
