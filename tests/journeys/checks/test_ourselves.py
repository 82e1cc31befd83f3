"""A domain that `mailsrv quickstart` built and `mailsrv serve` serves has 100 % in every category, and our own column is green.

Beside what we build stand here what others owe: an IPv6 address of the second name server, reverse names, routing data, and an
authority without RSA keys of 2048 bits (pebble's are; that is a notice by the tables of internet.nl, without a loss of points).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from dnsops.certs.generations import Generations
from tests.journeys.quickstart.conftest import DOMAIN, ELSEWHERE, HOST, NewMachine, emptied
from tests.journeys.quickstart.test_start import served, settled
from tests.journeys.shell import Shell
from tests.lab.acme import Pebble
from tests.lab.cloudflare_api import CloudflareApi
from tests.lab.dnstree import DnsTree
from tests.lab.mx import Mx
from tests.lab.network import LOCAL_RESOLVER, MX, MX6, PRIMARY, SECONDARY6
from tests.lab.pki import Pki
from tests.lab.routes import Routes

CATEGORIES = ("ipv6", "dnssec", "auth", "tls", "rpki")
ISSUERS = "records:\n  caa_issuers: [pebble.letsencrypt.org]\n"  # pebble's directory names none


@pytest.fixture
def routes() -> Iterator[Routes]:
    with Routes() as told:
        yield told


@pytest.fixture
def dns(clean_zone: DnsTree) -> Iterator[DnsTree]:
    """What the lab's zone lacks for the whole hundred."""
    clean_zone.replace("ns2.example.org", "AAAA", SECONDARY6)
    clean_zone.restart_resolver(clean_zone.cache, {MX: HOST, MX6: HOST})
    yield clean_zone
    clean_zone.restart_resolver(clean_zone.cache, {})


@pytest.fixture
def machine(
    shell: Shell, pebble: Pebble, mx: Mx, pki: Pki, cloudflare: CloudflareApi, dns: DnsTree
) -> Iterator[NewMachine]:
    """Built, and served."""
    emptied(cloudflare)
    mx.listen(ELSEWHERE, 25, pki.issue(["mx.elsewhere.example"]))
    new = NewMachine(shell, pebble)
    assert new.quickstart("--yes", "--json").status == 0
    new.config.write_text(new.config.read_text().replace("records:\n", ISSUERS))
    certified(new.state, pki)
    with served(new):
        assert new.quickstart("--yes", "--json").status == 0
        settled(new)
        yield new


def certified(state: Path, pki: Pki) -> None:
    """The same key, by an authority with a P-256 key."""
    kept = Generations(state / "certs").current(HOST)
    assert kept
    assert kept.chain
    key = load_pem_private_key(kept.key_path.read_bytes(), None)
    assert isinstance(key, EllipticCurvePrivateKey)
    kept.chain_path.write_bytes(pki.issue(kept.chain.names, key).chain)


def statuses(found: dict[str, Any], column: str) -> dict[str, str]:
    """Each finding's, of one column."""
    subtests = [pair for category in found["categories"].values() for pair in category["subtests"].items()]
    return {name: one[column] for name, one in [*subtests, *((one["id"], one) for one in found["beyond"])]}


def test_our_own_server_has_a_hundred_percent_and_is_green(
    machine: NewMachine, routes: Routes, pki: Pki, dns: DnsTree
) -> None:
    words = ["check", "mail", DOMAIN, "--strict", "--no-history", "--local", "--resolver", LOCAL_RESOLVER]
    words += ["--ca", str(pki.ca), "--config", str(machine.config)]
    done = machine.shell.here(*words, *routes.options, "--json")
    (found,) = json.loads(done.out)["results"]
    assert {name: found["categories"][name]["percent"] for name in CATEGORIES} == dict.fromkeys(CATEGORIES, 100)
    assert found["score"] == 100
    for column in ("status", "strict"):
        told = {name: status for name, status in statuses(found, column).items() if status != "success"}
        assert told == {"blocklists": "not_tested"}, column  # none is named, and that is a person's choice
    assert done.status == 0
    without = machine.shell.here(*words)
    assert (without.status, without.out.split()[:3]) == (0, [DOMAIN, "100", "%"])
    spoilt(machine, words, dns)


def spoilt(machine: NewMachine, words: list[str], tree: DnsTree) -> None:
    """A record is taken away, a strange one comes, and the second server does not follow: each is told with its fix."""
    tree.replace(f"_smtp._tls.{DOMAIN}", "TXT")  # at both, for nobody knows which of them the resolver asks
    tree.lag()
    try:
        tree.replace(DOMAIN, "MX", f"10 {HOST}.", "5 mx.elsewhere.example.", servers=(PRIMARY,))
        done = machine.shell.here(*words, "--json")
    finally:
        tree.follow()
    (found,) = json.loads(done.out)["results"]
    told = [
        (one["host"], line, one["fix"])
        for one in found["beyond"]
        if one["id"] == "own_records"
        for line in one["details"]
    ]
    assert any("missing" in line and "TLSRPTv1" in fix for place, line, fix in told), told
    assert any(place == f"{DOMAIN} MX" and "unlike the resolver" in line for place, line, fix in told), told
    (zone,) = (one for one in found["beyond"] if (one["id"], one["host"]) == ("zone_servers", DOMAIN))
    assert zone["strict"] == "fail"
    assert any("is behind: serial" in line for line in zone["details"])
