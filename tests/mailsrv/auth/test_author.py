"""The domain of From, or why there is none that DMARC could be about."""

from __future__ import annotations

import pytest

from mailsrv.auth.author import MOST_DOMAINS, author
from mailsrv.message.header import header

SOUND = [
    ("From: a@example.org", "example.org"),
    ("From: Ann <a@Example.ORG>", "example.org"),
    ("from : <a@example.org.>", "example.org"),
    ("From: a@example.org, Bob <b@EXAMPLE.org>", "example.org"),  # RFC 9989 5.3.1: one domain
    ("From:\r\n folded\r\n <a@example.org>", "example.org"),
    ("From: staff: a@example.org, b@example.org;", "example.org"),
    ("From: <@relay.test:a@example.org>", "example.org"),
    ("From: a@bücher.example", "xn--bcher-kva.example"),
    ("From: a@ＢＡＮＫ.example", "bank.example"),
    ("From: a@pаypal.com", "xn--pypal-4ve.com"),  # a Cyrillic a: its own domain, and no other
    # what looks like an address and is a name
    ('From: "boss@bank.example" <a@evil.test>', "evil.test"),
    ("From: =?utf-8?q?boss=40bank.example?= <a@evil.test>", "evil.test"),
    ("From: boss@bank.example <a@evil.test>", "evil.test"),
    ('From: "boss@bank.example,"@evil.test', "evil.test"),
    ("From: a@evil.test (boss@bank.example)", "evil.test"),
    ("From: <a@bank.example@evil.test>", "evil.test"),
]


@pytest.mark.parametrize("lines,domain", SOUND)
def test_the_author_domain(lines: str, domain: str) -> None:
    found = author(header(f"To: x@y\r\n{lines}\r\n\r\n".encode()))
    assert (found.domains, found.why, found.sound) == ((domain,), "", True)


UNSOUND = [
    ("To: a@example.org", (), "there is no From field"),
    ("From:", (), "From names nobody"),
    ("From: undisclosed:;", (), "From names nobody"),
    ("From: nobody", (), "From has an address without a domain"),
    ("From: =?utf-8?q?boss=40bank.example?=", (), "From has an address without a domain"),
    ("From: a@[192.0.2.1]", (), "From has an address without a domain"),
    ("From: a@bank.example\0.evil.test", (), "From has an address without a domain"),
    ("From: a@bank..example", (), "From has an address without a domain"),
    ("From: a@\xff.example", (), "From has an address without a domain"),
    ("From: a@bank.example, b", ("bank.example",), "From has an address without a domain"),
    ("From: a@bank.example, b@evil.test", ("bank.example", "evil.test"), "From names 2 domains"),
    ("From: g: a@bank.example;, b@evil.test", ("bank.example", "evil.test"), "From names 2 domains"),
    ("From: a@bank.example\r\nFrom: b@evil.test", ("bank.example", "evil.test"), "there are 2 From fields"),
    ("From: a@bank.example\r\nFrom: a@bank.example", ("bank.example",), "there are 2 From fields"),
    ("X: y\r\n" * 1000 + "From: a@bank.example", (), "the header is too large to be read to its end"),
]


@pytest.mark.parametrize("lines,domains,why", UNSOUND)
def test_s_authn_08_no_single_author_domain(lines: str, domains: tuple[str, ...], why: str) -> None:
    found = author(header(f"{lines}\r\n\r\n".encode("latin-1")))
    assert (found.domains, found.why, found.sound) == (domains, why, False)


def test_many_domains_are_bounded() -> None:
    many = ", ".join(f"a@d{n}.test" for n in range(900))
    assert len(author(header(f"From: {many}\r\n\r\n".encode())).domains) == MOST_DOMAINS
    fields = "".join(f"From: a@d{n}.test\r\n" for n in range(900))
    assert len(author(header(f"{fields}\r\n".encode())).domains) == MOST_DOMAINS
