"""DKIM keys as receivers use them, and selectors that only mail named."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from checks.facts import Lookup
from checks.finding import Status
from checks.judge import dkim_keys
from checks.judge.story import judge
from checks.probe.received import DOMAINS, SELECTORS, SIGNATURES, collected, signers
from dnsops.dkim.public import record_of
from tests.checks.judge import scenes

RSA = {bits: record_of(rsa.generate_private_key(65537, bits).public_key()) for bits in (1024, 2048)}
ED = record_of(ed25519.Ed25519PrivateKey.generate().public_key())
OWNER = "s1._domainkey.good.test"


def organizational(domain: str) -> str:
    return ".".join(domain.split(".")[-2:])


@pytest.mark.parametrize(
    "records, status, said",
    [
        ((RSA[2048],), Status.GOOD, "rsa 2048 bits"),
        ((ED,), Status.GOOD, "ed25519 256 bits"),
        ((RSA[1024],), Status.NOTICE, "RSA of 1024 bits"),
        ((ED.replace("p=", "t=y; p="),), Status.NOTICE, "t=y"),
        ((ED.replace("p=", "s=tlsrpt; p="),), Status.NOTICE, "not for mail"),
        ((), Status.FAIL, "no key"),
        ((ED, ED), Status.FAIL, "more than one"),
        (("v=DKIM1; p=",), Status.FAIL, "revoked"),
        (("nonsense",), Status.FAIL, ""),
        (("v=DKIM1; k=rsa; p=AAAA",), Status.FAIL, ""),
        (("v=DKIM1; k=new; p=AAAA",), Status.FAIL, "a kind of key"),
    ],
)
def test_a_key(records: tuple[str, ...], status: Status, said: str) -> None:
    found = dkim_keys.judge(scenes.answer(OWNER, "TXT", *records))
    assert found.status is status
    assert said in str(found)
    heard = dkim_keys.judge(scenes.answer(OWNER, "TXT", *records), heard=True)
    assert heard.status is (Status.INFO if status is Status.FAIL else status)


def test_a_look_up_that_failed_says_nothing_of_the_key() -> None:
    assert dkim_keys.judge(Lookup(OWNER, "TXT", "", why="silent")).status is Status.INFO


@pytest.mark.parametrize(
    "named, heard, record, ours",
    [
        ((), (), None, "info"),
        (("s1",), (), RSA[2048], "success"),
        (("s1",), (), "v=DKIM1; p=", "fail"),
        ((), ("s1",), RSA[2048], "success"),
        ((), ("s1",), "v=DKIM1; p=", "info"),
        (("s1",), ("s1",), "v=DKIM1; p=", "fail"),
    ],
)
def test_a_name_without_keys_proves_nothing(
    named: tuple[str, ...], heard: tuple[str, ...], record: str | None, ours: str
) -> None:
    facts = replace(scenes.good(), selectors=named, heard=heard)
    if record is not None:
        facts = scenes.noted(facts, scenes.page(scenes.answer(OWNER, "TXT", record)))
    found = next(one for one in judge(facts, organizational).findings if one.id == "dkim")
    assert (found.status.word, found.points, found.right.word) == ("success", 10, ours)


def signed(domain: str, selector: str) -> bytes:
    return f"DKIM-Signature: v=1; a=rsa-sha256; d={domain};\r\n s={selector}; h=from; bh=x; b=y\r\n".encode()


@pytest.mark.parametrize(
    "head, found",
    [
        (signed("Example.NET", "S1") + signed("example.org", "x.y"), [("example.net", "s1"), ("example.org", "x.y")]),
        (b"Subject: d=example.net; s=s1\r\n", []),
        (b"DKIM-Signature: nonsense\r\n" + signed("example.net", "s1"), [("example.net", "s1")]),
        (signed("", "s1") + signed("a b", "s1") + signed("example.net", "\x1b[2J"), []),
        (signed("example.net", "s1") * 100, [("example.net", "s1")] * SIGNATURES),
    ],
)
def test_selectors_in_a_header(head: bytes, found: list[tuple[str, str]]) -> None:
    assert list(signers(head + b"\r\nbody")) == found


def test_they_are_few_and_the_newest() -> None:
    many = collected([("x.test", f"s{number}")] for number in range(100))
    assert many == {"x.test": tuple(f"s{number}" for number in range(SELECTORS))}
    assert len(collected([(f"{number}.test", "s")] for number in range(DOMAINS + 5))) == DOMAINS
