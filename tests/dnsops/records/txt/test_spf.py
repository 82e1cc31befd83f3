"""SPF records, read and written; whatever the suite of RFC 7208 holds is read as spftrace reads it."""

from __future__ import annotations

import pytest
from spftrace import SpfPermError
from spftrace import parse as traced

from dnsops.base.errors import ForUser
from dnsops.records.txt.spf import LONGEST, Mechanism, Modifier, Spf, is_spf
from tests.mailsrv.auth.vectors import records

READ = [
    ("v=spf1", ()),
    ("v=spf1 mx -all", (Mechanism("mx"), Mechanism("all", qualifier="-"))),
    ("V=SPF1  MX  ~ALL ", (Mechanism("mx"), Mechanism("all", qualifier="~"))),
    ("v=spf1 a:Mail.example.org/24//64", (Mechanism("a", "Mail.example.org", 24, 64),)),
    ("v=spf1 a/24 mx//64", (Mechanism("a", bits4=24), Mechanism("mx", bits6=64))),
    ("v=spf1 a:foo/bar.example.org", (Mechanism("a", "foo/bar.example.org"),)),
    ("v=spf1 ip4:192.0.2.0/24", (Mechanism("ip4", "192.0.2.0", 24),)),
    ("v=spf1 ?ip6:2001:db8::/32", (Mechanism("ip6", "2001:db8::", None, 32, "?"),)),
    ("v=spf1 ptr ptr:example.org", (Mechanism("ptr"), Mechanism("ptr", "example.org"))),
    ("v=spf1 exists:%{ir}.%{l1r-}.example.org", (Mechanism("exists", "%{ir}.%{l1r-}.example.org"),)),
    ("v=spf1 exists:%%{d0}.org x=%%{c}", (Mechanism("exists", "%%{d0}.org"), Modifier("x", "%%{c}"))),
    ("v=spf1 redirect=%{d2}", (Modifier("redirect", "%{d2}"),)),
    ("v=spf1 exp=e.example.org x-y=", (Modifier("exp", "e.example.org"), Modifier("x-y", ""))),
]


@pytest.mark.parametrize("text,terms", READ)
def test_a_record_is_read_and_written_back(text: str, terms: tuple[object, ...]) -> None:
    record = Spf.parse(text)
    assert record.terms == terms
    assert Spf.parse(str(record)) == record


WRONG = """v=spf10 mx|v=spf2 mx|spf1|v=spf1 all:x|v=spf1 ip4|v=spf1 ip4:1.2.3|v=spf1 ip4:1.2.3.4/33|v=spf1 ip4:1.2.3.4/08
v=spf1 ip6:1.2.3.4|v=spf1 ip6:::1/129|v=spf1 ip6:fe80::1%eth0|v=spf1 include|v=spf1 include:|v=spf1 include:localhost
v=spf1 include:example.1|v=spf1 a:example.org/33|v=spf1 a/24/24|v=spf1 ax/24|v=spf1 mx:/24|v=spf1 exists:%{z}.org|v=spf1 exists:%{d0}.org
v=spf1 exists:%(d).org|v=spf1 exists:%{c}.org|v=spf1 redirect=a.org redirect=b.org|v=spf1 exp=a.org exp=a.org|v=spf1 redirect=
v=spf1 -|v=spf1 +redirect=a.org|v=spf1 é.org|v=spf1\tmx|v=spf1 mx\n""".replace("\n", "|", 3).split("|")


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_record_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ForUser):
        Spf.parse(text)


@pytest.mark.parametrize("text", records())
def test_the_records_of_the_suite_are_read_as_spftrace_reads_them(text: str) -> None:
    try:
        theirs = [(term.name, term.qualifier) for term in traced(text).terms]
    except SpfPermError:
        with pytest.raises(ForUser):
            Spf.parse(text)
        return
    ours = Spf.parse(text)
    assert [(term.name, getattr(term, "qualifier", "+")) for term in ours.terms] == theirs
    assert Spf.parse(str(ours)) == ours


def test_s_dns_05_a_record_is_bounded() -> None:
    for text in ("v=spf1 " + "ip4:192.0.2.1 " * 501, "v=spf1 exists:" + "a" * LONGEST, "v=spf1 x=" + "%{d}" * 5000):
        with pytest.raises(ForUser):
            Spf.parse(text)


def test_terms_that_cost_a_lookup_are_counted() -> None:
    """RFC 7208 4.6.4."""
    assert Spf.parse("v=spf1 a mx ptr exists:a.org include:b.org ip4:192.0.2.1 ip6:::1 -all").lookups == 5
    assert Spf.parse("v=spf1 redirect=a.org exp=b.org").lookups == 1


@pytest.mark.parametrize(
    "there,wanted,merged",
    [
        ("v=spf1 -all", [Mechanism("mx")], "v=spf1 mx -all"),
        ("v=spf1 mx -all", [Mechanism("mx")], "v=spf1 mx -all"),
        (
            "v=spf1 include:a.org",
            [Mechanism("mx"), Mechanism("ip4", "192.0.2.1")],
            "v=spf1 include:a.org mx ip4:192.0.2.1",
        ),
        ("v=spf1 a ~all exp=e.org", [Mechanism("mx")], "v=spf1 a mx ~all exp=e.org"),
    ],
)
def test_a_record_is_merged_before_its_end(there: str, wanted: list[Mechanism], merged: str) -> None:
    assert str(Spf.parse(there).joined(wanted)) == merged


@pytest.mark.parametrize("text,so", [("v=spf1", True), ("V=SPF1 x", True), ("v=spf10", False), ("xv=spf1", False)])
def test_a_text_is_meant_as_a_record_or_not(text: str, so: bool) -> None:
    assert is_spf(text) is so
