"""Verification: the examples of the standards, each way to be wrong, and what an attacker would try (S-AUTHN)."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta

import dkim as dkimpy
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

from dnsops.base.flow import run
from dnsops.records import rdata
from dnsops.records.txt.dkim import DkimKey
from dnsops.resolve.answer import Answer, Security, failed
from mailsrv.auth import dkim
from mailsrv.auth.keys import Signer
from mailsrv.auth.signing import sign
from mailsrv.auth.verdicts import Dkim, Result
from tests.mailsrv.auth.examples import RFC_6376_A, RFC_8463_A, signatures_of, world
from tests.mailsrv.auth.signers import MAIL, NOW, private, published, signed_by_hand, signer, tried

KEY = signer()
PASS, FAIL, POLICY, PERM, TEMP = Result.PASS, Result.FAIL, Result.POLICY, Result.PERMERROR, Result.TEMPERROR


def verdict(content: bytes, *keys: Signer) -> Dkim:
    return signatures_of(content, published(*(keys or (KEY,))), NOW)[0]


def changed(**changes: str | None) -> bytes:
    return signed_by_hand(MAIL, KEY, changes)


def with_key(text: str, content: bytes | None = None) -> Dkim:
    """The verdict on a good signature when this is the key record."""
    return signatures_of(content or changed(), world({"rsa._domainkey.a.example": text}), NOW)[0]


def record(**changes: object) -> str:
    return str(replace(KEY.record, **changes))  # type: ignore[arg-type]


def rsa_record(bits: int, exponent: int = 65537) -> str:
    public = private(bits, exponent).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return str(DkimKey(public.public_bytes(serialization.Encoding.DER, form)))


def test_the_example_of_rfc_6376_a() -> None:
    (found,) = signatures_of(RFC_6376_A, world(), NOW)
    assert (found.result, found.domain, found.identity) == (PASS, "example.com", "joe@football.example.com")
    assert (found.bits, found.b, found.fields[0]) == (1024, "AuUoFEfD", "received")


def test_both_signatures_of_rfc_8463_a() -> None:
    found = signatures_of(RFC_8463_A, world(), NOW)
    assert [(one.result, one.algorithm, one.bits) for one in found] == [
        (PASS, "ed25519-sha256", 256), (PASS, "rsa-sha256", 1024),
    ]  # fmt: skip


@pytest.mark.parametrize("example", [RFC_6376_A, RFC_8463_A])
@pytest.mark.parametrize(
    "old, new", [(b"ready?", b"Ready?"), (b"hungry", b"angry"), (b"Joe SixPack", b"Joe  Six Pack")]
)
def test_an_altered_example_fails(example: bytes, old: bytes, new: bytes) -> None:
    assert {one.result for one in signatures_of(example.replace(old, new), world(), NOW)} == {FAIL}


def test_the_signature_made_by_hand_is_right() -> None:
    """Else the table below would prove nothing."""
    assert verdict(changed()) == Dkim(PASS, "a.example", "rsa", "@a.example", "rsa-sha256", 2048,
                                      verdict(changed()).b, fields=("from", "to", "subject"))  # fmt: skip


AT = int(NOW.timestamp())
TAGS = [
    ({"v": "2"}, PERM, "v= is not 1"),
    ({"v": None}, PERM, "no v="),
    ({"d": None}, PERM, "no d="),
    ({"a": "rsa-sha512"}, PERM, "nobody knows"),
    ({"a": "rsa-sha1"}, POLICY, "rsa-sha1"),
    ({"a": "ed25519-sha256"}, PERM, "another kind"),
    ({"c": "relaxed"}, PASS, ""),
    ({"c": "simple/simple"}, PASS, ""),
    ({"c": "simple/relaxed"}, PASS, ""),
    ({"c": None, "bh": None}, PERM, "no bh="),
    ({"c": "nowsp"}, PERM, "form"),
    ({"c": "relaxed/relaxed/relaxed"}, PERM, "form"),
    ({"q": "dns/txt:other"}, PASS, ""),
    ({"q": "other"}, PERM, "q="),
    ({"x": str(AT + 10)}, PASS, ""),
    ({"t": str(AT)}, PASS, ""),
    ({"t": str(AT + 3600)}, PASS, ""),
    ({"t": "x"}, PERM, "t= is not a number"),
    ({"t": "-1"}, PERM, "t= is not a number"),
    ({"t": "9" * 13}, PERM, "t= is not a number"),
    ({"t": "²"}, PERM, "t= is not a number"),
    ({"z": "From:joe@a.example"}, PASS, ""),
    ({"unknown": "x"}, PASS, ""),
    ({"i": "joe=20x@a.example"}, PASS, ""),
    ({"i": '"joe@b"@mail.a.example'}, PASS, ""),
    ({"bh": base64.b64encode(b"x" * 20).decode()}, PERM, "32 octets"),
    ({"bh": "!"}, PERM, "base64"),
    ({"h": "from:a b"}, PASS, ""),
    ({"h": "from:ä"}, PERM, "h="),
    ({"d": "A.EXAMPLE"}, PASS, ""),
    ({"s": "RSA"}, PASS, ""),
    ({"s": ""}, PERM, "s="),
    ({"s": "a" * 250}, PERM, "s="),
    ({"d": "a..example"}, PERM, "d="),
]  # fmt: skip


@pytest.mark.parametrize("changes, result, why", TAGS, ids=lambda value: str(value)[:40])
def test_every_tag(changes: dict[str, str | None], result: Result, why: str) -> None:
    found = verdict(changed(**changes))
    assert (found.result, why in found.why) == (result, True), found.why


KEYS = [
    (record(), PASS, ""),
    (record(flags=("y",)), PASS, ""),
    (record(hashes=("sha1", "sha256")), PASS, ""),
    (record(hashes=("sha1",)), PERM, "not for sha256"),
    (record(services=("email", "other")), PASS, ""),
    (record(services=("*",)), PASS, ""),
    (record(services=("other",)), PERM, "not for mail"),
    (record(kind="dsa"), PERM, "nobody knows"),
    (record(kind="ed25519", key=b"x" * 32), PERM, "another kind"),
    (record(kind="ed25519", key=b"x" * 31), PERM, "32 bytes"),
    (record(key=b"x"), PERM, "no RSA key"),
    (record(notes="a note"), PASS, ""),
    (record().removeprefix("v=DKIM1; "), PASS, ""),
    (record().replace("DKIM1", "DKIM2"), PERM, "version"),
    (record().replace("v=DKIM1; k=rsa", "k=rsa; v=DKIM2"), PERM, "version"),
    (record().replace("v=DKIM1; k=rsa", "k=rsa; v=DKIM1"), PASS, ""),  # rspamd, opendkim and dkimpy read it too
    ("v=spf1 -all", PERM, "not a DKIM key"),
    ("v=DKIM1; p=!", PERM, "base64"),
    ("v=DKIM1; k=rsa", PERM, "no p="),
    ("v=DKIM1;; p=", PERM, "not a tag"),
    ("", PERM, "not a tag"),
]  # fmt: skip


@pytest.mark.parametrize("text, result, why", KEYS)
def test_every_key(text: str, result: Result, why: str) -> None:
    found = with_key(text)
    assert (found.result, why in found.why) == (result, True), found.why


def test_a_bare_rsa_public_key_is_read() -> None:
    form = serialization.PublicFormat.PKCS1
    bare = private(2048).public_key().public_bytes(serialization.Encoding.DER, form)
    assert with_key(record(key=bare)).result is PASS


@pytest.mark.parametrize(
    "answer",
    [
        failed("x", "TXT", "timeout"),
        Answer("x", "TXT", Security.BOGUS, "SERVFAIL"),
        Answer("x", "TXT", Security.BOGUS),
        Answer("x", "TXT", Security.INSECURE, "REFUSED"),
    ],
)
def test_what_cannot_be_known_now_is_not_absent(answer: Answer) -> None:
    (found,) = run(dkim.verify(dkim.examine(changed()), NOW), lambda question: answer)
    assert found.result is TEMP


@pytest.mark.parametrize("rcode", ["NOERROR", "NXDOMAIN"])
def test_no_key_is_permanent(rcode: str) -> None:
    answer = Answer("x", "TXT", Security.INSECURE, rcode)
    (found,) = run(dkim.verify(dkim.examine(changed()), NOW), lambda question: answer)
    assert (found.result, found.why) == (PERM, "there is no key")


def test_among_several_records_the_key_is_found() -> None:
    dns = published(KEY)
    other = record(key=signer("ed25519").record.key)
    texts = (str(KEY.record), "v=spf1 -all", "something else", str(signer("ed25519").record))
    dns.hold("rsa._domainkey.a.example", "TXT", frozenset(map(rdata.txt, texts)))
    assert signatures_of(changed(), dns, NOW)[0].result is PASS
    dns.hold("rsa._domainkey.a.example", "TXT", frozenset(map(rdata.txt, (other, "v=spf1 -all"))))
    assert signatures_of(changed(), dns, NOW)[0].result is PERM


def test_one_key_is_asked_for_once_and_only_where_it_matters() -> None:
    dns = published(KEY)
    twice = signed_by_hand(changed(), KEY)
    bad_body = signed_by_hand(twice, KEY, {"bh": base64.b64encode(b"x" * 32).decode(), "s": "other"})
    assert [one.result for one in signatures_of(bad_body, dns, NOW)] == [FAIL, PASS, PASS]
    assert dns.asked == [("rsa._domainkey.a.example", "TXT")]


def test_a_message_without_signatures_has_none() -> None:
    assert signatures_of(MAIL, world(), NOW) == ()
    assert signatures_of(b"", world(), NOW) == ()


def noise(count: int) -> bytes:
    form = b"DKIM-Signature: v=1; a=rsa-sha256; d=d%d.example; s=s; h=from; bh=%b; b=eHh4\r\n"
    return b"".join(form % (n, base64.b64encode(b"x" * 32)) for n in range(count))


def test_s_authn_02_of_two_thousand_signatures_ten_are_tried() -> None:
    dns = published(KEY)
    assert len(signatures_of(noise(2000) + changed(), dns, NOW)) == 10
    own, _, rest = changed().partition(b"From:")
    found = signatures_of(noise(50) + own + noise(2000) + b"From:" + rest, dns, NOW)
    assert len(found) == 10
    assert [one.result for one in found if one.domain == "a.example"] == [
        PASS
    ]  # the author's domain is not crowded out


def test_s_authn_02_copies_of_a_signature_do_not_crowd_out_another() -> None:
    own, _, _ = changed().partition(b"From:")
    other = signer("ed25519")
    found = signatures_of(own * 90 + signed_by_hand(MAIL, other), published(KEY, other), NOW)
    assert {one.algorithm for one in found if one.result is PASS} == {"rsa-sha256", "ed25519-sha256"}


@pytest.mark.parametrize("length", ["0", "6", "10", "9" * 76])
def test_s_authn_03_a_signature_with_l_never_passes(length: str) -> None:
    assert verdict(changed(l=length)).result is POLICY
    assert verdict(changed(l=length) + b"appended\r\n").result is POLICY


def test_s_authn_03_l_that_is_no_number_is_an_error() -> None:
    assert verdict(changed(l="9" * 77)).result is PERM


@pytest.mark.parametrize("field", [b"Subject: evil", b"From: evil@b.example", b"To: x@y", b"Content-Type: text/html", b"Cc: x@y",
                                   b"Reply-To: evil@b.example", b"Date: now", b"MIME-Version: 1.0", b"In-Reply-To: <x>"])  # fmt: skip
def test_s_authn_04_a_field_put_above_our_signed_mail_breaks_it(field: bytes) -> None:
    signed = sign(MAIL, [KEY], NOW) + MAIL
    assert verdict(signed).result is PASS
    assert verdict(field + b"\r\n" + signed).result is FAIL
    assert verdict(signed.replace(b"\r\n\r\n", b"\r\n" + field + b"\r\n\r\n", 1)).result is FAIL


def test_s_authn_04_which_fields_are_signed_is_told() -> None:
    """So that others may judge a signature that covers one Subject of two."""
    found = verdict(b"Subject: evil\r\n" + changed())
    assert (found.result, found.fields.count("subject")) == (PASS, 1)


@pytest.mark.parametrize(
    "text, result, bits, why",
    [
        (rsa_record(1024), FAIL, 1024, "not that of this header"),
        (rsa_record(2048, 3), PERM, 2048, "exponent"),
        (record(key=b""), PERM, 0, "revoked"),
    ],
)
def test_s_authn_05_keys(text: str, result: Result, bits: int, why: str) -> None:
    found = with_key(text)
    assert (found.result, found.bits, why in found.why) == (result, bits, True), found.why


def test_s_authn_05_512_bits_prove_nothing_and_1024_do() -> None:
    weak = (
        "v=DKIM1; k=rsa; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAIWmlgix/84GJ+dfgjm7LTc9EPdfkftlgiPpCq4/kbDAZmU0VvYKDljjleJ1dfvS+C"
        "Gy9U/kk1tG3EeEvb82xAcCAwEAAQ=="
    )
    found = with_key(weak)
    assert (found.result, found.bits) == (POLICY, 512)
    short = Signer("a.example", "rsa", private(1024))
    found = verdict(signed_by_hand(MAIL, short), short)
    assert (found.result, found.bits) == (PASS, 1024)


def test_s_authn_05_more_than_8192_bits_are_too_many() -> None:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    for bits, result in ((8192, FAIL), (8200, PERM), (16384, PERM)):
        numbers = RSAPublicNumbers(65537, (1 << bits) - 1)
        found = with_key(record(key=numbers.public_key().public_bytes(serialization.Encoding.DER, form)))
        assert (found.result, found.bits) == (result, bits), found.why


def test_s_authn_05_t_y_is_told() -> None:
    assert with_key(record(flags=("y",))).testing
    assert not with_key(record()).testing


def test_s_authn_05_a_key_of_64_kib_in_a_thousand_strings_is_not_read() -> None:
    dns = published(KEY)
    parts = b"".join(b"\x3f" + b"v=DKIM1; p=" + b"A" * 52 for _ in range(1000))
    dns.hold("rsa._domainkey.a.example", "TXT", frozenset({rdata.from_wire("TXT", parts)}))
    found = signatures_of(changed(), dns, NOW)[0]
    assert (found.result, "8192" in found.why) == (PERM, True)


def test_s_authn_06_t_s_wants_the_very_domain() -> None:
    exact = record(flags=("s",))
    assert with_key(exact, changed(i="joe@a.example")).result is PASS
    assert with_key(exact).result is PASS
    assert with_key(exact, changed(i="joe@mail.a.example")).result is PERM


@pytest.mark.parametrize(
    "changes, result",
    [
        ({"x": str(AT - 1)}, FAIL),
        ({"t": str(AT), "x": str(AT)}, PERM),
        ({"t": str(AT + 86400)}, PERM),
        ({"i": "joe@b.example"}, PERM),
        ({"i": "joe@xa.example"}, PERM),
        ({"i": "joe"}, PERM),
        ({"d": "com"}, PERM),
        ({"d": "a.example\0.b"}, PERM),
        ({"d": "a.example\n.b"}, PERM),
        ({"d": "a.example\r\n b"}, PERM),
        ({"h": "to:subject"}, PERM),
        ({"h": ""}, PERM),
        ({"bh": base64.b64encode(b"x" * 32).decode()}, FAIL),
    ],
    ids=str,
)
def test_s_authn_06_signatures_that_are_wrong(changes: dict[str, str], result: Result) -> None:
    assert verdict(changed(**changes)).result is result


def test_s_authn_06_a_public_suffix_signs_for_nobody() -> None:
    content = changed(d="co.example")
    (found,) = dkim.examine(content, public=lambda domain: domain == "co.example")
    assert (found.verdict.result, found.signature) == (PERM, None)


@pytest.mark.parametrize("body", [b"", b"\r\n", b" \r\n", b" \t\r\n\r\n \r\n"])
@pytest.mark.parametrize("form", ["simple/simple", "relaxed/simple", "simple/relaxed", "relaxed/relaxed"])
def test_s_authn_06_a_body_of_blanks(body: bytes, form: str) -> None:
    content = MAIL.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + body
    signed = signed_by_hand(content, KEY, {"c": form})
    assert verdict(signed).result is PASS
    assert dkimpy.verify(signed, dnsfunc=lambda name, timeout=0: str(KEY.record).encode())


@pytest.mark.parametrize("now, result", [(AT + 99, PASS), (AT + 101, FAIL)])
def test_time_comes_in(now: int, result: Result) -> None:
    signed = dkim.examine(changed(t=str(AT), x=str(AT + 100)))
    answer = Answer("x", "TXT", Security.INSECURE, items=frozenset({rdata.txt(record())}))
    (found,) = run(dkim.verify(signed, NOW + timedelta(seconds=now - AT)), lambda question: answer)
    assert found.result is result


def test_a_malformed_signature_still_tells_whose_it_claims_to_be() -> None:
    found = verdict(changed(v="2", d="a\u2028.example"))
    assert (found.result, found.domain, found.selector) == (PERM, "a\\u2028.example", "rsa")
    assert tried(b"DKIM-Signature: \r\n" + MAIL) == 1


@pytest.mark.parametrize(
    "more", [b"X: " + b"x" * (1 << 20), b"X: y\r\n" * 20_001 + b"Y: z", b"X: y" + b"\r\n z" * 20_001]
)
def test_a_header_that_would_keep_everyone_waiting_is_not_read(more: bytes) -> None:
    assert verdict(more + b"\r\n" + changed()).result is POLICY


def test_ten_thousand_recipients_are_not_too_many() -> None:
    content = b"Cc: " + b",\r\n ".join(b"recipient%d@b.example" % n for n in range(10_000)) + b"\r\n" + MAIL
    assert verdict(signed_by_hand(content, KEY, {"h": "from:cc"})).result is PASS
