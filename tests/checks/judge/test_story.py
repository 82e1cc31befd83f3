"""Whole domains are judged as internet.nl judged them: the stored runs, from facts to every status, verdict, percentage and total."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from checks.facts import Addresses, Facts, Hashes, Key, Order, Tls, Validity, Version
from checks.finding import Report
from checks.judge.story import judge
from dnsops.certs.chain import association
from dnsops.resolve.answer import Security
from tests.checks.data import golden
from tests.checks.judge import scenes

RUNS = {run["case"]: run for run in golden("internetnl-runs-a.json")["runs"]}
CBC = ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256")
RSA = ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", *CBC)
PHASE_OUT = (*scenes.GOOD_SUITES, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256")
FOREIGN = scenes.chain("elsewhere.test", "rsa3072")


def organizational(domain: str) -> str:
    return ".".join(domain.split(".")[-2:]) if "." in domain else ""


def rsa_tls() -> Tls:
    """OpenSSL's defaults with RSA-2048."""
    host = "mx.rsa.test"
    return replace(
        scenes.good_tls(host, scenes.chain(host, "rsa2048")),
        suites={Version.TLS12: RSA},
        keys=(Key(RSA[0], "secp256r1", 256), Key(CBC[1], "", 2048, p=23, g=2)),
        order=(Order((CBC[1], RSA[0]), CBC[1]),),
        hashes=Hashes(sha224=True),
    )


def own(host: str, count: int = 1) -> dict[Any, Any]:
    """TLSA of the RSA host's own key, and no other."""
    return scenes.tlsa(host, *[str(association(rsa_tls().chain[0]))][:count])


def rsa() -> Facts:
    return scenes.domain("rsa.test", {"mx.rsa.test": rsa_tls()}, pages=own("mx.rsa.test"))


def self_signed() -> Facts:
    host = "mx.selfs.test"
    certificate = scenes.certificate("other.test", self_signed=True)
    seen = replace(scenes.tls13_only(scenes.good_tls(host, (certificate,))), trusted=False, name_matches=False)
    return scenes.domain("selfs.test", {host: seen})


def no_starttls() -> Facts:
    host = "mx.nostarttls.test"
    return scenes.noted(
        scenes.domain("nostarttls.test", {host: Tls(host, offered=False, why="no STARTTLS")}),
        scenes.page(scenes.answer(host, "SOA"), True),
    )


def two() -> Facts:
    other = replace(
        scenes.good_tls("mx.two.test", scenes.chain("elsewhere.test")), trusted=False, name_matches=False, order=()
    )
    hosts = {"mx.rsa.test": rsa_tls(), "mx.two.test": other}
    pages = own("mx.rsa.test") | scenes.tlsa("mx.two.test")
    return scenes.domain("two.test", hosts, dead=("mx.two.test",), pages=pages)


def without_mail(domain: str, *mx: str) -> Facts:
    facts = scenes.domain(domain, {}, spf="v=spf1 -all")
    return scenes.noted(facts, scenes.page(scenes.answer(domain, "MX", *mx)))


def unsafe(domain: str, security: Security, servers: tuple[Addresses, ...] = scenes.SERVERS) -> Facts:
    facts = scenes.domain(domain, {scenes.HOST: scenes.good_tls()}, servers)
    return scenes.noted(facts, scenes.page(scenes.answer(domain, "SOA", security=security), True))


def by_authority(facts: Facts) -> Facts:
    """2 1 1 of the intermediate alone."""
    record = str(association(facts.hosts[0].tls.chain[1], 2))
    return scenes.noted(facts, scenes.tlsa(scenes.HOST, record))


def at_good(**tls: Any) -> Callable[[], Facts]:
    return lambda: scenes.changed(scenes.good(), replace(scenes.good_tls(), **tls))


def foreign(**tls: Any) -> Callable[[], Facts]:
    """Another host's certificate; good.test has 3 1 1 and 2 1 1 records for its own."""
    shown = replace(scenes.good_tls(), chain=FOREIGN, trusted=False, name_matches=False, **tls)
    records = (str(association(scenes.chain(scenes.HOST)[0])), str(association(b"".join(FOREIGN[1:]), 2, 0)))
    return lambda: scenes.noted(scenes.changed(scenes.good(), shown), scenes.tlsa(scenes.HOST, *records))


def routed(validity: Validity | None, roas: int = 1) -> Facts:
    facts = scenes.good()
    return replace(facts, routing=scenes.routed(set(facts.routing or ()), validity, roas))


DEAD = (scenes.SERVERS[0], scenes.located("ns2.deadns.test", 9, dead=True))
OLD = {Version.TLS10: CBC[:1]}
SCENES: dict[str, Callable[[], Facts]] = {
    "domain-good": scenes.good,
    "mx-rsa2048-openssl-defaults": rsa,
    "mx-self-signed": self_signed,
    "mx-no-starttls": no_starttls,
    "mx-two-hosts": two,
    "null-mx-without-address": lambda: without_mail("nullmxnoa.test", "0 ."),
    "no-mx": lambda: without_mail("nomx.test"),
    "dnssec-wrong-ds": lambda: unsafe("bogus.test", Security.BOGUS),
    "dnssec-expired": lambda: by_authority(unsafe("expired.test", Security.BOGUS)),
    "ns-one-ipv6-dead": lambda: by_authority(unsafe("deadns.test", Security.INSECURE, DEAD)),
    "domain-good-dane-ta-only": lambda: by_authority(scenes.good()),
    "rpki-invalid": lambda: routed(Validity.INVALID),
    "rpki-no-route": lambda: routed(None),
    "tls-python-default": at_good(suites={Version.TLS12: PHASE_OUT}, hashes=Hashes(sha224=True)),
    "tls-python-tuned": at_good(hashes=Hashes(sha224=True)),
    "tls-python-foreign-rsa3072": foreign(suites={Version.TLS12: PHASE_OUT}, hashes=Hashes(sha224=True)),
    "tls-openssl-client-renegotiation": at_good(client_renegotiations=11, hashes=Hashes(sha224=True)),
    "tls-openssl-x25519-only": at_good(keys=(Key("x", "x25519"),), hashes=Hashes(sha224=True)),
    "tls-openssl-ffdhe2048": foreign(
        suites={Version.TLS12: PHASE_OUT}, keys=(Key("x", "ffdhe2048", 2048, 23, 2),), hashes=Hashes(sha224=True)
    ),
    "tls-openssl-rsa-key-exchange": foreign(suites={Version.TLS12: ("TLS_RSA_WITH_AES_128_GCM_SHA256",)}, keys=()),
    "tls-openssl-tls10": foreign(
        versions=frozenset({Version.TLS10}),
        suites=OLD,
        keys=(Key("x", "", 2048, 23, 2),),
        ems=None,
    ),
    "tls-gnutls-no-ems-no-secure-renegotiation": at_good(
        versions=frozenset({Version.TLS10, Version.TLS11, Version.TLS12}),
        suites={Version.TLS12: (*scenes.GOOD_SUITES, *CBC[:1])},
        secure_renegotiation=False,
        client_renegotiations=11,
        hashes=Hashes(sha1=True),
        ems=False,
    ),
    "tls-openssl-x448-only": at_good(reachable=False, wide_versions=frozenset({Version.TLS13})),
    "tls-openssl-secp256k1-only": at_good(reachable=False),
}


@pytest.fixture(params=SCENES)
def seen(request: pytest.FixtureRequest) -> tuple[dict[str, Any], Report]:
    return RUNS[request.param], judge(SCENES[request.param](), organizational)


def test_every_stored_run_has_a_scene() -> None:
    assert SCENES.keys() == RUNS.keys()


def test_a_whole_domain(seen: tuple[dict[str, Any], Report]) -> None:
    run, report = seen
    told = {category.id: category for category in report.categories}
    for name, known in run["categories"].items():
        category = told[name]
        found = {one.id: one for one in category.findings}
        for id_, subtest in known["subtests"].items():
            one = found[id_]
            assert (id_, one.status.word, one.worst.word, one.verdict) == (
                id_,
                subtest["status"],
                subtest["worst"],
                subtest["verdict"],
            )
        assert (category.verdict.word, category.max_points, category.percent) == (
            known["verdict"],
            known["max_points"],
            known["percent"],
        )
        if run["complete"]:
            assert found.keys() == known["subtests"].keys()
        elif name == "tls":
            rest = {id_ for id_, one in found.items() if one.status.word not in ("success", "not_tested")}
            assert rest == known["subtests"].keys()
    assert report.score == run["score"]
    assert [[host or None, state] for host, state in report.mx] == run["mx"]
