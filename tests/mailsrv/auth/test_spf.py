"""SPF through our resolver: the suite of RFC 7208, and what attackers publish."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from dnsops.records import rdata
from dnsops.resolve.answer import Answer, Security
from dnsops.resolve.memory import MemoryDns
from mailsrv.auth.spf import Check, null, prepare
from mailsrv.auth.verdicts import Result, Spf
from tests.mailsrv.auth.vectors import FILE, Zone, cases

CASES = cases()


def test_the_whole_suite_is_here() -> None:
    if not FILE.exists():
        pytest.skip("the vectors are not here")
    assert len(CASES) == 203


@pytest.mark.parametrize("name,case,zone", CASES, ids=[name for name, _, _ in CASES])
def test_rfc_7208(name: str, case: dict[str, Any], zone: dict[str, list[Any]]) -> None:
    check = Check(Zone(zone), "receiver.example")
    if case["mailfrom"]:
        found = asyncio.run(check.mail(case["host"], case["mailfrom"], case["helo"]))
    else:
        found = null(asyncio.run(check.helo(case["host"], case["helo"])))
        assert found == asyncio.run(check.mail(case["host"], "", case["helo"]))
    wanted = case["result"] if isinstance(case["result"], list) else [case["result"]]
    assert found.result.value in wanted, found.why


def world() -> MemoryDns:
    dns = MemoryDns({"example.org": Security.SECURE})
    dns.put("example.org", "TXT", '"v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all"', '"other"')
    dns.put("soft.org", "TXT", '"v=spf1 ?ip4:192.0.2.1 ~all"')
    dns.put("xn--bcher-kva.example", "TXT", '"v=spf1 ip4:192.0.2.1 -all"')
    dns.put("mail.example.org", "TXT", '"v=spf1 ip4:192.0.2.1 -all"')
    dns.verdict("bogus.org", Security.BOGUS, "signature expired")
    dns.verdict("silent.org", Security.FAILED)
    dns.put("includes.org", "TXT", '"v=spf1 include:bogus.org -all"')
    return dns


def mail(sender: str, address: str = "192.0.2.1", helo: str = "mail.example.org", dns: Any = None) -> Spf:
    return asyncio.run(Check(dns or world(), "mx.us.org").mail(address, sender, helo))


@pytest.mark.parametrize(
    "sender,address,result,domain,why",
    [
        ("a@example.org", "192.0.2.1", Result.PASS, "example.org", "ip4:192.0.2.0/24 matched"),
        ("a@Example.ORG.", "192.0.2.1", Result.PASS, "example.org", "ip4:192.0.2.0/24 matched"),
        ("a@example.org", "::ffff:192.0.2.1", Result.PASS, "example.org", "ip4:192.0.2.0/24 matched"),
        ("a@example.org", "2001:db8::1", Result.PASS, "example.org", "ip6:2001:db8::/32 matched"),
        ("a@example.org", "203.0.113.1", Result.FAIL, "example.org", "-all matched"),
        ("a@example.org", "2001:db9::1", Result.FAIL, "example.org", "-all matched"),
        ("a@soft.org", "192.0.2.1", Result.NEUTRAL, "soft.org", "?ip4:192.0.2.1 matched"),
        ("a@soft.org", "192.0.2.2", Result.SOFTFAIL, "soft.org", "~all matched"),
        ("a@bücher.example", "192.0.2.1", Result.PASS, "xn--bcher-kva.example", "ip4:192.0.2.1 matched"),
        ("a@nowhere.org", "192.0.2.1", Result.NONE, "nowhere.org", "no v=spf1 record for nowhere.org"),
        ("a@[192.0.2.1]", "192.0.2.1", Result.NONE, "", "no domain that could have a record"),
        ("a@localhost", "192.0.2.1", Result.NONE, "", "no domain that could have a record"),
        # S-DNS-01: bogus, refused, silent are temporary, at the first record and behind an include
        ("a@bogus.org", "192.0.2.1", Result.TEMPERROR, "bogus.org", "TXT lookup failed for bogus.org"),
        ("a@silent.org", "192.0.2.1", Result.TEMPERROR, "silent.org", "TXT lookup failed for silent.org"),
        ("a@includes.org", "192.0.2.1", Result.TEMPERROR, "includes.org", "TXT lookup failed for bogus.org"),
    ],
)
def test_s_dns_01_the_verdict_on_mail_from(sender: str, address: str, result: Result, domain: str, why: str) -> None:
    found = mail(sender, address)
    assert (found.result, found.domain, found.why) == (result, domain, why)
    assert not found.helo


@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED", "FORMERR", ""])
def test_s_dns_01_any_other_return_code_is_temporary(rcode: str) -> None:
    class Refusing:
        async def ask(self, name: str, type_name: str) -> Answer:
            return Answer(name, type_name, Security.INSECURE, rcode)

    assert mail("a@example.org", dns=Refusing()).result is Result.TEMPERROR


@pytest.mark.parametrize(
    "helo,result,identity",
    [
        ("mail.example.org", Result.PASS, "mail.example.org"),
        ("MAIL.example.org.", Result.PASS, "mail.example.org"),
        ("example.org", Result.PASS, "example.org"),
        ("[192.0.2.1]", Result.NONE, "[192.0.2.1]"),
        ("localhost", Result.NONE, "localhost"),
        ("a\nb.example.org", Result.NONE, r"a\nb.example.org"),
        ("bogus.org", Result.TEMPERROR, "bogus.org"),
    ],
)
def test_the_verdict_on_helo(helo: str, result: Result, identity: str) -> None:
    found = asyncio.run(Check(world()).helo("192.0.2.1", helo))
    assert (found.result, found.identity, found.helo) == (result, identity, True)


def test_a_null_sender_is_the_postmaster_of_helo() -> None:
    """RFC 7208 2.4."""
    found = mail("", helo="mail.example.org")
    assert (found.result, found.identity, found.domain) == (
        Result.PASS,
        "postmaster@mail.example.org",
        "mail.example.org",
    )
    assert mail("", helo="[192.0.2.1]").result is Result.NONE


def hostile() -> Zone:
    """What S-AUTHN-01 names."""
    mx = [{"MX": [n, f"h{n}.mx.org"]} for n in range(10)]
    return Zone(
        {
            "eleven.org": [{"SPF": "v=spf1 " + " ".join(f"a:a{n}.org" for n in range(11)) + " -all"}],
            **{f"a{n}.org": [{"A": "203.0.113.9"}] for n in range(11)},
            "voids.org": [{"SPF": "v=spf1 a:no1.org a:no2.org a:no3.org a:no4.org -all"}],
            "loop.org": [{"SPF": "v=spf1 include:loop.org -all"}],
            "circle.org": [{"SPF": "v=spf1 redirect=elcric.org"}],
            "elcric.org": [{"SPF": "v=spf1 redirect=circle.org"}],
            "wide.org": [
                {"SPF": "v=spf1 " + " ".join(f"include:w{n}.org" for n in range(9)) + " include:loop.org -all"}
            ],
            **{f"w{n}.org": [{"SPF": "v=spf1 -all"}] for n in range(9)},
            "tenmx.org": [{"SPF": "v=spf1 " + " ".join(["mx:mx.org"] * 10) + " -all"}],
            "mx.org": mx,
            **{f"h{n}.mx.org": [{"A": "203.0.113.9"}] for n in range(10)},
            "difmx.org": [{"SPF": "v=spf1 " + " ".join(f"mx:m{n}.org" for n in range(10)) + " -all"}],
            **{f"m{n}.org": [{"MX": [m, f"h{m}.m{n}.org"]} for m in range(10)] for n in range(10)},
            **{f"h{m}.m{n}.org": [{"A": "203.0.113.9"}] for n in range(10) for m in range(10)},
            "manymx.org": [{"SPF": "v=spf1 mx -all"}, *({"MX": [n, f"x{n}.org"]} for n in range(11))],
            "local.org": [{"SPF": "v=spf1 exists:%{l}.%{l}.%{l}.local.org -all"}],
            "ptr.org": [{"SPF": "v=spf1 ptr -all"}],
            "1.2.0.192.in-addr.arpa": [{"PTR": f"p{n}.ptr.org"} for n in range(500)],
            **{f"p{n}.ptr.org": [{"A": "203.0.113.9"}] for n in range(500)},
        }
    )


LONG = ".".join(["a"] * 5000)  # 10 kB


@pytest.mark.parametrize(
    "sender,result,most",
    [
        ("a@eleven.org", Result.PERMERROR, 11),
        ("a@voids.org", Result.PERMERROR, 4),
        ("a@loop.org", Result.PERMERROR, 1),
        ("a@circle.org", Result.PERMERROR, 2),
        ("a@wide.org", Result.PERMERROR, 11),
        ("a@tenmx.org", Result.FAIL, 12),
        ("a@difmx.org", Result.FAIL, 111),
        ("a@manymx.org", Result.PERMERROR, 2),
        (f"{LONG}@local.org", Result.PERMERROR, 0),
        (f"{LONG[:255]}@local.org", Result.FAIL, 2),
        ("a@ptr.org", Result.FAIL, 12),
    ],
)
def test_s_authn_01_questions_are_counted(sender: str, result: Result, most: int) -> None:
    zone = hostile()
    found = mail(sender, dns=zone)
    assert found.result is result
    assert len(zone.asked) <= most
    assert max(Counter(zone.asked).values(), default=1) == 1, "nothing is asked twice"


class Texts:
    """Whatever is asked, these texts."""

    def __init__(self, *texts: str) -> None:
        self.items = frozenset(map(rdata.txt, texts))

    async def ask(self, name: str, type_name: str) -> Answer:
        return Answer(
            name, type_name, Security.INSECURE, items=self.items if type_name == "TXT" else frozenset(), ttl=1
        )


@pytest.mark.parametrize(
    "texts,result",
    [
        ([f"v=spf1 ip4:192.0.2.{n % 250} exp=x{n}.org -all" for n in range(500)], Result.PERMERROR),
        (["v=spf1 " + " ".join(["ip4:198.51.100.1"] * 3800) + " -all"], Result.PERMERROR),  # 64 KiB, 255 strings
        (["v=spf1 " + "a" * 8000], Result.PERMERROR),
        ([*(f"verification={n}" for n in range(1000)), "v=spf1 ip4:192.0.2.1 -all"], Result.PASS),
        (["x" * 60000, "v=spf1 ip4:192.0.2.1 -all"], Result.PASS),
        (["v=spf10 ip4:192.0.2.1"], Result.NONE),
    ],
)
def test_s_dns_05_explosions_of_texts_are_bounded(texts: list[str], result: Result) -> None:
    assert mail("a@example.org", dns=Texts(*texts)).result is result


@pytest.mark.parametrize(
    "text",
    [
        "v=spf1 ip6:fe80::1%eth0 -all",
        "v=spf1 ip6:::1%25/64 -all",
        "v=spf1 exists:%{i" + "9" * 4500 + "}.org -all",
        "v=spf1 x=%{i" + "9" * 4500 + "} -all",
        "v=spf1 ip4:192.0.2.1/" + "9" * 4500,
        "v=spf1 a//" + "9" * 4500,
        "v=spf1 -all exp=e.org x=%{" + "d" * 4500,
    ],
)
@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", "fe80::1%eth0"])
def test_what_spftrace_trips_over_is_a_permanent_error(text: str, address: str) -> None:
    assert mail("a@example.org", address, dns=Texts(text)).result is Result.PERMERROR


@pytest.mark.parametrize(
    "text", ["v=spf1 ptr -all", "v=spf1 exists:%{i}.%{p}.%{v}.org -all", "v=spf1 ip6:fe80::/10 -all"]
)
def test_a_link_local_client_is_checked_as_any_other(text: str) -> None:
    wanted = Result.PASS if "ip6" in text else Result.FAIL
    assert mail("a@example.org", "fe80::1%eth0", dns=Texts(text)).result is wanted


def test_the_time_for_a_check_is_bounded() -> None:
    class Never:
        async def ask(self, name: str, type_name: str) -> Answer:
            await asyncio.Event().wait()
            raise AssertionError

    found = asyncio.run(Check(Never(), seconds=0.05).mail("192.0.2.1", "a@example.org", "h.example.org"))
    assert found.result is Result.TEMPERROR


def test_what_a_domain_writes_is_told_escaped() -> None:
    found = mail("a@example.org", "203.0.113.1", dns=Texts("v=spf1 -all exp=\x1b[31m.org"))
    assert found.why.isprintable()
    assert mail("a\x1b\n@example.org").identity.isprintable()


def test_it_can_be_prepared() -> None:
    prepare()
