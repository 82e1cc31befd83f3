"""What every store promises; the same tests for memory and for SQLite."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime, timedelta

import pytest

from mailsrv.store.door import (
    NEVER,
    Absent,
    Cannot,
    Change,
    Exists,
    Full,
    Hop,
    Mailbox,
    Message,
    Op,
    Place,
    Row,
    Store,
)
from tests.mailsrv.store.letters import INBOX, NOON, SENT, letter

SEEN, DELETED, FLAGGED = frozenset({"\\Seen"}), frozenset({"\\Deleted"}), frozenset({"\\Flagged"})


async def inbox(store: Store, account: str = "alice", name: str = "INBOX") -> Mailbox:
    return await store.mailbox(account, name)


async def filled(store: Store, count: int) -> int:
    """The number of alice's INBOX with messages 1 to `count`."""
    for number in range(1, count + 1):
        await store.accept(letter(f"m{number}"))
    return (await inbox(store)).id


async def uids(store: Store, mailbox: int) -> list[int]:
    return [row.uid for row in await store.rows(mailbox)]


async def everything(store: Store) -> list[object]:
    """All that can be seen, to prove that nothing changed."""
    seen: list[object] = []
    for account in ("alice", "bob"):
        seen += [await store.usage(account), await store.subscriptions(account), await store.metadata(account, "", {})]
        for mailbox in await store.mailboxes(account):
            seen += [mailbox, await store.rows(mailbox.id) if mailbox.selectable else None]
    return [*seen, await store.queue()]


# accounts and mailboxes


async def test_a_new_account_has_its_inbox_and_the_special_mailboxes(store: Store) -> None:
    found = {mailbox.name: mailbox.special for mailbox in await store.mailboxes("alice")}
    assert found == {
        "INBOX": "",
        "Archive": "\\Archive",
        "Drafts": "\\Drafts",
        "Junk": "\\Junk",
        "Sent": "\\Sent",
        "Trash": "\\Trash",
    }
    before = await everything(store)
    await store.account("alice")
    assert await everything(store) == before
    assert all(mailbox.subscribed for mailbox in await store.mailboxes("alice"))


async def test_who_is_not_there_is_absent(store: Store) -> None:
    for asked in (
        store.mailboxes("nobody"),
        store.mailbox("alice", "None"),
        store.create("nobody", "Box"),
        store.rename("alice", "None", "Other"),
        store.delete("alice", "None"),
        store.subscribe("nobody", "Box", True),
        store.metadata("alice", "None", {}),
        store.usage("nobody"),
        store.rows(9999),
        store.vanished(9999, 0),
        store.flag(9999, [1], Op.SET, SEEN),
        store.copy(9999, [1], 9999),
        store.move((await inbox(store)).id, [1], 9999),
        store.expunge(9999, [1]),
        store.search(9999, "x"),
        store.content(9999),
        store.accept(letter("x", Place("nobody"))),
        store.accept(letter("x", Place("alice", "None"))),
    ):
        with pytest.raises(Absent):
            await asked


@pytest.mark.parametrize(
    "name", ["", "/a", "a//b", "a\x00", "a\r\nb", "a\u2028", "x" * 1001, "/".join("a" * 60), "\ud800"]
)
async def test_what_is_no_name_cannot_be_made(store: Store, name: str) -> None:
    with pytest.raises(Cannot):
        await store.create("alice", name)


async def test_uidvalidity_is_never_the_same_twice_and_grows(store: Store) -> None:
    values = [mailbox.uidvalidity for mailbox in await store.mailboxes("alice")]
    for _ in range(3):
        values.append((await store.create("alice", "Box")).uidvalidity)
        await store.delete("alice", "Box")
    assert len(set(values)) == len(values)
    assert values[-3:] == sorted(values[-3:])
    assert max(values[:-3]) < values[-3]


async def test_a_mailbox_goes_on_with_the_numbers_it_had_elsewhere(store: Store) -> None:
    before = await store.create("alice", "Moved", "\\Archive")
    await store.metadata("alice", "Moved", {"/private/comment": b"x"})
    told: list[Change] = []
    stop = store.watch("alice", told.append)
    box = await store.adopt("alice", "moved".title(), 1_234_567)
    stop()
    assert (box.uidvalidity, box.uidnext, box.special, box.messages) == (1_234_567, 1, "\\Archive", 0)
    assert [(change.mailbox, change.kind) for change in told] == [(before.id, "deleted"), (box.id, "created")]
    assert await store.metadata("alice", "Moved", {}) == {"/private/comment": b"x"}
    wishes = [7, 40, 12, 0, 10_000_000_000]  # one below UIDNEXT, and one that is no UID, get the next
    placed = [p.uid for uid in wishes for p in await store.accept(letter("x", Place("alice", "Moved", uid=uid)))]
    assert placed == [7, 40, 41, 42, 43]
    assert (await store.adopt("alice", "Moved", 1_234_567, 100)).uidnext == 100
    assert (await store.adopt("alice", "Moved", 1_234_567, 50)).uidnext == 100
    with pytest.raises(Cannot):
        await store.adopt("alice", "Moved", 1_234_568)
    for uidvalidity, uidnext in ((0, 1), (1, 0), (1 << 32, 1), ((1 << 32) - 1, 1), (1, 1 << 32)):
        with pytest.raises(Cannot):
            await store.adopt("alice", "Sent", uidvalidity, uidnext)
    with pytest.raises(Absent):
        await store.adopt("alice", "None", 1)


async def test_what_is_made_after_an_adopted_mailbox_went_has_a_higher_uidvalidity(store: Store) -> None:
    await store.create("alice", "Moved")
    high = (await store.adopt("alice", "Moved", 4_000_000_000)).uidvalidity
    await store.delete("alice", "Moved")
    assert (await store.create("alice", "Moved")).uidvalidity > high


async def test_names_above_hold_no_mail_until_made_and_go_with_the_last_below(store: Store) -> None:
    """RFC 9051 6.3.4 wants them as names only; what a person never made must not stay when what is in it goes."""
    await store.create("alice", "work/2026/paid")
    boxes = {box.name: box.selectable for box in await store.mailboxes("alice") if box.name.startswith("work")}
    assert boxes == {"work": False, "work/2026": False, "work/2026/paid": True}
    assert (await store.create("alice", "work/2026")).selectable
    await store.delete("alice", "work/2026/paid")
    assert {box.name for box in await store.mailboxes("alice")} & {"work", "work/2026"} == {"work", "work/2026"}
    await store.rename("alice", "work/2026", "other/2026")
    assert {box.name for box in await store.mailboxes("alice")} & {"work", "other"} == {"other"}
    await store.delete("alice", "other/2026")
    assert not any(box.name.startswith("other") for box in await store.mailboxes("alice"))


async def test_creating_makes_what_is_above_and_inbox_is_inbox_in_any_case(store: Store) -> None:
    made = await store.create("alice", "a/b/c/", special="\\Junk")
    assert (made.name, made.special, made.messages, made.uidnext) == ("a/b/c", "\\Junk", 0, 1)
    below = await store.create("alice", "inbox/deep")
    assert below.name == "INBOX/deep"
    names = {mailbox.name for mailbox in await store.mailboxes("alice")}
    assert {"a", "a/b", "a/b/c", "INBOX/deep"} <= names
    for name in ("INBOX", "inBox", "a/b/c"):
        with pytest.raises(Exists):
            await store.create("alice", name)
    assert (await store.mailbox("alice", "inbox")).name == "INBOX"


async def test_renaming_takes_all_below_along(store: Store) -> None:
    for name in ("a", "a/b", "a/b/c"):
        await store.create("alice", name)
    await store.create("alice", "ab")
    await store.subscribe("alice", "a/b/c", True)
    before = {mailbox.name: mailbox for mailbox in await store.mailboxes("alice")}
    await store.accept(letter("x", Place("alice", "a/b")))
    await store.rename("alice", "a", "x/y")
    after = {mailbox.name: mailbox for mailbox in await store.mailboxes("alice")}
    assert {"x", "x/y", "x/y/b", "x/y/b/c", "ab"} <= after.keys()
    assert not {"a", "a/b", "a/b/c"} & after.keys()
    assert (after["x/y/b"].id, after["x/y/b"].uidvalidity) == (before["a/b"].id, before["a/b"].uidvalidity)
    assert after["x/y/b"].messages == 1
    assert "x/y/b/c" in await store.subscriptions("alice")


async def test_renaming_refuses_what_would_lose_something(store: Store) -> None:
    await store.create("alice", "a/b")
    await store.create("alice", "c")
    before = await everything(store)
    for old, new, why in (("a", "a/b/d", Cannot), ("a", "c", Exists), ("a", "a", Exists), ("c", "INBOX", Exists)):
        with pytest.raises(why):
            await store.rename("alice", old, new)
    assert await everything(store) == before


async def test_renaming_the_inbox_moves_its_messages_and_it_stays(store: Store) -> None:
    await store.create("alice", "INBOX/below")
    number = await filled(store, 3)
    await store.rename("alice", "INBOX", "Old/mail")
    now, old = await inbox(store), await inbox(store, name="Old/mail")
    assert (now.id, now.messages, now.uidnext, old.messages) == (number, 0, 4, 3)
    assert await store.vanished(number, 0) == (1, 2, 3)
    assert (await inbox(store, name="INBOX/below")).messages == 0


async def test_deleting_removes_the_messages_and_keeps_the_name_of_a_parent(store: Store) -> None:
    await store.create("alice", "a")
    await store.create("alice", "a/b")
    await store.accept(letter("x", Place("alice", "a"), INBOX))
    size = (await store.usage("alice")).size
    old = await inbox(store, name="a")
    await store.delete("alice", "a")
    assert not (await inbox(store, name="a")).selectable
    assert (await store.usage("alice")).size == size // 2
    with pytest.raises(Cannot):
        await store.delete("alice", "a")
    with pytest.raises(Cannot):
        await store.delete("alice", "INBOX")
    with pytest.raises(Cannot):
        await store.accept(letter("x", Place("alice", "a")))
    again = await store.create("alice", "a")
    assert again.selectable
    assert again.id != old.id
    assert again.uidvalidity > old.uidvalidity
    await store.delete("alice", "a/b")
    await store.delete("alice", "a")
    assert "a" not in {mailbox.name for mailbox in await store.mailboxes("alice")}


async def test_a_forgotten_account_is_gone_and_others_keep_their_copies(store: Store) -> None:
    before = await inbox(store)
    placed = await store.accept(letter("both", INBOX, Place("bob"), size=100_000))
    await store.metadata("alice", "", {"/private/comment": b"x"})
    told: list[Change] = []
    store.watch("alice", told.append)
    await store.forget("alice")
    assert {change.mailbox for change in told if change.kind == "deleted"} >= {before.id}
    with pytest.raises(Absent):
        await store.usage("alice")
    with pytest.raises(Absent):
        await store.accept(letter("late"))
    [row] = await store.rows(placed[1].mailbox)
    assert len(await store.content(row.blob)) >= 99_999
    await store.forget("alice")  # once more is nothing
    await store.account("alice")
    assert (await inbox(store)).uidvalidity > before.uidvalidity
    assert ((await inbox(store)).messages, (await store.usage("alice")).size) == (0, 0)
    assert await store.metadata("alice", "", {}) == {}
    assert len(await store.mailboxes("alice")) == 6


async def test_a_subscription_outlives_its_mailbox(store: Store) -> None:
    await store.create("alice", "list")
    assert not (await inbox(store, name="list")).subscribed
    await store.subscribe("alice", "list", True)
    assert (await inbox(store, name="list")).subscribed
    await store.delete("alice", "list")
    assert "list" in await store.subscriptions("alice")
    await store.subscribe("alice", "list", False)
    assert "list" not in await store.subscriptions("alice")
    assert "list" not in await store.subscriptions("bob")


async def test_metadata_is_set_removed_and_goes_with_its_mailbox(store: Store) -> None:
    assert await store.metadata("alice", "", {"/private/comment": b"mine"}) == {"/private/comment": b"mine"}
    await store.create("alice", "a")
    assert await store.metadata("alice", "a", {"/Private/X": b"1", "/private/y": b"\x00\xff"}) == {
        "/private/x": b"1",
        "/private/y": b"\x00\xff",
    }
    await store.rename("alice", "a", "b")
    assert await store.metadata("alice", "b", {"/private/x": None}) == {"/private/y": b"\x00\xff"}
    await store.delete("alice", "b")
    await store.create("alice", "b")
    assert await store.metadata("alice", "b", {}) == {}
    with pytest.raises(Full):
        await store.metadata("alice", "", {"/private/comment": None, "/private/big": b"x" * 70_000})
    assert await store.metadata("alice", "", {}) == {"/private/comment": b"mine"}
    assert await store.metadata("bob", "", {}) == {}


# mail comes in


@pytest.mark.parametrize("size", [0, 10_000, 100_000])
async def test_what_is_accepted_is_there_byte_by_byte(store: Store, size: int) -> None:
    message = letter("hello", Place("alice", flags=frozenset({"\\seen", "$Work"})), size=size)
    [placed] = await store.accept(message)
    box = await inbox(store)
    assert (placed.mailbox, placed.uidvalidity, placed.uid) == (box.id, box.uidvalidity, 1)
    [row] = await store.rows(box.id)
    assert (row.uid, row.flags, row.size) == (1, {"\\Seen", "$Work"}, len(message.content))
    assert row.received == NOON.replace(microsecond=0)
    assert row.saved is not None
    assert row.saved.tzinfo is UTC
    assert (box.messages, box.unseen, box.size, box.uidnext) == (1, 0, row.size, 2)
    assert box.highestmodseq == row.modseq
    assert await store.content(row.blob) == message.content
    assert await store.content(row.blob, 5, 7) == message.content[5:12]
    assert await store.content(row.blob, row.size - 2, 100) == message.content[-2:]
    assert await store.content(row.blob, row.size + 9) == b""
    assert await store.contents([row.blob, row.blob]) == [message.content] * 2


async def test_the_digest_is_kept_but_its_text(store: Store) -> None:
    number = await filled(store, 3)
    digest = letter("m2").digest
    names = ["sent", "subject", "references", "envelope", "body", "bodystructure", "parts", "preview", "base", "sender"]
    names += ["to", "cc", "message_id"]
    [(uid, *values)] = await store.digests(number, [2], names)
    assert (uid, values) == (2, [getattr(digest, name) for name in names])
    assert values[0].utcoffset() == SENT.utcoffset()
    assert await store.digests(number, [3, 9, 1], ["subject"]) == [(3, "m3"), (1, "m1")]
    assert await store.digests(number, [], ["subject"]) == []
    with pytest.raises(KeyError):
        await store.digests(number, [1], ["text"])


async def test_many_digests_come_in_the_order_asked_for(store: Store) -> None:
    await store.accept(*[letter(f"m{number}") for number in range(1, 151)])
    number = (await inbox(store)).id
    asked = [*range(150, 0, -1), 500]
    assert await store.digests(number, asked, ["subject"]) == [(uid, f"m{uid}") for uid in range(150, 0, -1)]
    assert await store.digests(number, asked[::-1], ["subject"]) == [(uid, f"m{uid}") for uid in range(1, 151)]


async def test_one_body_serves_all_copies_until_the_last_is_gone(store: Store) -> None:
    placed = await store.accept(letter("x", INBOX, Place("bob"), Place("alice", "Sent"), hops=(Hop("c@example.net"),)))
    rows = [(await store.rows(each.mailbox))[0] for each in placed]
    assert len({row.blob for row in rows}) == len({row.email for row in rows}) == 1
    blob = rows[0].blob
    for each in placed:
        assert await store.content(blob)
        await store.flag(each.mailbox, [each.uid], Op.ADD, DELETED)
        await store.expunge(each.mailbox, [each.uid])
    [hop] = await store.queue()
    assert hop.blob == blob
    assert await store.content(blob)
    await store.settle([hop.id], [])
    with pytest.raises(Absent):
        await store.content(blob)


async def test_all_places_or_none(store: Store) -> None:
    await store.account("bob", size_limit=10)
    before = await everything(store)
    with pytest.raises(Full) as full:
        await store.accept(letter("x", INBOX, Place("alice", "New", create=True), Place("bob"), hops=(Hop("c@x"),)))
    assert full.value.account == "bob"
    with pytest.raises(Absent):
        await store.accept(letter("a"), letter("b", Place("alice", "None")))
    assert await everything(store) == before
    [placed] = await store.accept(letter("x", Place("alice", "New/deep", create=True)))
    assert placed.uid == 1


async def test_several_messages_are_placed_in_their_order(store: Store) -> None:
    placed = await store.accept(letter("a"), letter("b", INBOX, Place("alice", "Sent")), letter("c"))
    assert [each.uid for each in placed] == [1, 2, 1, 3]


async def test_replacing_is_one_change_of_the_mailbox(store: Store) -> None:
    number = await filled(store, 2)
    told: list[Change] = []
    store.watch("alice", told.append)
    await store.accept(letter("better", replaces=(number, 1)))
    assert [([row.uid for row in change.rows], change.gone) for change in told] == [([3], (1,))]
    assert await uids(store, number) == [2, 3]


async def test_quotas_are_kept_and_going_below_is_always_possible(store: Store) -> None:
    size = len(letter("x").content)
    await store.account("alice", size_limit=2 * size, message_limit=2)
    for _ in range(2):
        await store.accept(letter("x"))
    number, target = (await inbox(store)).id, (await inbox(store, name="Archive")).id
    for asked in (store.accept(letter("x")), store.copy(number, [1], target)):
        with pytest.raises(Full):
            await asked
    assert (await store.move(number, [1], target)).target == (1,)
    assert (await store.usage("alice")).size == 2 * size
    await store.account("alice", size_limit=1)
    await store.flag(number, [2], Op.ADD, DELETED)
    assert await store.expunge(number, [2]) == (2,)
    usage = await store.usage("alice")
    assert (usage.size, usage.messages, usage.size_limit, usage.message_limit) == (size, 1, 1, None)


async def test_many_at_once_get_different_uids(store: Store) -> None:
    placed = await asyncio.gather(*(store.accept(letter(f"m{number}")) for number in range(60)))
    assert sorted(each[0].uid for each in placed) == list(range(1, 61))
    number = (await inbox(store)).id
    subjects = dict(await store.digests(number, range(1, 61), ["subject"]))
    assert all(subjects[each[0].uid] == f"m{count}" for count, each in enumerate(placed))


# messages


async def test_flags_change_as_store_says_and_modseq_with_them(store: Store) -> None:
    number = await filled(store, 3)
    for op, flags, result in (
        (Op.ADD, {"\\SEEN", "$Label1", "Work"}, {"\\Seen", "$Label1", "Work"}),
        (Op.ADD, {"WORK"}, {"\\Seen", "$Label1", "Work"}),
        (Op.REMOVE, {"$label1", "$unheard-of"}, {"\\Seen", "Work"}),
        (Op.SET, {"\\Flagged"}, {"\\Flagged"}),
        (Op.SET, set(), set()),
    ):
        flagged = await store.flag(number, [2], op, frozenset(flags))
        [row] = flagged.rows
        assert row.flags == result
        assert (await store.rows(number))[1] == row
        assert (await inbox(store)).highestmodseq >= row.modseq
    assert await store.flag(number, [9], Op.SET, SEEN) == await store.flag(number, [], Op.SET, SEEN)
    with pytest.raises(Cannot):
        await store.flag(number, [1], Op.ADD, frozenset({"\\Recent"}))


async def test_nothing_new_keeps_the_modseq(store: Store) -> None:
    number = await filled(store, 2)
    [first] = (await store.flag(number, [1], Op.ADD, SEEN)).rows
    [again] = (await store.flag(number, [1], Op.ADD, SEEN)).rows
    assert again == first
    rows = (await store.flag(number, [1, 2], Op.ADD, SEEN)).rows
    assert rows[0] == first
    assert rows[1].modseq > first.modseq
    assert [row.uid for row in await store.rows(number, first.modseq)] == [2]


async def test_unchangedsince_spares_what_changed_meanwhile(store: Store) -> None:
    number = await filled(store, 3)
    since = (await inbox(store)).highestmodseq
    await store.flag(number, [2], Op.ADD, SEEN)
    flagged = await store.flag(number, [1, 2, 3], Op.ADD, FLAGGED, unchanged_since=since)
    assert flagged.modified == (2,)
    assert [row.uid for row in flagged.rows] == [1, 3]
    assert [row.flags for row in await store.rows(number)] == [FLAGGED, SEEN, FLAGGED]
    assert (await store.flag(number, [1], Op.ADD, SEEN, unchanged_since=0)).modified == (1,)


async def test_counts_follow_the_flags(store: Store) -> None:
    number = await filled(store, 4)
    await store.flag(number, [1, 2, 3], Op.ADD, SEEN)
    await store.flag(number, [2, 3], Op.SET, DELETED)
    box = await inbox(store)
    assert (box.messages, box.unseen, box.deleted) == (4, 3, 2)
    await store.expunge(number, [1, 2])
    box = await inbox(store)
    assert (box.messages, box.unseen, box.deleted, box.uidnext) == (3, 2, 1, 5)


async def test_keywords_come_to_an_end_and_unused_ones_make_room(store: Store) -> None:
    number = await filled(store, 2)
    words = [f"word{count}" for count in range(58)]
    await store.flag(number, [1], Op.SET, frozenset(words))
    before = await store.rows(number)
    with pytest.raises(Full):
        await store.flag(number, [2], Op.ADD, frozenset({"one-more"}))
    assert await store.rows(number) == before
    await store.flag(number, [1], Op.REMOVE, frozenset(words[:2]))
    [row] = (await store.flag(number, [2], Op.ADD, frozenset({"one-more", "another"}))).rows
    assert row.flags == {"one-more", "another"}
    assert (await store.rows(number))[0].flags == set(words[2:])


async def test_copies_keep_flags_date_and_email_and_get_new_uids(store: Store) -> None:
    number = await filled(store, 4)
    target = (await store.create("alice", "Target")).id
    await store.flag(target, [], Op.ADD, frozenset({"other"}))
    await store.accept(letter("x", Place("alice", "Target", frozenset({"other"}))))
    await store.flag(number, [3], Op.SET, frozenset({"$Work", "\\Answered"}))
    copied = await store.copy(number, [4, 3, 77, 3], target)
    assert (copied.source, copied.target) == ((3, 4), (2, 3))
    assert copied.uidvalidity == (await inbox(store, name="Target")).uidvalidity
    old, new = (await store.rows(number))[2], (await store.rows(target))[1]
    assert (new.flags, new.email, new.received, new.blob) == (old.flags, old.email, old.received, old.blob)
    assert await uids(store, number) == [1, 2, 3, 4]
    assert (await store.copy(number, [77], target)).source == ()


async def test_moving_is_gone_here_and_there_there(store: Store) -> None:
    number = await filled(store, 4)
    target = (await inbox(store, name="Archive")).id
    before, usage = (await inbox(store)).highestmodseq, await store.usage("alice")
    moved = await store.move(number, [2, 4], target)
    assert (moved.source, moved.target) == ((2, 4), (1, 2))
    assert await uids(store, number) == [1, 3]
    assert await store.vanished(number, before) == (2, 4)
    assert await store.usage("alice") == usage
    again = await store.move(number, [1], number)
    assert (again.source, again.target) == ((1,), (5,))
    abroad = (await inbox(store, "bob")).id
    await store.move(number, [3], abroad)
    assert (await store.usage("bob")).messages == 1
    assert (await store.usage("alice")).messages == 3


async def test_only_the_deleted_are_expunged_and_uids_never_come_again(store: Store) -> None:
    number = await filled(store, 3)
    before = (await inbox(store)).highestmodseq
    await store.flag(number, [2, 3], Op.ADD, DELETED)
    between = (await inbox(store)).highestmodseq
    assert await store.expunge(number, [1, 2]) == (2,)
    assert await store.expunge(number, [1, 2]) == ()
    assert await store.expunge(number, [3]) == (3,)
    after = (await inbox(store)).highestmodseq
    assert before < between < after
    assert await store.vanished(number, between) == (2, 3)
    assert await store.vanished(number, after - 1) == (3,)
    assert await store.vanished(number, after) == ()
    [placed] = await store.accept(letter("new"))
    assert placed.uid == 4


@pytest.mark.parametrize(
    ("words", "field", "found"),
    [
        ("lunch", "", {1, 2}),
        ("LUNCH tomorrow", "", {1}),
        ("tomorrow lunch", "", set()),
        ("lun", "", {1, 2}),
        ("unch", "", set()),
        ("cafe", "", {3}),
        ("Café", "text", {3}),
        ("bob@example.com", "sender", {1, 2, 3}),
        ("bob", "subject", set()),
        ("carol", "cc", {1, 2, 3}),
        ("alice", "to", {1, 2, 3}),
        ("lunch", "subject", {1, 2}),
        ('"quoted" (lunch', "", set()),
        ('lunch" OR "tomorrow', "", set()),
        ("наутро", "", {3}),
        ("", "", {1, 2, 3}),
        ("!!", "", {1, 2, 3}),
    ],
)
async def test_search(store: Store, words: str, field: str, found: set[int]) -> None:
    for text in ("Lunch tomorrow?", "no lunch today", "CAFÉ наутро"):
        await store.accept(letter(text), letter("lunch elsewhere", Place("bob")))
    assert await store.search((await inbox(store)).id, words, field) == found


async def test_what_is_expunged_is_not_found(store: Store) -> None:
    number = await filled(store, 2)
    assert await store.search(number, "m2") == {2}
    await store.flag(number, [2], Op.ADD, DELETED)
    await store.expunge(number, [2])
    assert await store.search(number, "m2") == set()
    await store.accept(letter("m2 again"))
    assert await store.search(number, "m2") == {3}


# the queue


async def test_the_queue_keeps_what_it_was_given(store: Store) -> None:
    hops = (Hop("c@example.net", ("NOTIFY=NEVER", "ORCPT=rfc822;c@example.net")), Hop("d@example.net"))
    await store.accept(letter("x", hops=hops))
    first, second = await store.queue()
    assert (first.hop, second.hop) == hops
    assert (first.sender, first.options, first.attempts, first.reason) == ("bob@example.com", ("RET=HDRS",), 0, "")
    assert first.received == first.next == NOON
    assert first.size == len(await store.content(first.blob))


async def test_due_are_those_whose_time_has_come_the_longest_first(store: Store) -> None:
    await store.accept(letter("x", hops=tuple(Hop(f"{count}@example.net") for count in range(5))))
    first, second, third, fourth, fifth = (hop.id for hop in await store.queue())
    minute = timedelta(minutes=1)
    await store.settle(
        [fifth],
        [(first, NOON + 3 * minute, "busy"), (second, NOON + timedelta(microseconds=5), "slow"), (999, NOON, "who?")],
    )
    await store.reschedule([fourth], NEVER)

    async def due(now: datetime, limit: int = 9, besides: tuple[int, ...] = ()) -> list[int]:
        return [hop.id for hop in await store.due(now, limit, besides)]

    assert await due(NOON - minute) == []
    assert await due(NOON) == [third]
    assert await due(NOON + minute) == [third, second]
    assert await due(NOON + 5 * minute, limit=2) == [third, second]
    assert await due(NOON + 5 * minute, besides=(third,)) == [second, first]
    assert await due(NEVER) == [third, second, first]
    known = {hop.id: (hop.attempts, hop.reason) for hop in await store.queue()}
    assert known == {first: (1, "busy"), second: (1, "slow"), third: (0, ""), fourth: (0, "")}
    await store.reschedule([fourth], NOON - minute)
    assert await due(NOON) == [fourth, third]


async def test_a_notice_and_the_end_of_its_hop_are_one(store: Store) -> None:
    await store.accept(letter("x", hops=(Hop("c@example.net"),)))
    [hop] = await store.queue()
    with pytest.raises(Absent):
        await store.settle([hop.id], [], [letter("DSN", Place("nobody"))])
    assert [each.id for each in await store.queue()] == [hop.id]
    await store.settle([hop.id], [], [letter("DSN", INBOX, hops=(Hop("bob@example.com"),))])
    assert [each.hop.recipient for each in await store.queue()] == ["bob@example.com"]
    assert (await inbox(store)).messages == 1


# news


async def test_watchers_are_told_before_the_call_returns_in_order_and_of_their_account_only(store: Store) -> None:
    told: list[Change] = []
    stop = store.watch("alice", told.append)
    number = await filled(store, 2)
    await store.accept(letter("x", Place("bob")))
    rows = (await store.flag(number, [1], Op.ADD, DELETED)).rows
    await store.expunge(number, [1])
    assert [[row.uid for row in change.rows] for change in told] == [[1], [2], [1], []]
    assert told[2].rows == rows
    assert told[3].gone == (1,)
    assert all(change.account == "alice" and change.mailbox == number and not change.kind for change in told)
    stop()
    await store.accept(letter("x"))
    assert len(told) == 4


async def test_watchers_hear_of_mailboxes_and_of_the_queue(store: Store) -> None:
    told: list[tuple[str, str]] = []
    store.watch("alice", lambda change: told.append((change.account, change.kind)))
    store.watch("", lambda change: told.append((change.account, change.kind)))
    made = await store.create("alice", "a")
    await store.subscribe("alice", "a", True)
    await store.metadata("alice", "a", {"/private/x": b"1"})
    await store.rename("alice", "a", "b")
    await store.delete("alice", "b")
    await store.accept(letter("x", hops=(Hop("c@x"),)))
    assert told == [
        *(("alice", kind) for kind in ("created", "subscribed", "metadata", "renamed", "deleted")),
        ("", "queue"),
    ]
    assert made.name == "a"


async def test_a_refused_call_is_no_news(store: Store) -> None:
    told: list[Change] = []
    store.watch("alice", told.append)
    with pytest.raises(Absent):
        await store.accept(letter("x", INBOX, Place("nobody")))
    await store.accept(letter("y"))
    assert [[row.uid for row in change.rows] for change in told] == [[1]]


async def test_from_the_news_alone_one_knows_the_mailbox(store: Store) -> None:
    number = (await inbox(store)).id
    seen: dict[int, Row] = {}
    modseqs: list[list[int]] = []

    def tell(change: Change) -> None:
        if change.mailbox == number:
            seen.update({row.uid: row for row in change.rows})
            modseqs.append([row.modseq for row in change.rows])
            for uid in change.gone:
                seen.pop(uid, None)

    store.watch("alice", tell)

    async def life(name: str) -> None:
        [placed] = await store.accept(letter(name))
        await store.flag(number, [placed.uid], Op.ADD, DELETED if placed.uid % 3 else SEEN)
        await store.expunge(number, [placed.uid])

    await asyncio.gather(*(life(f"m{count}") for count in range(40)))
    assert tuple(seen[uid] for uid in sorted(seen)) == await store.rows(number)
    assert len(seen) == 13
    told = [each for each in modseqs if each]
    assert all(max(before) < min(after) for before, after in itertools.pairwise(told))


async def test_an_accepted_message_of_no_one_is_nothing(store: Store) -> None:
    before = await everything(store)
    assert await store.accept(Message(b"x\r\n", letter().digest, NOON)) == ()
    assert await everything(store) == before
