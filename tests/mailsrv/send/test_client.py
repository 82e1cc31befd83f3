"""One session with one host: what it makes of a host that breaks off, refuses, dawdles, lies or talks too much."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from dnsops.base.secrets import Secret
from mailsrv.send.client import Outcome, Patience, Peer, Session, open_session
from mailsrv.send.encrypting import Contexts, contexts
from mailsrv.send.letter import Letter, Recipient
from mailsrv.send.nexthop import Login
from mailsrv.send.verdict import Fate, Verdict
from mailsrv.send.wire import Broken
from mailsrv.transport.policy import OPPORTUNISTIC, PROVEN, Policy
from tests.lab.streams import start_server
from tests.mailsrv.send.sink import ALL, CLOSE_MIDWAY, DRIP, DROP, ENDLESS, FLOOD, SILENT, Sink

T = TypeVar("T")
SHORT = Patience(connect=5, handshake=5, greeting=0.3, command=0.3, data=0.3, block=0.3, final=0.3, goodbye=0.1)
LONG = Patience(connect=5, handshake=5, greeting=5, command=5, data=5, block=5, final=5, goodbye=1)
CONTENT = b"Subject: x\r\n\r\n.hello\r\n..\r\n"
LETTER = Letter.of("a@example.org", (), CONTENT)
ONE = [Recipient(1, "x@example.net")]
TWO = [*ONE, Recipient(2, "y@example.net")]
PLAIN = tuple(offer for offer in ALL if offer != "PIPELINING")


def run(story: Coroutine[Any, Any, T]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(10):
            return await story

    return asyncio.run(bounded())


def patience(sink: Sink) -> Patience:
    """Short where the host will be silent; a busy machine may be slow."""
    return SHORT if {SILENT, DRIP} & set(map(str, sink.says.values())) else LONG


async def session(sink: Sink, policy: Policy = OPPORTUNISTIC, tls: Contexts | None = None, **peer: Any) -> Session:
    return await open_session(
        Peer("mx.example.net", "127.0.0.1", sink.port, policy=policy, **peer),
        "us.example.org",
        SHORT,
        tls or contexts(),
    )


async def sent(sink: Sink, recipients: list[Recipient] = ONE, letter: Letter = LETTER) -> Outcome:
    async with sink:
        opened = await session(sink)
        outcome = await opened.deliver(letter, recipients)
        await opened.quit()
        return outcome


def outcome_of(
    says: dict[str, Any], recipients: list[Recipient] = ONE, offers: tuple[str, ...] = ALL
) -> tuple[Outcome, Sink]:
    sink = Sink(says, offers)
    return run(sent(sink, recipients)), sink


def short(verdicts: dict[int, Verdict]) -> dict[int, tuple[str, str]]:
    return {number: (verdict.fate.name, verdict.code) for number, verdict in verdicts.items()}


@pytest.mark.parametrize("offers", [ALL, PLAIN, ()])
def test_a_message_arrives_as_it_is(offers: tuple[str, ...]) -> None:
    outcome, sink = outcome_of({}, TWO, offers)
    fate = "DELIVERED" if "DSN" in offers else "RELAYED"
    assert short(outcome.settled) == {1: (fate, "2.0.0"), 2: (fate, "2.0.0")}
    assert [m.content for m in sink.messages] == [CONTENT]
    assert sink.messages[0].rcpts == ["RCPT TO:<x@example.net>", "RCPT TO:<y@example.net>"]
    assert sink.commands[0] == "EHLO us.example.org"
    assert sink.commands[-1] == "QUIT"


LOST = ("LATER", "4.4.2")
STAGES = [
    # what the host does; whether anybody else may be asked; the verdict
    ({"MAIL": "550 5.7.1 no"}, "settled", ("FAILED", "5.7.1")),
    ({"MAIL": "450 4.7.1 wait"}, "elsewhere", ("LATER", "4.7.1")),
    ({"MAIL": "421 4.3.2 closing"}, "elsewhere", ("LATER", "4.3.2")),
    ({"MAIL": DROP}, "elsewhere", LOST),
    ({"MAIL": SILENT}, "elsewhere", LOST),
    ({"MAIL": DRIP}, "elsewhere", LOST),
    ({"MAIL": ENDLESS}, "elsewhere", LOST),
    ({"MAIL": FLOOD}, "elsewhere", LOST),
    ({"MAIL": "what?"}, "elsewhere", LOST),
    ({"RCPT": "550 5.1.1 no"}, "settled", ("FAILED", "5.1.1")),
    ({"RCPT": "450 4.2.0 greylisted"}, "settled", ("LATER", "4.2.0")),
    ({"RCPT": "421 closing"}, "elsewhere", ("LATER", "4.0.0")),
    ({"RCPT": DROP}, "elsewhere", LOST),
    ({"RCPT": SILENT}, "elsewhere", LOST),
    ({"RCPT": ENDLESS}, "elsewhere", LOST),
    ({"RCPT": "\x00\x01\x02"}, "elsewhere", LOST),
    ({"DATA": "554 5.6.0 no"}, "settled", ("FAILED", "5.6.0")),
    ({"DATA": "451 4.3.0 no"}, "elsewhere", ("LATER", "4.3.0")),
    ({"DATA": "250 what"}, "elsewhere", ("LATER", "4.5.0")),
    ({"DATA": "421 closing"}, "elsewhere", ("LATER", "4.0.0")),
    ({"DATA": DROP}, "elsewhere", LOST),
    ({"DATA": SILENT}, "elsewhere", LOST),
    ({"DATA": FLOOD}, "elsewhere", LOST),
    ({".": "554 5.7.1 spam"}, "settled", ("FAILED", "5.7.1")),
    ({".": "451 4.7.1 later"}, "settled", ("LATER", "4.7.1")),
    ({".": "421 4.3.2 closing"}, "settled", ("LATER", "4.3.2")),
    ({".": "354 again"}, "settled", ("LATER", "4.0.0")),
    ({".": DROP}, "settled", LOST),  # P-03: the peer may have it; nobody else is asked
    ({".": SILENT}, "settled", LOST),
    ({".": DRIP}, "settled", LOST),
    ({".": FLOOD}, "settled", LOST),
    ({".": "oops"}, "settled", LOST),
]


@pytest.mark.parametrize("offers", [ALL, PLAIN], ids=["pipelining", "lockstep"])
@pytest.mark.parametrize("says,where,expected", STAGES, ids=lambda value: str(value)[:40])
def test_each_stage(says: dict[str, str], where: str, expected: tuple[str, str], offers: tuple[str, ...]) -> None:
    outcome, _ = outcome_of(says, ONE, offers)
    found = {"settled": short(outcome.settled), "elsewhere": short(outcome.elsewhere)}
    assert found == {"settled": {}, "elsewhere": {}} | {where: {1: expected}}


OPENINGS = [
    ({"greeting": "554 5.7.1 not you"}, ("FAILED", "5.7.1")),
    ({"greeting": "421 4.7.0 busy"}, ("LATER", "4.7.0")),
    ({"greeting": "250 hello"}, ("LATER", "4.0.0")),
    ({"greeting": DROP}, LOST),
    ({"greeting": SILENT}, LOST),
    ({"greeting": DRIP}, LOST),
    ({"greeting": ENDLESS}, LOST),
    ({"greeting": FLOOD}, LOST),
    ({"greeting": "SSH-2.0-OpenSSH_9.2"}, LOST),
    ({"greeting": "220 a\r\n250 b"}, ("LATER", "4.5.0")),  # it talks before it is asked
    ({"EHLO": DROP}, LOST),
    ({"EHLO": SILENT}, LOST),
    ({"EHLO": ENDLESS}, LOST),
    ({"EHLO": "421 4.3.2 closing"}, ("LATER", "4.3.2")),
    ({"EHLO": "450 4.7.1 not now"}, ("LATER", "4.7.1")),
    ({"EHLO": "502 what", "HELO": "550 5.7.1 no"}, ("FAILED", "5.7.1")),
]


@pytest.mark.parametrize("says,expected", OPENINGS, ids=lambda value: str(value)[:40])
def test_what_goes_wrong_at_the_beginning_is_a_verdict(says: dict[str, str], expected: tuple[str, str]) -> None:
    async def story() -> Verdict:
        async with Sink(says) as sink:
            with pytest.raises(Broken) as broken:
                await session(sink)
            return broken.value.verdict

    verdict = run(story())
    assert (verdict.fate.name, verdict.code, verdict.host) == (*expected, "mx.example.net")


def test_nobody_listens() -> None:
    async def story() -> Verdict:
        async with Sink() as sink:
            port = sink.port
        with pytest.raises(Broken) as broken:
            await open_session(Peer("mx.example.net", "127.0.0.1", port), "us", LONG, contexts())
        return broken.value.verdict

    verdict = run(story())
    assert (verdict.fate, verdict.code) == (Fate.LATER, "4.4.1")


def test_who_knows_no_ehlo_is_greeted_with_helo() -> None:
    outcome, sink = outcome_of({"EHLO": "500 what?", "HELO": "250-sink\r\n250 PIPELINING"})
    assert short(outcome.settled) == {1: ("RELAYED", "2.0.0")}
    assert sink.messages[0].mail == "MAIL FROM:<a@example.org>"  # what HELO says offers nothing


@pytest.mark.parametrize("offers", [ALL, PLAIN], ids=["pipelining", "lockstep"])
def test_each_recipient_has_its_own_verdict(offers: tuple[str, ...]) -> None:
    outcome, sink = outcome_of({"RCPT": ["550 5.1.1 no", "250 ok"]}, TWO, offers)
    assert short(outcome.settled) == {1: ("FAILED", "5.1.1"), 2: ("DELIVERED", "2.0.0")}
    assert sink.messages[0].rcpts == ["RCPT TO:<y@example.net>"]


@pytest.mark.parametrize("offers", [ALL, PLAIN], ids=["pipelining", "lockstep"])
def test_what_was_said_before_the_line_broke_stays_said(offers: tuple[str, ...]) -> None:
    outcome, _ = outcome_of({"RCPT": ["550 5.1.1 no", DROP]}, TWO, offers)
    assert (short(outcome.settled), short(outcome.elsewhere)) == ({1: ("FAILED", "5.1.1")}, {2: LOST})


def test_nothing_is_sent_when_nobody_is_taken_though_data_is_answered() -> None:
    outcome, sink = outcome_of({"RCPT": "550 5.1.1 no"})
    assert short(outcome.settled) == {1: ("FAILED", "5.1.1")}
    assert [message.raw for message in sink.messages] == [b".\r\n"]  # RFC 2920 3.1


def test_a_confirmation_before_the_message_is_none() -> None:
    """`354` and at once `250`: who takes the second for the answer to the message loses it."""
    outcome, sink = outcome_of({"DATA": "354 go\r\n250 2.0.0 taken"})
    assert short(outcome.elsewhere) == {1: ("LATER", "4.5.0")}
    assert sink.messages == []


def test_a_refusal_before_the_message_counts() -> None:
    outcome, _ = outcome_of({"DATA": "354 go\r\n552 5.3.4 too much"})
    assert short(outcome.settled) == {1: ("FAILED", "5.3.4")}


def test_a_host_that_leaves_in_the_middle_of_the_message_did_not_get_it() -> None:
    async def story() -> Outcome:
        letter = Letter.of("a@example.org", (), b"x" * 70 + b"\r\n" * 3_000_000)
        return await sent(Sink({"midway": CLOSE_MIDWAY}, ()), ONE, letter)

    assert short(run(story()).elsewhere) == {1: LOST}


def test_a_large_message_arrives_whole() -> None:
    content = (b"." * 76 + b"\r\n") * 50000
    sink = Sink({}, ("PIPELINING", "SIZE 99999999"))
    assert short(run(sent(sink, ONE, Letter.of("", (), content))).settled) == {1: ("RELAYED", "2.0.0")}
    assert sink.messages[0].content == content


@pytest.mark.parametrize(
    "says,offers", [({"RCPT": ["250 ok", "452 4.5.3 too many"]}, ALL), ({"RCPT": ["250 ok", "552 too many"]}, ALL), ({}, (*ALL, "LIMITS RCPTMAX=1"))]
)  # fmt: skip
def test_who_does_not_fit_is_for_another_transaction(says: dict[str, Any], offers: tuple[str, ...]) -> None:
    outcome, _ = outcome_of(says, TWO, offers)
    assert short(outcome.settled) == {1: ("DELIVERED", "2.0.0")}
    assert outcome.crowded == TWO[1:]


def test_addresses_that_need_smtputf8_fail_alone() -> None:
    recipients = [*ONE, Recipient(2, "ö@example.net"), Recipient(3, "x@bücher.example")]
    outcome, sink = outcome_of({}, recipients, PLAIN[:2])
    assert short(outcome.elsewhere) == {2: ("FAILED", "5.6.7")}
    assert sink.messages[0].rcpts == ["RCPT TO:<x@example.net>", "RCPT TO:<x@xn--bcher-kva.example>"]


# TLS


def test_tls_is_used_when_it_is_offered_whoever_the_peer_is(tls_server: ssl.SSLContext) -> None:
    sink = Sink({}, (*ALL, "STARTTLS"), tls_server)
    outcome = run(sent(sink))
    assert (outcome.settled[1].fate, outcome.settled[1].tls, sink.messages[0].tls) == (Fate.DELIVERED, "TLSv1.3", True)
    assert [c for c in sink.commands if c.startswith("EHLO")] == ["EHLO us.example.org"] * 2


BROKEN_TLS = [
    {"STARTTLS": "454 4.7.0 not now"},
    {"STARTTLS": "500 what"},
    {"STARTTLS": "220 go\r\n250 injected"},  # bytes in the clear before TLS: CVE-2011-0411's other side
    {"STARTTLS": DROP},
    {"STARTTLS": SILENT},
    {"STARTTLS": "220 go\r\n" + "\x15\x03\x01 garbage"},
]


@pytest.mark.parametrize("says", BROKEN_TLS, ids=str)
def test_broken_starttls_falls_back_where_the_policy_allows(says: dict[str, str], tls_server: ssl.SSLContext) -> None:
    sink = Sink(says, (*ALL, "STARTTLS"), tls_server)
    outcome = run(sent(sink))
    assert short(outcome.settled) == {1: ("DELIVERED", "2.0.0")}
    assert (len(sink.messages), sink.messages[0].tls) == (1, False)


@pytest.mark.parametrize("policy", [Policy(must_encrypt=True), PROVEN], ids=["encrypted", "proven"])
@pytest.mark.parametrize("says", [{}, *BROKEN_TLS], ids=str)
def test_broken_or_absent_starttls_is_later_where_the_policy_forbids(
    says: dict[str, str], policy: Policy, tls_server: ssl.SSLContext
) -> None:
    async def story() -> tuple[Verdict, Sink]:
        async with Sink(says, (*ALL, "STARTTLS") if says else ALL, tls_server) as sink:
            with pytest.raises(Broken) as broken:
                await session(sink, policy)
            return broken.value.verdict, sink

    verdict, sink = run(story())
    assert verdict.fate is Fate.LATER
    assert not [command for command in sink.commands if command.startswith(("MAIL", "AUTH"))]


def test_a_certificate_of_somebody_else_is_refused_when_the_name_must_be_proven(
    tls_server: ssl.SSLContext, tls_client: ssl.SSLContext
) -> None:
    async def story(host: str) -> str:
        async with Sink({}, (*ALL, "STARTTLS"), tls_server) as sink:
            peer = Peer(host, "127.0.0.1", sink.port, policy=PROVEN)
            try:
                opened = await open_session(peer, "us", LONG, Contexts(contexts().anyone, tls_client))
            except Broken as broken:
                return broken.verdict.code
            assert opened.verified
            await opened.quit()
            return opened.tls

    assert run(story("mx1.example.org")) == "TLSv1.3"
    assert run(story("mx.example.net")) == "4.7.5"


def test_a_plain_server_on_an_implicit_port_is_later() -> None:
    async def story() -> Verdict:
        async with Sink() as sink:
            with pytest.raises(Broken) as broken:
                await session(sink, implicit=True)
            return broken.value.verdict

    assert run(story()).fate is Fate.LATER


# the smarthost


@pytest.mark.parametrize(
    "offer,said",
    [("AUTH PLAIN LOGIN", ["AUTH PLAIN AG1lAHB3"]), ("AUTH LOGIN", ["AUTH LOGIN", "bWU=", "cHc="])],
)
@pytest.mark.parametrize("implicit", [True, False])
def test_a_login_is_said_inside_tls(
    offer: str, said: list[str], implicit: bool, tls_server: ssl.SSLContext, tls_client: ssl.SSLContext
) -> None:
    async def story() -> Sink:
        async with Sink({}, (*ALL, "STARTTLS", offer), tls_server, implicit) as sink:
            peer = Peer("mx1.example.org", "127.0.0.1", sink.port, implicit, Login("me", Secret("pw")), PROVEN)
            opened = await open_session(peer, "us", LONG, Contexts(contexts().anyone, tls_client))
            await opened.deliver(LETTER, ONE)
            await opened.quit()
            return sink

    sink = run(story())
    first = sink.commands.index(said[0])
    assert sink.commands[first : first + len(said)] == said
    assert sink.commands[first - 1].startswith("EHLO")
    assert [message.tls for message in sink.messages] == [True]


@pytest.mark.parametrize("says,offer", [({"AUTH": "535 5.7.8 no"}, "AUTH PLAIN"), ({}, "AUTH CRAM-MD5"), ({}, "SIZE")])
def test_a_login_that_fails_bounces_nothing(says: dict[str, str], offer: str) -> None:
    async def story() -> Verdict:
        async with Sink(says, (offer,)) as sink:
            with pytest.raises(Broken) as broken:
                await session(sink, login=Login("me", Secret("hush-hush")))
            return broken.value.verdict

    verdict = run(story())
    assert verdict.fate is Fate.LATER
    assert "hush" not in str(verdict)


def test_mail_leaves_from_the_address_that_was_named() -> None:
    """SPF and the reverse name know one address of a host that has several."""
    met: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append(writer.get_extra_info("peername")[0])
        writer.write(b"554 not today\r\n")
        writer.close()

    async def story() -> None:
        server = await start_server(serve, "127.0.0.1", 0)
        peer = Peer("mx.example.net", "127.0.0.1", server.sockets[0].getsockname()[1])
        for source in ("127.0.0.7", ""):
            with pytest.raises(Broken):
                await open_session(peer, "us", LONG, contexts(), source)
        server.close()

    run(story())
    assert met == ["127.0.0.7", "127.0.0.1"]
