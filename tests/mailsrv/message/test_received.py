"""Traces: what we write at the head of a message, and loops told from what others wrote."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsrv.message.header import header
from mailsrv.message.received import (
    Arrival,
    With,
    delivered_to,
    hops,
    received,
    return_path,
    suite_name,
    was_delivered_to,
    without_return_path,
)

WHEN = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
PLAIN = Arrival("mx1.example.org", "4Xyz", WHEN, helo="client.example", address="192.0.2.1")
SECURE = PLAIN._replace(
    tls="TLSv1.3", cipher="TLS_AES_256_GCM_SHA384", name="host.client.example", recipient="user1@example.org"
)

VECTORS = [
    (
        PLAIN,
        "Received: from client.example ([192.0.2.1])\r\n\tby mx1.example.org with ESMTP id 4Xyz;\r\n\tSun, 22 Nov 2026 20:00:00 +0000\r\n",
    ),
    (
        SECURE,
        (
            "Received: from client.example (host.client.example [192.0.2.1])\r\n\tby mx1.example.org with ESMTPS id 4Xyz\r\n"
            "\ttls TLS_AES_256_GCM_SHA384 (TLSv1.3)\r\n\tfor <user1@example.org>;\r\n\tSun, 22 Nov 2026 20:00:00 +0000\r\n"
        ),
    ),
    (
        SECURE._replace(authenticated=True, address="", recipient="", cipher="unknown"),
        "Received: from client.example\r\n\tby mx1.example.org with ESMTPSA id 4Xyz (TLSv1.3);\r\n\tSun, 22 Nov 2026 20:00:00 +0000\r\n",
    ),
    (
        PLAIN._replace(helo="", address="2001:db8::1", protocol=With.UTF8SMTP, recipient="jörg@bücher.test"),
        "Received: from unknown ([IPv6:2001:db8::1])\r\n\tby mx1.example.org with UTF8SMTP id 4Xyz\r\n\tfor <jörg@bücher.test>;\r\n\tSun, 22 Nov 2026 20:00:00 +0000\r\n",
    ),
    (
        PLAIN._replace(protocol=With.SMTP, tls="TLSv1.2"),
        "Received: from client.example ([192.0.2.1])\r\n\tby mx1.example.org with SMTP id 4Xyz (TLSv1.2);\r\n\tSun, 22 Nov 2026 20:00:00 +0000\r\n",
    ),
]


@pytest.mark.parametrize("arrival, wanted", VECTORS)
def test_received_says_how_it_came(arrival: Arrival, wanted: str) -> None:
    assert received(arrival).decode() == wanted


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_no_peer_can_end_the_field_or_a_comment(helo: str, name: str, recipient: str) -> None:
    written = received(SECURE._replace(helo=helo, name=name, recipient=recipient))
    head = header(written + b"\r\n")
    assert list(head.fields) == [b"received"]
    assert written.count(b"\r\n") == written.count(b"\n") == written.count(b"\r")
    assert all(len(line) <= 998 for line in written.split(b"\r\n"))
    ours, _, theirs = written.partition(b"\r\n\tfor <")
    assert ours.count(b"(") == ours.count(b")") == 2
    assert theirs.count(b"<") == 0 or recipient.startswith('"')


@pytest.mark.parametrize(
    "cipher, name",
    [
        ("TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256"),
        ("ECDHE-RSA-AES256-GCM-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
        ("ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
        ("ECDHE-RSA-AES128-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"),
        ("ECDHE-ECDSA-AES128-CCM8", "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8"),
        ("DHE-RSA-AES256-SHA", "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"),
        ("AES128-GCM-SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256"),
        ("PSK-NULL-SHA", ""),
        ("TLS_X\r\nY: z", ""),
        ("", ""),
    ],
)
def test_ciphers_have_their_iana_name(cipher: str, name: str) -> None:
    assert suite_name(cipher) == name


def test_paths_are_written() -> None:
    assert return_path("") == b"Return-Path: <>\r\n"
    assert return_path('"a>b"@c.test') == b'Return-Path: <"a>b"@c.test>\r\n'
    assert return_path("a>\r\nX: y@c.test") == b"Return-Path: <aX: y@c.test>\r\n"
    assert delivered_to("user1@example.org") == b"Delivered-To: user1@example.org\r\n"


def test_loops_are_seen() -> None:
    content = (
        delivered_to("User1@Example.org")
        + b"Received: a\r\n" * 3
        + b"received : b\r\nX: Received:\r\n\r\nReceived: no\r\n"
    )
    assert hops(content) == 4
    assert was_delivered_to(content, "user1@example.ORG")
    assert was_delivered_to(header(content), "user1@example.org")
    assert not was_delivered_to(content, "user2@example.org")
    assert hops(b"") == 0


def test_a_return_path_of_others_goes() -> None:
    content = b"Return-Path: <x>\r\nA: b\r\nreturn-path:\r\n <y>\r\nC: d\r\n\r\nReturn-Path: stays\r\n"
    assert without_return_path(content) == b"A: b\r\nC: d\r\n\r\nReturn-Path: stays\r\n"
    assert without_return_path(b"A: b\r\n\r\n") == b"A: b\r\n\r\n"
