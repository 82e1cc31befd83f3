"""A client's address and its name, by RFC 8601 3, and what stands in hostile reverse zones."""

from __future__ import annotations

import pytest

from dnsops.base.flow import run
from dnsops.records import rdata
from dnsops.records.rdata import Generic, Rdata
from dnsops.resolve.answer import Answer, Question, Security, failed
from mailsrv.auth.iprev import MOST_NAMES, reverse
from mailsrv.auth.verdicts import Iprev, Result


class Dns:
    """Names and their records; `dark` ones give no answer."""

    def __init__(self, ptr: list[str], addresses: dict[str, str] | None = None, dark: tuple[str, ...] = ()) -> None:
        self.ptr, self.addresses, self.dark = ptr, addresses or {}, dark
        self.asked: list[Question] = []

    def __call__(self, question: Question) -> Answer:
        self.asked.append(question)
        if question.name in self.dark:
            return failed(question.name, question.type, "silent")
        items: frozenset[Rdata] = frozenset()
        if question.type == "PTR":
            items = frozenset(Generic("PTR", name) for name in self.ptr)
        elif question.name in self.addresses:
            items = frozenset({rdata.parse(question.type, self.addresses[question.name])})
        rcode = "NOERROR" if items else "NXDOMAIN"
        return Answer(question.name, question.type, Security.INSECURE, rcode, items)


def verdict(address: str, ptr: list[str], dark: tuple[str, ...] = (), **addresses: str) -> Iprev:
    return run(reverse(address), Dns(ptr, {f"{name}.org": to for name, to in addresses.items()}, dark))


@pytest.mark.parametrize(
    "found,result,name",
    [
        (verdict("192.0.2.1", ["a.org."], a="192.0.2.1"), Result.PASS, "a.org"),
        (verdict("::ffff:192.0.2.1", ["a.org."], a="192.0.2.1"), Result.PASS, "a.org"),
        (verdict("2001:db8::1", ["A.org."], a="2001:DB8:0::1"), Result.PASS, "a.org"),
        (verdict("192.0.2.1", ["a.org.", "b.org."], b="192.0.2.1"), Result.PASS, "b.org"),
        (verdict("192.0.2.1", ["a.org."], a="192.0.2.2"), Result.FAIL, ""),
        (verdict("192.0.2.1", ["a.org."]), Result.FAIL, ""),
        (verdict("192.0.2.1", []), Result.PERMERROR, ""),
        (verdict("not an address", []), Result.PERMERROR, ""),
        # S-DNS-01
        (verdict("192.0.2.1", ["a.org."], ("1.2.0.192.in-addr.arpa",)), Result.TEMPERROR, ""),
        (verdict("192.0.2.1", ["a.org.", "b.org."], ("a.org",)), Result.TEMPERROR, ""),
        (verdict("192.0.2.1", ["a.org.", "b.org."], ("a.org",), b="192.0.2.1"), Result.PASS, "b.org"),
    ],
)
def test_the_verdict(found: Iprev, result: Result, name: str) -> None:
    assert (found.result, found.name) == (result, name)
    assert found.why or found.result is Result.PASS


def test_the_reverse_names_of_both_families() -> None:
    for address, name in (
        ("192.0.2.1", "1.2.0.192.in-addr.arpa"),
        ("fe80::1%eth0", "1" + ".0" * 28 + ".8.e.f.ip6.arpa"),
        ("2001:db8::1", "1" + ".0" * 23 + ".8.b.d.0.1.0.0.2.ip6.arpa"),
    ):
        dns = Dns([])
        run(reverse(address), dns)
        assert dns.asked == [Question(name, "PTR")]


def test_s_dns_12_of_a_thousand_names_three_are_looked_at() -> None:
    dns = Dns([f"n{n}.org." for n in range(1000)])
    assert run(reverse("192.0.2.1"), dns).result is Result.FAIL
    assert len(dns.asked) == 1 + MOST_NAMES


@pytest.mark.parametrize(
    "name",
    ["$(reboot).org.", "<img src=x onerror=alert(1)>.org.", "\\000\\255.org.", "a\x1b[31m.org.", "a\r\nX: y.org.", ".", "a.", "-",
     "1.2.3.4.", "*.org.", "a." * 200, "x" * 70 + ".org."],
)  # fmt: skip
def test_s_dns_12_a_malformed_name_is_passed_over_and_told_escaped(name: str) -> None:
    dns = Dns([name])
    found = run(reverse("192.0.2.1"), dns)
    assert found.result is Result.FAIL
    assert found.name == ""
    assert found.why.isprintable()
    assert len(found.why) < 400
    assert len(dns.asked) == 1
