"""A line to one server: answers to our question and nothing else; UDP, then TCP; silence has a reason."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable

import dns.flags
import dns.message
import pytest

from dnsops.resolve import reading
from dnsops.resolve.line import Line, Patience, Question, Silence
from tests.dnsops.resolve.stub import Stub, answer, message

QUICK = Patience(udp=(0.15, 0.3), tcp=0.5)
MX1 = Question("mx1.example.org", "A")
TRUE = "mx1.example.org. 60 A 192.0.2.25"
FALSE = "mx1.example.org. 60 A 203.0.113.66"


def right(query: dns.message.Message) -> list[bytes]:
    return [answer(query, TRUE)]


def run(stub: Stub, *questions: Question, patience: Patience = QUICK) -> list[dns.message.Message | Silence]:
    """Ask a stub over one line, all at once."""

    async def story() -> list[dns.message.Message | Silence]:
        async with stub:
            line = Line(stub.address, patience, stub.port)
            try:
                return await asyncio.gather(*(line.ask(question) for question in questions))
            finally:
                line.close()

    return asyncio.run(story())


def data(said: dns.message.Message | Silence, name: str = "mx1.example.org") -> set[str]:
    assert not isinstance(said, Silence), said
    return {str(item) for item in reading.items("A", reading.read(said, name, "A").data or ())}


def _with_id(query: dns.message.Message, change: int) -> bytes:
    packet = answer(query, FALSE)
    return struct.pack("!H", (query.id + change) & 0xFFFF) + packet[2:]


def _other(query: dns.message.Message, name: str, kind: str) -> bytes:
    other = dns.message.make_query(name, kind, id=query.id)
    return answer(other, FALSE)


def _no_response(query: dns.message.Message) -> bytes:
    said = message(query, FALSE)
    said.flags &= ~dns.flags.QR
    return said.to_wire()


def _without_question(query: dns.message.Message) -> bytes:
    said = message(query, FALSE)
    said.question = []
    return said.to_wire()


FORGERIES: dict[str, Callable[[dns.message.Message], bytes]] = {
    "another id": lambda query: _with_id(query, 1),
    "another name": lambda query: _other(query, "mx2.example.org", "A"),
    "another type": lambda query: _other(query, "mx1.example.org", "AAAA"),
    "a query": _no_response,
    "an update": lambda query: answer(query, FALSE)[:2] + b"\xac" + answer(query, FALSE)[3:],
    "no question": _without_question,
    "trailing junk": lambda query: answer(query, FALSE) + b"junk",
    "cut short": lambda query: answer(query, FALSE)[:-3],
    "a header and no more": lambda query: answer(query, FALSE)[:12],
    "less than a header": lambda query: answer(query, FALSE)[:5],
    "nothing": lambda query: b"",
    "noise": lambda query: answer(query, FALSE)[:2] + b"\xff" * 80,
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_s_dns_08_a_forged_or_broken_datagram_does_not_end_the_wait(forgery: str) -> None:
    stub = Stub(lambda query: [FORGERIES[forgery](query), answer(query, TRUE)])
    assert data(run(stub, MX1)[0]) == {"192.0.2.25"}
    assert stub.ways == ["udp"]


def test_s_dns_08_nothing_but_forgeries_is_silence_that_says_so() -> None:
    said = run(Stub(lambda query: [forge(query) for forge in FORGERIES.values()]), MX1)[0]
    assert isinstance(said, Silence)
    assert "forged or broken" in said.why
    assert not said.unreachable


def test_s_dns_08_another_source_address_is_not_heard() -> None:
    async def story() -> tuple[dns.message.Message | Silence, int]:
        async with Stub(address="127.0.0.3") as liar, Stub() as server:
            forged: list[int] = []

            def both(query: dns.message.Message) -> list[bytes]:
                to = line._transport.get_extra_info("sockname")  # type: ignore[union-attr]
                liar._transport.sendto(answer(query, FALSE), to)
                forged.append(1)
                return right(query)

            server.udp = both
            line = Line(server.address, QUICK, server.port)
            said = await line.ask(MX1)
            line.close()
            return said, len(forged)

    said, forged = asyncio.run(story())
    assert forged == 1
    assert data(said) == {"192.0.2.25"}


def test_the_case_of_the_name_does_not_matter() -> None:
    stub = Stub(lambda query: [answer(query, TRUE).replace(b"example", b"eXaMpLe")])
    assert data(run(stub, MX1)[0]) == {"192.0.2.25"}


def test_a_truncated_answer_is_asked_for_over_tcp() -> None:
    stub = Stub(lambda query: [answer(query, flags="AA TC")], tcp=right)
    assert data(run(stub, MX1)[0]) == {"192.0.2.25"}
    assert stub.ways == ["udp", "tcp"]


def test_silence_over_udp_is_followed_by_tcp() -> None:
    stub = Stub(tcp=right)
    assert data(run(stub, MX1)[0]) == {"192.0.2.25"}
    assert stub.ways == ["udp", "udp", "tcp"]


TCP_FAULTS: dict[str, tuple[Callable[[dns.message.Message], list[bytes]] | None, str]] = {
    "nobody listens": (None, "truncated; over TCP nothing listens there"),
    "hangs up": (lambda query: [], "truncated; over TCP hung up"),
    "another id": (lambda query: [_with_id(query, 1)], "another question"),
    "another question": (lambda query: [_other(query, "mx2.example.org", "A")], "malformed"),
    "still truncated": (lambda query: [answer(query, flags="AA TC")], "truncated"),
    "noise": (lambda query: [answer(query, FALSE)[:14]], "malformed"),
}


@pytest.mark.parametrize("fault", TCP_FAULTS)
def test_s_dns_08_what_goes_wrong_over_tcp_is_said(fault: str) -> None:
    tcp, words = TCP_FAULTS[fault]
    said = run(Stub(lambda query: [answer(query, flags="AA TC")], tcp=tcp), MX1)[0]
    assert isinstance(said, Silence)
    assert words in said.why


def test_a_lost_datagram_is_sent_again() -> None:
    stub = Stub(lambda query: right(query) if len(stub.heard) > 1 else [])
    assert data(run(stub, MX1)[0]) == {"192.0.2.25"}
    assert stub.ways == ["udp", "udp"]


def test_a_server_that_knows_no_edns_is_asked_without() -> None:
    def old(query: dns.message.Message) -> list[bytes]:
        return right(query) if query.edns < 0 else [struct.pack("!HHHHHH", query.id, 0x8001, 0, 0, 0, 0)]

    stub = Stub(old)
    assert data(run(stub, MX1)[0]) == {"192.0.2.25"}
    assert [query.edns for _, query in stub.heard] == [0, -1]


def test_we_ask_without_recursion_and_with_1232_bytes() -> None:
    stub = Stub(right)
    run(stub, MX1)
    query = stub.heard[0][1]
    assert not query.flags & dns.flags.RD
    assert query.payload == 1232
    assert query.ednsflags == 0


def test_one_socket_carries_many_questions() -> None:
    def each(query: dns.message.Message) -> list[bytes]:
        ports.add(stub._transport)
        number = query.question[0].name.labels[0].decode().removeprefix("h")
        return [answer(query, f"{query.question[0].name} 60 A 203.0.113.{number}")]

    ports: set[object] = set()
    stub = Stub(each)
    questions = [Question(f"h{i}.example.org", "A") for i in range(200)]
    said = run(stub, *questions, patience=Patience(udp=(2.0, 2.0)))
    assert [data(one, q.name) for one, q in zip(said, questions, strict=True)] == [
        {f"203.0.113.{i}"} for i in range(200)
    ]


def test_an_address_that_was_silent_gets_one_short_try_until_it_speaks() -> None:
    async def story() -> list[int]:
        async with Stub() as stub:
            line = Line(stub.address, QUICK, stub.port)
            counts = []
            for udp in (stub.udp, stub.udp, right, stub.udp):
                stub.udp, before = udp, len(stub.heard)
                await line.ask(MX1)
                counts.append(len(stub.heard) - before)
            line.close()
            return counts

    assert asyncio.run(story()) == [2, 1, 1, 2]


def alone(address: str, port: int = 53) -> dns.message.Message | Silence:
    """Ask an address that is nobody's."""

    async def story() -> dns.message.Message | Silence:
        line = Line(address, QUICK, port)
        said = await line.ask(MX1)
        line.close()
        return said

    return asyncio.run(story())


def test_where_nothing_listens_we_hear_so_and_it_counts_as_reached() -> None:
    said = alone("127.0.0.1", 1)
    assert said == Silence("nothing listens there; over TCP nothing listens there", unreachable=False)


@pytest.mark.lab
@pytest.mark.parametrize("address", ["192.0.2.99", "2001:db8:ffff::1"])
def test_without_a_route_the_address_is_unreachable(dnstree: object, address: str) -> None:
    said = alone(address)
    assert isinstance(said, Silence)
    assert said.unreachable


def test_whoever_gives_up_leaves_nothing_behind() -> None:
    async def story() -> dict[int, object]:
        async with Stub() as stub:
            line = Line(stub.address, Patience(udp=(30.0,), tcp=30.0), stub.port)
            asks = [asyncio.create_task(line.ask(MX1)) for _ in range(20)]
            await asyncio.sleep(0.05)
            assert len(line._pending) == 20
            for ask in asks:
                ask.cancel()
            await asyncio.gather(*asks, return_exceptions=True)
            line.close()
            return dict(line._pending)

    assert asyncio.run(story()) == {}
