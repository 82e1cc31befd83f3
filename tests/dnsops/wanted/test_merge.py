"""Two SPF records become one, in which our host passes and their senders go on to; spftrace, another's program, is asked as well."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import pytest

from dnsops.base.flow import run
from dnsops.records import rdata
from dnsops.records.txt.spf import Spf
from dnsops.resolve.answer import Answer, Question, Security
from dnsops.wanted import merge
from dnsops.wanted.merge import Cost, Merged
from dnsops.wanted.spf_cost import cost_of
from tests.dnsops.wanted.houses import house

OURS = "v=spf1 mx -all"
D = "example.org"


def merged(*present: str, ours: str = OURS, cost: Cost | None = None, **others: Any) -> Merged:
    settings = others.pop("settings", None)
    return merge.spf(present, ours, house(settings, **others), D, cost)


@pytest.mark.parametrize(
    "present, text",
    [
        ([], OURS),
        (["some text", "v=spf10 x", "v=spf2.0/mfrom -all"], OURS),
        (["v=spf1 mx -all"], "v=spf1 mx -all"),
        (["v=spf1 include:_spf.example.net ~all"], "v=spf1 include:_spf.example.net mx ~all"),
        (["v=spf1 -all"], "v=spf1 mx -all"),
        (["v=spf1 ~all"], "v=spf1 mx ~all"),
        (["v=spf1 mx ~all"], "v=spf1 mx ~all"),
        (["v=spf1 ip4:203.0.113.0/24 -all"], "v=spf1 ip4:203.0.113.0/24 mx -all"),
        # it lets our host pass already, by its addresses or its name
        (["v=spf1 ip4:192.0.2.25 ip6:2001:db8::/32 -all"], "v=spf1 ip4:192.0.2.25 ip6:2001:db8::/32 -all"),
        (["v=spf1 a:mx1.example.org -all"], "v=spf1 a:mx1.example.org -all"),
        (["v=spf1 a:MX1.example.org. -all"], "v=spf1 a:MX1.example.org. -all"),
        (["v=spf1 mx:example.org -all"], "v=spf1 mx:example.org -all"),
        # one family alone is not enough
        (["v=spf1 ip4:192.0.2.25 -all"], "v=spf1 ip4:192.0.2.25 mx -all"),
        # what refuses our host stands behind ours
        (["v=spf1 include:x.example -ip4:192.0.2.0/24 ~all"], "v=spf1 include:x.example mx -ip4:192.0.2.0/24 ~all"),
        (["v=spf1 -ip4:192.0.2.0/24 mx -all"], "v=spf1 mx -ip4:192.0.2.0/24 mx -all"),
        # redirect and exp (RFC 7208 6): ours comes first, and theirs decides the rest
        (["v=spf1 redirect=_spf.example.net"], "v=spf1 mx redirect=_spf.example.net"),
        (["v=spf1 a exp=why.example.net -all"], "v=spf1 a mx exp=why.example.net -all"),
        (["v=spf1 mx ra=postmaster -all"], "v=spf1 mx ra=postmaster -all"),
        (["V=SPF1 MX -ALL"], "v=spf1 mx -all"),
    ],
)  # fmt: skip
def test_one_record_is_left(present: list[str], text: str) -> None:
    assert merged(*present).text == text


@pytest.mark.parametrize(
    "present, word",
    [
        (["v=spf1 mx -all", "v=spf1 a -all"], "has 2 SPF records"),
        (["v=spf1 mx ipv4:192.0.2.1 -all"], "cannot be read"),
        (["v=spf1 redirect=a.b redirect=c.d"], "cannot be read"),
    ],
)
def test_some_are_for_a_person(present: list[str], word: str) -> None:
    found = merged(*present)
    assert found.text == ""
    assert word in found.findings[0].what
    assert found.findings[0].advice
    assert found.findings[0].trouble


@pytest.mark.parametrize(
    "present, word",
    [
        ("v=spf1 +all", "lets everybody send"),
        ("v=spf1 all", "lets everybody send"),
        ("v=spf1 mx ?all", "refuses nobody"),
        ("v=spf1 mx", "has no end"),
        ("v=spf1 mx ptr -all", "uses ptr"),
        (f"v=spf1 mx {' '.join(f'ip4:203.0.113.{n}' for n in range(40))} -all", "longer than 450"),
        (f"v=spf1 {' '.join(f'include:_{n}.example.net' for n in range(11))} -all", "11 look-ups"),
    ],
)
def test_what_is_weak_is_said_and_left(present: str, word: str) -> None:
    found = merged(present)
    assert any(word in finding.what for finding in found.findings)
    assert found.text


def test_where_look_ups_are_used_up_ours_is_written_by_addresses() -> None:
    """RFC 7208 4.6.4: with an eleventh look-up nobody would pass any more."""
    full = "v=spf1 " + " ".join(f"include:_{n}.example.net" for n in range(10)) + " -all"
    found = merged(full)
    assert found.added == ("ip4:192.0.2.25", "ip6:2001:db8::25")
    assert found.findings == ()
    assert merged("v=spf1 include:a.b -all", cost=Cost(10)).added == ("ip4:192.0.2.25", "ip6:2001:db8::25")
    assert merged("v=spf1 include:a.b -all", cost=Cost(9)).added == ("mx",)
    assert "3 names" in str(merged("v=spf1 include:a.b -all", cost=Cost(3, 3)).findings[0])


def test_a_record_that_the_configuration_gives_is_taken_as_it_is() -> None:
    given = "v=spf1 include:_spf.example.net -all"
    assert merged("v=spf1 a mx ~all", ours=given, settings={"spf": given}).text == given


def test_further_mail_hosts_need_the_mx_term() -> None:
    found = merged("v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 -all", settings={"other_mx": ["20 mx2.example.net"]})
    assert found.added == ("mx",)


def test_addresses_that_mail_leaves_from_are_added() -> None:
    found = merged("v=spf1 mx -all", ours="v=spf1 mx ip4:192.0.2.99 -all", sources=("192.0.2.99",))
    assert found.text == "v=spf1 mx ip4:192.0.2.99 -all"


@pytest.mark.parametrize(
    "present, text",
    [
        ([], "v=spf1 -all"),
        (["v=spf1 -all"], "v=spf1 -all"),
        (["v=spf1 ~all"], "v=spf1 -all"),
        (["v=spf1"], "v=spf1 -all"),
        (["v=spf1 mx -all"], ""),
        (["v=spf1 redirect=_spf.example.net"], ""),
    ],
)
def test_a_parked_name_that_has_senders_is_for_a_person(present: list[str], text: str) -> None:
    assert merge.spf(present, "v=spf1 -all", house(), "www.example.org").text == text


TERMS = [
    "mx", "a", "a:mx1.example.org", "a:other.example.net", "ip4:192.0.2.25", "ip4:192.0.2.0/24", "-ip4:192.0.2.0/25",
    "ip6:2001:db8::25", "~ip6:2001:db8::/32", "ip4:203.0.113.7", "include:inner.example.net", "?include:inner.example.net",
    "-mx", "~a", "-all", "~all", "?all", "redirect=inner.example.net", "exp=why.example.net", "x=y",
]  # fmt: skip
WORLD = {
    ("example.org", "MX"): ("10 mx1.example.org.",),
    ("example.org", "A"): ("203.0.113.80",),
    ("mx1.example.org", "A"): ("192.0.2.25",),
    ("mx1.example.org", "AAAA"): ("2001:db8::25",),
    ("other.example.net", "A"): ("203.0.113.9",),
    ("inner.example.net", "TXT"): ('"v=spf1 ip4:203.0.113.64/26 -ip4:192.0.2.0/24 -all"',),
}


class Resolver:
    """Answers from WORLD and one record more."""

    def __init__(self, text: str = "") -> None:
        self._more = {(D, "TXT"): (f'"{text}"',)}

    async def ask(self, name: str, type_name: str) -> Answer:
        return self.answer(Question(name, type_name))

    def answer(self, question: Question) -> Answer:
        found = (WORLD | self._more).get((question.name.lower(), question.type), ())
        items = frozenset(rdata.parse(question.type, text) for text in found)
        return Answer(question.name, question.type, Security.SECURE, "NOERROR", items, 300, question.name)


def verdict(text: str, address: str) -> str:
    """By spftrace, as our server asks it."""
    from mailsrv.auth.spf import Check

    found = asyncio.run(Check(Resolver(text)).mail(address, f"a@{D}", "mx1.example.org"))
    return found.result.value


@pytest.mark.parametrize("seed", range(80))
def test_whatever_is_there_our_host_passes_and_others_fare_as_before(seed: int) -> None:
    dice = Random(seed)
    theirs = Spf.parse("v=spf1 " + " ".join(_sane(dice.sample(TERMS, dice.randint(0, 5)))))
    found = merged(str(theirs))
    for address in ("192.0.2.25", "2001:db8::25"):
        assert verdict(found.text, address) == "pass", (str(theirs), found.text)
    for address in ("203.0.113.7", "203.0.113.9", "203.0.113.70", "203.0.113.80", "192.0.2.77", "2001:db8::77"):
        assert verdict(found.text, address) == verdict(str(theirs), address), (str(theirs), found.text)
    assert merged(found.text).text == found.text, "merging again changes nothing"


def _sane(terms: list[str]) -> list[str]:
    """`all` at the end."""
    return [t for t in terms if not t.endswith("all")] + [t for t in terms if t.endswith("all")][:1]


def test_the_whole_cost_is_counted_through_what_is_included() -> None:
    records = {
        ("a.example", "TXT"): ['"v=spf1 include:b.example mx:nowhere.example ip4:192.0.2.1 -all include:c.example"'],
        ("b.example", "TXT"): ['"v=spf1 a:nowhere.example exists:%{i}.x.example redirect=gone.example"'],
    }

    def ask(question: Question) -> Answer:
        items = frozenset(rdata.parse(question.type, text) for text in records.get((question.name, question.type), ()))
        return Answer(question.name, question.type, Security.SECURE, items=items)

    # include a, include b, mx, a, exists, redirect; nothing at nowhere (twice) and gone
    assert run(cost_of(Spf.parse("v=spf1 include:a.example -all"), D), ask) == Cost(6, 3)
    assert run(cost_of(Spf.parse("v=spf1 ip4:192.0.2.1 -all mx"), D), ask) == Cost(0, 0)


def test_a_circle_of_includes_is_counted_and_ends() -> None:
    def ask(question: Question) -> Answer:
        items = frozenset({rdata.txt("v=spf1 include:b.example include:a.example -all")})
        return Answer(question.name, question.type, Security.SECURE, items=items)

    assert run(cost_of(Spf.parse("v=spf1 include:a.example -all"), "b.example"), ask).lookups > 10


def test_a_record_that_never_ends_costs_more_than_anybody_pays() -> None:
    count = iter(range(10**6))

    def ask(question: Question) -> Answer:
        items = frozenset({rdata.txt(f"v=spf1 include:x{next(count)}.example include:y{next(count)}.example -all")})
        return Answer(question.name, question.type, Security.SECURE, items=items)

    assert run(cost_of(Spf.parse("v=spf1 include:a.example -all"), D), ask).lookups > 10
