"""Scores and round trips with the real DNS: our own mail as a far receiver sees it, a stranger's as we do."""

from __future__ import annotations

import pytest

from tests.checks.commands.asked import Told, check
from tests.journeys.trust.house import ALICE, ECHO, STRANGER, House, letter
from tests.lab.network import SENDER

pytestmark = pytest.mark.lab


def asked(house: House, *words: object, data: bytes = b"") -> Told:
    state = {"STATE_DIRECTORY": str(house.server.state), "MAILSRV_CONFIG": str(house.server.config)}
    return check(*words, data=data, **state)


def test_what_we_would_send_is_signed_first_and_scored_as_a_far_receiver_would(house: House) -> None:
    state = {"MAILSRV_CONFIG": str(house.server.config), "STATE_DIRECTORY": str(house.shell.state)}
    told = check("deliverability", "--generate", ALICE, "far@nsec.org", "--json", **state)
    assert told.subtest("letter_dkim")["status"] == "success", told.subtest("letter_dkim")
    assert told.subtest("letter_dkim_key")["status"] == "success"


@pytest.mark.parametrize(
    "address, signed, spf, dkim", [(SENDER, True, "success", "success"), (STRANGER, False, "fail", "fail")]
)
def test_a_strangers_message_is_scored_by_where_it_comes_from(
    house: House, address: str, signed: bool, spf: str, dkim: str
) -> None:
    content = letter("nsec.org", "scored", signed=signed)
    told = asked(house, "deliverability", "-", "--address", address, "--json", data=content)
    assert told.subtest("letter_spf")["status"] == spf, told.subtest("letter_spf")
    assert told.subtest("letter_dkim")["status"] == dkim, told.subtest("letter_dkim")


def test_the_echo_of_our_own_house_comes_back(house: House) -> None:
    told = asked(house, "echo", ECHO, "--json", "--wait", "60")
    assert told.subtest("echo_answered")["status"] == "success", told
    assert told.status in (0, 1)


def test_the_house_is_asked_for_its_health(house: House) -> None:
    told = asked(house, "health", "--json")
    assert told.subtest("health_ports")["status"] == "success", told.subtest("health_ports")
    assert told.subtest("health_tlsa")["status"] in ("notice", "fail"), "nobody has published TLSA records for it"
