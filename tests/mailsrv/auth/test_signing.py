"""What we sign others verify, what others sign we verify: dkimpy, in both directions, over mail of every kind."""

from __future__ import annotations

import base64
import os
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import dkim as dkimpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnsops.base.errors import ForUser
from mailsrv.auth.keys import Signer
from mailsrv.auth.signing import sign
from mailsrv.auth.verdicts import Result
from tests.mailsrv.auth.examples import signatures_of
from tests.mailsrv.auth.signers import MAIL, NOW, nacl, pem, private, published, signer

RSA, ED = signer(), signer("ed25519")
DNS = published(RSA, ED)
CORPUS = Path(os.environ.get("MAILSRV_CORPUS") or Path(sys.prefix) / "corpus")
FORMS = [(header, body) for header in (b"simple", b"relaxed") for body in (b"simple", b"relaxed")]


def txt(name: bytes, timeout: int = 0) -> bytes:
    return {b"rsa": str(RSA.record), b"ed25519": str(ED.record)}[name.partition(b".")[0]].encode()


def results(content: bytes) -> list[Result]:
    return [one.result for one in signatures_of(content, DNS, NOW)]


@pytest.fixture(autouse=True, scope="module")
def ed25519_for_dkimpy() -> Iterator[None]:
    """dkimpy knows Ed25519 by another library; here by ours, and everything else is dkimpy's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dkimpy, "nacl", nacl, raising=False)
        yield


@cache
def theirs(kind: str) -> bytes:
    """dkimpy wants the bare seed of an Ed25519 key."""
    return pem("rsa") if kind == "rsa" else base64.b64encode(ED.key.private_bytes_raw())  # type: ignore[union-attr]


def good_for_dkimpy(content: bytes) -> bool:
    message = dkimpy.DKIM(content)
    return all(message.verify(idx, dnsfunc=txt) for idx in range(2))


def test_two_signatures_by_two_keys() -> None:
    fields = sign(MAIL, [RSA, ED], NOW)
    assert fields.count(b"DKIM-Signature: ") == 2
    found = signatures_of(fields + MAIL, DNS, NOW)
    assert [(one.result, one.algorithm, one.domain) for one in found] == [
        (Result.PASS, "rsa-sha256", "a.example"), (Result.PASS, "ed25519-sha256", "a.example"),
    ]  # fmt: skip
    assert good_for_dkimpy(fields + MAIL)


def test_nobody_signs_nothing() -> None:
    assert sign(MAIL, [], NOW) == b""


def test_a_field_of_ours_is_folded_and_says_what_it_covers() -> None:
    (field,) = re.findall(
        rb"DKIM-Signature:.*\r\n(?:[ \t].*\r\n)+", sign(b"List-Id: <x>\r\nTO: x@y\r\n" + MAIL, [RSA], NOW)
    )
    assert all(len(line) <= 78 and line.strip() for line in field.split(b"\r\n")[:-1])
    tags = dict(part.strip().split("=", 1) for part in re.sub(r"\s", "", field.decode().partition(":")[2]).split(";"))
    assert (tags["v"], tags["a"], tags["c"], tags["d"], tags["s"]) == (
        "1",
        "rsa-sha256",
        "relaxed/relaxed",
        "a.example",
        "rsa",
    )
    assert tags["t"] == str(int(NOW.timestamp()))
    counts = {name: tags["h"].split(":").count(name) for name in tags["h"].split(":")}
    assert counts == {
        "from": 2, "to": 3, "cc": 1, "subject": 2, "date": 2, "message-id": 2, "reply-to": 1, "in-reply-to": 1, "references": 1,
        "mime-version": 2, "content-type": 2, "content-transfer-encoding": 1, "list-id": 2,
    }  # fmt: skip


def test_a_name_that_is_none_or_too_long_signs_nothing() -> None:
    for domain, selector in (
        (".".join(["a" * 60] * 4), "s" * 60),
        ("a..b", "s"),
        ("a.example", ""),
        ("a.example", "s\r\ns"),
    ):
        with pytest.raises(ForUser):
            Signer.load(domain, selector, pem())


def test_a_name_that_fits_is_not_broken_either() -> None:
    long = Signer(".".join(["a" * 60] * 3), "s" * 40, RSA.key)
    content = sign(MAIL, [long], NOW) + MAIL
    assert [one.result for one in signatures_of(content, published(long), NOW)] == [Result.PASS]


def test_thousands_of_fields_of_one_name_do_not_make_a_field_without_end() -> None:
    content = b"To: x@y\r\n" * 5000 + MAIL
    fields = sign(content, [RSA], NOW)
    assert len(fields) < 2000
    assert results(fields + content) == [Result.PASS]


LINES = st.lists(
    st.one_of(
        st.text(" \ta=.;:ü", max_size=80).map(str.encode),
        st.sampled_from([b"", b"", b" ", b"\t \t", b".", b"From x", b"x" * 998, b"a  b\t", b"-- "]),
    ),
    max_size=12,
)
NAMES = st.sampled_from(
    [
        "From",
        "TO",
        "Cc",
        "Subject",
        "subject",
        "Date",
        "Message-ID",
        "Reply-To",
        "List-Id",
        "Sender",
        "X-a",
        "References",
    ]
)
WORDS = st.text(" \taé:;=<>@", max_size=30).map(str.encode)
HEADER = st.lists(st.tuples(NAMES.map(str.encode), st.lists(WORDS, min_size=1, max_size=3)), max_size=10)


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    header = b"".join(name + b":" + b"\r\n ".join(lines) + b"\r\n" for name, lines in draw(HEADER))
    return b"From: joe@a.example\r\n" + header + b"\r\n" + b"".join(line + b"\r\n" for line in draw(LINES))


@settings(max_examples=40, deadline=None)
@given(messages())
def test_what_we_sign_dkimpy_verifies(content: bytes) -> None:
    signed = sign(content, [RSA, ED], NOW) + content
    assert good_for_dkimpy(signed)
    assert results(signed) == [Result.PASS, Result.PASS]


@settings(max_examples=40, deadline=None)
@given(messages(), st.sampled_from(FORMS), st.sampled_from(["rsa", "ed25519"]))
def test_what_dkimpy_signs_we_verify(content: bytes, form: tuple[bytes, bytes], kind: str) -> None:
    field = dkimpy.sign(
        content,
        kind.encode(),
        b"a.example",
        theirs(kind),
        canonicalize=form,
        signature_algorithm=f"{kind}-sha256".encode(),
    )
    now = datetime.now(UTC)  # dkimpy's clock is its own
    found = signatures_of(field + content, DNS, now)
    assert [one.result for one in found] == [Result.PASS]
    spoilt = content + b"x\r\n"
    assert [one.result for one in signatures_of(field + spoilt, DNS, now)] == [Result.FAIL]


@settings(max_examples=40, deadline=None)
@given(messages(), st.integers(0, 10_000), st.sampled_from([b"x", b"\0", b"\r\n\r\ny", b":"]))
def test_an_altered_message_is_judged_as_dkimpy_judges_it(content: bytes, place: int, octets: bytes) -> None:
    signed = sign(content, [RSA], NOW) + content
    spoilt = signed[: place % len(signed)] + octets + signed[place % len(signed) :]
    try:
        good = dkimpy.verify(spoilt, dnsfunc=txt)
    except (dkimpy.DKIMException, KeyError):  # KeyError: of an algorithm that it does not know
        return
    ours = results(spoilt)
    if good and ours:
        assert ours == [Result.PASS]
    if ours == [Result.PASS]:
        assert good


def real() -> list[Path]:
    return sorted(CORPUS.glob("*.txt"))[::100]


@pytest.mark.skipif(not real(), reason="no corpus of real messages")
def test_real_messages_in_both_directions() -> None:
    for path in real():
        content = path.read_bytes()
        if content.startswith(b"From "):
            content = content.partition(b"\n")[2]
        content = content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        if not content.endswith(b"\r\n"):
            content += b"\r\n"
        assert results(sign(content, [RSA, ED], NOW) + content) == [Result.PASS, Result.PASS], path.name
        assert good_for_dkimpy(sign(content, [RSA, ED], NOW) + content), path.name
        for form in FORMS:
            signed = dkimpy.sign(content, b"ed25519", b"a.example", theirs("ed25519"), canonicalize=form,
                                 signature_algorithm=b"ed25519-sha256") + content  # fmt: skip
            found = signatures_of(signed, DNS, datetime.now(UTC))
            assert Result.PASS in [one.result for one in found], path.name


@pytest.mark.parametrize("octets", [b"", b"no key", pem()[:-100]])
def test_what_is_no_private_key_says_so(octets: bytes) -> None:
    with pytest.raises(ForUser, match="not a private key"):
        Signer.load("a.example", "s", octets)


def test_other_kinds_of_keys_are_refused() -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PrivateFormat.PKCS8
    text = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    with pytest.raises(ForUser, match="RSA of"):
        Signer.load("a.example", "s", text)


def test_a_private_key_is_not_printed() -> None:
    assert "key" not in repr(RSA).replace("_domainkey", "")
    assert RSA.key is not private(1024)
