"""Everything about one message's origin, asked at once."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from dnsops.base.flow import Flow
from dnsops.resolve.answer import Answer, Question, Security
from dnsops.resolve.memory import MemoryDns
from dnsops.resolve.remembered import Remembered
from mailsrv.auth import suffixes
from mailsrv.auth.story import AT_ONCE, TOO_LATE, Means, Origin, authenticate
from mailsrv.auth.verdicts import Arc, Authentication, Dkim, Iprev, Result, Seal, Spf, Wish
from mailsrv.message.header import Header

NOW = datetime(2026, 11, 25, tzinfo=UTC)
MAIL = b"From: Ann <ann@example.org>\r\nTo: b@us.org\r\n\r\nhello\r\n"
CLIENT = Origin("192.0.2.1", "mail.example.org", "ann@bounces.example.org")


def world() -> MemoryDns:
    dns = MemoryDns({"example.org": Security.SECURE})
    dns.put("1.2.0.192.in-addr.arpa", "PTR", "mail.example.org.")
    dns.put("mail.example.org", "A", "192.0.2.1")
    dns.put("mail.example.org", "TXT", '"v=spf1 a -all"')
    dns.put("bounces.example.org", "TXT", '"v=spf1 ip4:192.0.2.0/24 -all"')
    dns.put("_dmarc.example.org", "TXT", '"v=DMARC1; p=reject; rua=mailto:d@example.org"')
    return dns


class Signed:
    """A DKIM and ARC room that found these."""

    def __init__(self, *found: Dkim, arc: Arc | None = None) -> None:
        self.found, self.arc = found, arc or Arc(Result.NONE)
        self.given: list[tuple[bytes, datetime]] = []

    def __call__(
        self, content: bytes, now: datetime, head: Header
    ) -> Flow[Question, Answer, tuple[tuple[Dkim, ...], Arc]]:
        self.given.append((content, now))
        return self.flow()

    def flow(self) -> Flow[Question, Answer, tuple[tuple[Dkim, ...], Arc]]:
        yield from ()
        return self.found, self.arc


def origin(
    content: bytes = MAIL, client: Origin = CLIENT, dns: Any = None, signed: Any = None, **means: Any
) -> Authentication:
    able = Means(dns or world(), signed or Signed(), "mx.us.org", **means)
    return asyncio.run(authenticate(content, client, able, NOW))


def test_a_message_whose_origin_is_proven() -> None:
    found = origin()
    assert (found.iprev.result, found.iprev.name) == (Result.PASS, "mail.example.org")
    assert (found.helo.result, found.helo.identity, found.helo.helo) == (Result.PASS, "mail.example.org", True)
    assert (found.mail.result, found.mail.identity) == (Result.PASS, "ann@bounces.example.org")
    assert (found.dmarc.result, found.dmarc.by_spf, found.dmarc.by_dkim) == (Result.PASS, True, False)
    assert (found.dmarc.found, found.dmarc.wish, found.dmarc.reports) == (
        "example.org",
        Wish.REJECT,
        ("d@example.org",),
    )


def test_signatures_are_asked_with_the_message_and_the_time() -> None:
    arc = Arc(Result.PASS, (Seal(1, "list.net", "s"),))
    signed = Signed(Dkim(Result.PASS, "example.org", "s"), arc=arc)
    found = origin(client=Origin("203.0.113.1", "x.test", "a@evil.test"), signed=signed)
    assert signed.given == [(MAIL, NOW)]
    assert (found.arc, [one.domain for one in found.passed]) == (arc, ["example.org"])
    assert (found.dmarc.result, found.dmarc.by_spf, found.dmarc.by_dkim) == (Result.PASS, False, True)


def test_a_stranger_fails() -> None:
    found = origin(client=Origin("203.0.113.1", "x.test", "ann@bounces.example.org"))
    assert (found.iprev.result, found.mail.result, found.dmarc.result) == (Result.PERMERROR, Result.FAIL, Result.FAIL)


def test_a_null_sender_costs_no_second_check() -> None:
    dns = world()
    found = origin(client=Origin("192.0.2.1", "mail.example.org", ""), dns=dns)
    assert found.mail.identity == "postmaster@mail.example.org"
    assert (found.mail.result, found.dmarc.result) == (Result.PASS, Result.PASS)
    assert dns.asked.count(("mail.example.org", "TXT")) == 1


def test_what_is_known_of_a_client_is_not_asked_for_its_next_message() -> None:
    first, dns = origin(), world()
    second = origin(client=replace(CLIENT, sender="b@bounces.example.org", before=first), dns=dns)
    assert (second.iprev, second.helo) == (first.iprev, first.helo)
    assert second.mail.identity == "b@bounces.example.org"
    assert {name for name, _ in dns.asked} == {"bounces.example.org", "_dmarc.example.org", "_dmarc.org",
                                               "_dmarc.bounces.example.org"}  # fmt: skip


def test_what_the_resolver_still_knows_is_read_without_waiting() -> None:
    """The second message of a client costs no question, no task, and says the same; a third, later, asks again."""
    dns, time, client = world(), [0.0], replace(CLIENT, sender="ann@example.org")
    dns.put("example.org", "TXT", '"v=spf1 a:mail.example.org -all"')
    remembered = Remembered(dns, lambda: time[0])
    able = Means(remembered, Signed(Dkim(Result.PASS, "example.org")), "mx.us.org", known=remembered.known)

    async def story() -> list[Authentication]:
        first = await authenticate(MAIL, client, able, NOW)
        questions = len(dns.asked)
        second = authenticate(MAIL, client, able, NOW)
        with pytest.raises(StopIteration) as done:  # it ends at its first step
            second.send(None)
        assert len(dns.asked) == questions
        time[0] = 100_000.0
        third = await authenticate(MAIL, client, able, NOW)
        assert len(dns.asked) == 2 * questions
        return [first, done.value.value, third]

    first, second, third = asyncio.run(story())
    assert first == second == third == origin(client=client, dns=dns, signed=Signed(Dkim(Result.PASS, "example.org")))


def test_a_large_message_is_read_in_a_thread() -> None:
    threads: list[str] = []

    class Told(Signed):
        def __call__(
            self, content: bytes, now: datetime, head: Header
        ) -> Flow[Question, Answer, tuple[tuple[Dkim, ...], Arc]]:
            threads.append(threading.current_thread().name)
            return super().__call__(content, now, head)

    origin(MAIL + bytes(AT_ONCE), signed=Told())
    origin(MAIL, signed=Told())
    assert threads[0] != threads[1] == threading.main_thread().name


def test_what_could_not_be_known_is_asked_again() -> None:
    late = replace(origin(), iprev=Iprev(Result.TEMPERROR), helo=Spf(Result.TEMPERROR, helo=True))
    again = origin(client=replace(CLIENT, before=late))
    assert (again.iprev.result, again.helo.result) == (Result.PASS, Result.PASS)


def test_s_dns_01_a_dead_resolver_makes_everything_temporary() -> None:
    class Dead:
        async def ask(self, name: str, type_name: str) -> Answer:
            return Answer(name, type_name, Security.FAILED, "", why="silent")

    found = origin(dns=Dead())
    assert {found.iprev.result, found.helo.result, found.mail.result, found.dmarc.result} == {Result.TEMPERROR}


def test_s_dns_01_a_slow_resolver_makes_everything_temporary() -> None:
    """The policy of an author whose signatures we had no time to check is not applied."""

    class Slow:
        """Answers nothing, or nothing about keys."""

        def __init__(self, dns: Any = None) -> None:
            self.dns = dns

        async def ask(self, name: str, type_name: str) -> Answer:
            if self.dns and "_domainkey" not in name:
                return await self.dns.ask(name, type_name)  # type: ignore[no-any-return]
            await asyncio.Event().wait()
            raise AssertionError

    class SlowToo(Signed):
        def flow(self) -> Flow[Question, Answer, tuple[tuple[Dkim, ...], Arc]]:
            yield Question("s._domainkey.example.org", "TXT")
            raise AssertionError

    found = origin(dns=Slow(), signed=SlowToo(), total=0.05)
    results = {found.iprev.result, found.helo.result, found.mail.result, found.arc.result, found.dmarc.result}
    assert results == {Result.TEMPERROR}
    assert found.dmarc.why == TOO_LATE

    stranger = Origin("203.0.113.1", "x.test", "ann@bounces.example.org")
    assert origin(client=stranger, dns=Slow(world()), signed=SlowToo(), total=0.2).dmarc.result is Result.TEMPERROR


def test_no_from_is_no_pass() -> None:
    assert origin(b"Subject: x\r\n\r\n").dmarc.result is Result.PERMERROR


def test_the_public_suffix_list_where_it_is_wanted() -> None:
    assert origin(find=suffixes.finder("psl")).dmarc.result is Result.PASS
    assert suffixes.finder("tree") is None


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"From: " * 10000, b"\xff\xfe\r\n\r\n"])
@pytest.mark.parametrize(
    "client", [Origin("", "", ""), Origin("fe80::1%eth0", "\0", "@"), Origin("x", "[::1]", "\xff@\xff")]
)
def test_whatever_comes_there_is_a_verdict(content: bytes, client: Origin) -> None:
    assert origin(content, client).dmarc.result is Result.PERMERROR
