"""DANE on every port, judged: what a sender that verifies would do, and in how many days somebody must act."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from checks.catalogue.ports import PORTS
from checks.finding import Finding, Status
from checks.judge import ports
from dnsops.certs.chain import Chain
from dnsops.records.tlsa import Tlsa
from dnsops.resolve.answer import Answer, Security
from dnsops.rollover.look import Port, Shown
from tests.dnsops.certificates import chain
from tests.dnsops.dnssec import zones
from tests.dnsops.reconcile.world import record

NOW = datetime(2026, 11, 26, tzinfo=UTC)
OWN = chain("own", start=NOW - timedelta(days=10), days=90)
OTHER = chain("other", start=NOW - timedelta(days=10), days=90)
NEXT = record(chain("next"))
ODD = Tlsa(3, 1, 9, b"x" * 32)  # a matching type that nobody knows
V4, V6 = "192.0.2.25", "2001:db8::25"


def port(
    records: Sequence[Tlsa] = (),
    shown: Sequence[Shown] = (),
    number: int = 25,
    security: Security = Security.SECURE,
    ttl: int = 3600,
) -> Port:
    name = f"_{number}._tcp.mx1.example.org"
    answer = Answer(
        name,
        "TLSA",
        security,
        items=frozenset(records),
        ttl=ttl,
        why="it is forged" if security is Security.BOGUS else "",
    )
    return Port("mx1.example.org", number, answer, shown=tuple(shown))


def faces(*chains: Chain) -> list[Shown]:
    return [Shown(address, one) for address, one in zip((V4, V6), chains, strict=True)]


SILENT = [Shown(V4, OWN), Shown(V6, error="connection refused")]
ELSEWHERE = [Shown(V4, OWN), Shown(V6, error="no route", unroutable=True)]
BOTH = faces(OWN, OWN)


@pytest.mark.parametrize(
    "seen,status,said",
    [
        (port([record(OWN), NEXT], BOTH), Status.GOOD, "2 addresses show what"),
        (port([record(OWN, 2)], BOTH), Status.GOOD, "2 addresses show what 2 1 1"),
        (port([record(OWN)], faces(OWN, OTHER)), Status.FAIL, f"{V6} shows a key that no record is of"),
        (port([NEXT], BOTH), Status.FAIL, f"{V4} shows a key that no record is of"),
        (port([record(OWN)], SILENT), Status.NOTICE, f"{V6} shows nothing: connection refused"),
        (port([record(OWN)], ELSEWHERE), Status.GOOD, ""),
        (port([record(OWN)], []), Status.NOTICE, "no address of it could be looked at"),
        (port([record(OWN)], BOTH, security=Security.INSECURE), Status.FAIL, "they do nothing"),
        (port([], BOTH, security=Security.BOGUS), Status.FAIL, "bogus (it is forged): senders do not deliver"),
        (port([], BOTH, security=Security.FAILED), Status.ERROR, "could not be looked up"),
        (port([], BOTH), Status.NOTICE, "no TLSA records: senders cannot know"),
        (port([], BOTH, number=993), Status.INFO, "no TLSA records"),
        (port([ODD], BOTH), Status.NOTICE, "none of its TLSA records can be used"),
        (port([record(OWN), ODD], BOTH), Status.INFO, ""),
    ],
)  # fmt: skip
def test_what_a_sender_would_do(seen: Port, status: Status, said: str) -> None:
    found = of(seen, "port_dane")
    assert (found.status, found.right) == (status, status)
    assert said in " | ".join(found.details)
    assert bool(found.fix) is (status < Status.NOT_TESTED)
    assert any("TLSA" in line for line in found.evidence[0].lines)


@pytest.mark.parametrize(
    "days,status,said",
    [
        (60, Status.GOOD, "50 days left, until 2027-01-15"),
        (20, Status.NOTICE, "10 days left"),
        (10.5, Status.NOTICE, "0.5 days left"),
        (8, Status.FAIL, "ended 2.0 days ago"),
    ],
)
def test_the_days_that_a_certificate_has_left(days: float, status: Status, said: str) -> None:
    short = chain(f"short{days}", start=NOW - timedelta(days=10) - timedelta(days=100 - days), days=100)
    found = of(port([record(short)], faces(OWN, short)), "port_certificate")
    assert found.status is status
    assert said in found.details[0]


def test_a_certificate_of_tomorrow() -> None:
    young = chain("young", start=NOW + timedelta(days=1))
    assert "not valid before 2026-11-27" in of(port([], faces(OWN, young)), "port_certificate").details[0]


@pytest.mark.parametrize(
    "records,ttl,status,said",
    [
        ([record(OWN), NEXT], 3600, Status.GOOD, "announced: 3 1 1"),
        ([record(OWN), record(OWN, 2)], 3600, Status.GOOD, "announced: 2 1 1"),
        ([record(OWN)], 3600, Status.INFO, "in 50 days (2027-01-14): it must stand 2.0 h before its key is served"),
        ([record(OWN)], 86400 * 4, Status.INFO, "in 42 days (2027-01-07): it must stand 8.0 days"),
    ],
)
def test_by_when_the_next_key_must_be_announced(records: list[Tlsa], ttl: int, status: Status, said: str) -> None:
    found = of(port(records, BOTH, ttl=ttl), "port_rollover")
    assert found.status is status
    assert said in found.details[-1]


def test_when_renewal_is_due_the_next_key_is_announced_now() -> None:
    old = chain("old", start=NOW - timedelta(days=70), days=90)
    assert "next key now" in of(port([record(old)], faces(old, old)), "port_rollover").details[-1]


def test_where_nothing_is_proven_there_is_no_advice_about_the_next_key() -> None:
    assert [one.id for one in ports.of_port(port([], BOTH), NOW)] == ["port_dane", "port_certificate"]


def test_a_report_has_no_score_and_its_ids_can_be_explained() -> None:
    report = ports.report("example.org", NOW, [port([record(OWN)], BOTH)], [zones.facts()])
    assert report.categories == ()
    assert {finding.id for finding in report.findings} == {one.id for one in PORTS} | {
        "zone_servers",
        "zone_signatures",
    }


def of(seen: Port, name: str) -> Finding:
    return next(finding for finding in ports.of_port(seen, NOW) if finding.id == name)
