"""A message arrives: through a listening server into the store in memory."""

from __future__ import annotations

import asyncio
import re

import pytest

from dnsops.base.errors import Later
from mailsrv.store.door import Hop
from tests.mailsrv.receive.world import OWN, TEXT, World, codes, contents, full, send, sent, unfolded
from tests.mailsrv.smtp.null import Peer


def submission() -> World:
    return World(submission=True, plain_login=True)


def test_one_recipient_gets_the_message_with_its_trace() -> None:
    world = World()
    assert sent(world, "<A@Evil.test>", ["<user1+tag@mail.test>"])[-1] == "250 2.6.0 stored as Q1"
    [content] = asyncio.run(world.inbox("user1"))
    assert unfolded(content) == (
        b"Return-Path: <A@evil.test>\r\n"
        b"Delivered-To: user1+tag@mail.test\r\n"
        b"Received: from client.test ([127.0.0.1])"
        b" by mx.mail.test with ESMTP id Q1"
        b" for <user1+tag@mail.test>;"
        b" Thu, 1 Jan 2026 12:00:00 +0000\r\n" + TEXT
    )
    [message] = world.shelf.accepted
    assert message.digest.subject == "x"
    assert message.sender == "A@evil.test"


def test_many_recipients_share_one_body_and_each_gets_one_copy() -> None:
    world = World()
    assert sent(world, "<>", ["<list@mail.test>", "<user1@mail.test>", "<user1@mail.test>"])[-1].startswith("250")
    [message] = world.shelf.accepted
    assert sorted(place.account for place in message.places) == ["user1", "user2"]
    assert message.content.startswith(b"Return-Path: <>\r\nReceived:")
    assert b" for <" not in message.content


def test_an_alias_that_leads_away_sends_on_and_notes_itself() -> None:
    world = World()
    assert sent(world, "<a@evil.test>", ["<both@mail.test> NOTIFY=NEVER"])[-1].startswith("250")
    here, onward = world.shelf.accepted
    assert here.content.startswith(b"Return-Path: <a@evil.test>\r\nDelivered-To: both@mail.test\r\nReceived:")
    assert onward.content.startswith(b"Delivered-To: both@mail.test\r\nReceived:")
    assert onward.hops == (Hop("far@ext.test", ("NOTIFY=NEVER",)),)


@pytest.mark.parametrize(
    ("recipient", "reply"),
    [
        ("<nobody@mail.test>", "550 5.1.1"),
        ("<victim@ext.test>", "550 5.7.1"),
        ("<@mail.test:victim@ext.test>", "550 5.7.1"),
        ("<victim@[127.0.0.9]>", "550 5.7.1"),
        ("<circle@mail.test>", "451 4.3.5"),
        ("<postmaster>", "250 2.1.5"),
        ("<postmaster@mail.test>", "250 2.1.5"),
        ("<sales/eu@mail.test>", "250 2.1.5"),
        ("<user1@MAIL.test>", "250 2.1.5"),
    ],
)
def test_who_is_a_recipient_for_strangers(recipient: str, reply: str) -> None:
    assert codes(sent(World(), "<a@evil.test>", [recipient]))[1] == reply


@pytest.mark.parametrize(
    "local", ["victim%ext.test", "ext.test!victim", '"victim@ext.test"', "|/bin/sh", "/etc/passwd"]
)
def test_a_catch_all_catches_no_ways_to_others(local: str) -> None:
    world = World()
    world.people.catch_all = "user1"
    assert codes(sent(world, "<a@evil.test>", [f"<{local}@mail.test>", "<anything@mail.test>"]))[1:3] == [
        "550 5.1.1",
        "250 2.1.5",
    ]


def test_a_directory_that_is_away_defers() -> None:
    world = World()
    world.people.trouble = True
    assert codes(sent(world, "<a@evil.test>", ["<user1@mail.test>"]))[1] == "451 4.3.0"


def hops(count: int) -> bytes:
    return b"Received: from a by b; Mon, 1 Jan 2024 00:00:00 +0000\r\n" * count


@pytest.mark.parametrize(
    ("header", "reply"),
    [
        (hops(50), "250 2.6.0"),
        (hops(51), "554 5.4.6"),
        (hops(2000), "554 5.4.6"),
        (b"Delivered-To: user1@mail.test\r\n", "554 5.4.6"),
        (b"delivered-to:  USER1@mail.test \r\n", "554 5.4.6"),
        (b"Delivered-To: user2@mail.test\r\n", "250 2.6.0"),
    ],
)
def test_what_goes_in_circles_ends_here(header: bytes, reply: str) -> None:
    assert codes(sent(World(), "<a@evil.test>", ["<user1@mail.test>"], header + TEXT))[-1] == reply


def test_an_earlier_return_path_goes_and_all_else_stays() -> None:
    world = World()
    sent(
        world, "<a@evil.test>", ["<user1@mail.test>"], b"Return-Path: <forged@x.test>\r\nBcc: <kept@x.test>\r\n" + TEXT
    )
    [content] = contents(world)
    assert content.endswith(b"+0000\r\nBcc: <kept@x.test>\r\n" + TEXT)
    assert content.count(b"Return-Path") == 1


@pytest.mark.parametrize("body", [b"no header at all\r\n", b"\r\nbody\r\n", b""])
def test_a_body_without_a_header_stays_a_body(body: bytes) -> None:
    world = World()
    assert sent(world, "<a@evil.test>", ["<user1@mail.test>"], body)[-1].startswith("250")
    [content] = contents(world)
    head, blank, rest = content.partition(b"\r\n\r\n")
    assert blank
    assert head.endswith(b"+0000")
    assert rest == body.removeprefix(b"\r\n")


@pytest.mark.parametrize(
    ("fail", "recipients", "reply"),
    [
        (Later("the disk /var/lib/mailsrv is full"), ["<user1@mail.test>"], "451 4.3.0"),
        (full("user2"), ["<user2@mail.test>"], "452 4.2.2"),
        (full("user2"), ["<list@mail.test>"], "452 4.2.2"),
    ],
)
def test_nothing_is_kept_and_the_sender_comes_again(fail: Exception, recipients: list[str], reply: str) -> None:
    world = World()
    world.shelf.fail = fail
    said = sent(world, "<a@evil.test>", recipients)
    assert codes(said)[-1] == reply
    assert "/var" not in said[-1]
    assert world.shelf.accepted == []


def test_a_full_mailbox_is_refused_alone_when_the_sender_comes_again() -> None:
    async def talk() -> None:
        world = World()
        async with world.open() as port:
            await world.shelf.inner.account("user2", size_limit=2000)
            large = TEXT + b"x" * 70 + b"\r\n" * 30
            await send(port, "<a@evil.test>", ["<user2@mail.test>"], large * 5)
            both = ["<user1@mail.test>", "<user2@mail.test>"]
            first = await send(port, "<a@evil.test> SIZE=1500", both, large * 8)
            again = await send(port, "<a@evil.test> SIZE=1500", both, large * 8)
            assert codes(first) == ["250 2.1.0", "250 2.1.5", "250 2.1.5", "354", "452 4.2.2"]
            assert codes(again) == ["250 2.1.0", "250 2.1.5", "452 4.2.2", "354", "250 2.6.0"]
            assert codes(await send(port, "<> SIZE=2001", ["<user2@mail.test>"], b""))[1] == "552 5.2.3"
            await world.shelf.inner.account("user2", size_limit=100_000)
            assert codes(await send(port, "<> SIZE=1500", ["<user2@mail.test>"], large))[-1] == "250 2.6.0"
            assert len(await world.inbox("user1")) == 1

    asyncio.run(talk())


def test_larger_than_the_whole_mailbox_is_for_good() -> None:
    async def talk() -> None:
        world = World()
        async with world.open() as port:
            await world.shelf.inner.account("user2", size_limit=100)
            assert codes(await send(port, "<>", ["<user2@mail.test>"], TEXT * 10))[-1] == "552 5.2.3"

    asyncio.run(talk())


def test_a_submission_needs_a_login() -> None:
    assert codes(sent(submission(), "<user1@mail.test>", ["<user2@mail.test>"]))[0] == "530 5.7.0"


def test_users_reach_everyone_and_tell_nobody_where_they_are() -> None:
    world = submission()
    recipients = ["<user2@mail.test>", '<"odd one"@Ext.test> ORCPT=rfc822;x@y', "<a%b@ext.test>"]
    assert sent(world, "<user1+x@mail.test>", recipients, OWN, login=True)[-1].startswith("250")
    here, onward = world.shelf.accepted
    assert here.content.startswith(b"Return-Path: <user1+x@mail.test>\r\nReceived:")
    assert unfolded(onward.content).startswith(b"Received: from client.test by mx.mail.test with ESMTPA id Q1; Thu,")
    assert b"127.0.0.1" not in onward.content
    assert onward.hops == (Hop('"odd one"@ext.test', ("ORCPT=rfc822;x@y",)), Hop("a%b@ext.test"))


def test_users_do_not_write_to_address_literals() -> None:
    assert codes(sent(submission(), "<user1@mail.test>", ["<x@[127.0.0.1]>"], OWN, login=True))[1] == "550 5.1.2"


@pytest.mark.parametrize(
    "sender", ["<user2@mail.test>", "<ceo@bank.test>", '<"user2"@mail.test>', "<@x.test:user2@mail.test>"]
)
def test_users_are_not_others_in_the_envelope(sender: str) -> None:
    said = sent(submission(), sender, ["<user2@mail.test>"], OWN, login=True)
    assert said[0] == "550 5.7.1 you may send as user1@mail.test"


@pytest.mark.parametrize(
    ("header", "reply"),
    [
        (b"From: <user1@mail.test>\r\n", "250 2.6.0"),
        (b"From: <USER1+tag@mail.test>\r\nSender: <user1@mail.test>\r\n", "250 2.6.0"),
        (b"Subject: none\r\n", "550 5.7.1"),
        (b"From: <user2@mail.test>\r\n", "550 5.7.1"),
        (b"From: <user1@mail.test>\r\nFrom: <user2@mail.test>\r\n", "550 5.7.1"),
        (b"From: <user1@mail.test>, <user2@mail.test>\r\n", "550 5.7.1"),
        (b"From : <user2@mail.test>\r\n", "550 5.7.1"),
        (b"From:\r\n <user2@mail.test>\r\n", "550 5.7.1"),
        (b"FROM: everyone: <user1@mail.test>, user2@mail.test;\r\n", "550 5.7.1"),
        (b"From: nobody\r\n", "550 5.7.1"),
        (b"From: <user1@mail.test>\r\nSender: <user2@mail.test>\r\n", "550 5.7.1"),
        (b"From: <user1@mail.test>\r\nResent-From: <user2@mail.test>\r\n", "550 5.7.1"),
        (b"not a field\r\nFrom: <user1@mail.test>\r\nFrom: <user2@mail.test>\r\n", "550 5.7.1"),
        (b"From: <user1@mail.test>\r\n" + b"X: y\r\n" * 1000 + b"From: <user2@mail.test>\r\n", "554 5.6.0"),
        (b"From: <user1@mail.test>\r\nX: " + b"y" * 300_000 + b"\r\nFrom: <user2@mail.test>\r\n", "554 5.6.0"),
        (b"From: <user1@mail.test>\r\nX: a\0b\r\n", "554 5.6.0"),
    ],
)
def test_users_are_not_others_in_the_header(header: bytes, reply: str) -> None:
    world = submission()
    assert (
        codes(sent(world, "<user1@mail.test>", ["<user2@mail.test>"], header + b"\r\nbody\r\n", login=True))[-1]
        == reply
    )
    assert bool(world.shelf.accepted) == (reply[0] == "2")


def test_a_submission_is_completed_and_its_bcc_goes() -> None:
    world = submission()
    letter = b"Bcc: <a@x.test>,\r\n <b@x.test>\r\nFrom: <user1@mail.test>\r\nbcc: c@x.test\r\nTo: x@x.test\r\n\r\nBcc: body\r\n"
    sent(world, "<user1@mail.test>", ["<user2@mail.test>"], letter, login=True)
    [content] = contents(world)
    assert content.endswith(
        b" +0000\r\nDate: Thu, 1 Jan 2026 12:00:00 +0000\r\nMessage-ID: <Q1@mx.mail.test>\r\n"
        b"From: <user1@mail.test>\r\nTo: x@x.test\r\n\r\nBcc: body\r\n"
    )


def test_what_is_complete_is_left_as_it_is() -> None:
    world = submission()
    letter = b"date: Fri, 2 Jan 2026 12:00:00 +0000\r\nMessage-Id: <1@x.test>\r\n" + OWN
    sent(world, "<user1@mail.test>", ["<far@ext.test>"], letter, login=True)
    assert contents(world)[0].endswith(b"12:00:00 +0000\r\n" + letter)


def test_who_asked_to_be_told_is_told() -> None:
    world = World()
    recipients = ["<user1@mail.test> NOTIFY=SUCCESS ORCPT=rfc822;U1@mail.test", "<user2@mail.test> NOTIFY=FAILURE"]
    sent(world, "<a@evil.test> ENVID=Q+2B1", recipients)
    mail, notice = world.shelf.accepted
    assert len(mail.places) == 2
    assert notice.sender == ""
    assert [hop.recipient for hop in notice.hops] == ["a@evil.test"]
    assert re.search(rb"Original-Envelope-Id: Q\+1\r\n", notice.content)
    assert re.findall(rb"Final-Recipient: rfc822; (.*)\r\n", notice.content) == [b"user1@mail.test"]
    assert b"Action: delivered\r\n" in notice.content


@pytest.mark.parametrize(
    ("sender", "notify"),
    [("<>", "SUCCESS"), ("<a@evil.test>", "NEVER"), ("<a@evil.test>", "FAILURE"), ("<no@mail.test>", "SUCCESS")],
)
def test_who_did_not_ask_or_cannot_be_told_is_not(sender: str, notify: str) -> None:
    world = World()
    sent(world, sender, [f"<user1@mail.test> NOTIFY={notify}"])
    assert len(world.shelf.accepted) == 1


@pytest.mark.parametrize(
    ("greeting", "mail", "kind"),
    [(b"HELO x", b"MAIL FROM:<>", b"with SMTP id"), (b"EHLO x", b"MAIL FROM:<>", b"with ESMTP id"),
     (b"EHLO x", b"MAIL FROM:<> SMTPUTF8", b"with UTF8SMTP id")],
)  # fmt: skip
def test_the_trace_says_how_it_came(greeting: bytes, mail: bytes, kind: bytes) -> None:
    async def talk() -> World:
        world = World()
        async with world.open() as port:
            peer = await Peer.call(port)
            for line in (greeting, mail, b"RCPT TO:<user1@mail.test>", b"DATA"):
                await peer.ask(line + b"\r\n")
            await peer.ask(TEXT + b".\r\n")
            peer.close()
        return world

    assert kind in contents(asyncio.run(talk()))[0]


@pytest.mark.parametrize("size", [10, 70_000, 3_000_000])
def test_messages_of_all_sizes_arrive_octet_by_octet(size: int) -> None:
    world = World()
    content = TEXT + b"".join(b"%d\r\n" % number for number in range(size // 7))
    assert sent(world, "<a@evil.test>", ["<user1@mail.test>"], content)[-1].startswith("250")
    assert contents(world)[0].endswith(b"+0000\r\n" + content)


def test_the_log_has_one_line_for_a_message() -> None:
    world = World()
    sent(world, "<a@evil.test>", ["<user1@mail.test>"])
    assert world.log.events == [
        (
            "mail.received",
            {"id": "Q1", "size": len(TEXT), "sender": "a@evil.test", "recipient": "user1@mail.test", "recipients": 1, "peer": "127.0.0.1"},
        )
    ]  # fmt: skip


def test_two_at_once_do_not_mix() -> None:
    async def talk() -> None:
        world = World()
        async with world.open() as port:
            letters = [b"Subject: %d\r\n\r\n" % number + b"%d\r\n" % number * 500 for number in range(40)]
            await asyncio.gather(*(send(port, "<a@evil.test>", ["<user1@mail.test>"], letter) for letter in letters))
            inbox = await world.inbox("user1")
            assert sorted(content.partition(b"+0000\r\n")[2] for content in inbox) == sorted(letters)

    asyncio.run(talk())
