"""Views: a client that believes every word it hears knows the mailbox as it is (RFC 9051 5.2, 7.5.1)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from mailsrv.imap.index import Index
from mailsrv.imap.view import View
from mailsrv.store.door import Mailbox, Row

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
BOX = Mailbox(1, "alice", "INBOX", 1, 1, 1, 0, 0, 0, 0)
WORDS = ("\\Seen", "\\Flagged", "work")
LINE = re.compile(
    rb"\* (\d+) (EXISTS|EXPUNGE|FETCH)(?: \(UID (\d+) FLAGS \(([^)]*)\))?|\* VANISHED ([\d:,]+)|\* (?:FLAGS|\d+ RECENT)"
)


def row(uid: int, modseq: int, flags: frozenset[str] = frozenset()) -> Row:
    return Row(uid, modseq, flags, 100 + uid, NOON, 1000 + uid)


class Client:
    """Knows only what it was told: UIDs by FETCH, numbers by counting."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.coming: list[int] = []
        self.flags: dict[int, str] = {}
        self.uids = list(view.uids)

    def hear(self, expunge: bool) -> None:
        last = self.view.uids[-1] if len(self.view) else 0
        self.coming = [uid for uid in self.view.index.uids if uid > last]
        for line in self.view.news(expunge).splitlines():
            self.learn(line)

    def learn(self, line: bytes) -> None:
        found = LINE.match(line)
        assert found, line
        if found[5]:
            gone = {n for part in found[5].decode().split(",") for n in span(part)}
            self.uids = [uid for uid in self.uids if uid not in gone]
        elif found[2] == b"EXISTS":
            assert int(found[1]) == len(self.uids) + len(self.coming)
            self.uids += self.coming
        elif found[2] == b"EXPUNGE":
            del self.uids[int(found[1]) - 1]
        elif found[2] == b"FETCH":
            assert self.uids[int(found[1]) - 1] == int(found[3])
            self.flags[int(found[3])] = found[4].decode()


def span(part: str) -> range:
    low, _, high = part.partition(":")
    return range(int(low), int(high or low) + 1)


DEED = st.one_of(
    st.tuples(st.just("add"), st.integers(1, 30), st.just(0)),
    st.tuples(st.just("flag"), st.integers(0, 80), st.integers(0, 7)),
    st.tuples(st.just("gone"), st.integers(0, 80), st.integers(1, 60)),
    st.tuples(st.just("hear"), st.integers(0, 2), st.integers(0, 1)),
)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 40), st.lists(DEED, max_size=30), st.booleans())
def test_who_listens_knows_the_mailbox(start: int, deeds: list[tuple[str, int, int]], qresync: bool) -> None:
    index = Index([row(uid, uid) for uid in range(1, start + 1)])
    truth = {uid: frozenset[str]() for uid in range(1, start + 1)}
    clients = [Client(View(BOX, index, False, lambda: None)) for _ in range(3)]
    for client in clients:
        client.view.qresync, client.view.rev1 = qresync, False
    last, modseq = start, start
    for deed, one, two in deeds:
        modseq += 1
        if deed == "add":
            fresh = range(last + 1, last + one + 1)
            index.apply([row(uid, modseq) for uid in fresh])
            truth |= {uid: frozenset() for uid in fresh}
            last += one
        elif deed == "flag":
            flags = frozenset(word for bit, word in enumerate(WORDS) if two >> bit & 1)
            uids = [uid for uid in truth if uid >= one]
            index.apply([row(uid, modseq, flags) for uid in uids])
            truth |= dict.fromkeys(uids, flags)
        elif deed == "gone":
            gone = [uid for uid in truth if one <= uid < one + two]
            index.apply(gone=gone)
            truth = {uid: flags for uid, flags in truth.items() if uid not in gone}
        else:
            clients[one].hear(expunge=bool(two))
    for client in clients:
        client.hear(expunge=True)
        assert client.uids == list(client.view.uids) == list(index.uids) == sorted(truth)
        assert {uid: text for uid, text in client.flags.items() if uid in truth} == {
            uid: " ".join(sorted(truth[uid])) for uid in client.flags if uid in truth
        }
    assert [index.flags(at) for at in range(len(index))] == [truth[uid] for uid in index.uids]


def test_a_change_told_twice_or_late_is_told_once() -> None:
    index = Index([row(1, 5, frozenset({"\\Seen"}))])
    view = View(BOX, index, False, lambda: None)
    index.apply([row(1, 4)])
    assert view.news() == b""
    index.apply([row(1, 6)])
    index.apply([row(1, 6)])
    assert view.news() == b"* 1 FETCH (UID 1 FLAGS ())\r\n"
    index.apply(gone=[1])
    index.apply(gone=[1])
    index.apply([row(1, 7)])
    assert view.news() == b"* 1 EXPUNGE\r\n"
    assert view.news() == b""


def test_flag_sets_do_not_pile_up() -> None:
    index = Index([row(1, 1)])
    for modseq in range(2, 20000):
        index.apply([row(1, modseq, frozenset({f"k{modseq}"}))])
    assert len(index.sets) < 10000
    assert index.flags(0) == {"k19999"}
