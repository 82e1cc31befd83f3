"""Facts of a host, good and bad, and what is said of them; what could not be measured is no fault."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from checks.catalogue.ourselves import HEALTH
from checks.finding import Status
from checks.health import host
from checks.health.facts import Backup, Clock, Disk, Facts, Job, Log, Outward, Port, Queue, Records
from checks.health.judging import judge
from dnsops.certs.chain import from_pem, spki_association
from dnsops.resolve.answer import Security
from tests.lab.pki import Pki

NOW = datetime.now(UTC)
HOST = "mx.example.org"
HOURS = timedelta(hours=1)
WELL = Facts(
    NOW,
    HOST,
    (Port("imap", "127.0.0.1", 143),),
    Queue(2, NOW - timedelta(minutes=3)),
    Disk("/var", 50 << 30, 100 << 30, 900, 1000),
    Clock(True, 0.01),
    None,
    (Job("tlsa", "ok", NOW - HOURS, 0),),
    (),
    Backup("/var/backups", NOW - 5 * HOURS),
    Log("the journal"),
)


def status(facts: Facts, name: str) -> Status:
    return next(one.right for one in judge(facts).findings if one.id == f"health_{name}")


def test_a_host_that_is_well_has_no_finding_and_none_is_forgotten() -> None:
    found = judge(WELL).findings
    assert {one.id for one in found} == {one.id for one in HEALTH}
    assert {one.right for one in found} == {Status.GOOD, Status.NOT_TESTED}


@pytest.mark.parametrize(
    "name, change, wanted",
    [
        ("ports", {"ports": (Port("smtp", "::1", 25, "Connection refused"),)}, Status.FAIL),
        ("queue", {"queue": Queue(1, NOW - 2 * HOURS)}, Status.NOTICE),
        ("queue", {"queue": Queue(1, NOW - 9 * HOURS)}, Status.FAIL),
        ("queue", {"queue": Queue(why="the store does not answer")}, Status.NOT_TESTED),
        ("disk", {"disk": Disk("/", 1 << 30, 100 << 30)}, Status.NOTICE),
        ("disk", {"disk": Disk("/", 1 << 20, 100 << 30)}, Status.FAIL),
        ("disk", {"disk": Disk("/", 50 << 30, 100 << 30, 1, 1000)}, Status.FAIL),
        ("clock", {"clock": Clock(False)}, Status.NOTICE),
        ("clock", {"clock": Clock(True, 9.0)}, Status.NOTICE),
        ("clock", {"clock": None}, Status.NOT_TESTED),
        ("tlsa", {"records": Records(Security.BOGUS, why="a signature ended")}, Status.FAIL),
        ("tlsa", {"records": Records(Security.SECURE)}, Status.NOTICE),
        ("timers", {"jobs": (Job("tlsa", "failed", NOW, 3, "no token"),)}, Status.FAIL),
        ("timers", {"jobs": (Job("tlsa", "findings", NOW, 1, "look"),)}, Status.NOTICE),
        ("timers", {"jobs": (Job("tlsa", "later", NOW, 1),)}, Status.GOOD),
        ("timers", {"jobs": (Job("tlsa", "later", NOW, 3),)}, Status.NOTICE),
        ("timers", {"jobs": (Job("tlsa", "ok", NOW - 90 * HOURS, 0),)}, Status.NOTICE),
        ("timers", {"damaged": ("dkim",)}, Status.NOTICE),
        ("backups", {"backup": Backup("/b", NOW - 30 * HOURS)}, Status.FAIL),
        ("backups", {"backup": Backup("/b")}, Status.FAIL),
        ("log", {"log": Log("x", ("certificate.failed host=a",))}, Status.NOTICE),
        ("log", {"log": Log("x", ("smtp.bug why=b", "certificate.failed"))}, Status.FAIL),
        ("log", {"log": Log("x", why="no journal")}, Status.NOT_TESTED),
        ("outward", {"outward": ()}, Status.NOT_TESTED),
        ("outward", {"outward": (Outward("a", "192.0.2.1", 4, "220 a"),)}, Status.GOOD),
        ("outward", {"outward": (Outward("a", "192.0.2.1", 4, error="no answer"), Outward("b", "192.0.2.2", 4, "220 b"))}, Status.GOOD),
        ("outward", {"outward": (Outward("a", "192.0.2.1", 4, error="no answer"),)}, Status.FAIL),
        ("outward", {"outward": (Outward("a", "192.0.2.1", 4, "220 a"), Outward("a", "2001:db8::1", 6, error="no answer"))}, Status.FAIL),
        ("outward", {"outward": (Outward("a", "192.0.2.1", 4, "220 a"), Outward("a", "2001:db8::1", 6, error="no way", away=True))}, Status.GOOD),
        ("outward", {"outward": (Outward("a", "", 0, error="not known", away=True),)}, Status.NOT_TESTED),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(name: str, change: dict[str, object], wanted: Status) -> None:
    assert status(replace(WELL, **change), name) is wanted  # type: ignore[arg-type]


def test_the_certificate_and_its_records_are_compared(tmp_path: Path) -> None:
    chain = from_pem(Pki(tmp_path).issue([HOST]).write(tmp_path, "c")[0].read_bytes(), "a test")
    shown = replace(WELL, ports=(Port("smtp", "::1", 25, chain=chain),))
    right, wrong = spki_association(chain.spki), spki_association(b"another key")
    assert status(shown, "certificate") is Status.GOOD
    assert status(replace(shown, host="other.example.org"), "certificate") is Status.FAIL
    assert status(replace(shown, now=chain.not_after - timedelta(days=2)), "certificate") is Status.FAIL
    assert status(replace(shown, now=chain.not_after - timedelta(days=12)), "certificate") is Status.NOTICE
    for records, wanted in (((wrong, right), Status.GOOD), ((wrong,), Status.FAIL)):
        assert status(replace(shown, records=Records(Security.SECURE, records)), "tlsa") is wanted
    assert status(replace(shown, records=Records(Security.INSECURE, (right,))), "tlsa") is Status.NOTICE


def test_what_timers_leave_is_read_and_what_nobody_wrote_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "timers"
    folder.mkdir()
    outcome = {"job": "tlsa", "state": "ok", "finished": NOW.isoformat(), "failures": 0, "text": "\x1b[31m"}
    (folder / "tlsa.json").write_text(json.dumps(outcome))
    (folder / "tlsa.told.json").write_text("{}")
    (folder / "health.json").write_text("{}")
    for name, text in (("list", "[]"), ("cut", '{"job": '), ("when", json.dumps({**outcome, "finished": "now"}))):
        (folder / f"{name}.json").write_text(text)
    jobs, damaged = host.jobs(tmp_path)
    assert [(job.name, job.text) for job in jobs] == [("tlsa", "\\x1b[31m")]
    assert damaged == ("cut", "list", "when")


def test_the_log_tells_of_trouble_of_the_last_day_only(tmp_path: Path) -> None:
    path = tmp_path / "log"
    lines = [(1, "smtp.bug"), (50, "smtp.bug"), (1, "mail.received"), (1, "smtp.login_failed"), (2, "store.failed")]
    path.write_text(
        "".join(
            json.dumps({"time": (NOW - hours * HOURS).isoformat(), "event": event}) + "\n" for hours, event in lines
        )
    )
    assert [json.loads(line)["event"] for line in host.log(path, NOW).lines] == ["smtp.bug", "store.failed"]
    assert host.log(tmp_path / "none", NOW).why
