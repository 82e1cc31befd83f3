"""Maildir and mbox: what goes out comes in again byte for byte, what others wrote is understood, what is hostile harms nobody."""

from __future__ import annotations

import asyncio
import mailbox
import os
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsrv.archive import maildir, mbox
from mailsrv.archive.kept import Kept, Unfit, crlf, escaped, lf, unescaped
from mailsrv.archive.taking import Report, give, take
from mailsrv.message.digest import digest
from mailsrv.store.door import Message, Op, Place
from mailsrv.store.memory import MemoryStore

WHEN = datetime(2026, 3, 1, 12, 30, 5, tzinfo=UTC)
FLAGS = frozenset({"\\Seen", "\\Answered", "$Forwarded", "Work", "$Label1"})
BODIES = [
    b"Subject: plain\r\n\r\nhello\r\n",
    b"Subject: from\r\n\r\nFrom me\r\n>From you\r\n\r\nFrom alice Thu Jan  1 00:00:00 1970\r\n",
    b"Status: RO\r\nX-Status: A\r\nSubject: has its own\r\n\r\nx\r\n",
    b"Status: RO\r\nStatus: O\r\nX-Keywords: a b\r\n\r\nx\r\n",
    b"Subject: blank lines\r\n\r\n\r\n\r\nx\r\n\r\n\r\n",
    b"Subject: 8 bit\r\n\r\n\xff\xfe\x80\0\r\n",
    b"no header at all\r\n",
    b"Subject: long\r\n\r\n" + b"x" * 3_000_000 + b"\r\n",
]
AWKWARD = [
    b"Subject: bare\r\n\r\na\nb\rc\r\n",
    b"Subject: no end\r\n\r\nx",
    b"",
]


FORMS = [maildir, mbox]


def store_with(*messages: tuple[str, bytes, frozenset[str]]) -> MemoryStore:
    store = MemoryStore()

    async def fill() -> None:
        await store.account("user1")
        for name, content, flags in messages:
            place = Place("user1", name, flags, create=True)
            await store.accept(Message(content, digest(content), WHEN, (place,)))

    asyncio.run(fill())
    return store


def exported(store: MemoryStore, form: ModuleType, path: Path) -> Report:
    path.mkdir()
    return asyncio.run(give(store, "user1", form.Writer(path), lambda: form.read(path)))


def imported(store: MemoryStore, form: ModuleType, path: Path, into: str = "") -> Report:
    async def story() -> Report:
        await store.account("user1")
        return await take(store, digest, "user1", form.read(path), into)

    return asyncio.run(story())


def everything(store: MemoryStore) -> list[tuple[str, bytes, datetime, frozenset[str]]]:
    async def look() -> list[tuple[str, bytes, datetime, frozenset[str]]]:
        return [
            (box.name, await store.content(row.blob), row.received, frozenset(flag.lower() for flag in row.flags))
            for box in await store.mailboxes("user1")
            if box.selectable
            for row in await store.rows(box.id)
        ]

    return asyncio.run(look())


@pytest.mark.parametrize("form", FORMS)
def test_out_and_in_again_is_the_same(form: ModuleType, tmp_path: Path) -> None:
    names = ["INBOX", "Sent", "Work/Plan 1.2", "Ämter/Zoll & Co", "INBOX/below", "back\u2215slash"]
    first = store_with(*((name, content, FLAGS) for name in names for content in BODIES))
    report = exported(first, form, tmp_path / "out")
    assert report.unfit == []
    assert (report.total.found, report.total.copied, report.total.failed) == (48, 48, 0)
    second = MemoryStore()
    report = imported(second, form, tmp_path / "out")
    assert report.unfit == []
    assert (report.total.found, report.total.copied, report.total.there) == (48, 48, 0)
    assert sorted(everything(second)) == sorted(everything(first))
    again = imported(second, form, tmp_path / "out")
    assert (again.total.found, again.total.copied, again.total.there) == (48, 0, 48)
    assert sorted(everything(second)) == sorted(everything(first))


def test_maildir_keeps_awkward_ends_of_line(tmp_path: Path) -> None:
    first = store_with(*(("INBOX", content, frozenset()) for content in AWKWARD))
    assert exported(first, maildir, tmp_path / "out").unfit == []
    second = MemoryStore()
    assert imported(second, maildir, tmp_path / "out").unfit == []
    assert sorted(everything(second)) == sorted(everything(first))


def test_what_mbox_cannot_keep_is_said(tmp_path: Path) -> None:
    first = store_with(("INBOX", b"Subject: no end\r\n\r\nx", frozenset()))
    report = exported(first, mbox, tmp_path / "out")
    assert (report.total.found, report.total.copied, report.total.failed) == (1, 0, 1)
    assert "cannot keep it" in report.unfit[0].why


@given(st.binary(max_size=200), st.sets(st.sampled_from(sorted(FLAGS))))
def test_line_ends_come_back(content: bytes, flags: set[str]) -> None:
    assert b"\n" not in crlf(content).replace(b"\r\n", b"") or content.split(b"\n")[0].endswith(b"\r")
    short = lf(crlf(content))
    assert short is None or crlf(short) == crlf(content)


@given(st.text(st.characters(exclude_characters="/", exclude_categories=("Cs", "Cc")), min_size=1, max_size=20))
def test_folder_names_come_back(name: str) -> None:
    assert unescaped(escaped(f"{name}/x")) == f"{name}/x"
    assert "/" not in escaped(f"{name}/x")


# others wrote it


def test_the_standard_librarys_maildir(tmp_path: Path) -> None:
    box = mailbox.Maildir(tmp_path / "M")
    one = mailbox.MaildirMessage(b"Subject: one\n\nx\n")
    one.set_flags("FS")
    one.set_date(WHEN.timestamp())
    one.set_subdir("cur")
    box.add(one)
    box.add(b"Subject: new\n\ny\n")
    box.add_folder("Sent.2025").add(b"Subject: sent\n\nz\n")
    found = [kept for kept in maildir.read(tmp_path / "M") if isinstance(kept, Kept)]
    assert {(kept.mailbox, kept.content, kept.flags) for kept in found} == {
        ("INBOX", b"Subject: one\r\n\r\nx\r\n", frozenset({"\\Flagged", "\\Seen"})),
        ("INBOX", b"Subject: new\r\n\r\ny\r\n", frozenset()),
        ("Sent/2025", b"Subject: sent\r\n\r\nz\r\n", frozenset()),
    }
    assert WHEN in {kept.received for kept in found}


def test_the_standard_library_reads_ours(tmp_path: Path) -> None:
    store = store_with(("INBOX", BODIES[1], FLAGS), ("Sent", BODIES[0], frozenset()))
    exported(store, maildir, tmp_path / "M")
    box = mailbox.Maildir(tmp_path / "M", create=False)
    assert [message.get_flags() for message in box] == ["RSab" + "P"] or {
        *box.get_message(box.keys()[0]).get_flags()
    } >= set("PRS")
    assert len(box.get_folder("Sent")) == 1
    exported(store, mbox, tmp_path / "B")
    single = mailbox.mbox(tmp_path / "B" / "INBOX.mbox", create=False)
    assert len(single) == 1
    assert single[0].get_flags() == "ROA"
    assert single[0]["Subject"] == "from"


def test_the_standard_librarys_mbox(tmp_path: Path) -> None:
    box = mailbox.mbox(tmp_path / "old")
    for n in range(3):
        one = mailbox.mboxMessage(f"Subject: {n}\n\nFrom here on\n".encode())
        one.set_flags("RAF" if n else "")
        box.add(one)
    box.flush()
    found = [kept for kept in mbox.read(tmp_path / "old") if isinstance(kept, Kept)]
    assert [kept.flags for kept in found] == [frozenset(), *2 * [frozenset({"\\Seen", "\\Answered", "\\Flagged"})]]
    assert all(kept.content.endswith(b"\r\n\r\nFrom here on\r\n") for kept in found)


def test_thunderbirds_marks(tmp_path: Path) -> None:
    text = b"From - Sun Mar 01 12:30:05 2026\r\nX-Mozilla-Status: 0005\r\nX-Mozilla-Keys: $label1 \r\nSubject: t\r\n\r\nx\r\n\r\n"
    (tmp_path / "Inbox").write_bytes(text)
    (kept,) = mbox.read(tmp_path / "Inbox")
    assert isinstance(kept, Kept)
    assert (kept.flags, kept.received) == (frozenset({"\\Seen", "\\Flagged", "$label1"}), WHEN)
    assert kept.content.endswith(b"Subject: t\r\n\r\nx\r\n")


@pytest.mark.parametrize(
    "line, moment",
    [
        (b"From a@b Sun Mar  1 12:30:05 2026", WHEN),
        (b"From a@b Sun Mar  1 12:30 2026", WHEN.replace(second=0)),
        (b"From a@b Sun Mar  1 12:30:05 UTC 2026", WHEN),
        (b"From a@b Sun Feb 31 12:30:05 2026", datetime.fromtimestamp(0, UTC)),
    ],
)
def test_border_lines(tmp_path: Path, line: bytes, moment: datetime) -> None:
    (tmp_path / "m").write_bytes(line + b"\nSubject: x\n\ny\n")
    (kept,) = mbox.read(tmp_path / "m")
    assert isinstance(kept, Kept)
    assert kept.received == moment


def test_what_looks_like_a_border_but_is_none(tmp_path: Path) -> None:
    text = b"From a Sun Mar  1 12:30:05 2026\nSubject: x\n\nFrom the beginning\n\nFrom then on, 2026\n"
    (tmp_path / "m").write_bytes(text)
    (kept,) = mbox.read(tmp_path / "m")
    assert isinstance(kept, Kept)
    assert kept.content.count(b"From ") == 2


# hostile


def test_links_pipes_and_folders_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"Subject: secret\n\n")
    for part in ("cur", "new", "tmp"):
        (tmp_path / "M" / part).mkdir(parents=True)
    (tmp_path / "M/cur/link:2,S").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "M/new/pipe")
    (tmp_path / "M/cur/folder").mkdir()
    (tmp_path / "M/cur/gz:2,S").write_bytes(b"\x1f\x8b\x08rest")
    (tmp_path / "M/.Out").symlink_to(tmp_path)
    found = list(maildir.read(tmp_path / "M"))
    assert len(found) == 4
    assert all(isinstance(one, Unfit) for one in found)
    report = imported(MemoryStore(), maildir, tmp_path / "M")
    assert (report.total.found, report.total.failed) == (4, 4)


@pytest.mark.parametrize("name", ["..", "a..b", "x" * 3000, "a%b", "&&&"])
def test_names_that_no_mailbox_can_have(tmp_path: Path, name: str) -> None:
    store = MemoryStore()

    async def story() -> Report:
        await store.account("user1")
        return await take(store, digest, "user1", [Kept(name, BODIES[0], WHEN), Kept("ok", BODIES[0], WHEN)])

    report = asyncio.run(story())
    assert report.folder("ok").copied == 1
    assert report.total.failed == (0 if name == "&&&" else 1)


@given(
    st.lists(
        st.sampled_from(
            [b"From a Sun Mar  1 12:30:05 2026\n", b"\n", b">From x\n", b"Status: R\n", b"x", b"\r\n", b"\0"]
        )
    )
)
def test_any_octets_are_read(parts: list[bytes]) -> None:
    import io

    for _, border, content in mbox._messages(io.BytesIO(b"".join(parts))):
        assert border.startswith(b"From ")
        assert content is not None
        mbox._unflagged(content)


def test_a_file_that_cannot_be_read_is_no_mbox() -> None:
    """In /proc, or below a disk that fails: the command says what the directory is, and does not end in a traceback."""
    assert not mbox.is_mbox(Path("/proc/self/mem"))


def test_a_maildir_that_went_out_comes_in_again_under_the_same_uids(tmp_path: Path) -> None:
    first = store_with(*(("Work", content, FLAGS) for content in BODIES[:4]))

    async def some_went() -> None:
        box = await first.mailbox("user1", "Work")
        await first.flag(box.id, [2, 4], Op.ADD, frozenset({"\\Deleted"}))
        await first.expunge(box.id, [2, 4])

    asyncio.run(some_went())
    assert exported(first, maildir, tmp_path / "out").unfit == []
    second = MemoryStore()

    async def back() -> list[tuple[int, int, list[int]]]:
        await second.account("user1")
        for _ in range(2):
            numbers = maildir.numbers(tmp_path / "out")
            assert (await take(second, digest, "user1", maildir.read(tmp_path / "out"), numbers=numbers)).unfit == []
        boxes = [await store.mailbox("user1", "Work") for store in (first, second)]
        uids = [[row.uid for row in await s.rows(b.id)] for s, b in zip((first, second), boxes, strict=True)]
        return [(box.uidvalidity, box.uidnext, found) for box, found in zip(boxes, uids, strict=True)]

    before, after = asyncio.run(back())
    assert before == after
    assert after[1:] == (5, [1, 3])
