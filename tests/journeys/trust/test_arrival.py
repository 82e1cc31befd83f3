"""Mail of strangers through the real server and the real DNS, and what of ours a stranger's library makes of it."""

from __future__ import annotations

import base64
import os
import re
from email import message_from_bytes
from functools import partial

import dkim
import pytest

from tests.journeys.hostile.test_messages import NOOP, Other
from tests.journeys.trust.house import (
    ALICE,
    AWAY,
    BOB,
    DOMAIN,
    ECHO,
    GONE,
    HOST,
    REPORTS,
    STRANGER,
    House,
    letter,
    resolved,
)
from tests.lab.mx import Message
from tests.lab.network import SENDER
from tests.lab.program import wait_until
from tests.mailsrv.auth.signers import nacl
from tests.mailsrv.reports.samples import google

FORGED = f"Authentication-Results: {HOST}; dmarc=pass header.from=nsec.org\r\nMailsrv-Decision: accept\r\n".encode()


@pytest.fixture(autouse=True)
def dkimpy_with_ed25519(monkeypatch: pytest.MonkeyPatch) -> None:
    """What dkimpy would take of PyNaCl, by another library."""
    monkeypatch.setattr(dkim, "nacl", nacl, raising=False)


def results(content: bytes) -> str:
    """Our Authentication-Results; there is one."""
    [field] = message_from_bytes(content).get_all("Authentication-Results", [])
    server, _, rest = " ".join(str(field).split()).partition("; ")
    assert server == HOST
    return rest


def verified(content: bytes) -> list[bool]:
    """Each DKIM signature, as dkimpy sees it."""
    checker = dkim.DKIM(content)
    count = len(message_from_bytes(content).get_all("DKIM-Signature", []))
    return [checker.verify(index, dnsfunc=resolved) for index in range(count)]


def selectors(content: bytes) -> set[str]:
    return {
        match[1]
        for value in message_from_bytes(content).get_all("DKIM-Signature", [])
        if (match := re.search(r"\bs=([^;]+);", value))
    }


# what becomes of it


def test_what_is_proven_arrives_and_says_why(house: House) -> None:
    subject = house.name()
    assert house.hears("ann@nsec.org", ALICE, letter("nsec.org", subject, FORGED, signed=True))[0] == 250
    [(mailbox, content)] = house.kept(subject).items()
    assert mailbox == "INBOX"
    found = results(content)
    for method in ("spf=pass", "dkim=pass", "dmarc=pass"):
        assert method in found
    assert message_from_bytes(content).get_all("Mailsrv-Decision") != ["accept"]
    assert content.index(b"Authentication-Results:") < content.index(b"Received:")
    assert content.endswith(letter("nsec.org", subject))


def test_a_signature_alone_is_proof_from_wherever_it_comes(house: House) -> None:
    subject = house.name()
    assert house.hears("x@unsigned.org", ALICE, letter("nsec.org", subject, signed=True), STRANGER)[0] == 250
    [(mailbox, content)] = house.kept(subject).items()
    assert mailbox == "INBOX"
    assert "dmarc=pass" in results(content)
    assert "spf=fail" in results(content)


@pytest.mark.parametrize(
    ("domain", "address", "code", "said"),
    [
        ("nsec.org", STRANGER, 550, "5.7.26"),
        ("expired.org", STRANGER, 451, "4.7.0"),
        ("sub.expired.org", STRANGER, 451, "4.7.0"),
    ],
)
def test_what_is_not_taken_is_told_in_the_session(
    house: House, domain: str, address: str, code: int, said: str
) -> None:
    """p=reject; and S-DNS-01: what the DNS cannot prove now is later, never weaker."""
    reply = house.hears(f"ann@{domain}", ALICE, letter(domain, house.name()), address)
    assert (reply[0], reply[1].partition(" ")[0]) == (code, said)
    assert domain in reply[1]


def test_an_altered_body_breaks_the_signature(house: House) -> None:
    altered = letter("nsec.org", house.name(), signed=True) + b"and more\r\n"
    assert house.hears("ann@nsec.org", ALICE, altered, STRANGER)[0] == 550


@pytest.mark.parametrize(
    ("domain", "mailbox", "dmarc"),
    [
        ("nods.org", "Junk", "dmarc=fail"),
        ("unsigned.org", "INBOX", "dmarc=fail"),
        ("bogus.org", "INBOX", "dmarc=none"),  # TLSA alone is bogus there, and nobody asks for that
        ("missig.org", "INBOX", "dmarc=none"),
    ],
)
def test_where_it_goes(house: House, domain: str, mailbox: str, dmarc: str) -> None:
    subject = house.name()
    assert house.hears(f"ann@{domain}", ALICE, letter(domain, subject, FORGED), STRANGER)[0] == 250
    [(where, content)] = house.kept(subject).items()
    assert where == mailbox
    assert dmarc in results(content)


# what an alias sends on


def sent_on(house: House) -> Message:
    """A stranger's mail as it comes out of the alias."""
    subject = house.name()
    assert house.hears("ann@nsec.org", AWAY, letter("nsec.org", subject, signed=True))[0] == 250
    return house.arrived(lambda m: f"Subject: {subject}\r\n".encode() in m.content, "what the alias sent on")


def test_an_alias_seals_what_it_sends_on_and_its_bounce_comes_home(house: House) -> None:
    onward = sent_on(house)
    assert onward.recipients == ("far@nsec.org",)
    assert re.fullmatch(rf"SRS0=\w+=\w+=nsec\.org=ann@{re.escape(DOMAIN)}", onward.sender)
    cv, sets, why = dkim.arc_verify(onward.content, dnsfunc=resolved)
    assert (cv, len(sets), why) == (b"pass", 1, "success")
    assert verified(onward.content) == [True]
    assert house.hears("ann@nsec.org", onward.sender, letter("nsec.org", house.name()))[0] == 550
    bounce = house.name()
    assert house.hears("", onward.sender, letter("bogus.org", bounce), STRANGER)[0] == 250
    home = house.arrived(lambda m: f"Subject: {bounce}\r\n".encode() in m.content, "the bounce")
    assert (home.recipients, home.sender) == (("ann@nsec.org",), "")


def test_what_cannot_be_sent_on_is_told_to_who_wrote_it(house: House) -> None:
    """The next host has refused it in the session: our own notice goes to where the rewritten sender leads."""
    subject = house.name()
    assert house.hears("ann@nsec.org", GONE, letter("nsec.org", subject, signed=True))[0] == 250
    notice = house.arrived(lambda m: m.sender == "" and subject.encode() in m.content, "the notice")
    assert notice.recipients == ("ann@nsec.org",)
    assert b"Action: failed" in notice.content
    assert verified(notice.content) == [True, True]


# programs


def test_echo_answers_once_an_hour_with_what_it_saw(house: House) -> None:
    for _ in range(2):
        assert house.hears("ann@nsec.org", ECHO, letter("nsec.org", house.name(), signed=True))[0] == 250
    assert house.hears("eve@nods.org", ECHO, letter("nods.org", house.name()), STRANGER)[0] == 250

    def answer(message: Message) -> bool:
        return b"From: Echo <" in message.content

    told = house.arrived(answer, "the answer")
    text = told.content.decode()
    for line in (
        "SPF     pass for nsec.org",
        "DKIM    pass for nsec.org",
        "DMARC   pass for nsec.org",
        "Auto-Submitted: auto-replied",
    ):
        assert line in text
    assert verified(told.content)[0] is True
    assert (told.sender, told.recipients) == ("", ("ann@nsec.org",))
    wait_until(lambda: len(house.server.events("echo.silent")) == 2, "the log")
    assert len([message for message in house.mx.messages if answer(message)]) == 1


def test_a_report_is_listed(house: House) -> None:
    assert house.hears("ann@nsec.org", REPORTS, google())[0] == 250
    [row] = house.command("report", "list", "--json")
    assert (row["kind"], row["domain"]) == ("dmarc", DOMAIN)


def test_what_is_no_report_is_postmasters(house: House) -> None:
    subject = house.name()
    assert house.hears("ann@nods.org", REPORTS, letter("nods.org", subject), STRANGER)[0] == 250
    [(mailbox, content)] = house.kept(subject, "bob").items()
    assert mailbox == "Junk"
    assert b"Mailsrv-Decision: junk;" in content


# our own


def submitted(house: House) -> Message:
    subject = house.name()
    text = FORGED + f"From: {ALICE}\r\nTo: far@nsec.org\r\nSubject: {subject}\r\n\r\nhello\r\n".encode()
    with house.server.submission("alice") as client:
        client.sendmail(ALICE, ["far@nsec.org"], text)
    return house.arrived(lambda m: f"Subject: {subject}\r\n".encode() in m.content, "a submission")


def test_what_we_sign_a_stranger_verifies_and_new_keys_sign_without_a_restart(house: House) -> None:
    first = submitted(house).content
    assert verified(first) == [True, True]
    assert b"Authentication-Results" not in first
    pid = house.server.pid
    done = house.shell.here("dkim", "rotate", "--wait", "--every", "0.3")
    assert done.status == 0, done.err
    wait_until(lambda: not selectors(submitted(house).content) & selectors(first), "the new keys to sign", 20)
    again = submitted(house).content
    assert verified(again) == [True, True]
    assert verified(first) == [True, True]
    assert house.server.pid == pid


# the size of it


def test_ten_megabytes_that_are_judged_hold_up_nobody(house: House) -> None:
    lines = base64.encodebytes(os.urandom(7_500_000)).replace(b"\n", b"\r\n")
    subject = house.name()
    content = letter("nsec.org", subject, body=lines, signed=True)
    assert len(content) > 10_000_000
    other = Other(house.server)
    other.start()
    assert house.hears("ann@nsec.org", BOB, content)[0] == 250
    assert other.end() <= NOOP
    assert "dkim=pass" in results(house.kept(subject, "bob")["INBOX"])


# several processes; the last test, for it restarts the server


def test_two_workers_are_of_one_mind(house: House) -> None:
    house.write(workers=2)
    house.server.restart()
    cases: tuple[tuple[str, str, list[str]], ...] = (
        ("nsec.org", SENDER, ["INBOX"]),
        ("nsec.org", STRANGER, []),
        ("nods.org", STRANGER, ["Junk"]),
    )
    for domain, address, where in cases * 4:
        subject = house.name()
        code, _ = house.hears(f"ann@{domain}", ALICE, letter(domain, subject), address)
        assert code == (250 if where else 550)
        # the other process may be a moment late to hear of it
        wait_until(partial(lies, house, subject, where), f"{subject} in {where}")
    assert all(verified(submitted(house).content) == [True, True] for _ in range(4))
    onward = [sent_on(house) for _ in range(4)]
    assert {dkim.arc_verify(message.content, dnsfunc=resolved)[0] for message in onward} == {b"pass"}
    bounces = [house.hears("", one.sender, letter("bogus.org", house.name()), STRANGER)[0] for one in onward]
    assert bounces == [250] * 4


def lies(house: House, subject: str, where: list[str]) -> bool:
    return list(house.kept(subject)) == where
