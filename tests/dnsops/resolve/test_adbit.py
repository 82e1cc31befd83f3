"""The AD bit: from loopback only, and only of a resolver that has shown that it validates."""

from __future__ import annotations

import asyncio
from pathlib import Path

import dns.edns
import dns.flags
import dns.message
import dns.rdata
import pytest

from dnsops.resolve.adbit import NOBODY, AdBit, listed, loopback
from dnsops.resolve.answer import Answer, Security
from dnsops.resolve.choice import resolver
from dnsops.resolve.line import Patience
from dnsops.resolve.settings import Settings
from dnsops.resolve.validator import Validator
from tests.dnsops.resolve.stub import Stub, answer, message

QUICK = Patience(udp=(0.2,), tcp=0.2)
ROOT = ". 60 SOA a. b. 1 2 3 4 5"
MX1 = "mx1.example.org. 60 A 192.0.2.25"


class Resolver:
    """A stub's answers as a validating resolver gives them."""

    def __init__(
        self, ad: bool = True, rcode: str = "NOERROR", ede: int | None = None, with_cd: str = "SERVFAIL"
    ) -> None:
        self.ad, self.rcode, self.ede, self.with_cd = ad, rcode, ede, with_cd

    def __call__(self, query: dns.message.Message) -> list[bytes]:
        flags = "RA AD" if self.ad else "RA"
        if len(query.question[0].name) == 1:
            return [answer(query, ROOT, flags=flags)]
        if query.flags & dns.flags.CD:
            return [answer(query, *([MX1] if self.with_cd == "NOERROR" else []), rcode=self.with_cd)]
        said = message(query, *([MX1] if self.rcode == "NOERROR" else []), rcode=self.rcode, flags=flags)
        if self.ede is not None:
            said.use_edns(0, options=[dns.edns.EDEOption(dns.edns.EDECode.make(self.ede), None)])
        return [said.to_wire()]


def asked(stub: Stub, *servers: str) -> Answer:
    async def story() -> Answer:
        async with stub, AdBit(servers or (stub.address,), QUICK, stub.port) as adbit:
            return await adbit.ask("mx1.example.org", "A")

    return asyncio.run(story())


def test_a_resolver_that_validates_is_believed() -> None:
    stub = Stub(Resolver())
    found = asked(stub)
    assert (found.security, found.by) == (Security.SECURE, "the AD bit of 127.0.0.1")
    assert {str(item) for item in found.items} == {"192.0.2.25"}
    query = stub.heard[-1][1]
    assert query.ednsflags & dns.flags.DO
    assert dns.flags.to_text(query.flags) == "RD AD"


@pytest.mark.parametrize(
    "said, security, ede",
    [
        (Resolver(rcode="SERVFAIL", ede=7), Security.BOGUS, (7,)),
        (Resolver(rcode="SERVFAIL", ede=22), Security.FAILED, (22,)),
        (Resolver(rcode="SERVFAIL", with_cd="NOERROR"), Security.BOGUS, (6,)),
        (Resolver(rcode="SERVFAIL", with_cd="SERVFAIL"), Security.FAILED, ()),
        (Resolver(rcode="REFUSED", ede=18), Security.FAILED, (18,)),
        (Resolver(rcode="NXDOMAIN"), Security.SECURE, ()),
    ],
)
def test_servfail_is_told_apart(said: Resolver, security: Security, ede: tuple[int, ...]) -> None:
    found = asked(Stub(said))
    assert (found.security, found.ede) == (security, ede)
    assert bool(found.why) is (security is not Security.SECURE)
    assert not found.items


def test_s_dns_02_a_resolver_that_never_validates_is_not_believed_to_say_insecure() -> None:
    found = asked(Stub(Resolver(ad=False)))
    assert found.security is Security.FAILED
    assert "install libunbound8" in found.why
    assert "does not validate" in found.why


@pytest.mark.parametrize("server", ["192.0.2.53", "2001:db8::53", "8.8.8.8", "127.0.0.1.example.org", ""])
def test_s_dns_02_an_ad_bit_from_elsewhere_is_never_asked_for(server: str) -> None:
    found = asked(Stub(Resolver()), server)
    assert (found.security, found.by) == (Security.FAILED, "nobody")
    assert found.why == NOBODY


@pytest.mark.lab
def test_s_dns_02_not_even_the_labs_own_validating_resolver_beyond_loopback(dnstree: object) -> None:
    async def story() -> Answer:
        async with AdBit(("192.0.2.53",), QUICK) as adbit:
            return await adbit.ask("mx1.example.org", "A")

    assert asyncio.run(story()).why == NOBODY


def test_a_silent_resolver_is_failed_and_says_which() -> None:
    found = asked(Stub())
    assert found.security is Security.FAILED
    assert "127.0.0.1: silent" in found.why


def test_the_second_resolver_answers_when_the_first_is_silent() -> None:
    async def story() -> Answer:
        async with Stub(address="127.0.0.2") as dead, Stub(Resolver(), address="127.0.0.3", port=dead.port):
            async with AdBit((dead.address, "127.0.0.3"), QUICK, dead.port) as adbit:
                return await adbit.ask("mx1.example.org", "A")

    assert asyncio.run(story()).by == "the AD bit of 127.0.0.3"


@pytest.mark.parametrize(
    "address, ours",
    [
        ("127.0.0.1", True),
        ("127.0.0.53", True),
        ("::1", True),
        ("::ffff:192.0.2.1", False),
        ("10.0.0.1", False),
        ("x", False),
    ],
)
def test_loopback_is_this_machine(address: str, ours: bool) -> None:
    assert loopback(address) is ours


def test_resolv_conf_is_read_as_far_as_it_makes_sense(tmp_path: Path) -> None:
    conf = tmp_path / "resolv.conf"
    conf.write_bytes(
        b"# nameserver 192.0.2.9\nsearch a\nnameserver\nnameserver 192.0.2.53\n nameserver ::1 # x\n\xff\n"
    )
    assert listed(conf) == ("192.0.2.53", "::1")
    assert listed(tmp_path / "none") == ()


@pytest.mark.parametrize("engine, kind", [("ad", AdBit), ("libunbound", Validator)])
def test_the_settings_choose(engine: str, kind: type) -> None:
    assert isinstance(resolver(Settings(engine=engine)), kind)


@pytest.mark.parametrize("count, security", [(1000, Security.SECURE), (1001, Security.FAILED)])
def test_s_dns_05_more_records_than_anybody_has_are_no_answer(count: int, security: Security) -> None:
    records = [f"mx1.example.org. 60 A 10.0.{number // 256}.{number % 256}" for number in range(count)]

    def truncated(query: dns.message.Message) -> list[bytes]:
        return Resolver()(query) if len(query.question[0].name) == 1 else [answer(query, flags="RA TC")]

    def whole(query: dns.message.Message) -> list[bytes]:
        said = message(query, records[0], flags="RA AD")
        for record in records[1:]:
            said.answer[0].add(dns.rdata.from_text("IN", "A", record.split()[-1]))
        return [said.to_wire(max_size=65535)]

    found = asked(Stub(truncated, whole))
    assert (found.security, len(found.items)) == (security, count if count == 1000 else 0), found.why
