"""Our reports leave: to whom, when, in which form, and once - whatever is killed, whenever."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from dnsops.base.errors import Later
from dnsops.base.log import Value
from dnsops.resolve.answer import Answer, Question, Security
from dnsops.resolve.memory import MemoryDns
from mailsrv.message import header
from mailsrv.message.scan import scan
from mailsrv.reports import dmarc_xml, letters, seen, sending, tls_json
from mailsrv.reports.aggregate import Row
from mailsrv.reports.ledger import LEDGER, Ledger
from mailsrv.reports.letters import Reporter
from mailsrv.reports.seen import Seen
from mailsrv.reports.sending import MOST_TRIES, SPREAD, Sending, Sent
from mailsrv.reports.unpack import opened, unpack
from mailsrv.store.door import Message, Placed
from mailsrv.transport.outcome import Outcome, PolicyType, Trouble

DAY = date(2026, 3, 1)
BEFORE = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)
AFTER = datetime(2026, 3, 2, 0, 0, tzinfo=UTC) + SPREAD + timedelta(seconds=1)
US = Reporter("mx.us.org", "Us & Söhne", "postmaster@us.org", "noreply-reports@us.org")
RECORD = "v=DMARC1; p=reject; rua=mailto:r@example.org"


class Killed(BaseException):
    """As SIGKILL: nothing catches it."""


@dataclass
class Queue:
    """Takes mail, and may be killed before or after it took it."""

    taken: list[Message] = field(default_factory=list)
    dies: str = ""

    async def accept(self, message: Message, *more: Message) -> tuple[Placed, ...]:
        if self.dies == "before":
            raise Killed
        if self.dies == "disk":
            raise Later("the disk is full")
        self.taken.append(message)
        if self.dies == "after":
            raise Killed
        return ()


@dataclass
class House:
    """A day's ledger, a DNS, a queue."""

    path: Path
    dns: MemoryDns = field(default_factory=lambda: MemoryDns({"example.org": Security.SECURE}))
    queue: Queue = field(default_factory=Queue)
    lines: list[tuple[str, dict[str, Value]]] = field(default_factory=list)
    excluded: tuple[str, ...] = ()
    posted: list[tuple[str, bytes, str]] = field(default_factory=list)
    answer: str = ""
    slow: str = ""

    def run(self, now: datetime = AFTER) -> Sent:
        """With a new program each time: nothing is remembered but what is on disk."""
        ledger = Ledger(self.path)
        try:
            story = Sending(
                ledger, US, self._ask, self.queue, lambda content: b"DKIM-Signature: x\r\n" + content, self._post, self._log,
                frozenset({"noreply-reports@us.org"}), self.excluded,
            )  # fmt: skip
            return asyncio.run(story.run(now))
        finally:
            ledger.close()

    async def _ask(self, question: Question) -> Answer:
        if self.slow and question.name.endswith(self.slow):
            await asyncio.sleep(3600)
        return await self.dns.ask(question.name, question.type)

    async def _post(self, url: str, data: bytes, media: str) -> str:
        self.posted.append((url, data, media))
        return self.answer

    def _log(self, event: str, **fields: Value) -> None:
        self.lines.append((event, fields))

    def to(self, recipient: str) -> Message:
        return next(message for message in self.queue.taken if message.hops[0].recipient == recipient)

    @property
    def recipients(self) -> list[str]:
        return [hop.recipient for message in self.queue.taken for hop in message.hops]


def message_line(count: str = "reject", domain: str = "example.org") -> Seen:
    row = Row("192.0.2.9", 1, count, "fail", "fail", domain, "bounce.example.net")
    return Seen("dmarc", DAY, domain, seen.row_text(row), "", RECORD, domain)


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path / LEDGER)
    ledger = Ledger(made.path)
    ledger.add({message_line(): 3, message_line("none"): 2})
    failed = Outcome(
        "example.net", BEFORE, PolicyType.TLSA, ("3 1 1 ab",), (), "mx.example.net", "mx", "192.0.2.1", Trouble.TLSA_INVALID
    )  # fmt: skip
    for outcome, count in ((failed, 2), (replace(failed, trouble=None), 5)):
        line = seen.of_session(outcome)
        assert line is not None
        ledger.add({line: count})
    ledger.close()
    made.dns.put("_dmarc.example.org", "TXT", f'"{RECORD}"')
    made.dns.put("_smtp._tls.example.net", "TXT", '"v=TLSRPTv1; rua=mailto:t@example.net"')
    return made


def test_each_report_leaves_once(house: House) -> None:
    told = house.run()
    assert told.sent == ["dmarc 2026-03-01 example.org r@example.org", "tls 2026-03-01 example.net t@example.net"]
    assert sorted(house.recipients) == ["r@example.org", "t@example.net"]
    assert house.run().sent == []
    assert house.run(AFTER + timedelta(hours=20)).sent == []
    assert len(house.queue.taken) == 2


def test_a_day_is_not_reported_before_it_is_over_and_each_domain_has_its_time(house: House) -> None:
    assert house.run(BEFORE).sent == []
    due = {domain: letters.jitter(domain, US, SPREAD) for domain in ("example.org", "example.net")}
    assert len(set(due.values())) == 2
    assert all(timedelta(0) <= wait < SPREAD for wait in due.values())
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    first = min(due.values())
    assert len(house.run(midnight + first + timedelta(seconds=1)).sent) == 1
    assert len(house.run(midnight + max(due.values()) + timedelta(seconds=1)).sent) == 1


def test_what_was_missed_is_made_up_for_within_two_days(house: House) -> None:
    assert len(house.run(AFTER + timedelta(days=1)).sent) == 2


def test_what_is_too_old_is_not_sent(house: House) -> None:
    assert house.run(AFTER + timedelta(days=2)).sent == []


def test_s_authn_10_the_mail_is_as_rfc_9990_3_5_wants_it(house: House) -> None:
    house.run()
    message = house.to("r@example.org")
    assert (message.sender, message.hops[0].options) == ("noreply-reports@us.org", ("NOTIFY=NEVER",))
    assert message.content.startswith(b"DKIM-Signature: x\r\n")
    first = header.header(message.content).first
    assert re.fullmatch(
        rb"Report Domain: example\.org Submitter: us\.org Report-ID: <20260301\.[0-9a-f]{16}@us\.org>",
        first(b"subject") or b"",
    )
    assert (first(b"auto-submitted"), first(b"to")) == (b"auto-generated", b"r@example.org")
    assert (first(b"from") or b"").endswith(b"<noreply-reports@us.org>")
    text, attached = scan(message.content).children
    assert (text.media[:2], attached.media[:2]) == ((b"TEXT", b"PLAIN"), (b"APPLICATION", b"GZIP"))
    assert attached.media.get(b"NAME") == b"us.org!example.org!1772323200!1772409599.xml.gz"
    report = dmarc_xml.parse(unpack(message.content).data)
    assert report.id.encode() in (first(b"subject") or b"")
    assert (report.organization, report.email, report.messages, report.failed) == (
        "Us & Söhne", "postmaster@us.org", 5, 5,
    )  # fmt: skip
    assert (report.policy.p, report.policy.domain) == ("reject", "example.org")
    assert [(row.count, row.disposition) for row in report.rows] == [(3, "reject"), (2, "none")]


def test_the_mail_is_as_rfc_8460_5_3_wants_it(house: House) -> None:
    house.run()
    content = house.to("t@example.net").content
    first = header.header(content).first
    assert (first(b"tls-report-domain"), first(b"tls-report-submitter")) == (b"example.net", b"us.org")
    assert first(b"tls-required") == b"No"
    root = scan(content)
    assert (root.media[:2], root.media.get(b"REPORT-TYPE")) == ((b"MULTIPART", b"REPORT"), b"tlsrpt")
    assert root.children[1].media[:2] == (b"APPLICATION", b"TLSRPT+GZIP")
    assert root.children[1].media.get(b"NAME") == b"us.org!example.net!1772323200!1772409599.json.gz"
    report = tls_json.parse(unpack(content).data)
    (policy,) = report.policies
    assert (policy.type, policy.domain, policy.strings, policy.successes, policy.failures) == (
        "tlsa", "mx.example.net", ("3 1 1 ab",), 5, 2,
    )  # fmt: skip
    assert [(one.type, one.count, one.mx, one.receiving_ip) for one in policy.details] == [
        ("tlsa-invalid", 2, "mx.example.net", "192.0.2.1")
    ]


def test_a_mail_host_with_its_own_record_is_told_too(house: House) -> None:
    house.dns.put("_smtp._tls.mx.example.net", "TXT", '"v=TLSRPTv1; rua=mailto:host@example.net"')
    assert "tls 2026-03-01 mx.example.net host@example.net" in house.run().sent


@pytest.mark.parametrize("dies, copies", [("before", 1), ("after", 2)])
def test_a_kill_costs_a_second_copy_and_never_the_report(house: House, dies: str, copies: int) -> None:
    house.dns.put("_smtp._tls.example.net", "TXT", '"v=spf1"')
    house.queue.dies = dies
    with pytest.raises(Killed):
        house.run()
    house.queue.dies = ""
    house.run()
    house.run()
    contents = [message.content for message in house.queue.taken]
    assert len(contents) == copies
    assert len({unpack(content).data for content in contents}) == 1
    assert len({header.header(content).first(b"subject") for content in contents}) == 1
    assert len({header.header(content).first(b"message-id") for content in contents}) == 1


def test_a_program_that_always_dies_sends_three(house: House) -> None:
    house.queue.dies = "after"
    for _ in range(20):
        try:
            house.run()
        except Killed:
            continue
    assert house.recipients.count("r@example.org") == MOST_TRIES


def test_a_full_disk_costs_no_try(house: House) -> None:
    house.queue.dies = "disk"
    for _ in range(MOST_TRIES + 1):
        with pytest.raises(Later):
            house.run()
    house.queue.dies = ""
    assert len(house.run().sent) == 2


def test_a_tls_report_may_be_posted(house: House) -> None:
    house.dns.put("_smtp._tls.example.net", "TXT", '"v=TLSRPTv1; rua=https://example.net/tls"')
    house.answer = "the answer was 503"
    assert house.run().later == ["tls 2026-03-01 example.net: the answer was 503"]
    house.answer = ""
    assert house.run().sent == ["tls 2026-03-01 example.net https://example.net/tls"]
    assert house.run().sent == []
    assert [(url, media) for url, _, media in house.posted] == [
        ("https://example.net/tls", "application/tlsrpt+gzip")
    ] * 2
    assert tls_json.parse(opened(house.posted[1][1]).data).failed == 2


def test_a_web_server_that_never_answers_is_given_up(house: House) -> None:
    house.dns.put("_smtp._tls.example.net", "TXT", '"v=TLSRPTv1; rua=https://example.net/tls"')
    house.answer = "no answer in time"
    for _ in range(MOST_TRIES + 2):
        house.run()
    assert len(house.posted) == MOST_TRIES


def test_s_authn_10_a_report_larger_than_asked_for_is_not_sent(house: House) -> None:
    house.dns.put(
        "_dmarc.example.org", "TXT", '"v=DMARC1; p=none; rua=mailto:small@example.org!1k,mailto:large@example.org!1m"'
    )
    house.run()
    assert "large@example.org" in house.recipients
    assert "small@example.org" not in house.recipients
    assert [event for event, _ in house.lines].count("reports.too_large") == 1


def test_what_the_dns_cannot_say_is_asked_again(house: House) -> None:
    house.dns.verdict("_dmarc.example.org", Security.FAILED)
    told = house.run()
    assert told.later == ["dmarc 2026-03-01 example.org: the DMARC record of example.org cannot be known now"]
    house.dns.verdict("_dmarc.example.org", Security.INSECURE)
    assert house.run(AFTER + timedelta(hours=1)).sent == ["dmarc 2026-03-01 example.org r@example.org"]


def test_while_one_destination_is_dark_the_other_has_its_report_once(house: House) -> None:
    house.dns.put("_dmarc.example.org", "TXT", '"v=DMARC1; p=none; rua=mailto:r@dark.net,mailto:r@example.org"')
    house.dns.verdict("dark.net", Security.FAILED)
    for hour in range(5):
        house.run(AFTER + timedelta(hours=hour))
    assert house.recipients.count("r@example.org") == 1
    house.dns.verdict("dark.net", Security.INSECURE)
    house.dns.put("example.org._report._dmarc.dark.net", "TXT", '"v=DMARC1"')
    house.run(AFTER + timedelta(hours=6))
    assert house.recipients.count("r@dark.net") == 1


def test_a_domain_whose_dns_is_silent_keeps_nobody_waiting(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "PATIENCE", 0.2)
    ledger = Ledger(house.path)
    ledger.add({message_line(domain=f"a{n}.dark.example"): 1 for n in range(20)})
    ledger.close()
    house.slow = "dark.example"
    told = house.run()
    assert len(told.sent) == 2
    assert len(told.later) == 20
    assert "takes too long" in told.later[0]


def test_who_withdrew_and_who_is_excluded_gets_nothing(house: House) -> None:
    house.dns.put("_dmarc.example.org", "TXT", '"v=DMARC1; p=none"')
    house.excluded = ("example.net",)
    assert house.run().sent == []
    asked = len(house.dns.asked)
    assert house.run().sent == []
    assert len(house.dns.asked) == asked, "who wants nothing for a day is asked once"


def test_two_programs_at_once_send_what_one_would(house: House) -> None:
    """The timer's lock keeps them apart; where a person runs one beside it, nothing breaks."""

    async def both() -> list[Sent]:
        ledgers = [Ledger(house.path) for _ in range(2)]
        runs = [Sending(one, US, house._ask, house.queue, bytes, house._post, house._log).run(AFTER) for one in ledgers]
        told = await asyncio.gather(*runs)
        for one in ledgers:
            one.close()
        return list(told)

    asyncio.run(both())
    assert set(house.recipients) == {"r@example.org", "t@example.net"}
    assert len(house.queue.taken) <= 4
    assert house.run().sent == []
