"""The table of jobs, and what the configuration may change in it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dnsops.base.errors import Misconfigured, Misused
from dnsops.base.settings import Settings
from timers.table import JOBS, adjusted, find


def test_every_job_is_said_once_and_whole() -> None:
    assert len({job.name for job in JOBS}) == len(JOBS)
    for job in JOBS:
        assert job.name.replace("-", "_").isidentifier(), "it becomes a file name and a unit's name"
        assert job.what
        assert not job.what.endswith(".")
        assert timedelta(0) <= job.jitter < job.every
        assert timedelta(0) < job.timeout < job.every


def test_tlsa_keeps_the_times_of_the_article() -> None:
    tlsa = find(JOBS, "tlsa")
    assert (tlsa.after_boot, tlsa.every) == (timedelta(minutes=2), timedelta(minutes=5))
    assert tlsa.command == ("tlsa", "reconcile", "--json")


def test_reports_look_every_hour_whose_time_has_come() -> None:
    reports = find(JOBS, "reports")
    assert reports.command == ("report", "send", "--json")
    assert reports.every == timedelta(hours=1)
    assert not reports.credentials


def test_certificates_are_looked_after_every_hour() -> None:
    job = find(JOBS, "certificate")
    assert job.command == ("cert", "issue", "--json")
    assert job.every == timedelta(hours=1)
    assert {"dns.token", "acme.eab"} <= set(job.credentials)


def test_a_backup_is_taken_every_day_and_proven_every_week() -> None:
    backup, proof = find(JOBS, "backup"), find(JOBS, "backup-proof")
    assert (backup.every, proof.every) == (timedelta(days=1), timedelta(days=7))
    assert backup.keeps
    assert proof.keeps
    assert "--configured" in backup.command
    assert {"--restore", "--configured"} <= set(proof.command)


def test_an_unknown_job_gets_the_near_miss() -> None:
    with pytest.raises(Misused, match="did you mean tlsa"):
        find(JOBS, "tsla")
    settings = Settings.model_validate({"hostname": "a.example.org", "timers": {"jobs": {"tslsa": {}}}})
    with pytest.raises(Misconfigured, match=r"timers.jobs.tslsa: there is no such job - did you mean tlsa\?"):
        adjusted(JOBS, settings)


def test_the_configuration_changes_only_what_it_names() -> None:
    wish = {"tlsa": {"every": "1h 30min", "jitter": 0, "enabled": False}}
    settings = Settings.model_validate({"hostname": "a.example.org", "timers": {"jobs": wish}})
    tlsa = find(adjusted(JOBS, settings), "tlsa")
    assert (tlsa.every, tlsa.jitter, tlsa.enabled) == (timedelta(minutes=90), timedelta(0), False)
    assert tlsa.after_boot == timedelta(minutes=2)
    assert adjusted(JOBS, None) == JOBS
