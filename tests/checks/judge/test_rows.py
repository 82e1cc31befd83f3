"""What the reference says of situations that no stored run shows: states of MX, routes, silent sources, dead hosts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from checks.facts import Addresses, Facts, Key, Lookup, Order, Reached, Routing, Tls, Validity, Version
from checks.finding import Report
from checks.judge import ipv6, mx, tls, tls_order
from checks.judge.story import judge
from dnsops.certs.chain import association
from dnsops.resolve.answer import Security
from tests.checks.judge import scenes
from tests.checks.judge.test_story import organizational, routed, without_mail

HOST = scenes.HOST


def seen(facts: Facts) -> tuple[Report, dict[str, tuple[str, str]]]:
    report = judge(facts, organizational)
    return report, {one.id: (one.status.word, one.verdict) for one in report.findings}


def percents(report: Report) -> dict[str, tuple[int, str]]:
    return {one.id: (one.percent, one.verdict.word) for one in report.categories}


ADDRESS = scenes.page(scenes.answer("x.test", "A", "192.0.2.7"))


@pytest.mark.parametrize(
    "records, addressed, state, word, verdict, status",
    [
        ((), False, "no_mx", "other", "info", "not_tested"),
        ((), True, "no_mx", "other", "info", "not_tested"),
        (("0 .",), True, "null_mx", "null-mx", "info", "not_tested"),
        (("0 .",), False, "null_mx_without_a_aaaa", "null-mx-without-a-aaaa", "info", "info"),
        (("10 mx.x.test.", "0 ."), True, "null_mx_with_other_mx", "null-mx-with-other-mx", "warning", "notice"),
        (("5 localhost.",), True, "no_mx", "other", "info", "not_tested"),
    ],
)
def test_states_of_the_mx(
    records: tuple[str, ...], addressed: bool, state: str, word: str, verdict: str, status: str
) -> None:
    facts = without_mail("x.test", *records)
    report, found = seen(scenes.noted(facts, ADDRESS) if addressed else facts)
    assert report.mx == (("", state),)
    assert found["mx_aaaa"] == (status, word)
    assert found["mx_reach"] == ("not_tested", "not-tested")
    assert found["starttls_exists"][0] == status
    assert percents(report)["tls"] == (0, verdict)
    assert percents(report)["rpki"] == (100, "passed")
    assert report.score == (0 + 100 + 100 + 100) // 4


def test_what_the_site_means_to_say_and_does_not_is_in_the_strict_column() -> None:
    facts = scenes.noted(without_mail("x.test"), ADDRESS)
    finding = next(one for one in judge(facts, organizational).findings if one.id == "mx_aaaa")
    assert finding.right.word == "notice"
    assert "MX 0 ." in finding.strict_details[0]


@pytest.mark.parametrize(
    "records, hosts",
    [
        (("10 b.x.org.", "5 A.x.org."), ("a.x.org", "b.x.org")),
        (("10 a.x.org.", "5 a.x.org."), ("a.x.org",)),
        (("10 localhost.", "5 a.x.org."), ("a.x.org",)),
        (("7 .",), (".",)),
    ],
)
def test_which_hosts(records: tuple[str, ...], hosts: tuple[str, ...]) -> None:
    nothing = Lookup("x.org", "A")
    assert mx.mx_of(Lookup("x.org", "MX", records=records), nothing, nothing).hosts == hosts


def test_ten_of_twelve_hosts() -> None:
    nothing = Lookup("x.org", "A")
    found = mx.mx_of(Lookup("x.org", "MX", records=tuple(f"1 mx{n}.x.org." for n in range(12))), nothing, nothing)
    assert (len(found.hosts), found.left_out) == (10, 2)


def test_a_domain_that_does_not_exist() -> None:
    report, found = seen(Facts("nx.test", scenes.NOW, routing={}, book=_nowhere("nx.test")))
    assert found["dnssec_exists"] == ("fail", "resolver-error")
    assert found["dkim"] == ("fail", "bad")
    assert percents(report) == {
        "ipv6": (0, "failed"),
        "dnssec": (0, "failed"),
        "auth": (0, "failed"),
        "tls": (0, "info"),
        "rpki": (100, "passed"),
    }
    assert report.score == 25


def _nowhere(domain: str) -> dict[Any, Any]:
    names = [(domain, one) for one in ("MX", "A", "AAAA", "TXT")] + [(f"_dmarc.{domain}", "TXT")]
    book = scenes.page(scenes.answer(domain, "SOA", rcode="NXDOMAIN"), True)
    for name, type_name in [*names, (f"_domainkey.{domain}", "TXT")]:
        book |= scenes.page(scenes.answer(name, type_name, rcode="NXDOMAIN"))
    return book


@pytest.mark.parametrize(
    "validity, roas, percent, verdict, found",
    [
        (Validity.VALID, 1, 100, "passed", ("success", "good")),
        (Validity.INVALID, 1, 33, "failed", ("fail", "invalid")),
        (Validity.NOT_FOUND, 0, 0, "failed", ("fail", "bad")),
        (None, 1, 100, "passed", ("not_tested", "not-routed")),
        (None, 0, 66, "warning", ("not_tested", "not-routed")),
    ],
)
def test_routes(validity: Validity | None, roas: int, percent: int, verdict: str, found: tuple[str, str]) -> None:
    report, told = seen(routed(validity, roas))
    assert told["mail_rpki_valid"] == found
    assert percents(report)["rpki"] == (percent, verdict)


def test_a_silent_relying_party_is_an_error_without_points() -> None:
    facts = scenes.good()
    silent = {address: Routing(address, roas_known=False) for address in facts.routing or ()}
    report, told = seen(replace(facts, routing=silent))
    assert told["mail_rpki_exists"] == told["ns_rpki_valid"] == ("error", "not-tested")
    assert (percents(report)["rpki"], report.score) == ((0, "error"), 80)


def test_without_routing_data_the_total_is_of_the_others_and_says_so() -> None:
    report, told = seen(replace(scenes.good(), routing=None))
    assert told["mail_rpki_exists"] == ("not_tested", "not-run")
    assert (report.score, len(report.notes)) == (100, 1)
    assert not report.categories[-1].run


@pytest.mark.parametrize(
    "servers, points, aaaa, reach",
    [
        ((), 0, "bad", "not-tested"),
        ((scenes.located("a", 1),), 5, "other", "good"),
        ((scenes.located("a", 1), scenes.located("b", 2, v4_only=True)), 5, "other", "good"),
        ((scenes.located("a", 1, v4_only=True), scenes.located("b", 2, v4_only=True)), 0, "bad", "not-tested"),
        ((scenes.located("a", 1), scenes.located("b", 2), scenes.located("c", 3, v4_only=True)), 10, "good", "good"),
        ((scenes.located("a", 1), scenes.located("b", 2, dead=True)), 5, "good", "bad"),
    ],
)
def test_name_servers(servers: tuple[Addresses, ...], points: int, aaaa: str, reach: str) -> None:
    report = judge(replace(scenes.good(), name_servers=servers), organizational)
    found = {one.id: one for one in report.findings}
    assert (found["ns_reach"].points, found["ns_aaaa"].verdict, found["ns_reach"].verdict) == (points, aaaa, reach)


def test_a_host_with_a_dead_and_a_living_address_has_2_points() -> None:
    half = Addresses(
        "a", (), ("2001:db8::1", "2001:db8::2"), (Reached("2001:db8::1", True), Reached("2001:db8::2", False))
    )
    assert ipv6.host_points(half) == 2


def test_an_address_that_nobody_tried_did_not_answer() -> None:
    servers = (scenes.located("a", 1), Addresses("b", (), ("2001:db8::9",)))
    found = {one.id: one for one in judge(replace(scenes.good(), name_servers=servers), organizational).findings}
    assert found["ns_reach"].verdict == "bad"


@pytest.mark.parametrize(
    "records, security, exists, valid, percent",
    [
        ((), Security.SECURE, "bad", "not-tested", 92),
        (("own",), Security.INSECURE, "bad", "not-tested", 92),
        (("own",), Security.BOGUS, "bogus", "not-tested", 92),
        (("1 1 1 " + "00" * 32,), Security.SECURE, "bad", "not-tested", 92),
        (("3 1 1 " + "00" * 32,), Security.SECURE, "good", "bad", 85),
        (("2 1 1 " + "00" * 32,), Security.SECURE, "good", "bad", 85),
        (("own", "3 1 1 zz"), Security.SECURE, "good", "good", 100),
    ],
)
def test_dane(records: tuple[str, ...], security: Security, exists: str, valid: str, percent: int) -> None:
    facts = scenes.good()
    own = str(association(facts.hosts[0].tls.chain[0]))
    told = scenes.answer(
        f"_25._tcp.{HOST}", "TLSA", *(own if one == "own" else one for one in records), security=security
    )
    report, found = seen(scenes.noted(facts, scenes.page(told, True)))
    assert (found["dane_exists"][1], found["dane_valid"][1]) == (exists, valid)
    assert percents(report)["tls"][0] == percent


def test_an_authority_needs_the_name() -> None:
    facts = scenes.good()
    shown = replace(scenes.good_tls(), chain=scenes.chain("elsewhere.test"), name_matches=False, trusted=False)
    record = str(association(shown.chain[1], 2))
    found = seen(scenes.noted(scenes.changed(facts, shown), scenes.tlsa(HOST, record)))[1]
    assert (found["dane_valid"], found["cert_hostmatch"]) == (("fail", "bad"), ("fail", "bad"))


def test_a_foreign_name_with_a_record_of_usage_2_fails_the_category_at_100() -> None:
    facts, shown = scenes.good(), replace(scenes.good_tls(), chain=scenes.chain("elsewhere.test"), name_matches=False)
    records = (str(association(shown.chain[0])), str(association(shown.chain[1], 2)))
    report, found = seen(scenes.noted(scenes.changed(facts, shown), scenes.tlsa(HOST, *records)))
    assert found["dane_valid"] == ("success", "good")
    assert percents(report)["tls"] == (100, "failed")


@pytest.mark.parametrize(
    "kind, digest, pubkey, signature",
    [
        ("p256", "sha256", "good", "good"),
        ("rsa3072", "sha512", "good", "good"),
        ("rsa2048", "sha384", "phase-out", "good"),
        ("rsa1024", "sha256", "bad", "good"),
        ("p224", "sha224", "phase-out", "phase-out"),
    ],
)
def test_certificates(kind: str, digest: str, pubkey: str, signature: str) -> None:
    shown = replace(scenes.good_tls(), chain=scenes.chain("weak.test", kind, digest))
    found = seen(scenes.changed(scenes.good(), shown))[1]
    assert (found["cert_pubkey"][1], found["cert_signature"][1]) == (pubkey, signature)


def test_a_root_is_not_judged() -> None:
    weak = scenes.certificate("a root", "rsa1024", self_signed=True)
    shown = replace(scenes.good_tls(), chain=(*scenes.chain(HOST), weak), roots=(False, False, True))
    assert seen(scenes.changed(scenes.good(), shown))[1]["cert_pubkey"] == ("success", "good")


def test_without_a_certificate_what_needs_one_is_not_tested() -> None:
    report, found = seen(scenes.changed(scenes.good(), replace(scenes.good_tls(), chain=())))
    assert found["cert_trust"] == ("not_tested", "could-not-test")
    assert found["dane_exists"] == found["mail_caa"] == ("not_tested", "not-tested")
    assert percents(report)["tls"] == (100, "passed")


@pytest.mark.parametrize(
    "changes, name, verdict",
    [
        ({"compression": True}, "tls_compression", "bad"),
        ({"ems": False}, "extended_master_secret", "bad"),
        ({"secure_renegotiation": None}, "renegotiation_secure", "bad"),
        ({"client_renegotiations": 1}, "renegotiation_client", "allowed-with-low-limit"),
        ({"client_renegotiations": 3}, "renegotiation_client", "allowed-with-low-limit"),
        ({"client_renegotiations": 10}, "renegotiation_client", "allowed-with-low-limit"),
        ({"client_renegotiations": 11}, "renegotiation_client", "allowed-with-too-high-limit"),
        ({"keys": (Key("x", "ffdhe3072", 3072, 23, 2),)}, "fs_params", "phase-out"),
        ({"keys": (Key("x", "ffdhe3072", 3072, 23, 5),)}, "fs_params", "bad"),
        ({"keys": (Key("x", "secp256k1", 256),)}, "fs_params", "bad"),
        ({"keys": (Key("x", "secp224r1", 224),)}, "fs_params", "phase-out"),
        ({"keys": (Key("x", "X25519"),)}, "fs_params", "na"),
        ({"versions": frozenset({Version.TLS11, Version.TLS13})}, "tls_version", "bad"),
        ({"suites": {Version.TLS13: ("TLS_AES_128_CCM_8_SHA256",)}}, "tls_ciphers", "bad"),
    ],
)
def test_a_thing_at_a_time(changes: dict[str, Any], name: str, verdict: str) -> None:
    assert seen(scenes.changed(scenes.good(), replace(scenes.good_tls(), **changes)))[1][name][1] == verdict


OLD, BETTER, CHACHA = (
    "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
)


def test_what_is_asked_about_the_order() -> None:
    assert tls_order.questions((CHACHA, OLD, BETTER, "TLS_RSA_WITH_NULL_SHA")) == [(OLD, CHACHA, BETTER)]
    assert tls_order.questions((BETTER,)) == []


@pytest.mark.parametrize(
    "order, verdict",
    [
        ((), "good"),
        ((Order((OLD, BETTER), BETTER),), "good"),
        ((Order((OLD, BETTER), OLD),), "bad"),
        ((Order((OLD, BETTER), ""),), "na"),
    ],
)
def test_the_order(order: tuple[Order, ...], verdict: str) -> None:
    shown = replace(scenes.good_tls(), suites={Version.TLS12: (BETTER, OLD)}, order=order)
    assert tls_order.finding(shown).verdict == verdict


@pytest.mark.parametrize(
    "shown, verdict, strict",
    [
        (Tls(HOST, late=True), "could-not-test", "error"),
        (Tls(HOST, why="refused"), "other", "error"),
        (Tls(HOST, offered=False), "other", "fail"),
        (
            Tls(HOST, offered=True, wide_versions=frozenset({Version.TLS13}), wide_groups=frozenset({"x448"})),
            "other",
            "fail",
        ),
    ],
)
def test_a_host_that_cannot_be_reached(shown: Tls, verdict: str, strict: str) -> None:
    finding = tls.findings(shown)[0]
    assert (finding.status.word, finding.verdict, finding.right.word) == ("error", verdict, strict)


def test_the_strict_column_looks_at_every_address() -> None:
    facts = scenes.good()
    other = replace(scenes.good_tls(), address="2001:db8::a", versions=frozenset({Version.TLS10, Version.TLS12}))
    host = replace(facts.hosts[0], others=(other,))
    finding = next(
        one for one in judge(replace(facts, hosts=(host,)), organizational).findings if one.id == "tls_version"
    )
    assert (finding.status.word, finding.right.word) == ("success", "fail")
    assert finding.strict_details[0].startswith("2001:db8::a: ")


@pytest.mark.parametrize(
    "spf, dmarc, dkim",
    [
        ("v=spf1 -all", "v=DMARC1; p=reject", "no-email"),
        ("v=spf1 exp=x.test -all", "v=DMARC1;  p=reject;", "no-email"),
        ("v=spf1 ~all", "v=DMARC1; p=reject", "bad"),
        ("v=spf1 -all", "v=DMARC1; p=quarantine", "bad"),
        ("v=spf1 -all", "v=DMARC1; P=reject", "bad"),
        ("V=spf1 -all", "v=DMARC1; p=reject", "bad"),
    ],
)
def test_who_sends_nothing_needs_no_dkim(spf: str, dmarc: str, dkim: str) -> None:
    report, found = seen(scenes.domain("x.test", {}, spf=spf, dmarc=dmarc))
    assert found["dkim"][1] == dkim
    assert report.categories[2].max_points == (40 if dkim == "no-email" else 50)
