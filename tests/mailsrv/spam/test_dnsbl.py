"""DNS lists: what is asked, and what an answer means (RFC 5782)."""

from __future__ import annotations

import asyncio
import ipaddress

import pytest

from dnsops.base.flow import arun, run
from dnsops.resolve.answer import Answer, Question, Security
from dnsops.resolve.memory import MemoryDns
from mailsrv.spam import dnsbl
from mailsrv.spam.dnsbl import Found, List, Listing
from mailsrv.spam.hints import LONGEST, Says

ZEN, DBL = List("zen.test", Says.REFUSE), List("dbl.test", Says.JUNK, domains=True)


def world() -> MemoryDns:
    dns = MemoryDns({})
    dns.put("99.2.0.192.zen.test", "A", "127.0.0.2", "127.0.0.10")
    dns.put("99.2.0.192.zen.test", "TXT", '"see https://zen.test/" "192.0.2.99"')
    dns.put("98.2.0.192.zen.test", "A", "127.0.0.4")
    dns.put("97.2.0.192.zen.test", "A", "127.255.255.254")
    dns.put("96.2.0.192.zen.test", "A", "203.0.113.1")
    dns.put("95.2.0.192.zen.test", "A", "127.0.0.1")
    dns.put("94.2.0.192.zen.test", "A", "127.0.0.2", "127.255.255.255")
    dns.put("92.2.0.192.zen.test", "A", "127.0.0.3")
    dns.put("92.2.0.192.zen.test", "TXT", '"\\027[31m\\r\\n\\195\\164 ' + "x" * 240 + '"')
    dns.put("91.2.0.192.zen.test", "TXT", '"only a reason"')
    dns.verdict("93.2.0.192.zen.test", Security.FAILED, "timed out")
    dns.verdict("90.2.0.192.zen.test", Security.BOGUS)
    dns.put("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.zen.test", "A", "127.0.0.2")
    dns.put("bad.example.dbl.test", "A", "127.0.1.2")
    dns.put("2.0.0.127.zen.test", "A", "127.0.0.2")
    dns.put("test.dbl.test", "A", "127.0.1.2")
    return dns


def look(text: str, of: List = ZEN) -> Listing:
    dns = world()
    ask = dnsbl.domain if of.domains else dnsbl.address
    return asyncio.run(arun(ask(text, of), lambda question: dns.ask(question.name, question.type)))


@pytest.mark.parametrize(
    "client, found, codes, why",
    [
        ("192.0.2.99", Found.LISTED, ("127.0.0.2", "127.0.0.10"), "see https://zen.test/192.0.2.99"),
        ("::ffff:192.0.2.99", Found.LISTED, ("127.0.0.2", "127.0.0.10"), "see https://zen.test/192.0.2.99"),
        ("192.0.2.98", Found.LISTED, ("127.0.0.4",), ""),
        ("2001:db8::1", Found.LISTED, ("127.0.0.2",), ""),  # RFC 5782 2.4
        ("192.0.2.1", Found.CLEAN, (), ""),
        ("192.0.2.91", Found.CLEAN, (), ""),  # NODATA: a TXT alone lists nothing
        ("192.0.2.97", Found.REFUSED, ("127.255.255.254",), "zen.test does not serve us: it answers 127.255.255.254"),
        ("192.0.2.96", Found.REFUSED, ("203.0.113.1",), "zen.test does not serve us: it answers 203.0.113.1"),
        ("192.0.2.95", Found.REFUSED, ("127.0.0.1",), "zen.test does not serve us: it answers 127.0.0.1"),
        ("192.0.2.94", Found.REFUSED, ("127.0.0.2", "127.255.255.255"), ""),
        ("192.0.2.93", Found.REFUSED, (), "zen.test did not answer: timed out"),
        ("192.0.2.90", Found.REFUSED, (), "zen.test did not answer: forged"),
    ],
)
def test_a_client_is_listed_clean_or_nobody_tells(client: str, found: Found, codes: tuple[str, ...], why: str) -> None:
    listing = look(client)
    assert (listing.found, listing.codes) == (found, codes)
    assert listing.why == why or (why == "" and found is Found.REFUSED)


def test_the_lists_words_are_bounded_and_plain() -> None:
    why = look("192.0.2.92").why
    assert len(why) <= LONGEST
    assert why.isascii()
    assert why.isprintable()
    assert why.startswith("[31m")


@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED", "FORMERR"])
def test_an_error_is_never_an_all_clear(rcode: str) -> None:
    def ask(question: Question) -> Answer:
        return Answer(question.name, question.type, Security.INSECURE, rcode=rcode)

    listing = run(dnsbl.address("192.0.2.1", ZEN), ask)
    assert listing.found is Found.REFUSED
    assert dnsbl.hint(listing, ZEN).says is Says.NOTHING  # and never a reason to come later by itself


def test_a_reason_that_cannot_be_had_is_no_doubt_about_the_listing() -> None:
    def ask(question: Question) -> Answer:
        if question.type == "TXT":
            return Answer(question.name, "TXT", Security.FAILED, rcode="", why="timed out")
        return asyncio.run(world().ask(question.name, question.type))

    assert run(dnsbl.address("192.0.2.99", ZEN), ask).found is Found.LISTED


@pytest.mark.parametrize(
    "client",
    ["127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.9.9", "100.64.0.1", "169.254.1.1", "0.0.0.0", "::1", "fe80::1%eth0",
     "fd00::1", "::ffff:10.0.0.1", "not an address", ""],
)  # fmt: skip
def test_private_addresses_are_not_asked_about(client: str) -> None:
    flow = dnsbl.address(client, ZEN)
    with pytest.raises(StopIteration) as done:
        next(flow)
    assert done.value.value.found is Found.CLEAN


@pytest.mark.parametrize(
    "name, found",
    [("bad.example", Found.LISTED), ("BAD.Example.", Found.LISTED), ("good.example", Found.CLEAN), ("[192.0.2.1]", Found.CLEAN),
     ("192.0.2.1", Found.CLEAN), ("localhost", Found.CLEAN), ("", Found.CLEAN), ("a..b", Found.CLEAN), ("x." * 125 + "example", Found.CLEAN)],
)  # fmt: skip
def test_domains_have_lists_too(name: str, found: Found) -> None:
    assert look(name, DBL).found is found


def test_only_the_codes_that_count_count() -> None:
    some = List("zen.test", Says.REFUSE, codes=(ipaddress.ip_network("127.0.0.10/31"),))
    assert look("192.0.2.99", some).found is Found.LISTED
    assert look("192.0.2.98", some).found is Found.CLEAN
    assert look("192.0.2.97", some).found is Found.REFUSED


def test_a_hint_says_what_being_on_the_list_means() -> None:
    hint = dnsbl.hint(look("192.0.2.98"), ZEN)
    assert (hint.source, hint.says) == ("dnsbl zen.test", Says.REFUSE)
    assert hint.why == "192.0.2.98 is on the list zen.test (127.0.0.4)"
    assert dnsbl.hint(look("bad.example", DBL), DBL).says is Says.JUNK
    assert dnsbl.hint(look("192.0.2.1"), ZEN).says is Says.NOTHING


@pytest.mark.parametrize(
    "change, of, says",
    [
        ({}, ZEN, ""),
        ({}, DBL, ""),
        ({"2.0.0.127.zen.test": []}, ZEN, "zen.test lacks its test entry: it is empty, or no list"),
        ({"1.0.0.127.zen.test": ["127.0.0.2"]}, ZEN, "zen.test lists everything: it is closed"),
        ({"2.0.0.127.zen.test": ["127.255.255.254"]}, ZEN, "zen.test does not serve us: it answers 127.255.255.254"),
    ],
)
def test_a_list_is_tested_by_its_test_entries(change: dict[str, list[str]], of: List, says: str) -> None:
    """RFC 5782 5."""
    dns = world()
    for name, codes in change.items():
        dns.put(name, "A", *codes)
    assert asyncio.run(arun(dnsbl.works(of), lambda question: dns.ask(question.name, question.type))) == says
