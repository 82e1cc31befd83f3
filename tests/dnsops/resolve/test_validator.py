"""Proven or not, and why not: libunbound on the lab's signed tree, and its replies as verdicts."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import dns.message
import dns.rrset
import pytest

from dnsops.base.errors import Misconfigured
from dnsops.records import rdata
from dnsops.resolve import libunbound
from dnsops.resolve.adbit import AdBit
from dnsops.resolve.answer import Answer, Security
from dnsops.resolve.choice import resolver
from dnsops.resolve.libunbound import Context, Reply
from dnsops.resolve.settings import Settings, from_env
from dnsops.resolve.validator import Validator, judge
from tests.dnsops.resolve.stub import Stub

ROOT = Path(__file__).parents[3]
needs_library = pytest.mark.skipif(libunbound.load() is None, reason="libunbound8 is not installed")
NOBODY = frozenset({rdata.parse("TLSA", "3 1 1 " + "ab" * 32)})

# zone: verdict, EDE
ZONES = {
    "": (Security.SECURE, ()),
    "org": (Security.SECURE, ()),
    "example.org": (Security.SECURE, ()),
    "nsec.org": (Security.SECURE, ()),
    "nods.org": (Security.INSECURE, ()),
    "unsigned.org": (Security.INSECURE, ()),
    "bogus.org": (Security.BOGUS, (6,)),
    "expired.org": (Security.BOGUS, (7,)),
    "missig.org": (Security.BOGUS, (10,)),
}
WORDS = {"bogus.org": "verification failed", "expired.org": "signature expired", "missig.org": "no signatures"}


def asked(*questions: tuple[str, str], settings: Settings | None = None) -> list[Answer]:
    """Ask all at once."""

    async def story() -> list[Answer]:
        async with Validator(settings) as validator:
            return await asyncio.gather(*(validator.ask(*question) for question in questions))

    return asyncio.run(story())


def question_in(zone: str) -> tuple[str, str]:
    return (f"_25._tcp.mx1.{zone}", "TLSA") if "." in zone else (zone, "SOA")


def test_the_first_question_of_a_server_loads_nothing_large() -> None:
    """P-12: an import in the event loop holds up every session, and with the first mail from outside it did."""
    code = (
        "import sys; from dnsops.resolve.choice import resolver; resolver(); from dnsops.resolve import validator\n"
        "before = set(sys.modules); validator.question('example.org', 'TXT')\n"
        "validator.judge(validator.Reply(rcode=3, nxdomain=True), 'example.org', 'TXT', '')\n"
        "print(len(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert int(done.stdout) < 5, done.stdout


@pytest.mark.lab
@pytest.mark.parametrize("name", ["o'hara+x=y z.example.org", "foo:bar/baz.example.org", '(a);@"$.example.org'])
def test_names_that_no_machine_has_can_be_asked_for(dnstree: object, name: str) -> None:
    """SPF's macros make them."""
    answer = asked((name, "A"))[0]
    assert (answer.security, answer.rcode) == (Security.SECURE, "NXDOMAIN"), answer.why


@pytest.mark.lab
@pytest.mark.parametrize("zone", ZONES)
def test_every_zone_gets_its_verdict(dnstree: object, zone: str) -> None:
    security, ede = ZONES[zone]
    answer = asked(question_in(zone))[0]
    assert (answer.security, answer.ede) == (security, ede)
    assert answer.by.startswith("libunbound 1.")
    if security is Security.BOGUS:
        assert WORDS[zone] in answer.why
        assert (answer.items, answer.rcode) == (frozenset(), "SERVFAIL")
    elif "." in zone:
        assert (answer.items, answer.ttl, answer.canonical) == (NOBODY, 60, f"_25._tcp.mx1.{zone}")


@pytest.mark.lab
def test_the_loopback_resolver_agrees_in_all_nine(dnstree: object) -> None:
    async def story() -> list[Answer]:
        async with AdBit(("127.0.0.1",)) as adbit:
            return [await adbit.ask(*question_in(zone)) for zone in ZONES]

    answers = dict(zip(ZONES, asyncio.run(story()), strict=True))
    ours = dict(zip(ZONES, asked(*map(question_in, ZONES)), strict=True))
    for zone, answer in answers.items():
        assert (answer.security, answer.ede, answer.items, answer.canonical, answer.zone) == (
            (*ZONES[zone], ours[zone].items, ours[zone].canonical, ours[zone].zone)
        ), zone
        assert answer.by == "the AD bit of 127.0.0.1"


@pytest.mark.lab
@pytest.mark.parametrize("engine", ["libunbound", "ad"])
@pytest.mark.parametrize(
    "name, kind, rcode, found, canonical, wildcard, zone",
    [
        ("nope.example.org", "A", "NXDOMAIN", 0, "nope.example.org", "", "example.org"),
        ("a.nope.nsec.org", "TLSA", "NXDOMAIN", 0, "a.nope.nsec.org", "", "nsec.org"),
        ("mx1.example.org", "MX", "NOERROR", 0, "mx1.example.org", "", "example.org"),
        ("_25._tcp.alias.example.org", "TLSA", "NOERROR", 1, "_dane.example.org", "", "example.org"),
        ("_25._tcp.alias.example.org", "CNAME", "NOERROR", 1, "_25._tcp.alias.example.org", "", "example.org"),
        ("_25._tcp.alias.example.org", "MX", "NOERROR", 0, "_dane.example.org", "", "example.org"),
        ("x.wild.example.org", "TLSA", "NOERROR", 1, "x.wild.example.org", "*.wild.example.org", "example.org"),
        (
            "_25._tcp.x.wild.example.org",
            "TLSA",
            "NOERROR",
            1,
            "_25._tcp.x.wild.example.org",
            "*.wild.example.org",
            "example.org",
        ),
        ("*.wild.example.org", "TLSA", "NOERROR", 1, "*.wild.example.org", "", "example.org"),
        ("example.org", "DS", "NOERROR", 1, "example.org", "", "org"),
        ("MX1.Example.ORG.", "A", "NOERROR", 1, "mx1.example.org", "", "example.org"),
    ],
)
def test_names_aliases_wildcards_and_proofs_of_absence(
    dnstree: object, engine: str, name: str, kind: str, rcode: str, found: int, canonical: str, wildcard: str, zone: str
) -> None:
    async def story() -> Answer:
        async with resolver(replace(from_env(), engine=engine)) as chosen:
            return await chosen.ask(name, kind)

    answer = asyncio.run(story())
    assert answer.proven
    assert (answer.rcode, len(answer.items), answer.canonical) == (rcode, found, canonical)
    assert (answer.wildcard, answer.zone, answer.place) == (wildcard, zone, wildcard or canonical)


@pytest.mark.lab
def test_two_hundred_questions_at_once(dnstree: object) -> None:
    hosts = [f"h{i}.wild.example.org" for i in range(200)]
    answers = asked(*((host, kind) for host in hosts for kind in ("TLSA", "A", "AAAA")))
    assert all(answer.proven and answer.rcode == "NOERROR" for answer in answers)
    assert [answer.name for answer in answers[::3]] == hosts
    assert [len(answer.items) for answer in answers] == [1, 1, 0] * 200


@pytest.mark.lab
def test_forwarders_are_used_and_not_believed(dnstree: object, tmp_path: Path) -> None:
    settings = replace(from_env(), forward=("192.0.2.53",), hints=None)
    assert [a.security for a in asked(*map(question_in, ZONES), settings=settings)] == [s for s, _ in ZONES.values()]
    # with the real root's anchor nothing of the lab is genuine, whatever the forwarder says
    strange = asked(question_in("example.org"), settings=Settings(forward=("192.0.2.53",)))[0]
    assert strange.security is Security.BOGUS
    assert not strange.items


@pytest.mark.lab
def test_with_all_servers_down_there_is_no_answer_and_no_verdict(dnstree: object, tmp_path: Path) -> None:
    hints = tmp_path / "hints"
    hints.write_text(". 3600 NS ns.nowhere.\nns.nowhere. 3600 A 203.0.113.254\n")
    answer = asked(question_in("example.org"), settings=replace(from_env(), hints=hints, deadline=1.5))[0]
    assert answer.security is Security.FAILED
    assert answer.why


@needs_library
def test_silence_ends_with_the_deadline() -> None:
    async def story() -> list[Answer]:
        async with Stub() as stub:
            async with Validator(Settings(forward=(f"127.0.0.1@{stub.port}",), deadline=0.3)) as validator:
                return await asyncio.gather(*(validator.ask(f"h{i}.example.org", "A") for i in range(20)))

    for answer in asyncio.run(story()):
        assert (answer.security, answer.why) == (Security.FAILED, "no answer within 0.3 s")


@needs_library
def test_whoever_is_cancelled_cancels_the_question_and_the_others_go_on() -> None:
    async def story() -> Answer:
        async with Stub() as stub:
            async with Validator(Settings(forward=(f"127.0.0.1@{stub.port}",), deadline=0.5)) as validator:
                first, second = (asyncio.create_task(validator.ask(n, "A")) for n in ("a.example.org", "b.example.org"))
                await asyncio.sleep(0.05)
                first.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await first
                return await second

    assert asyncio.run(story()).why == "no answer within 0.5 s"


@pytest.mark.parametrize(
    "name, kind, words",
    [("a..b", "A", "two dots"), ("a\\b", "A", "'\\\\'"), ("a", "NO", "no such"), ("a", "ANY", "no type")],
)
def test_what_cannot_be_asked_is_failed_with_the_reason(name: str, kind: str, words: str) -> None:
    answer = asyncio.run(Validator(Settings()).ask(name, kind))
    assert answer.security is Security.FAILED
    assert words in answer.why


def test_a_validator_that_was_not_opened_says_so() -> None:
    assert "not opened" in asyncio.run(Validator(Settings()).ask("a.example.org", "A")).why


@needs_library
def test_after_closing_there_is_no_answer() -> None:
    async def story() -> Answer:
        async with Validator(Settings()) as validator:
            pass
        return await validator.ask("a.example.org", "A")

    assert "closed" in asyncio.run(story()).why


def test_a_missing_anchor_stops_the_start(tmp_path: Path) -> None:
    async def story() -> None:
        async with Validator(Settings(anchor=tmp_path / "none")):
            pass

    with pytest.raises(Misconfigured, match="cannot be read"):
        asyncio.run(story())


@pytest.mark.parametrize(
    "reply, security, why, ede",
    [
        (Reply(error="out of memory"), Security.FAILED, "libunbound: out of memory", ()),
        (Reply(rcode=2), Security.FAILED, "no server gave an answer (SERVFAIL)", ()),
        (Reply(rcode=2, secure=True), Security.FAILED, "no server gave an answer (SERVFAIL)", ()),
        (Reply(rcode=5, ratelimited=True), Security.FAILED, "asked too fast", ()),
        (Reply(bogus=True, why_bogus="no signatures"), Security.BOGUS, "no signatures", (10,)),
        (Reply(bogus=True, secure=True), Security.BOGUS, "DNSSEC Bogus", (6,)),
        (Reply(bogus=True, rcode=2), Security.BOGUS, "DNSSEC Bogus", (6,)),
        (Reply(secure=True, nxdomain=True, rcode=3), Security.SECURE, "", ()),
        (Reply(), Security.INSECURE, "", ()),
        (Reply(secure=True, data=(b"\x03",)), Security.FAILED, "a TLSA record of fewer than three bytes", ()),
        (Reply(secure=True, packet=b"not a message", ttl=7), Security.SECURE, "", ()),
    ],
)
def test_a_reply_becomes_a_verdict(reply: Reply, security: Security, why: str, ede: tuple[int, ...]) -> None:
    answer = judge(reply, "a.example.org", "TLSA", "libunbound")
    assert (answer.security, answer.why, answer.ede) == (security, why, ede)
    assert answer.ttl == (reply.ttl if security is Security.SECURE else 0)


def of_many(count: int) -> Reply:
    """A reply with so many TLSA records."""
    data = tuple(b"\x03\x01\x01" + number.to_bytes(32, "big") for number in range(count))
    records = [f"3 1 1 {number:064x}" for number in range(count)]
    query = dns.message.make_query("_25._tcp.a.example.org", "TLSA")
    said = dns.message.make_response(query)
    said.answer = [dns.rrset.from_text("_25._tcp.a.example.org.", 60, "IN", "TLSA", *records)]
    return Reply(secure=True, havedata=True, data=data, packet=said.to_wire(max_size=65535), ttl=60)


@pytest.mark.parametrize("count, security", [(1000, Security.SECURE), (1001, Security.FAILED)])
def test_s_dns_06_more_records_than_anybody_has_are_no_answer(count: int, security: Security) -> None:
    answer = judge(of_many(count), "_25._tcp.a.example.org", "TLSA", "libunbound")
    assert (answer.security, len(answer.items)) == (security, count if count == 1000 else 0)
    assert answer.why == ("" if count == 1000 else "more than 1000 records")


@needs_library
@pytest.mark.parametrize("count, elsewhere", [(1, False), (1000, True)])
def test_s_dns_06_a_large_answer_is_read_where_it_keeps_nobody_waiting(
    count: int, elsewhere: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P-12: half a second for the records of one answer is a long time for all other sessions."""
    threads: list[threading.Thread] = []

    def judged(*words: Any) -> Answer:
        threads.append(threading.current_thread())
        return judge(*words)

    async def replied(context: Context, name: str, code: int) -> Reply:
        return of_many(count)

    monkeypatch.setattr("dnsops.resolve.validator.judge", judged)
    monkeypatch.setattr(Context, "ask", replied)
    [answer] = asked(("_25._tcp.a.example.org", "TLSA"), settings=Settings())
    assert len(answer.items) == count
    assert [thread is not threading.main_thread() for thread in threads] == [elsewhere]


def test_forged_data_is_never_handed_on() -> None:
    answer = judge(Reply(bogus=True, havedata=True, data=(b"\x03\x01\x01" + b"\xcd" * 32,)), "a", "TLSA", "libunbound")
    assert (answer.items, answer.proven) == (frozenset(), False)
