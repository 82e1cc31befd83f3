"""Who really asks when a reverse proxy stands in front."""

from __future__ import annotations

import ipaddress

import pytest

from mailsrv.http.behind import Client, whose

TRUSTED = tuple(map(ipaddress.ip_network, ("127.0.0.0/8", "2001:db8:1::/48")))


def fields(text: str) -> list[tuple[str, str]]:
    """`for=a; for=b; proto=https; host=c`."""
    return [
        (f"x-forwarded-{name}", value) for name, _, value in (part.partition("=") for part in text.split("; ") if part)
    ]


@pytest.mark.parametrize(
    "peer,text,client",
    [
        ("192.0.2.1", "", Client("192.0.2.1")),
        ("192.0.2.1", "for=198.51.100.1; proto=http; host=evil", Client("192.0.2.1")),
        ("", "for=198.51.100.1", Client("")),
        ("127.0.0.1", "", Client("127.0.0.1", True)),
        ("127.0.0.1", "for=198.51.100.1; proto=https; host=a.b", Client("198.51.100.1", True, True, "a.b")),
        ("127.0.0.1", "for=198.51.100.1; proto=http", Client("198.51.100.1", True, False)),
        ("127.0.0.1", "proto=https, http", Client("127.0.0.1", True, False)),
        ("127.0.0.1", "for=10.9.9.9, 198.51.100.1", Client("198.51.100.1", True)),
        ("127.0.0.1", "for=10.9.9.9; for=198.51.100.1", Client("198.51.100.1", True)),
        ("127.0.0.1", "for=198.51.100.1, 127.0.0.2", Client("198.51.100.1", True)),
        ("127.0.0.1", "for=198.51.100.1, rubbish", Client("127.0.0.1", True)),
        ("127.0.0.1", "for=198.51.100.1, rubbish, 127.0.0.3", Client("127.0.0.3", True)),
        ("127.0.0.1", "for=" + ", ".join(["198.51.100.1"] + ["127.0.0.9"] * 99), Client("127.0.0.9", True)),
        ("2001:db8:1::5", "for=2001:db8:2::1", Client("2001:db8:2::1", True)),
        ("::ffff:127.0.0.1", "for=198.51.100.1", Client("198.51.100.1", True)),
        ("127.0.0.1%lo", "for=198.51.100.1", Client("198.51.100.1", True)),
    ],
)
def test_who_asks(peer: str, text: str, client: Client) -> None:
    assert whose(peer, fields(text), TRUSTED) == client


def test_without_proxies_of_ours_nobody_is_believed() -> None:
    assert whose("127.0.0.1", fields("for=198.51.100.1; host=x"), ()) == Client("127.0.0.1")
