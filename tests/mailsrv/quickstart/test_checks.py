"""What the facts mean: fine, a warning, or trouble; each that is not fine says what to do."""

from __future__ import annotations

import pytest

from dnsops.resolve.answer import Answer, Security, failed
from dnsops.resolve.memory import MemoryDns
from mailsrv.quickstart import checks, facts
from mailsrv.quickstart.facts import Dialled, Fact, Taken
from mailsrv.quickstart.finding import Level
from mailsrv.quickstart.telling import MARKS, rows
from mailsrv.spam.dnsbl import Found, Listing

DOMAIN, HOST, ADDRESS = "example.org", "mx1.example.org", "192.0.2.25"
GIB = 1 << 30


def answer(name: str, type_name: str, *texts: str, security: Security = Security.SECURE) -> Answer:
    dns = MemoryDns({"": security})
    if texts:
        dns.put(name, type_name, *texts)
    return dns._found(name, type_name, security, ())


def zone(soa: Answer | None = None, dnskey: Answer | None = None, mx: Answer | None = None) -> facts.Zone:
    return facts.Zone(
        DOMAIN,
        HOST,
        soa or answer(DOMAIN, "SOA", "ns1.example.org. hostmaster.example.org. 1 2 3 4 5"),
        answer(DOMAIN, "DS"),
        dnskey or answer(DOMAIN, "DNSKEY"),
        mx or answer(DOMAIN, "MX"),
    )


INSECURE = answer(DOMAIN, "SOA", "a. b. 1 2 3 4 5", security=Security.INSECURE)
SIGNED = answer(DOMAIN, "DNSKEY", "257 3 13 " + "A" * 88, security=Security.INSECURE)
MX = {
    "ours": answer(DOMAIN, "MX", f"10 {HOST}."),
    "elsewhere": answer(DOMAIN, "MX", f"10 {HOST}.", "20 mx.provider.example."),
    "null": answer(DOMAIN, "MX", "0 ."),
}
ROOT = Answer("", "NS", Security.SECURE, by="libunbound")
FORGED = answer("dnssec-failed.org", "A", "192.0.2.1")
MACHINE = facts.Machine(root=True, low_ports=True, user=True, state="/var/lib", free=50 * GIB)

TABLE: list[tuple[Fact, Level, str]] = [
    (facts.Unchecked("ports", "no end after 25 s"), Level.WARNING, "ports: could not be checked: no end"),
    (facts.Validation(ROOT), Level.FINE, "validates DNSSEC: libunbound"),
    (facts.Validation(Answer("", "NS", Security.INSECURE)), Level.TROUBLE, "apt install libunbound8"),
    (facts.Validation(failed("", "NS", "timed out")), Level.TROUBLE, "not proven (timed out)"),
    (facts.Validation(ROOT, (FORGED,)), Level.TROUBLE, "believes forged answers (dnssec-failed.org)"),
    (facts.Validation(ROOT, (failed("dnssec-failed.org", "A", "no"),)), Level.FINE, "validates"),
    (facts.Validation(ROOT, (Answer("rhybar.cz", "A", Security.BOGUS),)), Level.FINE, "validates"),
    (zone(), Level.FINE, "example.org is signed"),
    (zone(Answer(DOMAIN, "SOA", Security.SECURE, rcode="NXDOMAIN")), Level.TROUBLE, "is not in the DNS - register it"),
    (zone(INSECURE), Level.WARNING, "is not signed"),
    (zone(INSECURE, SIGNED), Level.WARNING, "its parent has no DS record"),
    (zone(Answer(DOMAIN, "SOA", Security.BOGUS, why="signature expired")), Level.TROUBLE, "signature expired"),
    (zone(failed(DOMAIN, "SOA", "timed out")), Level.WARNING, "could not be asked (timed out)"),
    (zone(mx=MX["ours"]), Level.FINE, "has its mail here already"),
    (zone(mx=MX["elsewhere"]), Level.TROUBLE, "mail for example.org goes to mx.provider.example now - move its"),
    (zone(mx=MX["null"]), Level.TROUBLE, "takes no mail (null MX"),
    (facts.HostName(HOST, (ADDRESS,), (answer(HOST, "A"),)), Level.FINE, "is free"),
    (facts.HostName(HOST, (ADDRESS,), (answer(HOST, "A", ADDRESS),)), Level.FINE, "leads here"),
    (facts.HostName(HOST, (ADDRESS,), (answer(HOST, "A", "192.0.2.9"),)), Level.WARNING, "leads to 192.0.2.9"),
    (
        facts.HostName(HOST, (ADDRESS,), (Answer(HOST, "A", Security.SECURE, canonical="x.example"),)),
        Level.TROUBLE,
        "is an alias of x.example",
    ),
    (facts.HostName(HOST, (ADDRESS,), (), ("127.0.1.1",)), Level.WARNING, "/etc/hosts has 127.0.1.1"),
    (facts.Reverse(ADDRESS, HOST, answer("x", "PTR"), (HOST,)), Level.FINE, f"{ADDRESS} is {HOST}"),
    (facts.Reverse(ADDRESS, HOST, answer("x", "PTR")), Level.WARNING, "has none"),
    (facts.Reverse(ADDRESS, HOST, answer("x", "PTR"), ("a.isp.example",)), Level.WARNING, "called a.isp.example"),
    (facts.Reverse(ADDRESS, HOST, failed("x", "PTR", "timed out")), Level.WARNING, "timed out"),
    (facts.Outbound((Dialled("mx.a"), Dialled("mx.b", "no answer"))), Level.FINE, "mx.a greets us"),
    (facts.Outbound((Dialled("mx.b", "no answer"),)), Level.TROUBLE, "mail would not leave - ask your provider"),
    (facts.Ports(), Level.FINE, "free"),
    (facts.Ports(ours=True), Level.FINE, "a server of ours"),
    (facts.Ports((Taken("::", 25),)), Level.TROUBLE, "port 25 of :: is another program's - stop"),
    (facts.Ports((Taken("::", 443),)), Level.WARNING, "listeners.https.enabled false"),
    (facts.Ports((Taken("::", 25, denied=True),)), Level.WARNING, "cannot be opened by this user"),
    (facts.Addresses((ADDRESS,), frozenset({ADDRESS})), Level.FINE, ADDRESS),
    (facts.Addresses((ADDRESS,), frozenset({"10.0.0.2"})), Level.WARNING, "behind NAT"),
    (facts.Addresses((ADDRESS,), frozenset(), (ADDRESS,)), Level.WARNING, "did not reach ourselves"),
    (facts.Addresses(("2001:db8::25",), frozenset({"2001:db8::25"})), Level.WARNING, "no IPv4"),
    (facts.Clock(True), Level.FINE, "synchronised"),
    (facts.Clock(None), Level.FINE, "synchronised"),
    (facts.Clock(False), Level.WARNING, "nothing keeps it right"),
    (facts.Clock(False, 0.5, "ca.example"), Level.FINE, "right, by ca.example"),
    (facts.Clock(True, -12.0, "ca.example"), Level.WARNING, "12 s behind of ca.example"),
    (facts.Clock(True, 3600.0, "ca.example"), Level.TROUBLE, "3600 s ahead of ca.example"),
    (facts.Authority("https://ca.example/dir"), Level.FINE, "https://ca.example/dir"),
    (facts.Authority("https://ca.example/dir", "timed out"), Level.TROUBLE, "timed out"),
    (facts.Listings("zen.example"), Level.FINE, "on none of zen.example"),
    (facts.Listings("zen.example", unusable="it is closed"), Level.WARNING, "cannot be asked: it is closed"),
    (
        facts.Listings("zen.example", (Listing("zen.example", ADDRESS, Found.LISTED, ("127.0.0.2",), "spam"),)),
        Level.WARNING,
        f"{ADDRESS} is on zen.example: spam",
    ),
    (facts.Holder("cloudflare", DOMAIN), Level.FINE, "lets us into example.org"),
    (facts.Holder("cloudflare", DOMAIN, "no such zone", "add it"), Level.TROUBLE, "no such zone - add it"),
    (facts.Holder("cloudflare", DOMAIN, "429", later=True), Level.WARNING, "try again in a while"),
    (facts.Holder("cloudflare", DOMAIN, remarks=((False, "broad", "narrow it"),)), Level.WARNING, "broad - narrow it"),
    (facts.Holder("cloudflare", DOMAIN, remarks=((True, "read only", "x"),)), Level.TROUBLE, "read only"),
    (MACHINE, Level.FINE, "50 GiB free"),
    (facts.Machine(True, True, False, "/var", 50 * GIB), Level.WARNING, "useradd"),
    (facts.Machine(False, False, True, "/var", 50 * GIB), Level.WARNING, "cannot open port 25"),
    (facts.Machine(True, True, True, "/var", GIB), Level.WARNING, "1.0 GiB left"),
    (facts.Machine(True, True, True, "/var", 1), Level.TROUBLE, "make room"),
    (
        facts.Machine(False, True, True, "/var", 9 * GIB, (("/etc/mailsrv", "/etc is not ours"),)),
        Level.TROUBLE,
        "--output",
    ),
    (facts.Age(DOMAIN, 10), Level.WARNING, "registered 10 days ago"),
]


@pytest.mark.parametrize(("fact", "level", "says"), TABLE, ids=[f"{n} {case[2]}" for n, case in enumerate(TABLE)])
def test_each_fact_has_its_sentence(fact: Fact, level: Level, says: str) -> None:
    told = [(one.level, str(one)) for one in checks.judged([fact])]
    assert any(level is found and says in text for found, text in told), told
    worst = max((list(Level).index(found) for found, _ in told), default=0)
    assert worst <= max(list(Level).index(level), list(Level).index(Level.FINE))


def test_what_is_not_fine_says_what_to_do() -> None:
    for fact, _, _ in TABLE:
        for finding in checks.judged([fact]):
            assert bool(finding.advice) == (finding.level is not Level.FINE), finding


@pytest.mark.parametrize("days", [None, 42, 4000])
def test_an_old_domain_is_not_worth_a_word(days: int | None) -> None:
    assert checks.judged([facts.Age(DOMAIN, days)]) == ()


def test_every_kind_of_fact_has_a_judge_and_every_level_a_mark() -> None:
    kinds = {kind for kind in vars(facts).values() if isinstance(kind, type) and kind.__module__ == facts.__name__}
    assert {kind for kind in kinds if kind.__name__ not in ("Dialled", "Taken")} == set(checks.JUDGES)
    assert set(MARKS) == set(Level)
    assert rows(checks.judged([facts.Ports()])) == [("ok", "ports", "free")]


def test_troubles_are_what_stops_a_run() -> None:
    found = checks.judged([facts.Ports((Taken("::", 25), Taken("::", 443)))])
    assert [one.text for one in checks.troubles(found)] == ["port 25 of :: is another program's"]


def test_text_of_others_cannot_write_lines_of_ours() -> None:
    evil = answer(DOMAIN, "MX", "10 a\\010b.example.")
    for finding in checks.judged([zone(mx=evil)]):
        assert str(finding).isprintable()
