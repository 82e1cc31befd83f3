"""Round trips through a real server: answered, refused, silent, unreadable; and what an answer tells."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.checks.commands.asked import check
from tests.lab.mailserver import DOMAIN, MailServer

ECHO = f"echo@{DOMAIN}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with MailServer(tmp_path_factory.mktemp("serve"), echo={"addresses": [ECHO]}) as running:
        yield running


def test_a_mail_goes_out_and_its_answer_comes_back_in_time(server: MailServer) -> None:
    told = check("echo", ECHO, "--config", server.config, "--json", "--wait", "60")
    assert told.status == 0, told
    assert told.subtest("echo_answered")["status"] == "success"
    assert told.subtest("echo_answered")["details"][0].startswith("after ")
    assert told.subtest("echo_tls")["details"][0].startswith("TLSv1.3")


def test_a_person_reads_the_round_trip(server: MailServer) -> None:
    told = check("echo", ECHO, "--config", server.config, "--details", "--wait", "60", "--account", "bob")
    assert "The answer comes back" in told.stdout
    assert "This is the automatic answer" in told.stdout


@pytest.mark.parametrize(
    "address, words, verdict, said",
    [
        (f"nobody@{DOMAIN}", ("--wait", "2"), "echo_sent", "550"),
        (f"bob@{DOMAIN}", ("--wait", "2"), "echo_answered", "no answer came in time"),
    ],
)
def test_what_goes_wrong_is_told(
    server: MailServer, address: str, words: tuple[str, ...], verdict: str, said: str
) -> None:
    told = check("echo", address, "--config", server.config, "--json", *words)
    assert told.status == 1
    assert said in told.subtest(verdict)["details"][0]


def test_a_wrong_password_is_told_and_never_shown(server: MailServer) -> None:
    wrong = server.directory / "wrong"
    wrong.write_text("not-the-password\n")
    told = check("echo", ECHO, "--config", server.config, "--json", "--password-file", wrong)
    assert told.status == 1
    assert "535" in told.subtest("echo_sent")["details"][0]
    assert "not-the-password" not in told.stdout + told.stderr


def test_a_timer_without_an_address_has_nothing_to_do(server: MailServer) -> None:
    assert check("echo", "--configured", "--config", server.config, "--json").status == 0
    assert check("echo", "--config", server.config).status == 64
