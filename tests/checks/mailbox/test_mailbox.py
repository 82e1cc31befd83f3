"""A mailbox over IMAP: what a visit showed, judged; and a real one."""

from __future__ import annotations

import imaplib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from checks.catalogue.ourselves import MAILBOX
from checks.finding import Status
from checks.mailbox.judging import Visit, judge
from tests.checks.commands.asked import check
from tests.lab.mailserver import MailServer

ALL = frozenset({"IMAP4REV1", "IDLE", "UIDPLUS", "MOVE", "SPECIAL-USE"})
GOOD = Visit(datetime(2026, 11, 27, tzinfo=UTC), "alice@mail.test", tls="TLSv1.3", capabilities=ALL, put="", removed="")


def test_a_mailbox_that_works_has_no_finding() -> None:
    found = judge(GOOD).findings
    assert {one.id for one in found} == {one.id for one in MAILBOX}
    assert {one.right for one in found} == {Status.GOOD}


@pytest.mark.parametrize(
    "name, change, wanted",
    [
        ("login", {"why": "NO"}, Status.FAIL),
        ("login", {"untold": "no account"}, Status.NOT_TESTED),
        ("put", {"why": "NO"}, Status.NOT_TESTED),
        ("tls", {"tls": ""}, Status.FAIL),
        ("tls", {"tls": "TLSv1.1"}, Status.NOTICE),
        ("capability", {"capabilities": frozenset({"ACL"})}, Status.FAIL),
        ("capability", {"capabilities": ALL - {"IDLE"}}, Status.NOTICE),
        ("capability", {"capabilities": frozenset({"IMAP4REV2", "SPECIAL-USE"})}, Status.GOOD),
        ("put", {"put": "NO [OVERQUOTA]"}, Status.FAIL),
        ("removed", {"put": "x", "removed": None}, Status.NOT_TESTED),
        ("removed", {"removed": "it is still there"}, Status.FAIL),
    ],
)
def test_what_is_wrong_is_said(name: str, change: dict[str, object], wanted: Status) -> None:
    found = judge(replace(GOOD, **change)).findings  # type: ignore[arg-type]
    assert next(one.right for one in found if one.id == f"mailbox_{name}") is wanted


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with MailServer(tmp_path_factory.mktemp("serve"), checks={"mailbox": True}) as running:
        yield running


def folders(server: MailServer) -> list[object]:
    box: imaplib.IMAP4 = server.imap("alice")
    try:
        return list(box.list()[1])
    finally:
        box.logout()


def test_a_real_mailbox_is_used_and_left_as_it_was(server: MailServer) -> None:
    before = folders(server)
    told = check("mailbox", "--config", server.config, "--json")
    assert told.status == 0, told
    assert {one["status"] for one in told.result["beyond"]} == {"success"}, told.stdout
    assert folders(server) == before


def test_it_is_part_of_health_where_that_is_wanted(server: MailServer) -> None:
    told = check("health", "--config", server.config, "--json", "--no-ask")
    assert told.subtest("mailbox_removed")["status"] == "success"


def test_a_wrong_password_and_a_silent_port_are_told(server: MailServer) -> None:
    wrong = server.directory / "wrong"
    wrong.write_text("not-the-password\n")
    told = check("mailbox", "--config", server.config, "--json", "--password-file", wrong)
    assert told.status == 1
    assert told.subtest("mailbox_login")["status"] == "fail"
    assert "not-the-password" not in told.stdout + told.stderr
    server.stop()
    told = check("mailbox", "--config", server.config, "--json")
    assert "Connect" in json.dumps(told.subtest("mailbox_login")["details"])
    server.start()
