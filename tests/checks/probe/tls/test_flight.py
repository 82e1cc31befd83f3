"""Hellos are written and read as the RFCs have them, however the bytes are cut."""

from __future__ import annotations

import pytest

from checks.facts import Version
from checks.probe.tls.exchange import read_exchange
from checks.probe.tls.flight import LARGEST_FLIGHT, MOST_TRIFLES, Flight, read_hello_2
from checks.probe.tls.hello import Offer, client_hello, hello_2, record
from checks.probe.tls.octets import Octets, Unreadable
from checks.probe.tls.offers import legacy, modern
from checks.probe.tls.suites import CODES, SSL2
from checks.probe.tls.visit import judged

GCM = CODES["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]
DHE = CODES["TLS_DHE_RSA_WITH_AES_128_CBC_SHA"]


def message(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def handshake(*messages: bytes) -> bytes:
    data = b"".join(messages)
    return b"\x16\x03\x03" + len(data).to_bytes(2, "big") + data


def server_hello(version=0x0303, suite=GCM, compression=0, extensions=b"", random=b"\x11" * 32) -> bytes:
    tail = len(extensions).to_bytes(2, "big") + extensions if extensions else b""
    return message(
        2, version.to_bytes(2, "big") + random + b"\0" + suite.to_bytes(2, "big") + bytes([compression]) + tail
    )


CURVE = b"\x03\x00\x17\x41" + b"\x04" * 65 + b"\x04\x01\x00\x02ab"
DONE = message(14, b"")
WHOLE = handshake(server_hello(), message(11, b"\0\0\x06\0\0\x03abc"), message(12, CURVE), DONE)


def flown(*parts: bytes) -> Flight:
    flight = Flight()
    for part in parts:
        flight.feed(part)
    return flight


@pytest.mark.parametrize("at", range(0, len(WHOLE), 7))
def test_a_flight_may_be_cut_anywhere(at):
    flight = flown(WHOLE[:at], WHOLE[at:])
    assert (flight.over, flight.certificates, flight.exchange) == (True, (b"abc",), CURVE)


def test_a_flight_may_be_in_many_records():
    flight = flown(*(handshake(WHOLE[5:][at : at + 3]) for at in range(0, len(WHOLE) - 5, 3)))
    assert flight.over


ANSWERS = {  # what comes for an offer of TLS 1.2 with GCM -> why it is not accepted
    "all of it": (WHOLE, ""),
    "an older version": (handshake(server_hello(0x0302), DONE), "it answers in version 0x0302"),
    "another suite": (handshake(server_hello(suite=DHE), DONE), "not offered"),
    "an alert": (b"\x15\x03\x03\x00\x02\x02\x28", "alert handshake_failure"),
    "a strange alert": (b"\x15\x03\x03\x00\x02\x02\xff", "alert 255"),
    "goodbye": (b"\x15\x03\x03\x00\x02\x01\x00", "alert close_notify"),
    "half a key": (handshake(server_hello(), message(12, CURVE[:9]), DONE), "cannot be read"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_an_answer_is_judged(case):
    data, why = ANSWERS[case]
    answer = judged(modern("mx1.example.org", Version.TLS12, (GCM,)), flown(data))
    assert answer.accepted == (not why)
    assert why in answer.why


UNREADABLE = {
    "plain text": (b"HTTP/1.1 400 Bad\r\n",),
    "a record too long": (b"\x16\x03\x03\xff\xff",),
    "sealed data in the clear": (b"\x17\x03\x03\x00\x01\x00",),
    "a message too long": (b"\x16\x03\x03\x00\x04\x0b\xff\xff\xff",),
    "a hello cut off inside": (handshake(message(2, b"\x03\x03abc")),),
    "half an alert": (b"\x15\x03\x03\x00\x01\x02",),
    "trifles": (b"\x16\x03\x03\x00\x00",) * (MOST_TRIFLES + 1),
    "warnings": (b"\x15\x03\x03\x00\x02\x01\x70",) * (MOST_TRIFLES + 1),
    "too much": (b"\x16\x03\x03\x40\x00" + bytes(16384),) * 17,
    "too many certificates": (handshake(message(11, (4 * 33).to_bytes(3, "big") + b"\0\0\x01a" * 33)),),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_is_no_tls_is_said(case):
    with pytest.raises(Unreadable) as said:
        flown(*UNREADABLE[case])
    assert str(said.value).isprintable()
    assert LARGEST_FLIGHT > 0


EXCHANGES = {  # (message, suite, version) -> group, size, hash
    "a curve, SHA-256": (CURVE, GCM, 0x0303, ("secp256r1", 256, 4)),
    "X25519, SHA-1": (b"\x03\x00\x1d\x20" + bytes(32) + b"\x02\x03\x00\x01a", GCM, 0x0303, ("x25519", None, 2)),
    "a curve before TLS 1.2": (CURVE[:69] + b"\x00\x01a", CODES["TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"], 0x0301, ("secp256r1", 256, 2)),
    "RSA before TLS 1.2": (CURVE[:69] + b"\x00\x01a", CODES["TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"], 0x0302, ("secp256r1", 256, 0)),
    "a field": (b"\x00\x02\x80\x01\x00\x01\x02\x00\x01\x05\x03\x01\x00\x01a", DHE, 0x0303, ("", 16, 3)),
    "anonymous": (CURVE[:69], CODES["TLS_ECDH_anon_WITH_AES_128_CBC_SHA"], 0x0303, ("secp256r1", 256, None)),
    "explicit": (b"\x01\x20abc", GCM, 0x0303, ("explicit", 0, None)),
    "a curve unknown": (b"\x03\xfe\xfe\x01a\x04\x01\x00\x01a", GCM, 0x0303, ("group 65278", None, 4)),
}  # fmt: skip


@pytest.mark.parametrize("case", EXCHANGES)
def test_a_key_exchange_is_read(case):
    data, suite, version, wanted = EXCHANGES[case]
    found = read_exchange(data, suite, version)
    assert found is not None
    assert (found.key.group, found.key.size, found.hashed) == wanted


def test_there_is_nothing_to_read_without_an_ephemeral_key():
    assert read_exchange(b"", CODES["TLS_RSA_WITH_AES_128_GCM_SHA256"], 0x0303) is None


def test_a_hello_is_written_as_rfc_5246_has_it():
    body = Octets(client_hello(legacy("mx1.example.org", Version.TLS10, (GCM, DHE), deflate=True), b"\x07" * 32)[4:])
    assert (body.number(2), body.take(32), body.field(1)) == (0x0301, b"\x07" * 32, b"")
    assert (body.field(2), body.field(1)) == (bytes.fromhex("c02f 0033 00ff"), b"\x01\x00")
    assert b"mx1.example.org" in body.field(2)
    assert not body.left


def test_ssl_3_has_no_extensions():
    offer = Offer(Version.SSL3, (DHE,), (23,), (0x0401,), "mx1.example.org")
    data = client_hello(offer, bytes(32))
    assert data.endswith(b"\x00\x04\x00\x33\x00\xff\x01\x00")
    assert record(data, offer.version)[:3] == b"\x16\x03\x00"


def test_ssl_2_is_asked_and_read():
    hello = hello_2(bytes(16))
    assert int.from_bytes(hello[:2], "big") & 0x7FFF == len(hello) - 2
    answer = b"\x04\x00\x01\x00\x02\x00\x03\x00\x06\x00\x02abc\x01\x00\x80\x07\x00\xc0id"
    answer = (0x8000 | len(answer)).to_bytes(2, "big") + answer
    assert [read_hello_2(answer[:at]) for at in range(len(answer))] == [None] * len(answer)
    found = read_hello_2(answer)
    assert found is not None
    assert [SSL2[code] for code in found] == ["SSL_CK_RC4_128_WITH_MD5", "SSL_CK_DES_192_EDE3_CBC_WITH_MD5"]
    for wrong in (b"\x15\x03\x01\x00\x02\x02\x28", b"\x80\x0b\x01" + bytes(20), b"\x80\x03\x04\x00\x01"):
        with pytest.raises(Unreadable):
            read_hello_2(wrong)
