"""A running server is well; a stopped one is not, and the answer says what."""

from __future__ import annotations

import json
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


def test_all_of_our_own_domains_has_the_host_and_its_server_too(server: MailServer) -> None:
    told = check("all", "--config", server.config, "--json", "--resolver", "127.0.0.1@9")
    found = {one["id"]: one for result in json.loads(told.stdout)["results"] for one in result.get("beyond", [])}
    assert found["health_ports"]["status"] == "success"
    assert found["relay_open"]["status"] == found["relay_smuggling"]["status"] == "success"
    kinds = check("history", "--config", server.config, "--json")
    assert {"health", "relay"} <= {one["kind"] for one in json.loads(kinds.stdout)}
    none = check("all", "--config", server.config, "--json", "--resolver", "127.0.0.1@9", "--no-host")
    assert len(json.loads(none.stdout)["results"]) == 1


def test_what_changed_of_the_host_since_yesterday_is_told(server: MailServer) -> None:
    check("health", "--config", server.config, "--json", "--no-ask")
    again = check("health", "--config", server.config, "--json", "--no-ask")
    assert again.result["since"] is not None
    assert check("health", "--config", server.config, "--json", "--no-ask", "--no-history").result["since"] is None


def test_a_stopped_server_is_critical_for_nagios(server: MailServer) -> None:
    server.stop()
    told = check("health", "--config", server.config, "--nagios", "--no-ask")
    assert told.status == 2
    assert told.stdout.startswith("HEALTH CRITICAL")
    assert "smtp" in told.stdout
    server.start()


def test_without_a_configuration_nobody_knows_what_should_be_here() -> None:
    assert check("health", MAILSRV_CONFIG="").status in (64, 78)
