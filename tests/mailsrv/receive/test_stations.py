"""Addresses that are programs: who is at which, how often echo answers, what becomes of a report."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mailsrv.receive.echoing import Echoing
from mailsrv.receive.outgoing import Outgoing
from mailsrv.receive.reporting import Reporting
from mailsrv.receive.stations import Arrived, Stations
from mailsrv.reports.ledger import LEDGER, Ledger
from mailsrv.reports.receiving import Receiving
from mailsrv.store.door import Hop, Message
from tests.mailsrv.receive.judges import envelope, judge, judged, mail_from
from tests.mailsrv.reports.samples import google, mail
from tests.mailsrv.smtp.null import Lines

ECHOES = ("echo@mail.test", "ping@mail.test")
REPORTS = "dmarc-reports@mail.test"


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Echo:
    """An echo whose clock is turned by hand."""

    clock: Clock = field(default_factory=Clock)
    log: Lines = field(default_factory=Lines)

    def __post_init__(self) -> None:
        self.echoing = Echoing("mx.mail.test", ECHOES, Outgoing(""), self.log, lambda: "t", self.clock)

    def hears(self, domain: str, echo: str = ECHOES[0], account: str = "", judges: bool = True) -> Sequence[Message]:
        given = envelope(domain, echo)
        given.client.account = account
        found = judged(judge(), domain) if judges and not account else None
        return asyncio.run(self.echoing.take(Arrived(given, echo, mail_from(domain), found)))

    @property
    def why(self) -> str:
        return str(self.log.events[-1][1]["why"])


def test_an_address_has_its_program_in_any_case() -> None:
    echoing = Echo().echoing
    stations = Stations({"echo@mail.test": echoing})
    assert stations.at("ECHO@mail.test") is echoing
    assert stations.at("echo+x@mail.test") is stations.at("echo@other.test") is stations.at("") is None


def test_one_answer_an_hour_for_a_sender_whichever_address_it_asks() -> None:
    echo, counts = Echo(), []
    for time, address in ((0, 0), (1, 0), (2, 1), (3599, 0), (3601, 1), (3700, 0)):
        echo.clock.now = float(time)
        counts.append(len(echo.hears("proven.test", ECHOES[address])))
    assert counts == [1, 0, 0, 0, 1, 0]
    assert echo.why == "it was answered within the hour, or too many were"


@pytest.mark.parametrize(
    ("domain", "account", "judges", "answers"),
    [
        ("proven.test", "", True, 1),
        ("plain.test", "", True, 0),
        ("plain.test", "user1", True, 1),
        ("proven.test", "", False, 0),  # from a trusted network: nobody looked at SPF
    ],
)
def test_who_is_answered(domain: str, account: str, judges: bool, answers: int) -> None:
    echo = Echo()
    made = echo.hears(domain, account=account, judges=judges)
    assert len(made) == answers
    assert [message.hops for message in made] == [(Hop(f"ann@{domain}", ("NOTIFY=NEVER",)),)] * answers
    assert bool(echo.why) != bool(answers)


def test_silence_does_not_count_against_the_sender() -> None:
    echo = Echo()
    assert len(echo.hears("proven.test", judges=False)) == 0
    assert len(echo.hears("proven.test")) == 1


@pytest.mark.parametrize(
    ("content", "taken", "verdict"),
    [
        (google(), True, "kept"),
        (mail(b"no archive at all"), False, "unreadable"),
        (mail_from("plain.test"), False, "unreadable"),
        (b"", False, "unreadable"),
    ],
    ids=["a report", "no archive", "a letter", "nothing"],
)
@pytest.mark.parametrize(("domain", "proven"), [("proven.test", "proven.test"), ("plain.test", "")])
def test_a_report_is_kept_with_who_proved_to_send_it(
    tmp_path: Path, domain: str, proven: str, content: bytes, taken: bool, verdict: str
) -> None:
    ledger, log = Ledger(tmp_path / LEDGER), Lines()
    reporting = Reporting(Receiving(ledger, {REPORTS: "dmarc"}, {"example.org"}, log))
    arrived = Arrived(envelope(domain, REPORTS), REPORTS, content, judged(judge(), domain))
    made = asyncio.run(reporting.take(arrived))
    assert made == ([] if taken else None)
    [(event, fields)] = log.events
    assert (event, fields["verdict"], fields["proven"]) == ("reports.received", verdict, proven)
    assert [one.proven for one in ledger.received("", "", None, 9)] == [proven] * taken


def test_the_same_report_twice_is_kept_once(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / LEDGER)
    reporting = Reporting(Receiving(ledger, {REPORTS: "dmarc"}, {"example.org"}, Lines()))
    arrived = Arrived(envelope("plain.test", REPORTS), REPORTS, google(), None)
    assert [asyncio.run(reporting.take(arrived)) for _ in range(2)] == [[], []]
    assert len(ledger.received("", "", None, 9)) == 1


def test_a_report_about_somebody_else_is_mail(tmp_path: Path) -> None:
    reporting = Reporting(Receiving(Ledger(tmp_path / LEDGER), {REPORTS: "dmarc"}, {"other.test"}, Lines()))
    assert asyncio.run(reporting.take(Arrived(envelope("plain.test", REPORTS), REPORTS, google(), None))) is None
