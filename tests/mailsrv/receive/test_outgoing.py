"""Who signs what leaves, and who seals what an alias sends on."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

import pytest

from dnsops.base.flow import arun
from dnsops.resolve.answer import Answer, Question
from mailsrv.auth import arc
from mailsrv.auth.keys import Signer
from mailsrv.auth.signatures import signatures
from mailsrv.auth.verdicts import Arc, Result, Seal
from mailsrv.receive.outgoing import Outgoing
from tests.mailsrv.auth.signers import published, signer
from tests.mailsrv.receive.judges import NOON

KEYS = {
    "example.org": [signer("rsa", "example.org"), signer("ed25519", "example.org")],
    "sub.example.org": [signer("ed25519", "sub.example.org")],
}
DNS = published(*[one for keys in KEYS.values() for one in keys])


def keys(domain: str) -> Sequence[Signer]:
    return KEYS.get(domain, ())


def outgoing(sealing: bool = True) -> Outgoing:
    return Outgoing("mx.example.org", keys, sealing)


def mail(*froms: str) -> bytes:
    return "".join(f"From: {one}\r\n" for one in froms).encode() + b"Subject: x\r\n\r\nbody\r\n"


def signing(content: bytes) -> list[str]:
    return re.findall(r"\bd=([^;]+);", content.decode("latin-1").partition("\r\n\r\n")[0])


@pytest.mark.parametrize(
    ("froms", "domains"),
    [
        (["a@example.org"], ["example.org"] * 2),
        (["Ann <a@EXAMPLE.org>"], ["example.org"] * 2),
        (["a@sub.example.org"], ["sub.example.org"]),
        (["a@deep.sub.example.org"], ["sub.example.org"]),
        (["a@other.example.org"], ["example.org"] * 2),
        (["a@1.2.3.4.5.6.7.example.org"], ["example.org"] * 2),
        (["a@0.1.2.3.4.5.6.7.8.9.example.org"], []),  # MOST_ABOVE labels are taken off, no more
        (["a@notexample.org"], []),
        (["a@org"], []),
        (["a@example.org.test"], []),
        (["a@[192.0.2.1]"], []),
        (["nobody: ;"], []),
        ([], []),
    ],
)
def test_the_closest_domain_with_keys_signs(froms: list[str], domains: list[str]) -> None:
    signed = outgoing().signed(mail(*froms), NOON)
    assert signing(signed) == domains
    assert signed.endswith(mail(*froms))


def test_who_has_no_keys_changes_nothing() -> None:
    assert Outgoing("mx.example.org").signed(mail("a@example.org"), NOON) == mail("a@example.org")


def test_both_signatures_hold() -> None:
    signed = outgoing().signed(mail("a@example.org"), NOON)
    found, _ = asyncio.run(arun(signatures(signed, NOON), lambda question: DNS.ask(question.name, question.type)))
    assert [(one.result, one.algorithm) for one in found] == [
        (Result.PASS, "rsa-sha256"),
        (Result.PASS, "ed25519-sha256"),
    ]


RESULTS = "mx.example.org; dmarc=pass header.from=a.test"


def sealed(out: Outgoing, via: str = "info@example.org", found: Arc | None = None) -> bytes:
    return out.seal(mail("a@a.test"), found or Arc(Result.NONE), RESULTS, via, NOON)


def test_the_seal_of_the_alias_holds() -> None:
    async def ask(question: Question) -> Answer:
        return await DNS.ask(question.name, question.type)

    content = sealed(outgoing()) + b"Delivered-To: info@example.org\r\n" + mail("a@a.test")
    found = asyncio.run(arun(arc.verify(arc.examine(content), NOON), ask))
    assert (found.result, [seal.domain for seal in found.seals]) == (Result.PASS, ["example.org"])
    assert found.seals[0].results == RESULTS


@pytest.mark.parametrize(
    ("via", "domains"),
    [
        ("info@example.org", {"example.org"}),
        ("info@other.example.org", {"example.org"}),
        ("info@sub.example.org", {"sub.example.org"}),
        ("info@elsewhere.test", set()),
        ("", set()),
    ],
)
def test_the_domain_of_the_alias_seals(via: str, domains: set[str]) -> None:
    assert set(signing(sealed(outgoing(), via))) == domains


@pytest.mark.parametrize(
    "out",
    [outgoing(), Outgoing("mx", lambda domain: KEYS["example.org"][::-1] if domain == "example.org" else ())],
    ids=["rsa first", "ed25519 first"],
)
def test_a_seal_is_by_the_key_that_everybody_verifies(out: Outgoing) -> None:
    """There is one signature in a set, and few verify Ed25519."""
    assert set(re.findall(rb"a=([a-z0-9-]+);", sealed(out))) == {b"rsa-sha256"}


def test_who_would_not_seal_does_not() -> None:
    assert sealed(outgoing(sealing=False)) == b""


@pytest.mark.parametrize("result", [Result.FAIL, Result.TEMPERROR])
def test_a_broken_chain_is_not_sealed(result: Result) -> None:
    assert sealed(outgoing(), found=Arc(result, (Seal(1, "a.test", "s"),))) == b""
