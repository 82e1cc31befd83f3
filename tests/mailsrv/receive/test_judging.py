"""What becomes of a stranger's mail: by what is proven, by who reads it, by who advises; and what is remembered of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any, TypeVar

import pytest

from dnsops.resolve.memory import MemoryDns
from mailsrv.auth.decide import Action, Decision, Rules
from mailsrv.auth.verdicts import Result
from mailsrv.receive.judging import Judged, Judging, settled
from mailsrv.smtp.replies import Refused, Reply
from mailsrv.spam.greylist import DELAY
from mailsrv.spam.hints import Hint, Says
from mailsrv.spam.ledger import Ledger
from tests.mailsrv.receive.judges import CLIENT, HOST, NOON, Noted, advisers, envelope, judge, judged, mail_from
from tests.mailsrv.smtp.null import Lines

T = TypeVar("T")
ACCEPT, JUNK, LATER, REFUSE = Action.ACCEPT, Action.JUNK, Action.LATER, Action.REFUSE


def refused(judging: Judging, domain: str, accounts: tuple[str, ...] = ("user1",), **more: Any) -> str:
    with pytest.raises(Refused) as refusal:
        judged(judging, domain, accounts, **more)
    reply = refusal.value.reply
    return f"{reply.code} {reply.enhanced}"


def told(judging: Judging) -> dict[str, Any]:
    """The line of the log on the last message."""
    assert isinstance(judging.log, Lines)
    return dict([fields for event, fields in judging.log.events if event == "mail.judged"][-1])


# what the domain of From asks for


@pytest.mark.parametrize(
    ("domain", "action", "dmarc"),
    [
        ("proven.test", ACCEPT, Result.PASS),
        ("watched.test", ACCEPT, Result.FAIL),
        ("quarantine.test", JUNK, Result.FAIL),
        ("plain.test", ACCEPT, Result.NONE),
        ("forbidden.test", JUNK, Result.NONE),
    ],
)
def test_what_is_taken_and_where_it_goes(domain: str, action: Action, dmarc: Result) -> None:
    found = judged(judge(), domain)
    assert (found.by["user1"].action, found.found.dmarc.result) == (action, dmarc)
    assert found.in_junk("user1") == (action is JUNK)
    assert found.author == f"ann@{domain}"
    assert found.proven == ("proven.test" if domain == "proven.test" else "")
    assert found.results.server == HOST


@pytest.mark.parametrize(("domain", "reply"), [("reject.test", "550 5.7.26"), ("bogus.test", "451 4.7.0")])
def test_what_is_not_taken(domain: str, reply: str) -> None:
    judging = judge()
    assert refused(judging, domain) == reply
    assert told(judging)["why"]


def test_the_line_of_the_log() -> None:
    judging = judge()
    refused(judging, "reject.test")
    line = told(judging)
    assert line.pop("why").startswith("the DMARC policy of reject.test refuses")
    assert line == {
        "id": "Q1", "action": "refuse", "peer": CLIENT, "sender": "ann@reject.test", "author": "reject.test",
        "spf": "fail", "dkim": [], "dmarc": "fail", "arc": "none",
    }  # fmt: skip


@pytest.mark.parametrize("content", [b"Subject: x\r\n\r\nbody\r\n", b"", b"From: nobody: ;\r\n\r\n"])
def test_mail_that_nobody_wrote_has_no_author(content: bytes) -> None:
    found = judged(judge(), "proven.test", content=content or b"\r\n")
    assert (found.author, found.proven, found.in_junk("user1")) == ("", "", True)


def test_the_null_sender_is_judged_by_its_name_at_hello() -> None:
    found = asyncio.run(judge().judge(envelope(""), mail_from("plain.test"), ("user1",)))
    assert found.found.mail.identity == "postmaster@client.test"
    assert not found.in_junk("user1")


# several readers, one answer


TAKES = {"user1": {"reject.test": ACCEPT, "bogus.test": ACCEPT, "quarantine.test": ACCEPT}}
JUNKS = {"user1": {"reject.test": JUNK, "proven.test": JUNK}}
NEITHER = {"user1": {"proven.test": REFUSE}, "user2": {"proven.test": REFUSE}}
ONE = {"user1": {"proven.test": REFUSE}}
READERS: list[tuple[str, Mapping[str, Mapping[str, Action]], str, str]] = [
    # from, the accounts' own words, what the client is told, who has it in Junk
    ("reject.test", TAKES, "", "user2"),
    ("reject.test", JUNKS, "", "user1 user2"),
    ("bogus.test", TAKES, "", "user2"),
    ("quarantine.test", TAKES, "", "user2"),
    ("proven.test", JUNKS, "", "user1"),
    ("proven.test", {}, "", ""),
    ("proven.test", ONE, "", "user1"),
    ("proven.test", NEITHER, "550 5.7.1", ""),
    ("bogus.test", {"user1": {"bogus.test": REFUSE}}, "451 4.7.0", ""),
]


@pytest.mark.parametrize(("domain", "words", "reply", "junk"), READERS)
def test_each_account_has_its_word(
    domain: str, words: Mapping[str, Mapping[str, Action]], reply: str, junk: str
) -> None:
    judging, both = judge(Rules(account_senders=words)), ("user1", "user2")
    if reply:
        assert refused(judging, domain, both) == reply
        return
    found = judged(judging, domain, both)
    assert " ".join(account for account in both if found.in_junk(account)) == junk


def test_the_sender_is_told_the_weight_of_what_was_taken() -> None:
    """So that the log, and the report on it, say junk where one of the readers has it there."""
    judging = judge(Rules(account_senders=TAKES))
    judged(judging, "quarantine.test", ("user1", "user2"))
    assert told(judging)["action"] == "junk"


def test_mail_that_only_goes_on_elsewhere_has_a_decision_of_its_own() -> None:
    found = judged(judge(), "quarantine.test", ())
    assert {account: decision.action for account, decision in found.by.items()} == {"": JUNK}
    assert refused(judge(), "reject.test", ()) == "550 5.7.26"


@pytest.mark.parametrize(
    ("actions", "action"),
    [
        ([ACCEPT, REFUSE], ACCEPT),
        ([ACCEPT, JUNK], JUNK),
        ([JUNK, LATER], JUNK),
        ([LATER, REFUSE], LATER),
        ([REFUSE, LATER], LATER),
        ([REFUSE, REFUSE], REFUSE),
    ],
)
def test_one_answer_for_all(actions: list[Action], action: Action) -> None:
    by = {str(number): Decision(each, (), Reply(550, "5.7.1", "x")) for number, each in enumerate(actions)}
    assert settled(by).action is action


# advisers


def hint(says: Says) -> Hint:
    return Hint("the adviser", says, "it says so")


@pytest.mark.parametrize(
    ("says", "reply", "junk"),
    [
        (Says.NOTHING, "", False),
        (Says.ACCEPT, "", False),
        (Says.JUNK, "", True),
        (Says.LATER, "451 4.7.1", False),
        (Says.REFUSE, "550 5.7.1", False),
    ],
)
@pytest.mark.parametrize("who", ["lists", "scanners"])
def test_what_advisers_say(who: str, says: Says, reply: str, junk: bool) -> None:
    judging = judge(scanning=advisers(**{who: [hint(says)]}))
    if reply:
        assert refused(judging, "proven.test") == reply
    else:
        assert judged(judging, "proven.test").in_junk("user1") == junk


@pytest.mark.parametrize("domain", ["proven.test", "quarantine.test", "plain.test"])
def test_scanners_are_asked_with_all_that_is_known(domain: str) -> None:
    said = advisers()
    judged(judge(scanning=said), domain)
    [mail] = said.asked
    assert (mail.client, mail.helo, mail.sender, mail.domain) == (CLIENT, "client.test", f"ann@{domain}", domain)
    assert mail.recipients == ("user1@mail.test",)
    assert mail.content == mail_from(domain)


@pytest.mark.parametrize(
    ("domain", "lists"), [("reject.test", []), ("bogus.test", []), ("proven.test", [hint(Says.REFUSE)])]
)
def test_scanners_are_not_asked_about_what_is_settled(domain: str, lists: list[Hint]) -> None:
    said = advisers(lists)
    refused(judge(scanning=said), domain)
    assert said.asked == []


def test_scanners_are_asked_when_one_reader_would_take_it() -> None:
    said = advisers(scanners=[hint(Says.REFUSE)])
    assert refused(judge(Rules(account_senders=TAKES), said), "reject.test", ("user1", "user2")) == "550 5.7.1"
    assert len(said.asked) == 1


# who is trusted, and who is judged


@pytest.mark.parametrize(
    ("address", "concerns"),
    [
        ("127.0.0.1", False),
        ("127.9.9.9", False),
        ("192.0.2.25", True),
        ("::1", False),
        ("::2", True),
        ("fe80::1%eth0", False),
        ("", True),
        ("not an address", True),
    ],
)
def test_trusted_networks_are_not_judged(address: str, concerns: bool) -> None:
    trusted = tuple(map(ip_network, ("127.0.0.0/8", "::1/128", "fe80::/64")))
    assert judge(trusted=trusted).concerns(address) == concerns


def test_nobody_is_trusted_unless_it_is_said() -> None:
    assert judge().concerns("127.0.0.1")


# greylisting


def with_ledger(directory: Path, work: Any) -> Any:
    async def run() -> Any:
        async with Ledger(directory, Lines()) as ledger:
            return await work(ledger)

    return asyncio.run(run())


async def reply_to(judging: Judging, domain: str, when: datetime, *recipients: str) -> str:
    try:
        await judging.judge(envelope(domain, *recipients, when=when), mail_from(domain), ("user1",))
    except Refused as refusal:
        return refusal.reply.enhanced
    return ""


@pytest.mark.parametrize(
    ("domain", "first", "early", "later", "next_one"),
    [
        ("plain.test", "4.7.1", "4.7.1", "", ""),
        ("watched.test", "4.7.1", "4.7.1", "", ""),
        ("proven.test", "", "", "", ""),
        ("reject.test", "5.7.26", "5.7.26", "5.7.26", "5.7.26"),
        ("bogus.test", "4.7.0", "4.7.0", "4.7.0", "4.7.0"),
    ],
)
def test_whom_nothing_proves_comes_again(
    tmp_path: Path, domain: str, first: str, early: str, later: str, next_one: str
) -> None:
    async def work(ledger: Ledger) -> list[str]:
        judging, to = judge(ledger=ledger, greylist=True), ("user1@mail.test", "user2@mail.test")
        after = NOON + timedelta(seconds=DELAY + 1)
        return [
            await reply_to(judging, domain, NOON, *to),
            await reply_to(judging, domain, NOON + timedelta(seconds=DELAY / 2), *to),
            await reply_to(judging, domain, after, *to),
            await reply_to(judging, domain, after, "other@mail.test"),
        ]

    assert with_ledger(tmp_path, work) == [first, early, later, next_one]


def test_greylisting_is_off_unless_it_is_asked_for(tmp_path: Path) -> None:
    async def work(ledger: Ledger) -> str:
        return await reply_to(judge(ledger=ledger), "plain.test", NOON)

    assert with_ledger(tmp_path, work) == ""


# acquaintance


async def marked(ledger: Ledger, account: str) -> None:
    ledger.note_moved(account, "ann@proven.test", aligned=True, to_junk=True, now=NOON.timestamp())


def test_what_one_user_has_called_junk_is_junk_for_that_user(tmp_path: Path) -> None:
    async def work(ledger: Ledger) -> Judged:
        await marked(ledger, "user2")
        both = ("user1", "user2")
        return await judge(ledger=ledger).judge(envelope("proven.test"), mail_from("proven.test"), both)

    found = with_ledger(tmp_path, work)
    assert [found.in_junk(account) for account in ("user1", "user2")] == [False, True]


def test_who_does_not_want_reputation_has_none(tmp_path: Path) -> None:
    async def work(ledger: Ledger) -> Judged:
        await marked(ledger, "user1")
        judging = judge(ledger=ledger, reputation=False)
        found = await judging.judge(envelope("proven.test"), mail_from("proven.test"), ("user1",))
        judging.received(found, ("user1",))
        judging.wrote("user1", ["bob@proven.test"])
        assert (await ledger.record("user1", "bob@proven.test", True)).sent == 0
        assert (await ledger.record("user1", "ann@proven.test", True)).received == 0
        return found

    assert not with_ledger(tmp_path, work).in_junk("user1")


@pytest.mark.parametrize(
    ("domain", "says"),
    [("proven.test", "known correspondent"), ("plain.test", "a known correspondent's address, but nothing proves")],
)
def test_acquaintance_grows_with_mail_both_ways(tmp_path: Path, domain: str, says: str) -> None:
    async def work(ledger: Ledger) -> Judged:
        judging = judge(ledger=ledger)
        first = await judging.judge(envelope(domain), mail_from(domain), ("user1",))
        judging.received(first, ("user1",))
        judging.wrote("user1", [f"ann@{domain}"])
        return await judging.judge(envelope(domain), mail_from(domain), ("user1", "user2"))

    found = with_ledger(tmp_path, work)
    why = {
        account: reason.why
        for account in found.by
        for reason in found.by[account].reasons
        if reason.what == "reputation"
    }
    assert says in why["user1"]
    assert why["user2"] == "first contact"


# what is noted for reports


@pytest.mark.parametrize(
    ("domain", "rules", "disposition", "reason"),
    [
        ("proven.test", Rules(), "pass", []),
        ("watched.test", Rules(), "none", []),
        ("quarantine.test", Rules(), "quarantine", []),
        ("reject.test", Rules(), "reject", []),
        ("reject.test", Rules(dmarc="quarantine"), "quarantine", ["local_policy"]),
        ("reject.test", Rules(dmarc="ignore"), "none", ["local_policy"]),
        ("reject.test", Rules(senders={"reject.test": ACCEPT}), "none", ["local_policy"]),
    ],
)
def test_what_is_seen_is_noted(domain: str, rules: Rules, disposition: str, reason: list[str]) -> None:
    """RFC 9990: the disposition is what was done for DMARC's sake, a reason says why it is not what was asked for."""
    noted = Noted()
    with suppress(Refused):
        judged(judge(rules, notes=noted), domain)
    [seen] = noted.seen
    row = json.loads(seen.text)
    assert (seen.kind, seen.domain, row[0], row[1]) == ("dmarc", domain, CLIENT, disposition)
    assert [kind for kind, _ in row[6]] == reason


@pytest.mark.parametrize(
    ("domain", "recipient", "count"),
    [
        ("watched.test", "user1@mail.test", 1),
        ("watched.test", "Reports@mail.test", 0),
        ("plain.test", "user1@mail.test", 0),
        ("bogus.test", "user1@mail.test", 0),
    ],
)
def test_what_is_not_noted(domain: str, recipient: str, count: int) -> None:
    """Mail to where reports go, mail of domains that want no reports, and what is to come again."""
    noted = Noted()
    judging = judge(notes=noted, quiet=frozenset({"reports@mail.test"}))
    with suppress(Refused):
        asyncio.run(judging.judge(envelope(domain, recipient), mail_from(domain), ("user1",)))
    assert len(noted.seen) == count


def test_what_is_greylisted_is_counted_when_it_comes_again(tmp_path: Path) -> None:
    noted = Noted()

    async def work(ledger: Ledger) -> None:
        judging = judge(ledger=ledger, greylist=True, notes=noted)
        assert await reply_to(judging, "watched.test", NOON) == "4.7.1"
        assert noted.seen == []
        assert await reply_to(judging, "watched.test", NOON + timedelta(seconds=DELAY + 1)) == ""

    with_ledger(tmp_path, work)
    assert len(noted.seen) == 1


def test_a_session_is_asked_about_once_as_long_as_it_calls_itself_the_same() -> None:
    judging = judge()
    known = judging.means.resolver
    assert isinstance(known, MemoryDns)
    first = envelope("proven.test")

    def asked_for(helo: str) -> set[tuple[str, str]]:
        """What the next message of the session costs, but for its own domain's records."""
        known.asked.clear()
        first.client.helo = helo
        asyncio.run(judging.judge(first, mail_from("proven.test"), ("user1",)))
        return {(name, kind) for name, kind in known.asked if not name.endswith("proven.test")}

    pointer = ("1.0.0.127.in-addr.arpa", "PTR")
    assert asked_for("client.test") == {pointer, ("client.test", "TXT")}
    assert asked_for("client.test") == set()
    assert asked_for("other.test") == {pointer, ("other.test", "TXT")}
