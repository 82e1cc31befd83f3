"""Where mail for a domain goes, as a table of domains."""

import asyncio
import random
from typing import Any

import pytest

from dnsops.base.errors import Misconfigured
from dnsops.base.flow import arun
from dnsops.resolve.answer import Security
from dnsops.resolve.memory import MemoryDns
from mailsrv.send import nexthop
from mailsrv.send.nexthop import Here, NextHop
from mailsrv.send.route import Ours, Route, Router, Way
from mailsrv.send.verdict import Fate, Verdict
from mailsrv.transport.host import Host

OURS = Ours(frozenset({"mx.us.org"}), frozenset({"192.0.2.99", "2001:db8::99"}), frozenset({"us.org"}))


def world() -> MemoryDns:
    dns = MemoryDns({"example.org": Security.SECURE})
    hosts = {
        "a": ["192.0.2.1"], "b": ["192.0.2.2"], "c": ["192.0.2.3"], "us": ["192.0.2.99"], "multi": ["224.0.0.1"], "lo": ["127.0.0.1"],
        "many": [f"198.51.100.{n}" for n in range(1, 30)],
    }  # fmt: skip
    for name, addresses in hosts.items():
        dns.put(f"{name}.example.org", "A", *addresses)
    dns.put("a.example.org", "AAAA", "2001:db8::1")
    dns.put("mx.us.org", "A", "192.0.2.99")
    dns.put("alias.example.org", "CNAME", "b.example.org.")
    mx = {
        "plain.org": ["10 a.example.org."],
        "three.org": ["20 b.example.org.", "10 a.example.org.", "30 c.example.org."],
        "null.org": ["0 ."],
        "nullandmore.org": ["0 .", "10 b.example.org."],
        "alias.org": ["10 alias.example.org."],
        "literal.org": ["10 192.0.2.1."],
        "nohost.org": ["10 nowhere.example.org."],
        "half.org": ["10 nowhere.example.org.", "20 b.example.org."],
        "dark.org": ["10 host.bogus.org."],
        "halfdark.org": ["10 host.bogus.org.", "20 b.example.org."],
        "backup.org": ["10 a.example.org.", "20 mx.us.org.", "20 b.example.org.", "30 c.example.org."],
        "backupbyaddress.org": ["10 a.example.org.", "20 us.example.org.", "30 c.example.org."],
        "loop.org": ["10 mx.us.org.", "20 b.example.org."],
        "loopback.org": ["10 lo.example.org."],
        "multicast.org": ["10 multi.example.org."],
        "crowd.org": [f"10 n{n}.example.org." for n in range(50)],
        "many.org": ["10 many.example.org."],
    }
    for name, records in mx.items():
        dns.put(name, "MX", *records)
    for n in range(50):
        dns.put(f"n{n}.example.org", "A", f"203.0.113.{n + 1}")
    dns.put("implicit.org", "A", "192.0.2.1")
    dns.put("implicitus.org", "A", "192.0.2.99")
    dns.put("cname.org", "CNAME", "plain.org.")
    dns.put("empty.org", "TXT", '"nothing here"')
    dns.verdict("bogus.org", Security.BOGUS)
    dns.verdict("silent.org", Security.FAILED, "no server answers")
    return dns


def way(domain: str, **settings: Any) -> Way:
    router = Router(**{"ours": OURS, **settings})
    dns = world()
    return asyncio.run(arun(router.route(domain), lambda question: dns.ask(question.name, question.type)))


def hosts(domain: str, **settings: Any) -> list[str]:
    found = way(domain, **settings)
    assert isinstance(found, Route), found
    return [host.name.removesuffix(".example.org") for host in found.hosts]


@pytest.mark.parametrize(
    "domain,expected",
    [
        ("plain.org", ["a"]),
        ("PLAIN.org.", ["a"]),
        ("three.org", ["a", "b", "c"]),
        ("nullandmore.org", ["b"]),
        ("alias.org", ["alias"]),  # RFC 2181 10.3 forbids it, and everyone does it
        ("cname.org", ["a"]),
        ("half.org", ["b"]),
        ("halfdark.org", ["b"]),
        ("implicit.org", ["implicit.org"]),
        ("backup.org", ["a"]),  # RFC 5321 5.1: ourselves, our equals and all behind us are dropped
        ("backupbyaddress.org", ["a"]),
        ("[192.0.2.7]", ["[192.0.2.7]"]),
        ("[IPv6:2001:db8::7]", ["[IPv6:2001:db8::7]"]),
    ],
)
def test_hosts(domain: str, expected: list[str]) -> None:
    assert hosts(domain) == expected


@pytest.mark.parametrize(
    "domain,fate,code",
    [
        ("nowhere.org", Fate.FAILED, "5.1.2"),
        ("null.org", Fate.FAILED, "5.1.10"),  # RFC 7505 3
        ("empty.org", Fate.FAILED, "5.4.4"),
        ("literal.org", Fate.FAILED, "5.4.4"),
        ("nohost.org", Fate.FAILED, "5.4.4"),
        ("multicast.org", Fate.FAILED, "5.4.4"),
        ("bogus.org", Fate.LATER, "4.4.3"),  # P-28: never a bounce, never the A record
        ("silent.org", Fate.LATER, "4.4.3"),
        ("dark.org", Fate.LATER, "4.4.3"),
        ("loop.org", Fate.FAILED, "5.4.6"),
        ("loopback.org", Fate.FAILED, "5.4.6"),
        ("implicitus.org", Fate.FAILED, "5.4.6"),
        ("[192.0.2.99]", Fate.FAILED, "5.4.6"),
        ("[127.0.0.1]", Fate.FAILED, "5.4.6"),
        ("[IPv6:::ffff:127.0.0.1]", Fate.FAILED, "5.1.3"),
        ("[192.0.2]", Fate.FAILED, "5.1.3"),
        ("[192.0.2.1", Fate.FAILED, "5.1.3"),
        ("[2001:db8::7]", Fate.FAILED, "5.1.3"),
        ("[IPv6:192.0.2.1]", Fate.FAILED, "5.1.3"),
        ("[224.0.0.1]", Fate.FAILED, "5.4.4"),
        ("", Fate.FAILED, "5.1.3"),
        ("two..dots", Fate.FAILED, "5.1.3"),
        ("b c.org", Fate.FAILED, "5.1.3"),
    ],
)
def test_verdicts(domain: str, fate: Fate, code: str) -> None:
    found = way(domain)
    assert isinstance(found, Verdict)
    assert (found.fate, found.code) == (fate, code)


def test_our_own_domain_stays_here() -> None:
    assert way("us.org") == Here()
    assert way("plain.org", next_hop=Here()) == Here()


def test_each_family_has_its_turn_and_the_canonical_name_is_kept() -> None:
    found = way("plain.org")
    assert isinstance(found, Route)
    assert found.hosts == (Host("a.example.org", ("2001:db8::1", "192.0.2.1"), 25, "a.example.org", True, 10),)
    aliased = way("alias.org")
    assert isinstance(aliased, Route)
    assert (aliased.hosts[0].canonical, aliased.proven) == ("b.example.org", False)
    only_v4 = way("plain.org", families=("A",))
    assert isinstance(only_v4, Route)
    assert only_v4.hosts[0].addresses == ("192.0.2.1",)


def test_hosts_and_addresses_are_bounded() -> None:
    assert len(hosts("crowd.org")) == 20
    crowd, many = way("crowd.org"), way("many.org")
    assert isinstance(crowd, Route)
    assert isinstance(many, Route)
    assert (len(crowd.addresses), len(many.addresses)) == (12, 4)


def test_equal_preferences_are_shuffled_and_unequal_ones_are_not() -> None:
    orders = {tuple(hosts("crowd.org", shuffle=random.Random(seed).shuffle)) for seed in range(5)}
    assert len(orders) == 5
    assert {tuple(hosts("three.org", shuffle=random.Random(seed).shuffle)) for seed in range(5)} == {("a", "b", "c")}


@pytest.mark.parametrize("kind", [Security.BOGUS, Security.FAILED])
@pytest.mark.parametrize(
    "domain", ["plain.org", "three.org", "null.org", "implicit.org", "backup.org", "us.example.org"]
)
def test_a_resolver_that_fails_never_bounces_mail(domain: str, kind: Security) -> None:
    dns = world()
    dns.verdict("org", kind)
    found = asyncio.run(arun(Router(OURS).route(domain), lambda question: dns.ask(question.name, question.type)))
    assert isinstance(found, Verdict)
    assert (found.fate, [q[1] for q in dns.asked]) == (Fate.LATER, ["MX"])


@pytest.mark.parametrize(
    "text,expected",
    [
        (None, None),
        ("local", Here()),
        ("smart.example.net", NextHop("smart.example.net", 25)),
        ("Smart.Example.net:587", NextHop("smart.example.net", 587)),
        ("smart.example.net:465", NextHop("smart.example.net", 465, implicit=True)),
        ("192.0.2.1:2525", NextHop("192.0.2.1", 2525)),
        ("[2001:db8::1]:587", NextHop("2001:db8::1", 587)),
    ],
)
def test_next_hops_are_read(text: str | None, expected: object) -> None:
    assert nexthop.parse(text) == expected


@pytest.mark.parametrize("text", ["", "a b", "host:0", "host:70000", "host:port", "two..dots", "[x]:25"])
def test_what_is_no_next_hop_is_told(text: str) -> None:
    with pytest.raises(Misconfigured, match=r"queue\.next_hop"):
        nexthop.parse(text)


def test_a_smarthost_takes_everything_and_its_absence_bounces_nothing() -> None:
    found = way("[192.0.2.1]", next_hop=NextHop("a.example.org", 587))
    assert isinstance(found, Route)
    assert (found.hosts[0].name, found.hosts[0].port, found.proven) == ("a.example.org", 587, True)
    gone = way("plain.org", next_hop=NextHop("gone.example.org"))
    assert isinstance(gone, Verdict)
    assert gone.fate is Fate.LATER
