"""Debian's Postfix as a second opinion: careful, an open relay, and with the endings that it took until 2023."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.checks.commands.asked import Told, check
from tests.lab.mailserver import free_ports
from tests.lab.postfix import RECEIVING, Instance, why_not
from tests.lab.program import listening, wait_until

CAREFUL = RECEIVING | {
    "mydestination": "b.test",
    "mynetworks": "192.0.2.0/24",
    "local_recipient_maps": "static:ok",
    "smtpd_forbid_bare_newline": "normalize",
    "smtpd_tls_security_level": "none",
    "allow_percent_hack": "no",
    "swap_bangpath": "no",
}


def asked(folder: Path, **settings: str) -> Told:
    """folder: of the lab, where Postfix may enter."""
    (port,) = free_ports(1, "127.0.0.1")
    services = f"127.0.0.1:{port} inet n - n - - smtpd\n"
    with Instance(folder, "relay", CAREFUL | settings, services):
        wait_until(lambda: listening("127.0.0.1", port), "Postfix")
        words = ("--i-may", "--domain", "b.test", "--address", "127.0.0.1", "--port", port, "--to", "me@b.test")
        return check("relay", "mx1.example.org", *words, "--json", "--no-history")


pytestmark = [pytest.mark.lab, pytest.mark.skipif(bool(why_not()), reason=why_not() or "it can")]


def test_postfix_as_it_should_be(lab: Path) -> None:
    told = asked(lab, local_recipient_maps="inline:{me=ok}")
    for name in ("open", "unknown", "smuggling"):
        assert told.subtest(f"relay_{name}")["status"] == "success", told.subtest(f"relay_{name}")
    assert told.status == 0


def test_postfix_as_an_open_relay(lab: Path) -> None:
    told = asked(lab, mynetworks="127.0.0.0/8", local_recipient_maps="")
    assert told.subtest("relay_open")["status"] == "fail"
    assert told.subtest("relay_unknown")["status"] == "notice"
    assert told.status == 1


def test_postfix_as_it_was_when_messages_were_smuggled(lab: Path) -> None:
    told = asked(lab, smtpd_forbid_bare_newline="no", smtpd_forbid_unauth_pipelining="no")
    found = told.subtest("relay_smuggling")
    assert found["status"] == "fail", found
    assert any(line.startswith("LF . CR LF ends the data") for line in found["details"])
