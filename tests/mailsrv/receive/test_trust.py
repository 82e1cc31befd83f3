"""A stranger's mail, from the line into the mailbox: judged, marked, sealed, answered by programs; and what is never answered."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path

import pytest

from mailsrv.auth.decide import Action, Rules
from mailsrv.receive.reporting import Reporting
from mailsrv.receive.stations import Stations
from mailsrv.receive.told import read
from mailsrv.reports.ledger import LEDGER, Ledger
from mailsrv.reports.receiving import Receiving
from mailsrv.store.door import Hop
from tests.mailsrv.receive.judges import NOON, mail_from
from tests.mailsrv.receive.trusting import arrive, world
from tests.mailsrv.receive.world import OWN, TEXT, World, codes, contents, send, sent, unfolded
from tests.mailsrv.reports.samples import google

REPORTS = "dmarc-reports@mail.test"
REFUSES_PROVEN = {"user2": {"proven.test": Action.REFUSE}}


def names(content: bytes) -> list[str]:
    return [name.lower() for name in message_from_bytes(content).keys()]  # noqa: SIM118 - each field, doubles too


# what is written above it


def test_the_order_of_fields() -> None:
    """RFC 8601 4: what we found stands above our Received."""
    made = world()
    assert arrive(made, "proven.test") == "250 2.6.0"
    [content] = contents(made)
    assert names(content) == [
        "return-path", "delivered-to", "authentication-results", "mailsrv-decision", "received", "from", "to", "subject",
    ]  # fmt: skip
    assert b"Authentication-Results: mx.mail.test;" in content
    assert b"dmarc=pass" in unfolded(content)
    assert read(content) is not None


def test_junk_for_one_reader_makes_two_letters() -> None:
    made = world(Rules(account_senders={"user1": {"reject.test": Action.ACCEPT}}))
    assert arrive(made, "reject.test", "list") == "250 2.6.0"
    found = {message.places[0]: read(message.content) for message in made.shelf.accepted}
    assert {
        (place.account, place.mailbox, place.create): told.action for place, told in found.items() if told
    } == {("user1", "INBOX", False): "accept", ("user2", "Junk", True): "junk"}  # fmt: skip
    steps = {place.account: told.steps for place, told in found.items() if told}
    assert [step.outweighed for step in steps["user1"] if step.what == "dmarc"] == [True]
    assert [step.outweighed for step in steps["user2"] if step.what == "dmarc"] == [False]


FORGED = b"Authentication-Results: mx.mail.test; dmarc=pass header.from=bank.test\r\n"
OTHERS = b"Authentication-Results: mx.other.test; spf=pass smtp.mailfrom=x\r\n"


@pytest.mark.parametrize(
    "forged",
    [
        FORGED,
        b"AUTHENTICATION-RESULTS : MX.Mail.Test.; dmarc=pass\r\n",
        b"Authentication-Results: (x) mx.mail.test 1; dmarc=pass\r\n",
        b'Authentication-Results:\r\n "mx.mail.test"; dmarc=pass\r\n',
        b"X: y\r\n" * 1500 + FORGED,
        b"Mailsrv-Decision: accept; dmarc=pass (forged)\r\n",
        b"mailsrv-decision : accept; dmarc=pass\r\n",
        FORGED * 3 + b"Mailsrv-Decision: accept; dmarc=pass (forged)\r\n" * 3,
    ],
)
@pytest.mark.parametrize("judges", [True, False])
def test_s_authn_09_nobody_speaks_in_our_name(forged: bytes, judges: bool) -> None:
    """Whether we judge or not; what another server found stays as it is."""
    made = world() if judges else World()
    assert arrive(made, "quarantine.test", content=OTHERS + forged + mail_from("quarantine.test")) == "250 2.6.0"
    [content] = contents(made)
    lines = [
        line for line in unfolded(content).split(b"\r\n") if re.match(rb"(?i)(authentication-results|mailsrv-d)", line)
    ]
    assert OTHERS.rstrip() in lines
    assert len(lines) == (3 if judges else 1)
    assert b"dmarc=pass" not in content


def test_a_submission_is_signed_and_speaks_in_nobodys_name() -> None:
    made = world(submission=True, plain_login=True)
    forged = FORGED + b"Mailsrv-Decision: accept\r\n"
    assert codes(sent(made, "<user1@mail.test>", ["<far@ext.test>"], forged + OWN, login=True))[-1] == "250 2.6.0"
    [content] = contents(made)
    assert names(content)[:3] == ["received", "dkim-signature", "dkim-signature"]
    assert names(content).count("authentication-results") == names(content).count("mailsrv-decision") == 0


# what an alias sends on


def test_an_alias_seals_and_rewrites_the_sender() -> None:
    made = world()
    assert arrive(made, "proven.test", "both") == "250 2.6.0"
    here, onward = made.shelf.accepted
    assert (here.sender, here.places[0].account) == ("ann@proven.test", "user2")
    assert re.fullmatch(r"SRS0=[A-Z2-7]{6}=[A-Z2-7]{2}=proven\.test=ann@mail\.test", onward.sender)
    assert names(onward.content)[:6] == [
        "arc-seal", "arc-message-signature", "arc-authentication-results", "delivered-to", "received", "from",
    ]  # fmt: skip
    assert b"dmarc=pass" in unfolded(onward.content)
    assert onward.content.endswith(mail_from("proven.test"))


def test_a_bounce_comes_home() -> None:
    made = world()
    arrive(made, "proven.test", "away")
    address = made.shelf.accepted[0].sender
    assert codes(sent(made, "<>", [f"<{address}>"], mail_from("plain.test")))[-1] == "250 2.6.0"
    bounce = made.shelf.accepted[1]
    assert (bounce.hops, bounce.sender) == ((Hop("ann@proven.test"),), "")
    assert names(bounce.content)[:2] == ["arc-seal", "arc-message-signature"]


@pytest.mark.parametrize(
    ("sender", "change"),
    [("<ann@proven.test>", ""), ("<>", "X"), ("<>", "=")],
    ids=["of somebody", "forged", "no stamp"],
)
def test_nobody_else_comes_through_that_door(sender: str, change: str) -> None:
    made = world()
    arrive(made, "proven.test", "away")
    local, _, domain = made.shelf.accepted[0].sender.partition("@")
    address = f"{local.replace('SRS0=', f'SRS0={change}')}@{domain}" if change else f"{local}@{domain}"
    assert codes(sent(made, sender, [f"<{address}>"]))[1] == "550 5.1.1"


def test_an_address_of_long_ago_is_nobodys() -> None:
    made = world()
    old = made.outgoing.paths.forward("ann@proven.test", "away@mail.test", NOON - timedelta(days=30))
    assert codes(sent(made, "<>", [f"<{old}>"]))[1] == "550 5.1.1"


def test_a_mailbox_that_refuses_does_not_refuse_for_an_alias() -> None:
    """One account's word on a sender is not the word of whoever is behind the alias."""
    made = world(Rules(account_senders=REFUSES_PROVEN))
    assert arrive(made, "proven.test", "user2", "away") == "250 2.6.0"
    here, onward = made.shelf.accepted
    assert (here.places[0].mailbox, onward.hops[0].recipient) == ("Junk", "Far@ext.test")
    assert arrive(world(Rules(account_senders=REFUSES_PROVEN)), "proven.test", "user2") == "550 5.7.1"


# addresses that are programs


def test_echo_tells_what_it_saw() -> None:
    made = world()
    assert arrive(made, "proven.test", "echo") == "250 2.6.0"
    [answer] = made.shelf.accepted
    assert (answer.sender, answer.places, answer.hops) == ("", (), (Hop("ann@proven.test", ("NOTIFY=NEVER",)),))
    assert names(answer.content)[:2] == ["dkim-signature", "dkim-signature"]
    assert b"pass for proven.test" in answer.content
    assert ("echo.answered", {"id": "Q1", "to": "ann@proven.test", "why": ""}) in made.log.events


def test_echo_and_a_person_in_one_mail() -> None:
    made = world()
    assert arrive(made, "proven.test", "user1", "echo", "Echo") == "250 2.6.0"
    assert sorted(len(message.hops) for message in made.shelf.accepted) == [0, 1]


def test_a_person_who_refuses_does_not_refuse_for_echo() -> None:
    made = world(Rules(account_senders=REFUSES_PROVEN))
    assert arrive(made, "proven.test", "user2", "echo") == "250 2.6.0"
    assert sorted(len(message.hops) for message in made.shelf.accepted) == [0, 1]


def reports(made: World, folder: Path) -> Ledger:
    ledger = Ledger(folder / LEDGER)
    receiving = Receiving(ledger, {REPORTS: "dmarc"}, {"example.org"}, made.log)
    made.stations = Stations({REPORTS: Reporting(receiving)})
    return ledger


def test_a_report_is_read_and_not_delivered(tmp_path: Path) -> None:
    made = world()
    ledger = reports(made, tmp_path)
    assert arrive(made, "proven.test", "dmarc-reports", content=google()) == "250 2.6.0"
    [found] = ledger.received("", "", None, 10)
    assert (found.domain, found.proven) == ("example.org", "")
    assert made.shelf.accepted == []


@pytest.mark.parametrize(
    ("domain", "mailbox", "action"), [("proven.test", "INBOX", "accept"), ("quarantine.test", "Junk", "junk")]
)
def test_what_is_no_report_is_postmasters(tmp_path: Path, domain: str, mailbox: str, action: str) -> None:
    """As any other mail, and so with the decision on it."""
    made = world()
    reports(made, tmp_path)
    assert arrive(made, domain, "dmarc-reports") == "250 2.6.0"
    [message] = made.shelf.accepted
    assert [(place.account, place.mailbox) for place in message.places] == [("user1", mailbox)]
    told = read(message.content)
    assert told is not None
    assert told.action == action


def test_what_is_no_report_goes_where_postmaster_is(tmp_path: Path) -> None:
    made = world()
    made.people.postmaster = ((), ("far@ext.test",))
    reports(made, tmp_path)
    assert arrive(made, "proven.test", "dmarc-reports") == "250 2.6.0"
    assert [hop.recipient for message in made.shelf.accepted for hop in message.hops] == ["far@ext.test"]


def test_what_is_no_report_is_refused_where_nobody_is_postmaster(tmp_path: Path) -> None:
    """250 means that somebody has it."""
    made = world()
    made.people.postmaster = ((), ())
    reports(made, tmp_path)
    assert arrive(made, "proven.test", "dmarc-reports") == "550 5.1.1"
    assert made.shelf.accepted == []


# many at once


def test_verdicts_do_not_mix() -> None:
    domains = ["proven.test", "quarantine.test", "watched.test", "reject.test", "plain.test"] * 6

    async def talk() -> None:
        made = world()
        async with made.open() as port:
            replies = await asyncio.gather(
                *(send(port, f"<ann@{domain}>", ["<user1@mail.test>"], mail_from(domain)) for domain in domains)
            )
        for domain, said in zip(domains, replies, strict=True):
            assert codes(said)[-1] == ("550 5.7.26" if domain == "reject.test" else "250 2.6.0")
        for message in made.shelf.accepted:
            assert (message.places[0].mailbox == "Junk") == (b"ann@quarantine.test>\r\n" in message.content)

    asyncio.run(talk())


def test_text_without_a_header_is_judged_too() -> None:
    made = world()
    assert arrive(made, "proven.test", content=b"body\r\n") == "250 2.6.0"
    [message] = made.shelf.accepted
    assert message.places[0].mailbox == "Junk"
    assert message.content.endswith(b"\r\n\r\nbody\r\n")
    assert TEXT not in message.content
