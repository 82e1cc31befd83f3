"""`mailsrv dns dnssec` beside knot and BIND: what is healthy, what is broken, and what will break next."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.journeys.shell import Shell
from tests.lab.bind import Bind
from tests.lab.dnstree import DnsTree
from tests.lab.network import BIND, PRIMARY


def told(shell: Shell, *words: str) -> tuple[int, dict[str, Any], str]:
    """Exit status, the first result, and every finding's words."""
    done = shell.here("dns", "dnssec", "--json", *words)
    document = json.loads(done.out)
    assert document["status"] == done.status
    findings = [finding for result in document["results"] for finding in result["findings"]]
    return done.status, document["results"][0], " | ".join(finding["what"] for finding in findings)


@pytest.mark.parametrize(
    "zone, status, security, words",
    [
        ("example.org", 0, "secure", ""),
        ("nsec.org", 0, "secure", ""),
        ("org", 0, "secure", ""),
        (".", 0, "secure", ""),
        ("nods.org", 1, "insecure", "its parent has no DS"),
        ("unsigned.org", 0, "insecure", "the zone is not signed"),
        ("expired.org", 1, "bogus", "its signature ended 3.0 days ago"),
    ],
)
def test_each_zone_of_the_tree(
    shell: Shell, dnstree: DnsTree, zone: str, status: int, security: str, words: str
) -> None:
    got, result, findings = told(shell, zone)
    assert (got, result["security"]) == (status, security), findings
    assert words in findings
    assert bool(findings) is bool(words)


@pytest.mark.parametrize(
    "zone, status, words",
    [
        ("bind.org", 0, ()),
        ("late.org", 1, ("its signature ends in 24 h",)),
        ("old.org", 1, ("RSASHA1-NSEC3-SHA1 is too old", "has only SHA-1", "NSEC3 with 12 more iterations")),
        ("stale.org", 1, ("resolvers that validate refuse the zone", "no DNSKEY fits the parent's DS")),
        ("pending.org", 1, ("its parent has no DS", "asks its parent for DS")),
    ],
)
def test_zones_at_bind(shell: Shell, bind: Bind, zone: str, status: int, words: tuple[str, ...]) -> None:
    got, result, findings = told(shell, zone)
    assert got == status, findings
    assert all(word in findings for word in words), findings
    assert result["servers"][0]["address"] == BIND


def test_a_secondary_that_stays_behind_is_named_after_a_second_look(shell: Shell, clean_zone: DnsTree) -> None:
    clean_zone.lag()
    clean_zone.replace("new.example.org", "A", "192.0.2.77", servers=[PRIMARY])
    status, _, findings = told(shell, "example.org")
    assert (status, "ns2.example.org (192.0.2.2) is behind" in findings) == (1, True), findings


def test_a_secondary_that_catches_up_meanwhile_gets_no_word(shell: Shell, clean_zone: DnsTree) -> None:
    clean_zone.lag()
    clean_zone.replace("new.example.org", "A", "192.0.2.77", servers=[PRIMARY])
    clean_zone.follow()
    assert told(shell, "example.org")[0] == 0


def test_a_silent_server_is_named(shell: Shell, clean_zone: DnsTree) -> None:
    clean_zone.secondary.freeze()
    status, _, findings = told(shell, "example.org")
    clean_zone.secondary.thaw()
    assert (status, "ns2.example.org (192.0.2.2) gives no answer: silent" in findings) == (1, True), findings


def test_the_configurations_zones_and_its_tlsa_records(shell: Shell, dnstree: DnsTree) -> None:
    config = shell.home / "mailsrv.yml"
    config.write_text("hostname: mx1.bogus.org\ndomains: [example.org, bogus.org]\n")
    done = shell.here("dns", "dnssec", "--json", "--config", str(config))
    results = {result["name"]: result for result in json.loads(done.out)["results"]}
    assert set(results) == {"example.org", "bogus.org"}
    [finding] = results["bogus.org"]["findings"]
    assert "refuse _25._tcp.mx1.bogus.org TLSA" in finding["what"]


def test_the_timers_job_tells_the_first_trouble(shell: Shell, dnstree: DnsTree) -> None:
    config = shell.home / "mailsrv.yml"
    config.write_text("hostname: mx1.expired.org\ndomains: [expired.org]\n")
    done = shell.here("timers", "run", "dnssec", "--json", "--config", str(config))
    assert done.status == 1
    assert "resolvers that validate refuse the zone" in json.loads(done.out)["text"]


def test_a_person_gets_a_table_and_what_to_do(shell: Shell, dnstree: DnsTree) -> None:
    done = shell.here("dns", "dnssec", "nods.org", "example.org")
    assert done.status == 1
    assert "as it should be; ECDSAP256SHA256; signatures for" in done.out
    assert "! nods.org: the zone is signed, but its parent has no DS" in done.err
    assert "enter DS " in done.err
    assert shell.here("dns", "dnssec").status == 64
    assert shell.here("dns", "dnssec", "ex ample").status == 64
