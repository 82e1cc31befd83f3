"""What the DNS says decides what may be touched: bogus, unsigned, silent, lagging, aliased, wild, many."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.journeys.mailhost import MailHost
from tests.journeys.shell import HOST, OWNER, Done, Shell
from tests.journeys.test_tlsa_through import BOTH, until
from tests.lab.cloudflare_api import CloudflareApi
from tests.lab.dnstree import DnsTree
from tests.lab.mx import Mx
from tests.lab.network import MX, MX2, MX6, PRIMARY, SECONDARY
from tests.lab.pki import Pki
from tests.lab.zones import NOBODY

RECONCILE = ("tlsa", "reconcile", "--json")


@pytest.mark.parametrize("zone", ["bogus.org", "expired.org", "missig.org"])
def test_bogus_is_exit_75_and_the_zone_is_untouched(
    zone: str, shell: Shell, cloudflare: CloudflareApi, dnstree: DnsTree, mail_host: MailHost
) -> None:
    before = dnstree.axfr(zone)
    credentials = mail_host.issue(zone, f"mx1.{zone}")
    source = ["--host", f"mx1.{zone}", "--source", shell.certificate(credentials)]
    key = ["--tsig-key", str(dnstree.tsig_file)]
    for provider in (["cloudflare"], [f"rfc2136:{PRIMARY}", *key]):
        done = shell.here(*RECONCILE, *source, "--provider", *provider)
        assert (done.status, done.action) == (75, "later")
        assert f"_25._tcp.mx1.{zone} TLSA: DNSSEC says that this answer is forged or broken" in done.findings
        assert f"mailsrv ask _25._tcp.mx1.{zone} TLSA" in done.findings
    assert dnstree.axfr(zone) == before
    assert list(cloudflare.log) == []
    assert list(shell.state.rglob("*.json")) == []


def test_bogus_said_to_a_person_by_a_process_of_its_own(shell: Shell, dnstree: DnsTree, mail_host: MailHost) -> None:
    source = shell.certificate(mail_host.issue("bogus", "mx1.bogus.org"))
    done = shell.child("tlsa", "reconcile", "--host", "mx1.bogus.org", "--source", source)
    assert done.status == 75
    assert "nothing was touched" in done.out


@pytest.mark.parametrize("zone", ["nods.org", "unsigned.org"])
def test_without_dnssec_it_says_that_tlsa_does_nothing_there(
    zone: str, shell: Shell, dnstree: DnsTree, mail_host: MailHost
) -> None:
    before = dnstree.axfr(zone)
    words = [*RECONCILE, "--host", f"mx1.{zone}", "--provider", f"rfc2136:{PRIMARY}"]
    words += ["--tsig-key", str(dnstree.tsig_file)]
    words += ["--source", shell.certificate(mail_host.issue("old", HOST, f"mx1.{zone}"))]
    done = shell.here(*words)
    assert (done.status, done.action) == (1, "refuse")
    assert "the zone is not signed with DNSSEC, and there TLSA does nothing" in done.findings
    assert dnstree.axfr(zone) == before
    assert list(shell.state.rglob("*.json")) == []


def test_a_person_may_insist_on_publishing_in_an_unsigned_zone(
    shell: Shell, dnstree: DnsTree, mail_host: MailHost
) -> None:
    owner = "_25._tcp.mx1.nods.org"
    words = [*RECONCILE, "--host", "mx1.nods.org", "--provider", f"rfc2136:{PRIMARY}", "--allow-insecure"]
    words += ["--tsig-key", str(dnstree.tsig_file)]
    words += ["--source", shell.certificate(mail_host.issue("insisting", "mx1.nods.org"))]
    mail_host.serve("insisting")
    try:
        assert shell.here(*words).action == "publish"
        dnstree.wait_for(owner, "TLSA", {NOBODY, mail_host.issue("insisting").association}, [PRIMARY])
    finally:
        dnstree.replace(owner, "TLSA", NOBODY)


@contextmanager
def silent(program: object) -> Iterator[None]:
    program.freeze()  # type: ignore[attr-defined]
    try:
        yield
    finally:
        program.thaw()  # type: ignore[attr-defined]


def test_when_all_authorities_are_silent_it_ends_soon_with_75(
    shell: Shell, rfc2136: tuple[str, ...], dnstree: DnsTree, mail_host: MailHost
) -> None:
    before = dnstree.axfr("example.org")
    words = [*RECONCILE, "--host", HOST, *rfc2136, "--source", shell.certificate(mail_host.issue("old"))]
    begin = time.monotonic()
    with silent(dnstree.primary), silent(dnstree.secondary):
        done = shell.here(*words)
    assert (done.status, done.action) == (75, "later")
    assert time.monotonic() - begin < 30  # bounded: the deadline of each question, not of the network
    assert "there was no answer" in done.findings
    assert dnstree.axfr("example.org") == before


def test_a_silent_secondary_stops_removals_and_never_additions(
    shell: Shell, cloudflare: CloudflareApi, dnstree: DnsTree, mail_host: MailHost
) -> None:
    words = [*RECONCILE, "--host", HOST, "--provider", "cloudflare", "--ttl", "60"]
    shell.here(*words, "--source", shell.certificate(mail_host.issue("old")))
    new = [*words, "--source", shell.certificate(mail_host.issue("new"), "renewed")]
    mail_host.serve("new")
    both = {mail_host.issue(name).association for name in ("old", "new")}
    dnstree.secondary.stop()
    try:
        done = shell.here(*new)
        assert (done.status, done.action) == (1, "publish")
        assert f"silent name servers: ns2.example.org ({SECONDARY})" in done.findings
        dnstree.wait_for(OWNER, "TLSA", both, [PRIMARY])
        time.sleep(2.5)
        assert [shell.here(*new).action for _ in range(2)] == ["wait"] * 2
        assert dnstree.texts(OWNER, "TLSA", PRIMARY) == both
    finally:
        dnstree.start_secondary()
        dnstree.follow()
    dnstree.wait_for(OWNER, "TLSA", both, BOTH)
    until("prune", lambda: shell.here(*new))


def test_a_lagging_secondary_is_waited_for(
    shell: Shell, cloudflare: CloudflareApi, dnstree: DnsTree, mail_host: MailHost
) -> None:
    words = [*RECONCILE, "--host", HOST, "--provider", "cloudflare", "--ttl", "60"]
    shell.here(*words, "--source", shell.certificate(mail_host.issue("old")))
    dnstree.wait_for(OWNER, "TLSA", {mail_host.issue("old").association}, BOTH)
    mail_host.serve("new")
    new = [*words, "--source", shell.certificate(mail_host.issue("new"), "renewed")]
    dnstree.lag()
    assert shell.here(*new).action == "publish"
    time.sleep(2.5)
    for _ in range(2):
        done = shell.here(*new)
        assert (done.status, done.action) == (0, "wait")
        assert done.document["results"][0]["records"][mail_host.issue("new").association]["phase"] == "asked"
    both = {mail_host.issue(name).association for name in ("old", "new")}
    assert dnstree.texts(OWNER, "TLSA", PRIMARY) == both
    dnstree.follow()
    dnstree.wait_for(OWNER, "TLSA", both, BOTH)
    until("prune", lambda: shell.here(*new))


def test_records_that_are_not_ours_are_left_alone_and_reported(
    shell: Shell, cloudflare: CloudflareApi, dnstree: DnsTree, mail_host: MailHost
) -> None:
    backup, authority, third = "3 1 1 " + "ca" * 32, "2 1 1 " + "fe" * 32, "3 0 2 " + "0d" * 64
    for text in (backup, authority, third):
        usage, selector, matching, digits = text.split()
        data = {"usage": int(usage), "selector": int(selector), "matching_type": int(matching), "certificate": digits}
        cloudflare.edit("example.org", "TLSA", OWNER, data=data, ttl=60, comment="by hand")
    words = [*RECONCILE, "--host", HOST, "--provider", "cloudflare", "--ttl", "60"]
    done = shell.here(*words, "--source", shell.certificate(mail_host.issue("old")))
    assert (done.status, done.action) == (0, "publish")
    assert done.findings.count("foreign record left alone") == 3
    mail_host.serve("new")
    new = [*words, "--source", shell.certificate(mail_host.issue("new"), "renewed")]
    until("prune", lambda: shell.here(*new))
    left = {backup, authority, third, mail_host.issue("new").association}
    dnstree.wait_for(OWNER, "TLSA", left, BOTH)
    assert {entry.comment for entry in cloudflare.records("example.org", "TLSA", OWNER)} == {"by hand", "mailsrv tlsa"}


def test_an_alias_is_followed_and_said(
    shell: Shell, rfc2136: tuple[str, ...], dnstree: DnsTree, mail_host: MailHost
) -> None:
    host = "alias.example.org"
    source = shell.certificate(mail_host.issue("aliased", host))
    mail_host.serve("aliased")
    done = shell.here(*RECONCILE, "--host", host, *rfc2136, "--source", source)
    result = done.document["results"][0]
    assert (done.action, result["name"], result["ports"][0]["owner"]) == (
        "publish",
        "_dane.example.org",
        f"_25._tcp.{host}",
    )
    dnstree.wait_for("_dane.example.org", "TLSA", {NOBODY, mail_host.issue("aliased").association}, BOTH)
    shown = shell.here("tlsa", "show", "--host", host)
    assert f"_25._tcp.{host} is an alias for it" in " ".join(shown.out.split())


def test_a_wildcard_is_followed_and_said(
    shell: Shell, rfc2136: tuple[str, ...], dnstree: DnsTree, mail_host: MailHost
) -> None:
    host = "any.wild.example.org"
    source = shell.certificate(mail_host.issue("wild", host))
    mail_host.serve("wild")
    done = shell.here(*RECONCILE, "--host", host, *rfc2136, "--source", source)
    assert (done.action, done.document["results"][0]["name"]) == ("publish", "*.wild.example.org")
    dnstree.wait_for("other.wild.example.org", "TLSA", {NOBODY, mail_host.issue("wild").association}, BOTH)
    shown = shell.here("tlsa", "show", "--host", host)
    assert f"_25._tcp.{host} comes from the wildcard *.wild.example.org" in " ".join(shown.out.split())


def test_hosts_ports_and_domains_in_one_run(
    shell: Shell, rfc2136: tuple[str, ...], dnstree: DnsTree, mx: Mx, pki: Pki
) -> None:
    one, hosts = pki.issue([HOST, "mx2.example.org"]), (HOST, "mx2.example.org")
    for where in ((MX, 25), (MX6, 25), (MX2, 25)):
        mx.listen(*where, one)
    for where in ((MX, 465), (MX6, 465), (MX2, 465)):
        mx.listen(*where, one, implicit=True)
    words = [*RECONCILE, "--host", hosts[1], "--port", "25", "--port", "465", *rfc2136]
    done = shell.child(*words, "--domain", "example.org", "--source", shell.certificate(one))
    names = {result["name"]: result["action"] for result in done.document["results"]}
    assert names == {f"_{port}._tcp.{host}": "publish" for host in hosts for port in (25, 465)}
    for name in names:
        dnstree.wait_for(name, "TLSA", {one.association}, BOTH)
    again = shell.here(*words, "--domain", "example.org", "--source", shell.certificate(one))
    assert (again.status, again.action) == (0, "none")


def test_a_host_that_is_the_domains_own_mx_may_be_named_too(
    shell: Shell, rfc2136: tuple[str, ...], mail_host: MailHost
) -> None:
    source = shell.certificate(mail_host.issue("old"))
    words = ["--host", HOST, "--domain", "example.org", "--domain", "EXAMPLE.org", *rfc2136, "--source", source]
    done: Done = shell.here(*RECONCILE, *words)
    assert (done.action, len(done.document["results"])) == ("publish", 1)


def test_ipv4_and_ipv6_that_show_different_keys_are_found(
    shell: Shell, rfc2136: tuple[str, ...], dnstree: DnsTree, mail_host: MailHost
) -> None:
    source = shell.certificate(mail_host.issue("old"))
    shell.here(*RECONCILE, "--host", HOST, *rfc2136, "--source", source)
    dnstree.wait_for(OWNER, "TLSA", {mail_host.issue("old").association}, BOTH)
    mail_host.serve("new", (MX6,))
    done = shell.here(*RECONCILE, "--host", HOST, *rfc2136, "--source", source)
    assert (done.status, done.action) == (1, "none")
    assert f"{HOST} [{MX6}]:25: senders that verify refuse this key" in done.findings
    assert f"[{MX}]" not in done.findings
