"""The ARC chain: the ARC test suite, chains of our own, and hostile ones."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dkim as dkimpy
import pytest
import yaml

from dnsops.resolve.answer import Security
from mailsrv.auth import arc
from mailsrv.auth.keys import Signer
from mailsrv.auth.verdicts import Arc, Result, Seal
from tests.mailsrv.auth.examples import chain_of, world
from tests.mailsrv.auth.signers import MAIL, NOW, pem, published, signer

DATA = Path(os.environ.get("MAILSRV_DATA", "") or Path(__file__).parents[4] / "shared" / "data")
SUITE = DATA / "arc-validation-tests.yml"
WORDS = {"Pass": Result.PASS, "Fail": Result.FAIL, "": Result.FAIL, None: Result.NONE, "None": Result.NONE}


def read() -> Iterator[Any]:
    if not SUITE.exists():
        yield pytest.param({}, {}, marks=pytest.mark.skip(reason=f"no ARC test suite: {SUITE.name} (MAILSRV_DATA)"))
        return
    for group in yaml.safe_load_all(SUITE.read_text()):
        for name, test in group["tests"].items():
            yield pytest.param(test, group["txt-records"], id=name)


@pytest.mark.parametrize("test, keys", list(read()))
def test_the_arc_test_suite(test: dict[str, Any], keys: dict[str, str]) -> None:
    """cv "" there: a seal says that the chain has failed already, which no verifier judges again; for us it has failed."""
    content = test["message"].replace("\n", "\r\n").encode()
    found = chain_of(content, world(keys), datetime(2026, 1, 1, tzinfo=UTC))
    assert found.result is WORDS[test["cv"]], found.why


FIRST, SECOND = signer("rsa", "first.example"), signer("ed25519", "second.example")
DNS = published(FIRST, SECOND)
RESULTS = (
    "mx.first.example; spf=pass smtp.mailfrom=a.example; dkim=pass header.d=a.example; dmarc=pass header.from=a.example"
)


def forwarded(content: bytes, by: Signer, results: str = RESULTS) -> bytes:
    """Through a forwarder that looks, seals and passes on."""
    return arc.seal(content, chain_of(content, DNS, NOW), results, by, NOW) + content


def through(times: int) -> bytes:
    content = MAIL
    for turn in range(times):
        content = forwarded(content, (FIRST, SECOND)[turn % 2])
    return content


def test_a_message_that_nobody_sealed_has_no_chain() -> None:
    assert chain_of(MAIL, DNS, NOW) == Arc(Result.NONE)


def test_two_forwarders_and_what_each_saw() -> None:
    once = forwarded(MAIL, FIRST)
    changed = (
        b"Subject: [list] dinner\r\nX-List: x\r\n" + once.replace(b"Subject: dinner\r\n", b"") + b"-- the footer\r\n"
    )
    assert chain_of(changed, DNS, NOW).result is Result.FAIL
    resealed = arc.seal(changed, chain_of(once, DNS, NOW), "mx.second.example; arc=pass", SECOND, NOW) + changed
    found = chain_of(resealed, DNS, NOW)
    assert found == Arc(
        Result.PASS,
        (Seal(1, "first.example", "rsa", RESULTS), Seal(2, "second.example", "ed25519", "mx.second.example; arc=pass")),
    )


def test_our_fields_are_folded_and_stand_in_their_order() -> None:
    lines = forwarded(MAIL, FIRST).removesuffix(MAIL).split(b"\r\n")[:-1]
    assert all(len(line) <= 78 for line in lines)
    names = [line.partition(b":")[0] for line in lines if line[:1] not in b" \t"]
    assert names == [b"ARC-Seal", b"ARC-Message-Signature", b"ARC-Authentication-Results"]


def test_what_we_seal_dkimpy_verifies() -> None:
    def txt(name: bytes, timeout: int = 0) -> bytes:
        return str(FIRST.record).encode()

    content = MAIL
    for _ in range(3):
        content = forwarded(content, FIRST)
        assert dkimpy.arc_verify(content, dnsfunc=txt)[0] == b"pass"


def test_what_dkimpy_seals_we_verify() -> None:
    content = MAIL
    for turn, status in enumerate((b"none", b"pass", b"pass")):
        said = b"Authentication-Results: lists.example; arc=%b; spf=pass smtp.mailfrom=a.example\r\n" % status
        fields = dkimpy.arc_sign(said + content, b"rsa", b"first.example", pem("rsa"), b"lists.example")
        content = b"".join(fields) + content
        found = chain_of(said + content, DNS, datetime.now(UTC))
        assert (found.result, len(found.seals)) == (Result.PASS, turn + 1), found.why
        assert "spf=pass smtp.mailfrom=a.example" in found.seals[-1].results


def test_s_authn_07_fifty_sets_hold_and_nobody_adds_another() -> None:
    content = through(50)
    found = chain_of(content, DNS, NOW)
    assert (found.result, len(found.seals)) == (Result.PASS, 50)
    assert arc.seal(content, found, RESULTS, FIRST, NOW) == b""


def sets(numbers: list[int], first_says: str = "none") -> bytes:
    form = (
        "ARC-Seal: i={i}; a=rsa-sha256; cv={cv}; d=a.example; s=s; b=eHh4\r\n"
        "ARC-Message-Signature: i={i}; a=rsa-sha256; d=a.example; s=s; h=from; bh={bh}; b=eHh4\r\n"
        "ARC-Authentication-Results: i={i}; a.example; none\r\n"
    )
    bh = "A" * 43 + "="
    made = [form.format(i=number, cv="pass" if number > 1 else first_says, bh=bh) for number in numbers]
    return "".join(reversed(made)).encode() + MAIL


AAR, AMS = b"ARC-Authentication-Results: i=1; a; none\r\n", b"ARC-Message-Signature: i=1\r\n"


@pytest.mark.parametrize(
    "content",
    [
        sets(list(range(1, 52))),
        sets([*range(1, 51), *range(1, 2000)]),
        sets([2]),
        sets([1, 3]),
        sets([1, 1]),
        sets([1, 2, 2]),
        sets([0]),
        sets([1, 51]),
        sets([1], first_says="pass"),
        sets([1], first_says="fail"),
        sets([1], first_says="perhaps"),
        sets([1, 2]).replace(b"i=2; a=rsa-sha256; cv=pass", b"i=2; a=rsa-sha256; cv=none"),
        sets([1]).replace(b"rsa-sha256", b"rsa-sha1"),
        sets([1]).replace(b"cv=none;", b"cv=none; h=from;"),
        sets([1]).replace(b"h=from;", b"h=from:arc-seal;"),
        sets([1]).replace(b"ARC-Authentication-Results: i=1;", b"ARC-Authentication-Results: a; i=1;"),
        AAR + MAIL,
        AAR + AMS + MAIL,
        AAR * 5000 + sets([1]),
        sets([1]),
    ],
    ids=range(20),
)
def test_s_authn_07_a_broken_chain_has_failed_before_anything_is_asked(content: bytes) -> None:
    dns = published(FIRST)
    assert chain_of(content, dns, NOW).result is Result.FAIL
    assert dns.asked == []
    assert arc.seal(content, chain_of(content, dns, NOW), RESULTS, FIRST, NOW) == b""


@pytest.mark.parametrize(
    "old, new",
    [
        (b"i=2; a.example; none", b"i=2; a.example; spf=pass"),
        (b"spf=pass", b"spf=fail"),
        (b"From: Joe", b"From: Jim"),
        (b"We lost", b"We won"),
        (b"cv=none", b"cv=pass"),
        (b"cv=pass", b"cv=none"),
        (b"t=1772452800; cv=none", b"t=1772452801; cv=none"),
        (b"ARC-Seal: i=1", b"ARC-Seal: i=01"),
    ],
)
def test_a_chain_of_which_something_was_altered_fails(old: bytes, new: bytes) -> None:
    content = forwarded(forwarded(MAIL, FIRST), FIRST, "a.example; none")
    assert chain_of(content, DNS, NOW).result is Result.PASS
    assert old in content
    assert chain_of(content.replace(old, new), DNS, NOW).result is Result.FAIL


def test_every_seal_must_hold() -> None:
    content = through(3)
    fields = [place for place in range(len(content)) if content.startswith(b"ARC-Seal:", place)]
    for place in fields:
        signed = content.index(b"b=", place)
        octet = b"A" if content[signed + 4 : signed + 5] != b"A" else b"B"
        spoilt = content[: signed + 4] + octet + content[signed + 5 :]
        assert chain_of(spoilt, DNS, NOW).result is Result.FAIL


def test_a_key_that_cannot_be_known_now_is_not_a_broken_chain() -> None:
    dns = published(FIRST, SECOND)
    content = through(2)
    for domain in ("first.example", "second.example"):
        dns.verdict(domain, Security.FAILED)
        found = chain_of(content, dns, NOW)
        assert found.result is Result.TEMPERROR
        assert arc.seal(content, found, RESULTS, FIRST, NOW) == b""


def test_each_key_is_asked_for_once() -> None:
    dns = published(FIRST, SECOND)
    chain_of(through(6), dns, NOW)
    assert sorted(dns.asked) == [("ed25519._domainkey.second.example", "TXT"), ("rsa._domainkey.first.example", "TXT")]


def test_what_a_sealer_says_is_bounded_and_cannot_break_a_line() -> None:
    said = "a.example; " + "x" * 100_000 + "\r\nBcc: x"
    content = forwarded(MAIL, FIRST, said)
    assert b"\nBcc" not in content
    (seal,) = chain_of(content, DNS, NOW).seals
    assert len(seal.results) <= arc.MOST_RESULTS
