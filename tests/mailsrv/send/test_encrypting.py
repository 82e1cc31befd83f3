"""Sessions under each policy, with peers that are who they should be and peers that are not: verdict, log words, report."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from dnsops.certs.chain import association
from dnsops.records.tlsa import Tlsa
from dnsops.resolve.answer import Security
from dnsops.resolve.memory import MemoryDns
from mailsrv.send.carrier import Carrier
from mailsrv.send.client import Patience
from mailsrv.send.connections import Connections
from mailsrv.send.encrypting import Contexts, contexts, ways
from mailsrv.send.letter import Letter, Recipient
from mailsrv.send.route import Ours, Router
from mailsrv.send.verdict import Verdict
from mailsrv.transport.host import Host
from mailsrv.transport.noting import Notes
from mailsrv.transport.outcome import Outcome, PolicyType, Trouble
from mailsrv.transport.policy import OPPORTUNISTIC, PROVEN, Policy
from tests.dnsops.certs.making import Authority
from tests.mailsrv.send.sink import ALL, DROP, Sink

T = TypeVar("T")
PATIENCE = Patience(connect=5, handshake=5, greeting=5, command=5, data=5, block=5, final=5, goodbye=1)
TLS, CONTENT = (*ALL, "STARTTLS"), b"Subject: x\r\n\r\nhello\r\n"
STS = replace(PROVEN, name="mta-sts", type=PolicyType.STS)
TESTING = replace(STS, name="testing", soft=True)
LOOPS: list[Callable[[], asyncio.AbstractEventLoop]] = [asyncio.new_event_loop, uvloop.new_event_loop]


class Heard(list[Outcome]):
    def note(self, outcome: Outcome) -> None:
        self.append(outcome)


class Rule:
    """One policy for all hosts, or one for each."""

    def __init__(self, *policies: Policy) -> None:
        self.policies, self.asked = policies, list[str]()

    async def policy(self, domain: str, host: Host, proven: bool) -> Policy:
        self.asked.append(host.name)
        return self.policies[min(host.preference, len(self.policies) - 1)]


@pytest.fixture(scope="module")
def shown(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, list[bytes]]:
    """A server for mx0.example.net, and the chain that it shows (DER)."""
    directory: Path = tmp_path_factory.mktemp("shown")
    chain, key = authority.pair(("mx0.example.net",))
    (directory / "chain.pem").write_bytes(chain)
    (directory / "key.pem").write_bytes(key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "chain.pem", directory / "key.pem")
    return context, [one.public_bytes(Encoding.DER) for one in x509.load_pem_x509_certificates(chain)]


def dane(*records: Tlsa) -> Policy:
    names = ("mx0.example.net", "example.net")
    return Policy(True, True, "TLSA", "dane", records, names[0], names, type=PolicyType.TLSA)


def run(story: Coroutine[Any, Any, T], loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(15):
            return await story

    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(bounded())


async def sent(
    policies: Rule, *sinks: Sink, trusting: ssl.SSLContext | None = None, letter: bytes = CONTENT, options: tuple[str, ...] = (), times: int = 1
) -> tuple[Verdict, Heard]:  # fmt: skip
    """The (last) verdict, and what the TLS report heard. Sink n is mx{n}.example.net."""
    async with AsyncExitStack() as stack:
        dns, heard, port = MemoryDns({"example.net": Security.SECURE}), Heard(), 0
        for number, sink in enumerate(sinks):
            sink.port, sink.address = port, f"127.0.0.{number + 1}"
            await stack.enter_async_context(sink)
            port = sink.port
            dns.put(f"mx{number}.example.net", "A", sink.address)
        dns.put("example.net", "MX", *(f"{number} mx{number}.example.net." for number in range(len(sinks))))
        given = Contexts(contexts().anyone, trusting or contexts().named)
        notes = Notes(lambda: datetime(2026, 1, 1, tzinfo=UTC), heard, "us")
        router = Router(Ours(loopback=False), port=port)
        carrier = Carrier(router, dns, Connections("us", PATIENCE, given), policies, notes)

        async def load() -> Letter:
            return Letter.of("a@example.org", options, letter)

        for _ in range(times):
            carried = await carrier.carry("Example.net", load, [Recipient(1, "x@example.net")])
        await carrier.close()
        return carried.verdicts[1], heard


def words(verdict: Verdict) -> tuple[str, str, str, str]:
    return verdict.fate.name, verdict.code, verdict.policy, verdict.trust


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("usage,position", [(3, 0), (2, 1)])
def test_a_key_that_matches_is_verified(usage: int, position: int, loop: Any, shown: Any) -> None:
    context, chain = shown
    sink = Sink({}, TLS, context)
    verdict, heard = run(sent(Rule(dane(association(chain[position], usage))), sink), loop)
    assert words(verdict) == ("DELIVERED", "2.0.0", "dane", "verified")
    assert verdict.tls == "TLSv1.3"
    assert [(one.type, one.trouble, one.domain, one.mx, one.address, one.helo) for one in heard] == [
        (PolicyType.TLSA, None, "example.net", "mx0.example.net", "127.0.0.1", "us")
    ]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(
    "record,trouble",
    [
        (Tlsa(3, 1, 1, bytes(32)), Trouble.VALIDATION_FAILURE),
        (Tlsa(2, 0, 1, bytes(32)), Trouble.CERTIFICATE_NOT_TRUSTED),
    ],
)
def test_one_that_does_not_hears_nothing_from_us(record: Tlsa, trouble: Trouble, loop: Any, shown: Any) -> None:
    """RFC 7672 2.2: neither EHLO nor MAIL goes through the unproven TLS, and nothing in the clear afterwards."""
    sink = Sink({}, TLS, shown[0])
    verdict, heard = run(sent(Rule(dane(record)), sink), loop)
    assert words(verdict) == ("LATER", "4.7.5", "dane", "")
    assert verdict.reason.startswith("TLS would be with somebody else: ")
    assert sink.commands == ["EHLO us", "STARTTLS"]
    assert (sink.messages, sink.connections) == ([], 1)
    assert [one.trouble for one in heard] == [trouble]


def test_the_next_host_is_tried(shown: Any) -> None:
    context, chain = shown
    first, second = Sink({}, TLS, context), Sink({}, TLS, context)
    rule = Rule(dane(Tlsa(3, 1, 1, bytes(32))), dane(association(chain[0])))
    verdict, heard = run(sent(rule, first, second))
    assert (*words(verdict), verdict.host) == ("DELIVERED", "2.0.0", "dane", "verified", "mx1.example.net")
    assert (len(first.messages), len(second.messages)) == (0, 1)
    assert [(one.mx, one.trouble) for one in heard] == [
        ("mx0.example.net", Trouble.VALIDATION_FAILURE), ("mx1.example.net", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "policy", [dane(Tlsa(3, 1, 1, bytes(32))), STS, Policy(must_encrypt=True, name="encrypt")], ids=lambda p: p.name
)
@pytest.mark.parametrize(
    "says,offers", [({}, ALL), ({"STARTTLS": "454 not now"}, TLS), ({"EHLO": "500 what"}, ALL)], ids=str
)
def test_without_starttls_there_is_no_mail(
    policy: Policy, says: dict[str, Any], offers: tuple[str, ...], shown: Any
) -> None:
    sink = Sink(says, offers, shown[0])
    verdict, heard = run(sent(Rule(policy), sink))
    assert words(verdict) == ("LATER", "4.7.4", policy.name, "")
    assert sink.messages == []
    assert [(one.type, one.trouble) for one in heard] == [(policy.type, Trouble.STARTTLS_NOT_SUPPORTED)]


@pytest.mark.parametrize("says", [{"STARTTLS": DROP}, {"STARTTLS": "220 go\r\n250 injected"}], ids=str)
def test_tls_that_breaks_is_never_the_clear(says: dict[str, Any], shown: Any) -> None:
    sink = Sink(says, TLS, shown[0])
    verdict, heard = run(sent(Rule(dane(association(shown[1][0]))), sink))
    assert (verdict.fate.name, sink.messages) == ("LATER", [])
    assert [one.trouble for one in heard] == [Trouble.VALIDATION_FAILURE]


def test_all_unusable_is_tls_with_anyone(shown: Any) -> None:
    policy = Policy(must_encrypt=True, name="encrypt", server_name="mx0.example.net", type=PolicyType.TLSA,
                    trouble=Trouble.TLSA_INVALID, details="none")  # fmt: skip
    verdict, heard = run(sent(Rule(policy), Sink({}, TLS, shown[0])))
    assert words(verdict) == ("DELIVERED", "2.0.0", "encrypt", "encrypted")
    assert [one.trouble for one in heard] == [Trouble.TLSA_INVALID]


def test_sni_is_the_tlsa_base_domain(shown: Any) -> None:
    """RFC 7672 8.1."""
    context, chain = shown
    names: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    policy = replace(dane(association(chain[0])), server_name="base.example.org")
    run(sent(Rule(policy), Sink({}, TLS, context)))
    run(sent(Rule(OPPORTUNISTIC), Sink({}, TLS, context)))
    context.sni_callback = None
    assert names == ["base.example.org", "mx0.example.net"]


def test_mta_sts_asks_the_known_authorities(shown: Any, tls_client: ssl.SSLContext, authority: Authority) -> None:
    verdict, heard = run(sent(Rule(STS), Sink({}, TLS, shown[0]), trusting=tls_client))
    assert words(verdict) == ("DELIVERED", "2.0.0", "mta-sts", "verified")
    assert [(one.type, one.trouble) for one in heard] == [(PolicyType.STS, None)]
    verdict, heard = run(sent(Rule(STS), Sink({}, TLS, shown[0])))
    assert words(verdict) == ("LATER", "4.7.5", "mta-sts", "")
    assert [one.trouble for one in heard] == [Trouble.CERTIFICATE_NOT_TRUSTED]


def test_mta_sts_means_the_hosts_own_name(shown: Any, tls_client: ssl.SSLContext) -> None:
    first, second = Sink({"greeting": "421 busy"}, TLS, shown[0]), Sink({}, TLS, shown[0])
    verdict, heard = run(sent(Rule(STS), first, second, trusting=tls_client))
    assert verdict.fate.name == "LATER"
    assert second.messages == []
    assert [(one.mx, one.trouble) for one in heard] == [("mx1.example.net", Trouble.CERTIFICATE_HOST_MISMATCH)]


@pytest.mark.parametrize(
    "offers,trouble,trust,connections",
    [(TLS, Trouble.CERTIFICATE_NOT_TRUSTED, "encrypted", 2), (ALL, Trouble.STARTTLS_NOT_SUPPORTED, "plain", 2)],
)
def test_testing_tells_and_delivers(
    offers: tuple[str, ...], trouble: Trouble, trust: str, connections: int, shown: Any
) -> None:
    """RFC 8461 5: one outcome for the session, and the session waits for the next message as any other."""
    sink = Sink({}, offers, shown[0])
    verdict, heard = run(sent(Rule(TESTING), sink, times=3))
    assert words(verdict) == ("DELIVERED", "2.0.0", "testing", trust)
    assert (len(sink.messages), sink.connections) == (3, connections)
    assert [(one.type, one.trouble) for one in heard] == [(PolicyType.STS, trouble)]


def test_testing_that_passes_is_verified(shown: Any, tls_client: ssl.SSLContext) -> None:
    verdict, heard = run(sent(Rule(TESTING), Sink({}, TLS, shown[0]), trusting=tls_client))
    assert words(verdict) == ("DELIVERED", "2.0.0", "testing", "verified")
    assert [one.trouble for one in heard] == [None]


@pytest.mark.parametrize(
    "offers,says,trust,trouble",
    [
        (TLS, {}, "encrypted", None),
        (ALL, {}, "plain", Trouble.STARTTLS_NOT_SUPPORTED),
        (TLS, {"STARTTLS": DROP}, "plain", Trouble.VALIDATION_FAILURE),
    ],
)
def test_no_policy_found_is_reported_too(
    offers: Any, says: Any, trust: str, trouble: Trouble | None, shown: Any
) -> None:
    verdict, heard = run(sent(Rule(OPPORTUNISTIC), Sink(says, offers, shown[0])))
    assert words(verdict) == ("DELIVERED", "2.0.0", "opportunistic", trust)
    assert [(one.type, one.trouble) for one in heard] == [(PolicyType.NONE, trouble)]


def test_a_session_is_one_outcome_however_much_it_carries(shown: Any) -> None:
    _, heard = run(sent(Rule(OPPORTUNISTIC), Sink({}, TLS, shown[0]), times=4))
    assert len(heard) == 1


def test_a_refusal_says_how_it_was_reached(shown: Any) -> None:
    context, chain = shown
    verdict, _ = run(sent(Rule(dane(association(chain[0]))), Sink({"RCPT": "550 5.1.1 no"}, TLS, context)))
    assert (*words(verdict), verdict.tls) == ("FAILED", "5.1.1", "dane", "verified", "TLSv1.3")


# RFC 8689

WAIVING = b"TLS-Required: No\r\n" + CONTENT


@pytest.mark.parametrize(
    "policy", [dane(Tlsa(3, 1, 1, bytes(32))), STS, Policy(must_encrypt=True)], ids=lambda p: p.name
)
@pytest.mark.parametrize("offers,trust", [(TLS, "encrypted"), (ALL, "plain")])
def test_tls_required_no_goes_past_policies_and_still_tries_tls(
    policy: Policy, offers: Any, trust: str, shown: Any
) -> None:
    """RFC 8689 5."""
    sink, rule = Sink({}, offers, shown[0]), Rule(policy)
    verdict, heard = run(sent(rule, sink, letter=WAIVING))
    assert words(verdict) == ("DELIVERED", "2.0.0", "tls-required-no", trust)
    assert (rule.asked, heard) == ([], [])


def test_requiretls_goes_before_tls_required_no(shown: Any) -> None:
    sink = Sink({}, (*TLS, "REQUIRETLS"), shown[0])
    verdict, _ = run(sent(Rule(STS), sink, letter=WAIVING, options=("REQUIRETLS",)))
    assert words(verdict)[:2] == ("FAILED", "5.7.10")
    assert sink.messages == []


@pytest.mark.parametrize(
    "right,offers,expected",
    [
        (True, (*TLS, "REQUIRETLS"), ("DELIVERED", "2.0.0")),
        (True, TLS, ("FAILED", "5.7.30")),
        (False, (*TLS, "REQUIRETLS"), ("FAILED", "5.7.10")),
        (True, (*ALL, "REQUIRETLS"), ("FAILED", "5.7.10")),
    ],
)
def test_requiretls_by_dane(right: bool, offers: Any, expected: tuple[str, str], shown: Any) -> None:
    """RFC 8689 4.2.1."""
    context, chain = shown
    sink = Sink({}, offers, context)
    record = association(chain[0]) if right else Tlsa(3, 1, 1, bytes(32))
    verdict, _ = run(sent(Rule(dane(record)), sink, options=("REQUIRETLS",)))
    assert words(verdict)[:2] == expected
    assert len(sink.messages) == (expected[0] == "DELIVERED")
    if sink.messages:
        assert "REQUIRETLS" in sink.messages[0].mail


def test_requiretls_takes_testing_for_serious(shown: Any) -> None:
    sink = Sink({}, (*TLS, "REQUIRETLS"), shown[0])
    verdict, _ = run(sent(Rule(TESTING), sink, options=("REQUIRETLS",)))
    assert words(verdict)[:2] == ("FAILED", "5.7.10")
    assert (sink.messages, sink.connections) == ([], 1)


@pytest.mark.parametrize(
    "policy", [OPPORTUNISTIC, STS, TESTING, PROVEN, dane(Tlsa(3, 1, 1, bytes(32))), Policy(must_encrypt=True)]
)
def test_the_clear_is_the_last_way_or_none(policy: Policy) -> None:
    found = ways(policy, contexts())
    assert [way.context is None for way in found] == [False] * (len(found) - policy.may_be_plain) + [
        True
    ] * policy.may_be_plain
    assert found[0].proof is policy.must_verify
    assert all(way.must for way in found) is not policy.may_be_plain
