"""RFC 2136 against knot and BIND: what each refusal says, wildcards and CNAMEs, lost answers, answers nobody signed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.tsig
import pytest

from dnsops.base.errors import ForUser, Later
from dnsops.base.secrets import Secret
from dnsops.providers.door import Change, Mark
from dnsops.providers.exchange import Exchange, Server
from dnsops.providers.rfc2136 import Rfc2136
from dnsops.providers.tsig import Key
from tests.dnsops.providers.places import KEY, SECRET, STRANGERS, NameServer, facts, free_port, record

TLSA = record("_25._tcp.mx.example.org", "TLSA", "3 1 1 " + "ab" * 32)
OTHER = "b3RoZXIgc2VjcmV0IGZvciBhIHRlc3Qgb2YgbWFpbHNydg=="


@pytest.fixture(params=["knot", "bind"])
def server(request: pytest.FixtureRequest) -> NameServer:
    server: NameServer = request.getfixturevalue(request.param)
    server.reset()
    return server


def provider(port: int, key: Key = KEY, timeout: float = 5, naps: list[float] | None = None) -> Rfc2136:
    exchange = Exchange(Server("127.0.0.1", port), key, timeout)
    return Rfc2136(exchange, ([] if naps is None else naps).append)


READER = Key("reader", "hmac-sha256", Secret(SECRET))  # BIND lets it ask, knot lets it do nothing
REFUSED = [
    ("knot", Key("nobody", "hmac-sha256", Secret(SECRET)), "does not know a key nobody with hmac-sha256"),
    ("bind", Key("nobody", "hmac-sha256", Secret(SECRET)), "does not know a key nobody with hmac-sha256"),
    ("knot", Key("mailsrv", "hmac-sha256", Secret(OTHER)), "the secret of the key mailsrv (BADSIG)"),
    ("bind", Key("mailsrv", "hmac-sha256", Secret(OTHER)), "the secret of the key mailsrv (BADSIG)"),
    ("knot", Key("mailsrv", "hmac-sha512", Secret(SECRET)), "BADKEY"),
    ("bind", Key("mailsrv", "hmac-sha512", Secret(SECRET)), "BADKEY"),
    ("knot", READER, "lets it do nothing (BADKEY)"),
    ("bind", READER, "does not let the key reader change the zone example.org (REFUSED)"),
]


@pytest.mark.parametrize("name, key, told", REFUSED)
def test_a_key_that_may_not_is_named_and_never_shown(
    request: pytest.FixtureRequest, name: str, key: Key, told: str
) -> None:
    naps: list[float] = []
    with pytest.raises(ForUser) as refusal:
        provider(request.getfixturevalue(name).port, key, naps=naps).write(Change(add=(TLSA,)))
    assert told in str(refusal.value)
    assert key.secret.reveal() not in str(refusal.value) + repr(refusal.value)
    assert naps == []


def test_a_wildcards_answer_is_not_taken_for_a_record(server: NameServer) -> None:
    wild = record("*._tcp.mx.example.org", "TLSA", "3 1 1 " + "cd" * 32)
    zone = server.place.provider
    zone.write(Change(add=(wild,)))
    assert [held.record for held in zone.read(wild.name, "TLSA")] == [wild]
    assert zone.read(TLSA.name, "TLSA") == (), "what the wildcard makes does not stand there"
    zone.write(Change(add=(TLSA,)))
    assert {held.record for held in zone.read("mx.example.org", "TLSA", below=True)} == {TLSA, wild}


def test_beside_a_cname_nothing_is_added_in_silence(server: NameServer) -> None:
    zone = server.place.provider
    alias = record("alias.example.org", "CNAME", "mx.example.org.")
    zone.write(Change(add=(alias,)))
    with pytest.raises(ForUser, match="YXRRSET"):
        zone.write(Change(add=(record("alias.example.org", "TXT", '"x"'),)))
    with pytest.raises(ForUser, match="YXDOMAIN"):
        zone.write(Change(add=(record("mx.example.org", "CNAME", "alias.example.org."),)))
    assert [held.record for held in zone.read("alias.example.org", "CNAME")] == [alias]
    assert zone.read("alias.example.org", "A") == (), "the target's records are not the alias's"


def test_below_a_delegation_we_are_sent_away(server: NameServer) -> None:
    zone = server.place.provider
    zone.write(Change(add=(record("child.example.org", "NS", "ns.example.net."),)))
    with pytest.raises(ForUser, match=r"not authoritative for mx\.child\.example\.org"):
        zone.write(Change(add=(record("mx.child.example.org", "A", "192.0.2.1"),)))


def test_the_whole_zone_needs_the_right_to_transfer(bind: NameServer) -> None:
    with pytest.raises(ForUser, match=r"does not hand out the zone example\.org.*allow reader to transfer"):
        provider(bind.port, READER).read("example.org", below=True)


def test_without_a_transfer_a_name_is_still_read(bind: NameServer) -> None:
    bind.reset()
    held = provider(bind.port, READER).read("example.org")
    assert {(one.record.type, one.mark) for one in held} == {(kind, Mark.UNKNOWN) for kind in ("MX", "TXT", "NS")}


def test_a_big_change_goes_in_several_messages(server: NameServer) -> None:
    whole = [record(f"_{port}._tcp.mx.example.org", "TLSA", "3 0 0 " + f"{port:04x}" * 4000) for port in range(20)]
    zone = provider(server.port)
    zone.write(Change(add=tuple(whole)))
    assert {held.record for held in zone.read("mx.example.org", "TLSA", below=True)} == set(whole)


# a relay that loses, delays or spoils answers


@contextmanager
def relay(port: int, spoil: Callable[[int, bytes], bytes | None]) -> Iterator[int]:
    """A port that passes messages on; `spoil` gets each answer with its number, and says what arrives (None: nothing)."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, port, spoil), daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listener: socket.socket, port: int, spoil: Callable[[int, bytes], bytes | None]) -> None:
    for number in range(10_000):
        try:
            client, _ = listener.accept()
        except OSError:
            return
        with client, socket.create_connection(("127.0.0.1", port), 5) as upstream:
            upstream.sendall(_message(client))
            answer = spoil(number, _message(upstream)[2:])
            if answer is not None:
                client.sendall(len(answer).to_bytes(2, "big") + answer)


def _message(connection: socket.socket) -> bytes:
    data = b""
    while len(data) < 2 or len(data) < 2 + int.from_bytes(data[:2], "big"):
        chunk = connection.recv(65537)
        if not chunk:
            break
        data += chunk
    return data


def _stripped(raw: bytes) -> bytes:
    """The same answer without its signature."""
    told = dns.message.from_wire(raw, keyring=False)
    told.tsig = None
    return told.to_wire()


SPOILT: dict[str, Callable[[bytes], bytes | None]] = {
    "lost": lambda raw: None,
    "unsigned": _stripped,
    "cut": lambda raw: raw[: len(raw) // 2],
    "flipped": lambda raw: raw[:3] + bytes((raw[3] ^ 16,)) + raw[4:],
    "noise": lambda raw: b"\xff" * 40,
    "empty": lambda raw: b"",
}


@pytest.mark.parametrize("kind", SPOILT)
def test_a_spoilt_answer_to_any_message_is_asked_for_again(knot: NameServer, kind: str) -> None:
    change = Change(add=(TLSA, record("new.example.org", "CNAME", "mx.example.org.")), remove=STRANGERS[-1:])
    wanted = facts([*STRANGERS[:-1], *change.add])
    for spoilt in range(100):
        place, naps, count = knot.place, [], []

        def spoil(number: int, raw: bytes, at: int = spoilt, count: list[int] = count) -> bytes | None:
            count.append(number)
            return SPOILT[kind](raw) if number == at else raw

        with relay(knot.port, spoil) as port:
            provider(port, naps=naps).write(change)
        assert place.facts() == wanted
        if len(naps) == 0:
            break
    assert spoilt == 6, "three zones, a CNAME asked for, two updates: each was spoilt once"


def test_a_server_that_stays_silent_ends_in_later(knot: NameServer) -> None:
    naps: list[float] = []
    with relay(knot.port, lambda number, raw: None) as port:
        with pytest.raises(Later, match="gave no answer"):
            provider(port, naps=naps).write(Change(add=(TLSA,)))
    assert naps == [0.5, 2.0]


def test_nobody_listens_or_nobody_speaks() -> None:
    with pytest.raises(Later, match="not reachable"):
        provider(free_port()).read("mx.example.org", "A")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with pytest.raises(Later, match="timed out"):
            provider(silent.getsockname()[1], timeout=0.1).read("mx.example.org", "A")


@pytest.mark.parametrize(
    "code, told",
    [
        ("NOTAUTH", "not the primary of the zone example.org"),
        ("NOTZONE", "lies outside"),
        ("NOTIMP", "no dynamic updates"),
        ("FORMERR", "does not understand"),
        ("REFUSED", "does not let the key mailsrv change"),
    ],
)
def test_every_refusal_of_an_update_has_its_sentence(knot: NameServer, code: str, told: str) -> None:
    def refuse(number: int, raw: bytes) -> bytes:
        message = dns.message.from_wire(raw, keyring=False)
        if message.opcode() != dns.opcode.UPDATE:
            return raw
        message.set_rcode(dns.rcode.from_text(code))
        message.tsig = None
        return message.to_wire()

    with relay(knot.port, refuse) as port, pytest.raises(ForUser) as refusal:
        provider(port).write(Change(add=(TLSA,)))
    assert told in str(refusal.value)


@pytest.mark.parametrize("code", ["NOERROR", "NXDOMAIN", "YXDOMAIN", "NXRRSET"])
def test_an_unsigned_answer_is_never_believed(knot: NameServer, code: str) -> None:
    def forge(number: int, raw: bytes) -> bytes:
        message = dns.message.from_wire(raw, keyring=False)
        message.set_rcode(dns.rcode.from_text(code))
        message.tsig = None
        return message.to_wire()

    with relay(knot.port, forge) as port, pytest.raises(Later, match="cannot be believed"):
        provider(port).write(Change(add=(TLSA,)))


def test_clocks_apart(knot: NameServer) -> None:
    """BADTIME, as a server with another clock answers (RFC 8945 5.2.3)."""

    def late(number: int, raw: bytes) -> bytes:
        message = dns.message.from_wire(raw, keyring=False)
        message.set_rcode(dns.rcode.NOTAUTH)
        message.use_tsig(knot.key, tsig_error=dns.rcode.BADTIME)
        return message.to_wire()

    with relay(knot.port, late) as port, pytest.raises(ForUser, match="BADTIME"):
        provider(port).read("mx.example.org", "A")
