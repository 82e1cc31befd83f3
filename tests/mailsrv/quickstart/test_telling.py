"""The last page, and what an apply did, in a person's words."""

from __future__ import annotations

from typing import Any

import pytest

from dnsops.base import output
from mailsrv.quickstart import telling
from mailsrv.quickstart.answers import Answers, Credential
from mailsrv.quickstart.finding import fine, trouble, warning
from mailsrv.quickstart.telling import Found, applied, differences, summary, what_now

ANSWERS = Answers(
    "example.org", "mx1.example.org", "cloudflare", Credential(), "you@example.net", "user1", ("192.0.2.25",)
)
FINDINGS = (
    fine("clock", "right"),
    warning("reverse name", "192.0.2.25 has none", "have it set"),
    trouble("existing mail", "goes elsewhere", "move it"),
)


def page(**changes: Any) -> str:
    usual: dict[str, Any] = {
        "config": "/etc/mailsrv/mailsrv.yml",
        "serving": False,
        "systemd": False,
        "applied": True,
        "certified": True,
        "password": "/etc/p",
    }
    return what_now(ANSWERS, FINDINGS, Found(**(usual | changes)))


@pytest.mark.parametrize(
    ("changes", "there", "absent"),
    [
        ({}, "mailsrv serve ", "--"),
        ({"config": "/srv/m/mailsrv.yml"}, "mailsrv serve --config /srv/m/mailsrv.yml", "--start"),
        ({"config": "/srv/m/mailsrv.yml"}, "mailsrv quickstart example.org --output /srv/m ", "--start"),
        ({"systemd": True}, "mailsrv quickstart example.org --start", "mailsrv serve"),
        ({"serving": True}, "mailsrv dns plan", "mailsrv serve"),
        ({"applied": False}, "mailsrv dns records", "mailsrv serve"),
        ({"password": ""}, "password as it was shown", "remove that file"),
        ({}, "password in /etc/p: read it, then remove that file", "as it was shown"),
        ({}, "reverse name: 192.0.2.25 has none - have it set", "existing mail"),
    ],
)
def test_the_last_page_says_what_is_left(changes: dict[str, Any], there: str, absent: str) -> None:
    text = page(**changes)
    assert there in text
    assert absent not in text
    assert "port 993, TLS" in text


ZONE = {"zone": "example.org", "why": "every record is in place", "done": [], "seen": [], "findings": []}
SEEN, UNSEEN = {"everywhere": True, "why": ""}, {"everywhere": False, "why": "ns2 lags"}


@pytest.mark.parametrize(
    ("document", "lines"),
    [
        ({"results": [ZONE]}, ["example.org: every record is in place"]),
        (
            {"results": [ZONE | {"done": [{}, {}], "seen": [SEEN, SEEN]}]},
            ["example.org: 2 changes, seen at every name server, and validated"],
        ),
        (
            {"results": [ZONE | {"done": [{}, {}], "seen": [SEEN, UNSEEN]}]},
            ["example.org: 2 changes, 1 of 2 not seen everywhere yet"],
        ),
        (
            {"results": [ZONE | {"findings": [{"what": "changed meanwhile", "advice": "look"}]}]},
            ["example.org: every record is in place", "  changed meanwhile - look"],
        ),
        ({"results": [], "keys": {"dkim": {"results": [{"action": "wait"}]}, "tlsa": None}}, ["DKIM: wait"]),
        ({"results": [], "keys": {"other": {"results": [{"action": "wait"}]}}}, []),
        ({"results": "x", "keys": []}, []),
        ([], []),
        (None, []),
    ],
)
def test_an_apply_is_told_in_a_few_lines(document: Any, lines: list[str]) -> None:
    assert list(applied(document)) == lines


def test_the_usual_place_is_the_commands_own() -> None:
    assert telling.DEFAULT_CONFIG == output.DEFAULT_CONFIG


def test_only_what_was_asked_for_can_differ() -> None:
    assert differences({"account": "", "hostname": "a"}, {"hostname": "a", "account": "x"}) == []
    assert differences({"hostname": "b", "contact": "c"}, {"hostname": "a"}) == [
        ("hostname", "a", "b"),
        ("contact", "", "c"),
    ]


def test_the_summary_has_no_secret() -> None:
    assert ("first account", "user1, user1@example.org") in summary(ANSWERS)
