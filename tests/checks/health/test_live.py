"""A running server is well; a stopped one is not, and the answer says what."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.checks.commands.asked import check
from tests.lab.mailserver import MailServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    folder = tmp_path_factory.mktemp("serve")
    (folder / "backups").mkdir()
    (folder / "backups" / "today.tar").write_text("all of it")
    made = MailServer(folder, checks={"log": str(folder / "serve.log"), "backups": str(folder / "backups")})
    with made as running:
        yield running


def test_a_running_server_is_well(server: MailServer) -> None:
    told = check("health", "--config", server.config, "--json", "--no-ask")
    for name in ("ports", "queue", "certificate", "backups", "log"):
        assert told.subtest(f"health_{name}")["status"] == "success", told.subtest(f"health_{name}")
    assert told.subtest("health_timers")["details"] == ["no job has run here yet"]
    assert told.subtest("health_tlsa")["status"] == "not_tested"


def test_a_stopped_server_is_critical_for_nagios(server: MailServer) -> None:
    server.stop()
    told = check("health", "--config", server.config, "--nagios", "--no-ask")
    assert told.status == 2
    assert told.stdout.startswith("HEALTH CRITICAL")
    assert "smtp" in told.stdout
    server.start()


def test_without_a_configuration_nobody_knows_what_should_be_here() -> None:
    assert check("health", MAILSRV_CONFIG="").status in (64, 78)
