"""S-STS-01..05: policies from web servers that are broken, evil, or not who they should be."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Callable, Sequence

import pytest

from dnsops.records.txt.mtasts import LARGEST, Mode, Sts
from dnsops.resolve.answer import Security
from dnsops.resolve.memory import MemoryDns
from mailsrv.transport.fetching import Fetcher, Ip, public
from mailsrv.transport.found import Fault
from mailsrv.transport.outcome import Trouble
from tests.dnsops.certs.making import DAY, NOW, Authority
from tests.mailsrv.transport.web import POLICY, Piece, Web, ok

Served = Callable[..., ssl.SSLContext]
NAME = "mta-sts.example.org"
GOOD = Sts(Mode.ENFORCE, ("mx1.example.org",), 86400)


def anyone(ip: Ip) -> bool:
    return True


def fetched(
    web: Web,
    trusting: ssl.SSLContext,
    addresses: Sequence[str] = ("127.0.0.1",),
    allows: Callable[[Ip], bool] | None = anyone,
    deadline: float = 5.0,
    weather: Callable[[MemoryDns], object] = lambda dns: None,
) -> Sts | Fault:
    async def story() -> Sts | Fault:
        dns = MemoryDns({"example.org": Security.SECURE})
        for family, sign in (("A", "."), ("AAAA", ":")):
            dns.put(
                NAME,
                family,
                *(address for address in addresses if sign in address and not (sign == "." and ":" in address)),
            )
        weather(dns)
        async with web:
            return await Fetcher(dns, allows, trusting, web.port, deadline).fetch("example.org")

    return asyncio.run(story())


def fault(got: Sts | Fault, trouble: Trouble, words: str) -> None:
    assert isinstance(got, Fault), got
    assert (got.trouble, words in got.details) == (trouble, True), got


def test_a_policy_comes_over_https(served: Served, trusting: ssl.SSLContext) -> None:
    web = Web(served(NAME), [ok()])
    assert fetched(web, trusting) == GOOD
    assert web.requests[0].startswith("GET /.well-known/mta-sts.txt HTTP/1.1\r\n")
    assert "host: mta-sts.example.org\r\n" in web.requests[0].lower()
    assert web.names == [NAME]


@pytest.mark.parametrize(
    "answer",
    [
        ok(media="text/plain; charset=utf-8"),
        ok(media="TEXT/Plain;charset=us-ascii"),
        b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n" + POLICY.encode(),  # ends with the connection
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"".join(b"1\r\n%c\r\n" % byte for byte in POLICY.encode()) + b"0\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n" + ok(),
        [piece for byte in ok()[:40] for piece in (bytes([byte]), 0.0)] + [ok()[40:]],
        ok("version: STSv1\nmode: enforce\r\nmx: mx1.example.org\nmax_age: 86400"),
    ],
    ids=range(7),
)  # fmt: skip
def test_ways_to_say_it(answer: bytes | Sequence[Piece], served: Served, trusting: ssl.SSLContext) -> None:
    assert fetched(Web(served(NAME), [answer]), trusting) == GOOD


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_s_sts_01_a_redirect_is_not_followed(status: int, served: Served, trusting: ssl.SSLContext) -> None:
    head = f"HTTP/1.1 {status} Moved\r\nLocation: https://{NAME}/other\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n"
    web = Web(served(NAME), [head.encode(), ok()])
    fault(fetched(web, trusting), Trouble.STS_POLICY_FETCH_ERROR, f"status {status}")
    assert len(web.requests) == 1


@pytest.mark.parametrize(
    "answer,words",
    [
        (ok(POLICY + "x: y\r\n" * LARGEST), "more than 65536 bytes"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + b"x" * (LARGEST + 1), "more than 65536 bytes"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20000 + b"\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100000, "does not speak HTTP"),
    ],
    ids=["policy", "without end", "headers", "header"],
)
def test_s_sts_02_too_much_is_not_read(answer: bytes, words: str, served: Served, trusting: ssl.SSLContext) -> None:
    fault(fetched(Web(served(NAME), [answer]), trusting), Trouble.STS_POLICY_FETCH_ERROR, words)


@pytest.mark.parametrize(
    "pieces", [[60.0], [ok()[:50], 60.0], [piece for byte in ok() * 9 for piece in (bytes([byte]), 0.02)]]
)
def test_s_sts_03_slow_is_over_at_the_deadline(pieces: list[Piece], served: Served, trusting: ssl.SSLContext) -> None:
    fault(
        fetched(Web(served(NAME), [pieces]), trusting, deadline=0.5),
        Trouble.STS_POLICY_FETCH_ERROR,
        "longer than 0.5 s",
    )


@pytest.mark.parametrize("why", ["expired", "stranger", "name", "parent", "other wildcard"])
def test_s_sts_04_whose_certificate_is_wrong_is_not_asked(why: str, served: Served, trusting: ssl.SSLContext) -> None:
    context = {
        "expired": lambda: served(NAME, start=NOW - 9 * DAY, end=NOW - DAY),
        "stranger": lambda: served(NAME, by=Authority()),
        "name": lambda: served("mta-sts.example.com"),
        "parent": lambda: served("example.org"),
        "other wildcard": lambda: served("*.mta-sts.example.org"),
    }[why]()
    web = Web(context, [ok()])
    fault(fetched(web, trusting), Trouble.STS_WEBPKI_INVALID, "the certificate of mta-sts.example.org")
    assert web.requests == []


def test_s_sts_04_plain_http_is_nothing(trusting: ssl.SSLContext) -> None:
    fault(fetched(Web(None, [ok()]), trusting), Trouble.STS_WEBPKI_INVALID, "TLS with mta-sts.example.org")


@pytest.mark.parametrize(
    "answer,words",
    [
        (ok(media="text/html"), "text/html, not text/plain"),
        (ok(media="text/plainish"), "not text/plain"),
        (ok(media="\x1b[2Jtext"), ""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "no media type"),
        (ok(POLICY, "text/plain", "Content-Encoding: gzip"), "compressed"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n", "status 404"),
        (b"HTTP/1.1 204 No Content\r\nContent-Type: text/plain\r\n\r\n", "status 204"),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", "status 500"),
        (b"SSH-2.0-x\r\n", "does not speak HTTP"),
        (b"", "does not speak HTTP"),
        (ok()[:-5], "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", "does not speak HTTP"),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", ""),
    ],
)  # fmt: skip
def test_what_is_no_answer(answer: bytes, words: str, served: Served, trusting: ssl.SSLContext) -> None:
    fault(fetched(Web(served(NAME), [answer]), trusting), Trouble.STS_POLICY_FETCH_ERROR, words)


@pytest.mark.parametrize("body", ["", "<html>", POLICY.replace("86400", "1" + "0" * 12), POLICY.replace("mx1.example.org", "*"),
                                  POLICY.replace("mx1.example.org", "*."), POLICY.replace("mx1.", "*.*.")])  # fmt: skip
def test_s_sts_05_a_policy_that_is_none(body: str, served: Served, trusting: ssl.SSLContext) -> None:
    fault(fetched(Web(served(NAME), [ok(body)]), trusting), Trouble.STS_POLICY_INVALID, "the policy of example.org")


def test_the_next_address_may_do(served: Served, trusting: ssl.SSLContext) -> None:
    assert fetched(Web(served(NAME), [ok()]), trusting, ["::1", "127.0.0.1"]) == GOOD


def test_our_own_network_is_not_asked_for_others(served: Served, trusting: ssl.SSLContext) -> None:
    web = Web(served(NAME), [ok()])
    fault(fetched(web, trusting, allows=None), Trouble.STS_POLICY_FETCH_ERROR, "no address that may be talked to")
    assert web.connections == 0


@pytest.mark.parametrize(
    "weather,words",
    [
        (lambda dns: dns.put(NAME, "A"), "has no address"),
        (lambda dns: dns.verdict(NAME, Security.BOGUS, "forged"), "are not known: forged"),
        (lambda dns: dns.verdict(NAME, Security.FAILED, "silent"), "are not known: silent"),
    ],
)
def test_what_the_dns_does_not_know(
    weather: Callable[[MemoryDns], object], words: str, served: Served, trusting: ssl.SSLContext
) -> None:
    fault(fetched(Web(served(NAME), [ok()]), trusting, weather=weather), Trouble.STS_POLICY_FETCH_ERROR, words)


def test_nobody_there(served: Served, trusting: ssl.SSLContext) -> None:
    async def story() -> Sts | Fault:
        dns = MemoryDns({"example.org": Security.SECURE})
        dns.put(NAME, "A", "127.0.0.1")
        async with Web(None, [b""]) as web:
            port = web.port
        return await Fetcher(dns, anyone, trusting, port).fetch("example.org")

    fault(asyncio.run(story()), Trouble.STS_POLICY_FETCH_ERROR, "refused")


@pytest.mark.parametrize(
    "address,answer",
    [
        ("8.8.8.8", True), ("2001:4860:4860::8888", True), ("127.0.0.1", False), ("::1", False), ("10.1.2.3", False), ("192.168.1.1", False),
        ("172.16.0.1", False), ("169.254.169.254", False), ("100.64.0.1", False), ("0.0.0.0", False), ("::", False), ("224.0.0.1", False),
        ("255.255.255.255", False), ("fe80::1", False), ("fd00::1", False), ("ff02::1", False), ("192.0.2.1", False), ("2001:db8::1", False),
        ("::ffff:127.0.0.1", False), ("::ffff:8.8.8.8", True), ("2002:7f00:1::", False), ("64:ff9b::7f00:1", False), ("64:ff9b::808:808", True),
    ],
)  # fmt: skip
def test_which_addresses_are_public(address: str, answer: bool) -> None:
    assert public(ipaddress.ip_address(address)) is answer
