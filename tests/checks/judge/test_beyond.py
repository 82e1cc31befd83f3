"""Beyond internet.nl: each finding good, bad, and not known; and what is counted in SPF and read in DMARC and DKIM."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from checks.facts import Beyond, Facts, Fetched, Listing, Lookup, Question, Reverse
from checks.finding import Finding
from checks.judge import spf_tree
from checks.judge.story import judge
from dnsops.base.flow import run
from dnsops.resolve.answer import Security
from tests.checks.judge import scenes
from tests.checks.judge.test_story import organizational

POLICY = "version: STSv1\r\nmode: enforce\r\nmx: mx.good.test\r\nmax_age: 604800\r\n"


def txt(name: str, *records: str) -> dict[Any, Any]:
    return scenes.page(scenes.answer(name, "TXT", *records))


def good(**beyond: Any) -> Facts:
    """Also beyond what the site looks at."""
    seen = Beyond(
        (Reverse("192.0.2.10", (scenes.HOST,), (scenes.HOST,), scenes.HOST),),
        (Listing("list.example", "192.0.2.10", False),),
        Fetched("https://mta-sts.good.test/.well-known/mta-sts.txt", POLICY, "text/plain"),
    )
    facts = scenes.noted(
        scenes.good(),
        txt("_mta-sts.good.test", "v=STSv1; id=1;"),
        txt("_smtp._tls.good.test", "v=TLSRPTv1; rua=mailto:t@good.test"),
        scenes.page(scenes.answer(scenes.HOST, "A", "192.0.2.10")),
        scenes.page(scenes.answer(scenes.HOST, "AAAA", "2001:db8::a")),
    )
    return replace(facts, beyond=replace(seen, **beyond))


def finding(facts: Facts, name: str) -> Finding:
    return next(one for one in judge(facts, organizational).findings if one.id == name)


def test_all_good() -> None:
    report = judge(good(), organizational)
    assert report.beyond is not None
    assert {one.status.word for one in report.beyond.findings} == {"success"}
    assert report.beyond.max_points == 0
    assert report.score == 100


@pytest.mark.parametrize(
    "name, beyond, status",
    [
        ("reverse_names", {"reverse": (Reverse("192.0.2.10"),)}, "notice"),
        ("reverse_names", {"reverse": (Reverse("192.0.2.10", ("x.test",)),)}, "notice"),
        ("reverse_names", {"reverse": (Reverse("192.0.2.10", known=False),)}, "info"),
        ("reverse_names", {"reverse": ()}, "not_tested"),
        ("greeting", {"reverse": (Reverse("192.0.2.10", helo="localhost"),)}, "info"),
        ("greeting", {"reverse": (Reverse("192.0.2.10"),)}, "not_tested"),
        ("blocklists", {"listings": (Listing("l.test", "192.0.2.10", True, ("127.0.0.2",)),)}, "fail"),
        ("blocklists", {"listings": (Listing("l.test", "192.0.2.10"),)}, "not_tested"),
        ("blocklists", {"listings": ()}, "not_tested"),
        ("mta_sts", {"sts_policy": None}, "not_tested"),
        ("mta_sts", {"sts_policy": Fetched("https://x", None, why="refused")}, "fail"),
        ("mta_sts", {"sts_policy": Fetched("https://x", "hello", "text/plain")}, "fail"),
        ("mta_sts", {"sts_policy": Fetched("https://x", POLICY.replace("mx.good", "mx.other"), "text/plain")}, "fail"),
        ("mta_sts", {"sts_policy": Fetched("https://x", POLICY.replace("enforce", "testing"), "text/plain")}, "notice"),
        ("mta_sts", {"sts_policy": Fetched("https://x", POLICY.replace("604800", "60"), "text/plain")}, "notice"),
        ("mta_sts", {"sts_policy": Fetched("https://x", POLICY, "text/html")}, "notice"),
        ("mta_sts", {"sts_policy": Fetched("https://x", POLICY.replace("604800", "0"), "text/plain")}, "notice"),
        (
            "mta_sts",
            {"sts_policy": Fetched("https://x", POLICY.replace("604800", "31557601"), "text/plain")},
            "success",
        ),
        ("mta_sts", {"sts_policy": Fetched("https://x", POLICY.replace("604800", "-1"), "text/plain")}, "fail"),
        ("mta_sts", {"sts_policy": Fetched("https://x", POLICY.replace("\r\n", "\n"), "text/plain")}, "success"),
        ("mta_sts", {"sts_policy": Fetched("https://x", POLICY.replace("\r\n", "\r"), "text/plain")}, "fail"),
        (
            "mta_sts",
            {"sts_policy": Fetched("https://x", POLICY.replace("mx.good.test", "*.good.test"), "text/plain")},
            "success",
        ),
        (
            "mta_sts",
            {"sts_policy": Fetched("https://x", POLICY.replace("mx.good.test", "*.test"), "text/plain")},
            "fail",
        ),
        ("mta_sts", {"sts_policy": Fetched("https://x", POLICY.replace("enforce", "none"), "text/plain")}, "notice"),
    ],
)
def test_what_is_seen_of_addresses_and_policies(name: str, beyond: dict[str, Any], status: str) -> None:
    found = finding(good(**beyond), name)
    assert found.status.word == status
    assert bool(found.fix) == (status in ("fail", "notice", "info"))


@pytest.mark.parametrize(
    "name, page, status",
    [
        ("mta_sts", txt("_mta-sts.good.test"), "notice"),
        ("mta_sts", txt("_mta-sts.good.test", "v=STSv1"), "fail"),
        ("tls_rpt", txt("_smtp._tls.good.test"), "notice"),
        ("tls_rpt", txt("_smtp._tls.good.test", "v=TLSRPTv1;"), "fail"),
        ("bimi", txt("default._bimi.good.test", "v=BIMI1; l=http://x"), "notice"),
        ("bimi", txt("default._bimi.good.test", "v=BIMI1; l=https://x.test/a.svg"), "info"),
        ("bimi", txt("default._bimi.good.test", "v=BIMI1; l=https://x.test/a.svg; a=https://x.test/a.pem"), "success"),
        ("bimi", txt("default._bimi.good.test", "v=BIMI1; l="), "success"),
        ("bimi", txt("default._bimi.good.test", "v=BIMI1; l=", "v=BIMI1; l="), "notice"),
        ("bimi", txt("default._bimi.good.test", "v=BIMI1; a=https://x.test/a.pem"), "notice"),
        ("bimi", txt("default._bimi.good.test", "v=BIMI1; l=https://x.test/a.svg; a=http://x.test"), "notice"),
        ("mta_sts", txt("_mta-sts.good.test", "v=STSv1; id=1;", "v=STSv1; id=2;"), "fail"),
        ("mta_sts", txt("_mta-sts.good.test", "v=STSv1; id=1;", "something else"), "success"),
        ("mta_sts", txt("_mta-sts.good.test", "v=STSv1; id=2026-03-02;"), "fail"),
        ("mta_sts", txt("_mta-sts.good.test", f"v=STSv1; id={'1' * 33};"), "fail"),
        ("mta_sts", txt("_mta-sts.good.test", "v=STSv1;"), "fail"),
        ("tls_rpt", txt("_smtp._tls.good.test", *["v=TLSRPTv1; rua=mailto:t@good.test"] * 2), "fail"),
        ("tls_rpt", txt("_smtp._tls.good.test", "v=TLSRPTv1; rua=mailto:t@good.test", "other"), "success"),
        ("tls_rpt", txt("_smtp._tls.good.test", "v=TLSRPTv1; rua=mailto:t@good.test", "v=TLSRPTv2; to=x"), "success"),
        ("tls_rpt", txt("_smtp._tls.good.test", "v=TLSRPTv1; rua=ftp://good.test/"), "fail"),
        ("tls_rpt", txt("_smtp._tls.good.test", "v=TLSRPTv1; rua=t@good.test"), "fail"),
        ("tls_rpt", txt("_smtp._tls.good.test", "v=TLSRPTv1; rua=http://good.test/,https://good.test/"), "notice"),
        ("tls_rpt", txt("_smtp._tls.good.test", "v=tlsrptv1; rua=mailto:t@good.test"), "fail"),
        ("tls_rpt", txt("_smtp._tls.good.test", "v=TLSRPTv1; rua=mailto:a@x.test; rua=mailto:b@x.test"), "fail"),
        (
            "mx_signed",
            scenes.page(scenes.answer("good.test", "MX", "10 mx.good.test.", security=Security.INSECURE)),
            "notice",
        ),
        (
            "mx_hosts",
            scenes.page(Lookup("mx.good.test", "A", records=("192.0.2.1",), canonical="other.test")),
            "notice",
        ),
        ("mx_hosts", scenes.page(scenes.answer("good.test", "MX", "1 mx.good.test.", "2 mx.good.test.")), "notice"),
    ],
)
def test_what_the_zone_says(name: str, page: dict[Any, Any], status: str) -> None:
    found = finding(scenes.noted(good(), page), name)
    assert found.status.word == status
    assert status == "success" or (found.fix and found.details)


@pytest.mark.parametrize("days, status", [(0, "success"), (20, "notice"), (29, "fail"), (40, "fail"), (-5, "fail")])
def test_how_long_certificates_last(days: int, status: str) -> None:
    facts = replace(good(), at=scenes.NOW + timedelta(days=days))
    assert finding(facts, "certificate_days").status.word == status


@pytest.mark.parametrize("own, intermediate, ours, told", [("p256", "rsa2048", "info", "alternate"), ("rsa2048", "p256", "notice", "P-256"), ("rsa2048", "rsa2048", "notice", "P-256")])  # fmt: skip
def test_an_intermediate_of_the_authority_is_not_the_hosts_to_mend(
    own: str, intermediate: str, ours: str, told: str
) -> None:
    shown = (scenes.certificate(scenes.HOST, own), scenes.certificate("the authority", intermediate))
    found = finding(scenes.changed(good(), scenes.good_tls(certificates=shown)), "cert_pubkey")
    assert (found.status.word, found.verdict, found.points, found.right.word) == ("notice", "phase-out", 10, ours)
    assert told in found.fix


def test_a_domain_without_mail_has_none_of_it() -> None:
    report = judge(scenes.domain("x.test", {}), organizational)
    assert report.beyond is not None
    assert report.beyond.findings == ()


ZONE = {
    "loop.org": ("TXT", "v=spf1 include:loop.org -all"),
    "deep.org": ("TXT", "v=spf1 include:ten.org -all"),
    "ten.org": ("TXT", "v=spf1 " + "mx:mx.org " * 10 + "-all"),
    "mx.org": ("MX", "1 a.mx.org."),
    "many.org": ("MX", *(f"1 {n}.many.org." for n in range(11))),
}


def zone(question: Question) -> Lookup:
    kind, *records = ZONE.get(question.name, ("", ""))
    return Lookup(question.name, question.type, records=tuple(records) if kind == question.type else ())


@pytest.mark.parametrize(
    "record, lookups, voids, wrong",
    [
        ("v=spf1 mx:mx.org -all", 1, 0, ""),
        ("v=spf1 include:ten.org -all", 11, 0, "11 look-ups"),
        ("v=spf1 redirect=ten.org", 11, 0, "11 look-ups"),
        ("v=spf1 include:loop.org -all", 2, 0, "includes itself"),
        ("v=spf1 a:a.org a:b.org a:c.org -all", 3, 3, "3 look-ups of nothing"),
        ("v=spf1 mx:many.org -all", 1, 0, "11 names"),
        ("v=spf1 include:nothing.org -all", 1, 0, "no SPF record"),
        ("v=spf1 exists:%{i}.x.org ptr -all", 2, 0, ""),
        ("v=spf1 foo -all", 0, 0, "foo"),
        ("v=spf1 -all include:ten.org", 0, 0, ""),
    ],
)
def test_spf_is_counted_as_receivers_do(record: str, lookups: int, voids: int, wrong: str) -> None:
    tree = run(spf_tree.count("x.org", record), zone)
    assert (tree.lookups, tree.voids) == (lookups, voids)
    assert any(wrong in problem for problem in tree.problems) if wrong else tree.problems == []


def strict(name: str, **words: Any) -> str:
    facts = scenes.domain("x.test", {scenes.HOST: scenes.good_tls()}, **words)
    return finding(facts, name).right.word


@pytest.mark.parametrize(
    "dmarc, site, ours",
    [
        ("v=DMARC1; p=reject; rua=mailto:a@x.test", "success", "success"),
        ("v=DMARC1; p=reject", "success", "info"),
        ("v=DMARC1; rua=mailto:a@x.test; p=reject", "fail", "success"),
        ("v=DMARC1; p=reject; rua=mailto:a@x.test; new=1", "fail", "success"),
        ("v=DMARC1; p=reject; rua=mailto:a@x.test; pct=50", "success", "info"),
        ("v=DMARC1; p=reject; rua=mailto:a@x.test; sp=none", "success", "info"),
        ("v=DMARC1; p=reject; t=y; rua=mailto:a@x.test", "success", "fail"),
        ("v=DMARC1; p=none", "fail", "fail"),
        ("v=dmarc1; p=reject", "fail", "fail"),
        ("v=DMARC1; p=reject; rua=mailto:a@y.test", "notice", "notice"),
    ],
)
def test_dmarc_as_receivers_read_it(dmarc: str, site: str, ours: str) -> None:
    facts = scenes.domain("x.test", {scenes.HOST: scenes.good_tls()}, dmarc=dmarc)
    found = finding(facts, "dmarc_policy")
    assert (found.status.word, found.right.word) == (site, ours)


@pytest.mark.parametrize(
    "spf, site, ours",
    [
        ("v=spf1 ip4:192.0.2.1 -all", "success", "success"),
        ("v=spf1 mx ptr -all", "success", "info"),
        ("v=spf1 " + "exists:%{i}.x.org " * 11 + "-all", "success", "fail"),
        ("v=spf1 accept=x.y -all", "fail", "success"),
        ("v=spf1 accept=x.y ?all", "fail", "fail"),
    ],
)
def test_spf_as_receivers_read_it(spf: str, site: str, ours: str) -> None:
    facts = scenes.domain("x.test", {scenes.HOST: scenes.good_tls()}, spf=spf)
    found = finding(facts, "spf_policy")
    assert (found.status.word, found.right.word) == (site, ours)
