"""The house as it is gathered: from the configuration, from keys and ledgers on a real disk, and from this machine's interfaces."""

from __future__ import annotations

import ipaddress
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dnsops.base import versioned
from dnsops.base.errors import ForUser
from dnsops.base.log import Log
from dnsops.base.moment import Moment
from dnsops.base.settings import load
from dnsops.base.settings.model import Settings
from dnsops.certs.chain import spki_association
from dnsops.certs.generations import Generations
from dnsops.dkim.keys import Keys
from dnsops.dkim.ring import Role
from dnsops.reconcile.interfaces import global_addresses
from dnsops.reconcile.ledgers import Ledgers
from dnsops.reconcile.wanted import acme_facts, gather
from dnsops.records import names
from dnsops.records.tlsa import Tlsa
from dnsops.rollover.ledger import Ledger
from dnsops.rollover.machine import Life, Phase, Stage
from dnsops.wanted.house import AcmeFacts, Service
from dnsops.wanted.union import wanted

NOW = datetime(2026, 11, 26, tzinfo=UTC)
LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
URI = "https://acme-v02.api.letsencrypt.org/acme/acct/7"


def settings(tmp_path: Path, more: str = "") -> Settings:
    path = tmp_path / "m.yml"
    path.write_text(f"hostname: mx1.example.org\ndomains: [example.org]\n{more}\n", encoding="utf-8")
    return load(path, names.host)


def account(state: Path, folder: str, directory: str, **more: object) -> Path:
    path = state / "acme" / folder / "account.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(versioned.write(1, directory=directory, uri=URI, contact="", key="secret", **more))
    return path


def test_with_nothing_on_disk_there_is_a_house_all_the_same(tmp_path: Path) -> None:
    house = gather(settings(tmp_path), tmp_path / "none", lambda: ())
    assert (house.hostname, house.domains, house.addresses) == ("mx1.example.org", ("example.org",), ())
    assert (house.signings, house.tlsa, house.zones) == ((), (), None)
    assert house.services == tuple(map(Service, ("submissions", "submission", "imaps", "imap"), (465, 587, 993, 143)))
    assert any(finding.trouble for finding in wanted(house).findings)


def test_keys_are_found_with_what_they_are_for(tmp_path: Path) -> None:
    keys, generations = Keys(tmp_path / "dkim"), Generations(tmp_path / "certs")
    keys.make_next("example.org", ("ed25519",), NOW)
    keys.promote("example.org", NOW)
    keys.make_next("example.org", ("rsa", "ed25519"), NOW)
    coming = generations.make_next("mx1.example.org")
    house = gather(settings(tmp_path), tmp_path, lambda: ())
    assert [(one.role, one.selector.algorithm) for one in house.signings] == [
        (Role.CURRENT, "ed25519"), (Role.NEXT, "rsa"), (Role.NEXT, "ed25519"),
    ]  # fmt: skip
    record = spki_association(coming.spki)
    assert {(one.port, one.record, one.coming) for one in house.tlsa} == {
        (port, record, True) for port in (25, 465, 993)
    }


def test_other_forms_and_ports_of_the_target_are_followed(tmp_path: Path) -> None:
    coming = Generations(tmp_path / "certs").make_next("mx1.example.org")
    more = "records: {tlsa_ports: [993]}\ntlsa: {targets: [{host: mx1.example.org, ports: [25], forms: [3 1 1, 3 1 2, 2 1 1]}]}"
    found = gather(settings(tmp_path, more), tmp_path, lambda: ()).tlsa
    one, two = spki_association(coming.spki), spki_association(coming.spki, 3, 2)
    assert [(a.port, a.record) for a in found] == [(25, one), (25, two), (993, one)]


def test_for_a_certificate_from_elsewhere_the_ledger_tells(tmp_path: Path) -> None:
    """What the TLSA story keeps; not what it is taking away."""
    kept, leaving = Tlsa(3, 1, 1, bytes(32)), Tlsa(3, 1, 1, bytes([1]) * 32)
    since = Moment(NOW, "boot", 1.0)
    stages = {kept: Stage(Phase.RIPE, since), leaving: Stage(Phase.RETIRING, since)}
    Ledgers(tmp_path / "tlsa", Log()).save(Ledger("_25._tcp.mx1.example.org", Life(stages, timedelta(seconds=300))))
    found = gather(settings(tmp_path), tmp_path, lambda: ()).tlsa
    assert [(one.port, one.record) for one in found] == [(25, kept)]


@pytest.mark.parametrize(
    "more, facts",
    [
        ("", AcmeFacts(("letsencrypt.org",), URI, ("http-01",))),
        ("dns: {provider: zonefile, path: z}", AcmeFacts(("letsencrypt.org",), URI, ("dns-01",))),
        ("acme: {challenge: tls-alpn-01, contact: a@b.example, names: ['*.Example.org'], persist: true}",
         AcmeFacts(("letsencrypt.org",), URI, ("tls-alpn-01",), ("*.example.org",), "a@b.example", True)),
        ("acme: {directory: 'https://ca.example.net/acme'}", AcmeFacts((), "", ("http-01",))),
        ("acme: {directory: 'https://other.example.net/acme'}", AcmeFacts(("ca.example", "ca2.example"), URI, ("http-01",))),
        ("acme: {issue: false, contact: a@b.example}", AcmeFacts(contact="a@b.example")),
        ("tls: {certificate: c.pem, key: k.pem}", AcmeFacts()),
    ],
)  # fmt: skip
def test_who_issues(tmp_path: Path, more: str, facts: AcmeFacts) -> None:
    account(tmp_path, "a", LETS_ENCRYPT)
    account(tmp_path, "b", "https://other.example.net/acme", identities=["ca.example", "CA2.example"])
    assert acme_facts(tmp_path, settings(tmp_path, more)) == facts


def test_the_accounts_key_goes_nowhere(tmp_path: Path) -> None:
    account(tmp_path, "a", LETS_ENCRYPT)
    assert "secret" not in repr(gather(settings(tmp_path), tmp_path, lambda: ()))


@pytest.mark.parametrize("data", [b"", b"{", b'{"version": 2}', b'{"version": 1, "uri": "x"}', b"[]"])
def test_a_damaged_account_is_for_a_person(tmp_path: Path, data: bytes) -> None:
    """Records without its URI would take the right ones away."""
    account(tmp_path, "a", LETS_ENCRYPT).write_bytes(data)
    with pytest.raises(ForUser, match="is damaged"):
        acme_facts(tmp_path, settings(tmp_path))


@pytest.mark.parametrize(
    "more, dmarc, tls",
    [
        ("", "", ""),
        ("records: {reports_to: r@example.org}", "r@example.org", "r@example.org"),
        ("reports: {addresses: {dmarc: d@example.org}}", "d@example.org", ""),
        (
            "records: {reports_to: r@example.org}\nreports: {addresses: {tls: t@example.org}}",
            "r@example.org",
            "r@example.org",
        ),
    ],
)
def test_where_reports_go(tmp_path: Path, more: str, dmarc: str, tls: str) -> None:
    house = gather(settings(tmp_path, more), tmp_path, lambda: ())
    assert (house.dmarc_to, house.tls_to) == (dmarc, tls)


@pytest.mark.parametrize(
    "more, labels",
    [
        ("listeners: {imap: {enabled: false}, submission: {bind: [127.0.0.1, '::1']}}", {"imaps", "submissions"}),
        ("listeners: {imaps: {port: 1993}}", {"imaps", "submissions", "imap", "submission"}),
    ],
)
def test_services_that_others_can_reach(tmp_path: Path, more: str, labels: set[str]) -> None:
    assert {one.label for one in gather(settings(tmp_path, more), tmp_path, lambda: ()).services} == labels


def test_addresses_are_those_written_down_else_those_found(tmp_path: Path) -> None:
    written = gather(settings(tmp_path, "records: {addresses: [192.0.2.1]}"), tmp_path, lambda: ("192.0.2.2",))
    assert (written.addresses, written.detected) == (("192.0.2.1",), False)
    found = gather(settings(tmp_path, "queue: {bind: [192.0.2.2, '2001:db8::1']}"), tmp_path, lambda: ("192.0.2.2",))
    assert (found.addresses, found.detected, found.sources) == (("192.0.2.2",), True, ("2001:db8::1",))


def test_a_relay_is_known(tmp_path: Path) -> None:
    assert gather(settings(tmp_path, "queue: {next_hop: relay.example.net}"), tmp_path, lambda: ()).relay
    assert not gather(settings(tmp_path, "queue: {next_hop: local}"), tmp_path, lambda: ()).relay


def test_addresses_of_this_machine_are_global_or_none() -> None:
    found = global_addresses()
    assert all(ipaddress.ip_address(address).is_global for address in found)
    assert len({ipaddress.ip_address(address).version for address in found}) == len(found)


ALONE = """
set -e
ip link set lo up
ip addr add 8.8.9.9/32 dev lo
ip -6 addr add 2a00:1450::9/128 dev lo
ip route add default dev lo src 8.8.9.9
ip -6 route add default dev lo
sent() { awk '$1 == "lo:" {print $11}' /proc/self/net/dev; }
before=$(sent)
"$0" -c 'from dnsops.reconcile.interfaces import global_addresses; print(*global_addresses())'
echo $(($(sent) - before))
"""


@pytest.mark.lab
@pytest.mark.skipif(os.geteuid() != 0, reason="adds addresses to a network namespace of its own")
def test_addresses_are_found_without_sending_anything() -> None:
    """In a namespace whose every route leads to one interface, which counts what is sent."""
    words = ["unshare", "-n", "bash", "-c", ALONE, sys.executable]
    said = subprocess.run(words, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    assert said.stdout.split() == ["8.8.9.9", "2a00:1450::9", "0"]


def test_the_house_says_the_same_each_time(tmp_path: Path) -> None:
    Keys(tmp_path / "dkim").make_next("example.org", ("ed25519",), NOW)
    Generations(tmp_path / "certs").make_next("mx1.example.org")
    first, second = (wanted(gather(settings(tmp_path), tmp_path, lambda: ("192.0.2.1",))) for _ in range(2))
    assert first == second
    assert replace(first, findings=()) == replace(second, findings=())
