"""Reports to show: one that is all good, one with everything wrong in it, one from a hostile server."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from checks.facts import Evidence
from checks.finding import Category, Finding, Report, Status, Verdict

AT = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
HOSTILE = "\x1b[31m\x1b]0;owned\x07<script>alert(1)</script> & \u202egnp.exe ]]> | 'a' \"b\" \x00\x9b2J\r\nnext"


def finding(name: str, category: str, status: Status, **more: object) -> Finding:
    known: dict[str, object] = {"verdict": "bad", "worst": Status.FAIL, "points": 0, "max_points": 10}
    if status is Status.GOOD:
        known |= {"verdict": "good", "points": 10}
    known["title"] = name.replace("_", " ")
    return Finding(id=name, category=category, status=status, **{**known, **more})  # type: ignore[arg-type]


def good() -> Report:
    """100 %."""
    categories = tuple(
        Category(name, tuple(finding(one, name, Status.GOOD) for one in ids), Verdict.PASSED, 100, 10 * len(ids), 10 * len(ids))
        for name, ids in {"ipv6": ("ns_aaaa", "mx_aaaa"), "dnssec": ("dnssec_valid",), "tls": ("tls_version",)}.items()
    )  # fmt: skip
    return Report("good.test", AT, 100, categories, (("mx.good.test.", "has_mx"),))


def bad() -> Report:
    """One finding of every status, two hosts, a category that was not run, and something beyond."""
    versions = finding(
        "tls_version", "tls", Status.FAIL, host="mx2.bad.test", details=("TLS 1.0 is accepted",),
        fix="take TLS 1.0 from the list\nthen reload", evidence=(Evidence(("ServerHello 0301",), AT),), strict=Status.FAIL,
    )  # fmt: skip
    order = finding("tls_cipher_order", "tls", Status.NOTICE, details=("the client chooses",), fix="choose yourself")
    zero = finding(
        "zero_rtt", "tls", Status.GOOD, strict=Status.FAIL, strict_details=("0-RTT is offered", "for a day"), fix="switch it off"
    )  # fmt: skip
    trust = finding("cert_trust", "tls", Status.INFO, worst=Status.INFO, max_points=None, points=None)
    valid = finding("dnssec_valid", "dnssec", Status.ERROR)
    untested = finding("dnssec_mx_valid", "dnssec", Status.NOT_TESTED)
    sts = finding(
        "mta_sts", "beyond", Status.NOTICE, max_points=None, points=None, fix="publish a policy: `mailsrv dns apply`"
    )
    tls = Category(
        "tls", (versions, order, zero, trust), Verdict.FAILED, 50, 20, 40,
        by_host=(("mx1.bad.test.", (order,)), ("mx2.bad.test.", (versions, zero, trust))),
    )  # fmt: skip
    return Report(
        "bad.test", AT, 25, (tls, Category("dnssec", (valid, untested), Verdict.ERROR, 0, 0, 10), Category("rpki", (), Verdict.INFO, run=False)),
        (("mx1.bad.test.", "has_mx"), ("mx2.bad.test.", "has_mx")), ("routing was not tested",), Category("beyond", (sts,), Verdict.WARNING),
    )  # fmt: skip


def hostile() -> Report:
    """Words of a server that would like to be more than words, at every place where words may stand."""
    evil = finding(
        "tls_version", "tls", Status.FAIL, title=HOSTILE, host=HOSTILE, verdict=HOSTILE, details=(HOSTILE, HOSTILE * 1000), fix=HOSTILE,
        strict=Status.ERROR, strict_details=(HOSTILE,), evidence=(Evidence((HOSTILE,) * 500, AT),),
    )  # fmt: skip
    category = Category("tls", (evil,), Verdict.FAILED, 0, 0, 10, by_host=((HOSTILE, (evil,)),))
    return Report("evil.test", AT, 0, (category,), ((HOSTILE, HOSTILE),), (HOSTILE,))


def worse(report: Report) -> Report:
    """The same, a day later, with its first finding failed."""
    first, *others = report.categories
    failed = replace(first.findings[0], status=Status.FAIL, points=0)
    later = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)
    categories = (replace(first, findings=(failed, *first.findings[1:]), percent=50), *others)
    return replace(report, at=later, score=83, categories=categories)
