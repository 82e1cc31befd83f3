"""Mail servers that lie, drip and flood, and what our queue makes of them: security.md B-3, "evil remote server".

None of them has a number there; each has a name here, which the house's catalogue knows.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from dnsops.certs.chain import association
from dnsops.resolve.answer import Security
from mailsrv.send.route import MOST_HOSTS, Ours
from mailsrv.send.schedule import DAY
from mailsrv.transport.host import Host
from mailsrv.transport.outcome import PolicyType
from mailsrv.transport.policy import Policy
from tests.dnsops.certs.making import Authority
from tests.journeys.evil.sending import HOST, TO, dns_of, sent
from tests.mailsrv.send.sink import ALL, DROP, ENDLESS, FLOOD, Sink

LOST = ("later", "4.4.2")
TLS = (*ALL, "STARTTLS")
BUFFERS = 16 << 20  # what kernels may hold of what nobody reads: both ends' socket buffers, generously


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], tuple[ssl.SSLContext, bytes]]:
    """Another certificate for the same host each time: the server's context and the leaf (DER)."""
    authority = Authority()

    def issue() -> tuple[ssl.SSLContext, bytes]:
        directory: Path = tmp_path_factory.mktemp("shown")
        chain, key = authority.pair((HOST,))
        (directory / "chain.pem").write_bytes(chain)
        (directory / "key.pem").write_bytes(key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(directory / "chain.pem", directory / "key.pem")
        return context, x509.load_pem_x509_certificate(chain).public_bytes(Encoding.DER)

    return issue


class Always:
    """One policy for whoever it is."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    async def policy(self, domain: str, host: Host, proven: bool) -> Policy:
        return self._policy


def dane(leaf: bytes) -> Always:
    record = association(leaf, 3, 1, 1)
    return Always(Policy(True, True, "TLSA", "dane", (record,), HOST, (HOST,), type=PolicyType.TLSA))


# who talks without end


@pytest.mark.parametrize("stage", ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "."])
@pytest.mark.parametrize("how", [ENDLESS, FLOOD])
def test_evil_remote_endless_reply_is_cut_off(stage: str, how: str) -> None:
    """`220-` for ever, and a line for ever: what was never read stays in the kernels' buffers."""
    sink = Sink({stage: how})
    found = sent(sink, dns_of())
    assert ([event[:2] for event in found.events], found.waiting) == ([LOST], 1)
    assert sink.poured < BUFFERS


@pytest.mark.parametrize("stage", ["greeting", "EHLO", "RCPT", "."])
def test_evil_remote_a_line_of_ten_megabytes_is_no_reply(stage: str) -> None:
    code = {"greeting": "220", "RCPT": "550"}.get(stage, "250")
    found = sent(Sink({stage: f"{code} {'x' * 10_000_000}"}), dns_of())
    assert [event[:2] for event in found.events] == [LOST]
    assert max(len(line["said"]) for line in found.lines) < 1000


# who takes it, and does not


def test_evil_remote_yes_to_everything_and_no_at_the_dot_is_one_bounce() -> None:
    sink = Sink({".": "554 5.7.1 no"})
    found = sent(sink, dns_of(), time=DAY)
    assert found.events == [("failed", "5.7.1", "plain")]
    assert (found.bounces, found.waiting, sink.messages) == ([(TO, "failed", "5.7.1")], 0, [])


def test_evil_remote_250_to_data_itself_delivers_nothing() -> None:
    sink = Sink({"DATA": "250 ok"})
    found = sent(sink, dns_of())
    assert ([event[:2] for event in found.events], found.waiting, sink.messages) == ([("later", "4.5.0")], 1, [])


def test_evil_remote_a_yes_ahead_of_the_dot_delivers_nothing() -> None:
    sink = Sink({"DATA": "354 go\r\n250 2.0.0 taken, trust me"})
    found = sent(sink, dns_of())
    assert ([event[:2] for event in found.events], found.waiting, sink.messages) == ([("later", "4.5.0")], 1, [])


def test_evil_remote_closed_before_250_is_tried_again_there_and_nowhere_else() -> None:
    """P-03: only then may it arrive twice. The second MX is not asked, as the first may have the message."""
    dns = dns_of()
    dns.put("example.net", "MX", "10 mx0.example.net.", "20 mx1.example.net.")
    dns.put("mx1.example.net", "A", "127.0.0.1")
    sink = Sink({".": [DROP, "250 2.0.0 taken"]})
    found = sent(sink, dns, time=timedelta(hours=1))
    assert [event[:2] for event in found.events] == [("later", "4.4.2"), ("delivered", "2.0.0")]
    assert [line["host"] for line in found.lines] == [HOST, HOST]
    assert (len(sink.messages), sink.connections, found.waiting) == (2, 2, 0)


@pytest.mark.parametrize("stage", ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "."])
def test_evil_remote_4xx_for_ever_ends_after_five_days_in_one_bounce(stage: str) -> None:
    sink = Sink({stage: "450 4.7.1 come again"})
    found = sent(sink, dns_of(), time=7 * DAY)
    assert {event[0] for event in found.events[:-1]} == {"later"}
    assert found.events[-1][0] == "expired"
    assert 30 < len(found.lines) < 50
    assert sink.connections <= len(found.lines)
    told = [action for _, action, _ in found.bounces]
    assert (told.count("failed"), told.count("delayed"), len(told)) == (1, 2, 3)
    assert found.waiting == 0


# who plays with TLS


@pytest.mark.parametrize("injected", ["250 2.0.0 injected", "250-mx0\r\n250 SIZE 1", "220 again", "\x15\x03\x01"])
def test_evil_remote_words_between_starttls_and_tls_count_for_nothing(
    injected: str, certified: Callable[[], tuple[ssl.SSLContext, bytes]]
) -> None:
    """With DANE nothing is sent; without, it goes on over a new connection, in the clear, and the report hears of it."""
    context, leaf = certified()
    says = {"STARTTLS": f"220 go\r\n{injected}"}
    proven = Sink(says, TLS, context=context)
    found = sent(proven, dns_of(), policies=dane(leaf))
    assert ([event[0] for event in found.events], found.troubles) == (["later"], ["validation-failure"])
    assert [word for word in proven.commands if not word.startswith(("EHLO", "STARTTLS"))] == []

    anyone = Sink(says, TLS, context=context)
    found = sent(anyone, dns_of())
    assert (found.events, found.troubles) == ([("delivered", "2.0.0", "plain")], ["validation-failure"])
    assert [command for command in anyone.commands if command.startswith("EHLO")] == ["EHLO mx.us.org"] * 2


@pytest.mark.parametrize(
    "outside,inside,recipient,event",
    [
        (TLS, ALL, "ö@example.net", "delivered"),
        (("STARTTLS",), ALL, "ö@example.net", "delivered"),
        (TLS, ("SIZE 1000000",), "ö@example.net", "failed"),  # what was offered in the clear is forgotten: RFC 3207 4.2
        (TLS, ("SIZE 10",), TO, "failed"),
        (("STARTTLS", "SIZE 10"), ALL, TO, "delivered"),
        (TLS, ("STARTTLS",), TO, "relayed"),  # once is enough
    ],
)
def test_evil_remote_another_ehlo_inside_tls_is_the_one_that_counts(
    outside: tuple[str, ...],
    inside: tuple[str, ...],
    recipient: str,
    event: str,
    certified: Callable[[], tuple[ssl.SSLContext, bytes]],
) -> None:
    sink = Sink({}, outside, certified()[0], inside=inside)
    found = sent(sink, dns_of(), [recipient])
    assert [one[0] for one in found.events] == [event]
    assert [message.tls for message in sink.messages] == [True] * (event != "failed")
    assert sink.commands.count("STARTTLS") == 1


def test_evil_remote_a_tls_alert_at_our_sni_is_no_tls(certified: Callable[[], tuple[ssl.SSLContext, bytes]]) -> None:
    context, leaf = certified()
    asked: list[str | None] = []

    def unknown(_connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> int:
        asked.append(name)
        return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

    context.sni_callback = unknown
    found = sent(Sink({}, TLS, context=context), dns_of(), policies=dane(leaf))
    assert (found.events, found.troubles, asked) == ([("later", "4.4.2", "")], ["validation-failure"], [HOST])
    found = sent(Sink({}, TLS, context=context), dns_of())
    assert (found.events, found.troubles) == ([("delivered", "2.0.0", "plain")], ["validation-failure"])


def test_evil_remote_a_certificate_that_changes_between_connections_is_looked_at_each_time(
    certified: Callable[[], tuple[ssl.SSLContext, bytes]],
) -> None:
    (right, leaf), (wrong, _) = certified(), certified()
    front, hands = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), iter((right, wrong, right))

    def hand_over(connection: ssl.SSLObject, _name: str | None, _front: ssl.SSLContext) -> None:
        connection.context = next(hands)

    front.sni_callback = hand_over
    sink = Sink({"greeting": "220 sink"}, (*TLS, "LIMITS MAILMAX=1"), context=front)
    recipients = [TO, "y@example.net", "z@example.net"]
    found = sent(sink, dns_of(), recipients, policies=dane(leaf))
    assert found.events[:2] == [("delivered", "2.0.0", "verified"), ("later", "4.7.5", "")]
    assert (len(sink.messages), sink.connections) == (1, 2)


# who says that we are somebody else, or they nobody


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.10", "0.0.0.0", "192.0.2.99"])
def test_evil_remote_mx_that_points_at_ourselves_is_a_loop_and_no_connection(address: str) -> None:
    sink = Sink()
    ours = Ours(frozenset({"mx.us.org"}), frozenset({"192.0.2.99"}), frozenset({"us.org"}))
    found = sent(sink, dns_of("example.net", address), ours=ours)
    assert (found.events, found.bounces, sink.connections) == ([("failed", "5.4.6", "")], [(TO, "failed", "5.4.6")], 0)


def test_evil_remote_null_mx_is_told_at_once() -> None:
    dns, sink = dns_of(), Sink()
    dns.put("example.net", "MX", "0 .")
    found = sent(sink, dns)
    assert (found.bounces, sink.connections, len(dns.asked)) == ([(TO, "failed", "5.1.10")], 0, 1)


def test_evil_remote_a_thousand_mx_cost_twenty_look_ups_and_three_visits() -> None:
    dns, sink = dns_of(), Sink({"greeting": "450 4.7.1 not today"})
    dns.put("example.net", "MX", *(f"10 h{n}.example.net." for n in range(1000)))
    for number in range(1000):
        dns.put(f"h{number}.example.net", "A", "127.0.0.1")
    found = sent(sink, dns)
    assert ([event[:2] for event in found.events], found.waiting) == ([("later", "4.7.1")], 1)
    assert len(dns.asked) == 1 + 2 * MOST_HOSTS
    assert sink.connections == 3


@pytest.mark.parametrize("length,delivered", [(1, True), (2, True), (7, True)])
def test_evil_remote_cname_at_mx_is_followed(length: int, delivered: bool) -> None:
    """RFC 2181 10.3 forbids it, everyone does it; the name that the alias ends at proves nothing more than it did."""
    dns, sink = dns_of(), Sink()
    dns.zones = {"example.net": Security.INSECURE}
    dns.put("example.net", "MX", "10 c0.example.net.")
    for number in range(length):
        dns.put(f"c{number}.example.net", "CNAME", f"c{number + 1}.example.net." if number + 1 < length else f"{HOST}.")
    found = sent(sink, dns)
    assert [event[:2] for event in found.events] == [("delivered", "2.0.0")] * delivered
    assert [line["host"] for line in found.lines] == ["c0.example.net"]


def test_evil_remote_cname_loop_at_mx_reaches_nobody() -> None:
    dns, sink = dns_of(), Sink()
    dns.put("example.net", "MX", "10 c0.example.net.")
    dns.put("c0.example.net", "CNAME", "c1.example.net.")
    dns.put("c1.example.net", "CNAME", "c0.example.net.")
    found = sent(sink, dns)
    assert (found.bounces, sink.connections) == ([(TO, "failed", "5.4.4")], 0)
