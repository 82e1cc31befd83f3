"""A verdict is found again while its answers stand, and not a moment longer."""

from __future__ import annotations

import asyncio

import pytest

from dnsops.resolve.answer import Answer, Question, Security
from dnsops.resolve.memory import MemoryDns
from dnsops.resolve.remembered import Remembered
from mailsrv.auth.again import MOST_ANSWERS, Again, Noted, nothing
from mailsrv.auth.spf import Case, Check
from mailsrv.auth.verdicts import Result, Spf

ADDRESS = "192.0.2.1"


class World:
    """SPF on a resolver that remembers, with a clock that is told."""

    def __init__(self, **records: str) -> None:
        self.now = 0.0
        self.dns = MemoryDns({"example.org": Security.SECURE})
        for name, text in records.items():
            self.dns.put(f"{name}.org", "TXT", f'"{text}"', ttl=60)
        self.remembered = Remembered(self.dns, lambda: self.now)
        self.again: Again[Case, Spf] = Again()

    def check(self) -> Check:
        return Check(self.remembered, "mx.us.org", again=self.again, known=self.remembered.known)

    def mail(self, sender: str, address: str = ADDRESS) -> Spf:
        return asyncio.run(self.check().mail(address, sender, "h.example.net"))

    def found(self, sender: str, address: str = ADDRESS) -> Spf | None:
        return self.check().found(Case(address, sender.rpartition("@")[2], sender, "h.example.net"))


def test_a_verdict_is_found_again_for_anyone_of_the_domain() -> None:
    world = World(a="v=spf1 include:b.org -all", b="v=spf1 ip4:192.0.2.1 -all")
    assert world.found("x@a.org") is None
    assert world.mail("x@a.org").result is Result.PASS
    found = world.found("y@a.org")
    assert found is not None
    assert (found.result, found.domain, found.why) == (Result.PASS, "a.org", "include:b.org matched")
    assert world.found("y@a.org", "192.0.2.2") is None
    assert world.found("y@b.org") is None


def test_it_is_not_when_one_of_its_answers_has_run_out() -> None:
    world = World(a="v=spf1 include:b.org -all", b="v=spf1 ip4:192.0.2.1 -all")
    world.dns.put("b.org", "TXT", '"v=spf1 ip4:192.0.2.1 -all"', ttl=20)
    world.mail("x@a.org")
    world.now = 20.0
    assert world.found("x@a.org") is None


def test_a_record_that_has_changed_gives_another_verdict() -> None:
    world = World(a="v=spf1 ip4:192.0.2.1 -all")
    world.mail("x@a.org")
    world.dns.put("a.org", "TXT", '"v=spf1 -all"', ttl=60)
    world.now = 60.0
    assert world.mail("x@a.org").result is Result.FAIL
    found = world.found("x@a.org")
    assert found is not None
    assert found.result is Result.FAIL


def test_an_answer_that_says_the_same_again_is_another_answer() -> None:
    """The time of its life is another one too: the verdict is made anew."""
    world = World(a="v=spf1 ip4:192.0.2.1 -all")
    world.mail("x@a.org")
    world.now = 60.0
    asyncio.run(world.remembered.ask("a.org", "TXT"))
    assert world.found("x@a.org") is None


def test_records_that_look_at_the_sender_are_for_that_sender() -> None:
    world = World(a="v=spf1 exists:%{l}.b.org -all")
    world.dns.put("x.b.org", "A", "127.0.0.2", ttl=60)
    assert world.mail("x@a.org").result is Result.PASS
    assert world.found("x@a.org") is not None
    assert world.found("y@a.org") is None
    assert world.mail("y@a.org").result is Result.FAIL


@pytest.mark.parametrize("security", [Security.BOGUS, Security.FAILED])
def test_s_dns_01_what_could_not_be_known_is_not_kept(security: Security) -> None:
    world = World(a="v=spf1 include:b.org -all")
    world.dns.verdict("b.org", security)
    assert world.mail("x@a.org").result is Result.TEMPERROR
    assert world.found("x@a.org") is None


def test_an_evaluation_that_ran_out_of_time_is_not_kept_though_all_its_answers_are() -> None:
    world = World(a="v=spf1 -all")

    async def story() -> Spf:
        await world.remembered.ask("a.org", "TXT")
        check = Check(world.remembered, seconds=0.0, again=world.again, known=world.remembered.known)
        return await check.mail(ADDRESS, "x@a.org", "h.example.net")

    assert asyncio.run(story()).result is Result.TEMPERROR
    assert world.found("x@a.org") is None


def test_so_many_and_no_more() -> None:
    again: Again[str, int] = Again(2)
    answers = [(Question("a", "A"), Answer("a", "A", Security.SECURE))]
    for number, case in enumerate("abc"):
        again.keep(case, answers, number)
    known = dict(answers).get
    assert [again.find(case, known) for case in "abc"] == [None, 1, 2]
    again.keep("d", answers * (MOST_ANSWERS + 1), 4)
    assert again.find("d", known) is None
    assert again.find("c", nothing) is None


def test_what_is_noted_is_what_was_answered() -> None:
    dns = MemoryDns({"example.org": Security.SECURE})
    noted = Noted(dns)
    answer = asyncio.run(noted.ask("example.org", "A"))
    assert noted.answers == [(Question("example.org", "A"), answer)]
