"""S-BAK-01 to 05: nobody hears from us about mail that they did not send."""

from __future__ import annotations

import pytest

from mailsrv.auth.decide import Action, Rules
from tests.mailsrv.receive.judges import mail_from
from tests.mailsrv.receive.trusting import ECHO, arrive, world
from tests.mailsrv.receive.world import codes, full, sent


def test_s_bak_01_an_unknown_user_is_refused_before_the_message() -> None:
    made = world()
    assert codes(sent(made, "<ann@proven.test>", ["<nobody@mail.test>"]))[1] == "550 5.1.1"
    assert made.shelf.accepted == []


def test_s_bak_02_a_full_mailbox_is_told_in_the_session() -> None:
    made = world()
    made.shelf.fail = full("user1")
    assert arrive(made, "proven.test") == "452 4.2.2"
    assert made.shelf.accepted == []


@pytest.mark.parametrize(
    ("domain", "rules", "reply"),
    [
        ("reject.test", Rules(), "550 5.7.26"),
        ("forbidden.test", Rules(spf_fail=Action.REFUSE), "550 5.7.23"),
        ("proven.test", Rules(senders={"proven.test": Action.REFUSE}), "550 5.7.1"),
    ],
)
def test_s_bak_03_what_a_rule_refuses_is_refused_in_the_session(domain: str, rules: Rules, reply: str) -> None:
    made = world(rules)
    to = "<user1@mail.test> NOTIFY=SUCCESS,FAILURE"
    assert codes(sent(made, f"<ann@{domain}>", [to], mail_from(domain)))[-1] == reply
    assert made.shelf.accepted == []


@pytest.mark.parametrize(
    ("sender", "fields"),
    [
        ("<>", b""),
        ("<ann@plain.test>", b""),
        ("<ann@watched.test>", b""),
        ("<ann@quarantine.test>", b""),
        ("<ann@proven.test>", b"List-Id: <x.proven.test>\r\n"),
        ("<ann@proven.test>", b"Auto-Submitted: auto-replied\r\n"),
        ("<echo@proven.test>", b""),
    ],
)
def test_s_bak_04_no_answer_to_lists_to_nobody_or_to_forged_senders(sender: str, fields: bytes) -> None:
    made = world()
    domain = sender.strip("<>").partition("@")[2] or "plain.test"
    assert codes(sent(made, sender, [f"<{ECHO}>"], fields + mail_from(domain)))[-1] == "250 2.6.0"
    assert made.shelf.accepted == []


@pytest.mark.parametrize(
    ("domain", "count"),
    [("proven.test", 2), ("plain.test", 2), ("watched.test", 1), ("quarantine.test", 1), ("forbidden.test", 1)],
)
def test_s_bak_04_no_notice_to_a_sender_whose_domain_forbids_the_client(domain: str, count: int) -> None:
    """NOTIFY=SUCCESS: whoever borrows an address would have us write to its owner."""
    made = world()
    assert (
        codes(sent(made, f"<ann@{domain}>", ["<user1@mail.test> NOTIFY=SUCCESS"], mail_from(domain)))[-1] == "250 2.6.0"
    )
    assert len(made.shelf.accepted) == count


def test_s_bak_05_a_notice_begets_no_notice() -> None:
    made = world()
    notice = b"Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n" + mail_from("plain.test")
    to = ["<user1@mail.test> NOTIFY=SUCCESS", "<away@mail.test> NOTIFY=SUCCESS", f"<{ECHO}>"]
    assert codes(sent(made, "<>", to, notice))[-1] == "250 2.6.0"
    assert [message.sender for message in made.shelf.accepted] == ["", ""]
    assert [len(message.hops) for message in made.shelf.accepted] == [0, 1]
