"""One thing spoilt in a healthy zone, and what a person is told about it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from dnsops.base.errors import Exit
from dnsops.dnssec import report
from dnsops.dnssec.care import findings
from dnsops.dnssec.facts import Cover, Facts
from dnsops.records.dnssec import Ds, Key, Nsec3
from dnsops.resolve.answer import Security
from tests.dnsops.dnssec.zones import APEX, KEY, NOW, NS1, NS2, OTHER, PARENT, cover, ds, facts, view

SHORT = Key(256, 3, 8, b"\x03\x01\x00\x01" + b"\xff" * 128)  # 1024 bits
LONG = Key(257, 3, 8, b"\x03\x01\x00\x01" + b"\xff" * 256)
SHA1 = Key(257, 3, 7, b"\x03\x01\x00\x01" + b"\xff" * 256)
REVOKED = Key(KEY.flags | 0x80, 3, 13, KEY.public)
BOTH = frozenset({KEY, OTHER})


def told(zone: Facts) -> list[tuple[str, bool]]:
    return [(finding.what, finding.trouble) for finding in findings(zone, NOW)]


def test_a_healthy_zone_gets_no_word() -> None:
    assert told(facts()) == []
    assert report.status([facts()], NOW) is Exit.OK
    assert report.days_left(facts(), NOW) == 10


UNSIGNED = view(keys=frozenset(), covers=(Cover((APEX, "SOA"), True),))
TROUBLE = {
    "bogus": (facts(security=Security.BOGUS, why="it is forged"), "refuse the zone: it is forged"),
    "a place is bogus": (facts(refused=(((APEX, "TLSA"), "no signature"),)), "refuse example.org TLSA: no signature"),
    "no servers": (facts(why_no_servers="nobody is there"), "nobody is there"),
    "keys without DS": (facts(delegation=frozenset()), "its parent has no DS"),
    "DS without keys": (facts(UNSIGNED), "the zone has no DNSKEY"),
    "DS of another key": (facts(delegation=frozenset({ds(OTHER)})), "no DNSKEY fits the parent's DS"),
    "DS with the wrong digest": (
        facts(delegation=frozenset({Ds(KEY.tag, 13, 2, b"x" * 32)})),
        "no DNSKEY fits the parent's DS",
    ),
    "DS of a revoked key": (
        facts(view(key=REVOKED), delegation=frozenset({ds(REVOKED)})),
        "no DNSKEY fits the parent's DS",
    ),
    "DS of an unknown kind": (facts(delegation=frozenset({ds(kind=3)})), "no DS at the parent is of a kind"),
    "keys signed by another": (
        facts(view(keys=BOTH, covers=(cover("DNSKEY", key=OTHER),))),
        "not signed by the key that the parent's DS names",
    ),
    "an algorithm of the DS that signs nothing": (
        facts(view(keys=frozenset({KEY, LONG})), delegation=frozenset({ds(), ds(LONG)})),
        "nothing is signed by it",
    ),
    "a short key": (facts(view(keys=frozenset({KEY, SHORT}))), "RSASHA256 of 1024 bits is too old"),
    "SHA-1 signs": (facts(view(key=SHA1), delegation=frozenset({ds(SHA1)})), "RSASHA1-NSEC3-SHA1 is too old"),
    "DS with SHA-1 only": (facts(delegation=frozenset({ds(kind=1)})), "has only SHA-1"),
    "expired": (facts(view(covers=(cover("SOA", -1), cover("DNSKEY")))), "its signature ended 24 h ago"),
    "ends soon": (facts(view(covers=(cover("SOA", 2.5), cover("DNSKEY")))), "its signature ends in 2.5 days"),
    "ends soon, of a short life": (facts(view(covers=(cover("SOA", 0.5, life=2), cover("DNSKEY")))), "ends in 12 h"),
    "not begun": (facts(view(covers=(cover("SOA", 10, life=9), cover("DNSKEY")))), "has not begun"),
    "without a signature": (facts(view(covers=(Cover((APEX, "MX"), True), cover("DNSKEY")))), "MX at ns1"),
    "signed by no key of the zone": (
        facts(view(covers=(cover("SOA", key=OTHER), cover("DNSKEY")))),
        "no signature by a key of the zone",
    ),
    "silent": (facts(view(), view(NS2, why="silent")), "ns2.example.org (192.0.2.2) gives no answer: silent"),
    "all without a route": (facts(view(NS2, why="no route", unreachable=True)), "gives no answer: no route"),
    "behind": (
        facts(view(serial=9), view(NS2), lagging=frozenset({NS2.address})),
        "is behind: serial 7, while others have 9",
    ),
    "keys of their own": (
        facts(view(), view(NS2, OTHER), delegation=frozenset({ds(), ds(OTHER)})),
        "do not show the same keys",
    ),
    "many iterations": (facts(view(nsec3=(Nsec3(1, 0, 150, b""),))), "NSEC3 with 150 more iterations"),
}
NOTES = {
    "not signed": (facts(UNSIGNED, delegation=frozenset(), security=Security.INSECURE), "the zone is not signed"),
    "a parent that is not known": (facts(parents=(), why_no_parent="silent"), "the DS records are not known: silent"),
    "a parent that is silent": (facts(parents=((PARENT, None),)), "no server of the parent answers"),
    "a DS of a key to come": (facts(delegation=frozenset({ds(), ds(OTHER)})), "is of no key that the zone has"),
    "parents that differ": (
        facts(parents=((PARENT, frozenset({ds()})), (NS1, frozenset({ds(), ds(kind=4)})))),
        "do not agree about the DS",
    ),
    "a few iterations": (facts(view(nsec3=(Nsec3(1, 0, 1, b""),))), "NSEC3 with 1 more iterations"),
    "an algorithm of the future": (
        facts(view(keys=frozenset({KEY, Key(256, 3, 99, b"?" * 32)}))),
        "algorithm 99 is not known here",
    ),
    "CDS waits": (facts(view(cds=frozenset({ds(OTHER)}))), "asks its parent for DS"),
    "CDNSKEY waits": (facts(view(cdnskey=frozenset({OTHER}))), "asks its parent for DS"),
    "CDS asks for removal": (facts(view(cds=frozenset({Ds(0, 0, 0, b"\0")}))), "to remove every DS"),
    "CDS at one server": (facts(view(cds=frozenset({ds()})), view(NS2)), "do not show the same CDS"),
}
FINE = {
    "a signer on demand": facts(view(covers=(cover("SOA", 1, life=2), cover("DNSKEY", 1, life=2)))),
    "a double signature, one ended": facts(
        view(covers=(replace(cover(), signatures=cover().signatures + cover(days=-2).signatures), cover("DNSKEY")))
    ),
    "IPv6 without a route": facts(view(), view(replace(NS1, address="2001:db8::1"), why="no", unreachable=True)),
    "a CDS that was done": facts(view(cds=frozenset({ds()}))),
    "a CDNSKEY that was done": facts(view(cdnskey=frozenset({KEY})), delegation=frozenset({ds(kind=4)})),
    "an RRset that is not there": facts(view(covers=(*view().covers, Cover((APEX, "MX"), False)))),
    "a weaker DS beside a good one": facts(delegation=frozenset({ds(), ds(kind=1)})),
}


@pytest.mark.parametrize("case", TROUBLE)
def test_trouble_is_said_with_what_to_do(case: str) -> None:
    zone, words = TROUBLE[case]
    assert [what for what, trouble in told(zone) if trouble and words in what], told(zone)
    assert all(finding.advice for finding in findings(zone, NOW) if finding.trouble)
    assert report.status([zone], NOW) is Exit.FINDINGS


@pytest.mark.parametrize("case", NOTES)
def test_what_is_only_worth_knowing_wakes_nobody(case: str) -> None:
    zone, words = NOTES[case]
    assert [what for what, trouble in told(zone) if not trouble and words in what], told(zone)
    assert report.status([zone], NOW) is Exit.OK


@pytest.mark.parametrize("case", FINE)
def test_what_is_fine_gets_no_word(case: str) -> None:
    assert told(FINE[case]) == []


def test_a_zone_signed_in_one_go_is_one_line_a_server() -> None:
    late = tuple(cover(kind, 1) for kind in ("SOA", "DNSKEY", "NS", "MX"))
    assert len(told(facts(view(covers=late), view(NS2, covers=late)))) == 2


def test_two_algorithms_are_as_good_as_the_worse_one() -> None:
    both = replace(cover(days=9), signatures=cover(days=9).signatures + cover(days=2, key=LONG).signatures)
    assert both.until(NOW, frozenset({KEY, LONG})) == NOW + timedelta(days=2)
    assert both.until(NOW, frozenset({KEY})) == NOW + timedelta(days=9)
    assert both.until(NOW, frozenset()) is None


def test_the_document_says_it_all_in_json() -> None:
    zone = facts(view(covers=(cover("SOA", -1), cover("DNSKEY"))), view(NS2, why="silent"))
    [result] = json.loads(json.dumps(report.document([zone], NOW)))["results"]
    assert result["left_days"] == -1
    assert [key["ds"] for key in result["keys"]] == [True]
    assert result["servers"][1]["error"] == "silent"
    assert len(result["findings"]) == 2
    failed = Facts(APEX, Security.FAILED, "no answer", why_no_servers="nobody answers")
    assert report.status([failed], NOW) is Exit.LATER
    assert report.document([failed], NOW)["results"][0]["ds"] is None  # type: ignore[index]
    assert "ended" in report.sentence(zone, NOW)
    assert report.sentence(facts(), NOW) == "as it should be; ECDSAP256SHA256; signatures for 10 more days"
