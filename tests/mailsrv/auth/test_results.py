"""Authentication-Results: written so that authres reads it, read as authres does, and forged ones taken away."""

from __future__ import annotations

import authres
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsrv.auth.results import Results, Statement, without_forged
from mailsrv.auth.verdicts import Arc, Authentication, Dkim, Dmarc, Iprev, Result, Seal, Spf, Wish
from mailsrv.message import compose

US = "mx1.example.org"
ALL = Authentication(
    Iprev(Result.PASS, "mx.a.org"),
    Spf(Result.PASS, "a.org", "a.org", helo=True),
    Spf(Result.SOFTFAIL, "b.org", "x@b.org", why='it says "~all";'),
    (
        Dkim(Result.PASS, "a.org", "s1", "@a.org", "rsa-sha256", 2048, "ab/+c=d1"),
        Dkim(
            Result.FAIL,
            "b.org",
            "s2",
            "joe@b.org",
            "ed25519-sha256",
            256,
            "xyz",
            testing=True,
            why="the body (all of it)",
        ),
    ),
    Arc(Result.PASS, (Seal(1, "lists.org", "s"),)),
    Dmarc(Result.PASS, "a.org", wish=Wish.REJECT, record="v=DMARC1; p=reject"),
)


def theirs(field: bytes) -> authres.AuthenticationResultsHeader:
    return authres.AuthenticationResultsHeader.parse(field.decode().replace("\r\n", "").strip())


def test_all_of_it_is_what_authres_reads() -> None:
    field = Results.of(ALL, US, "192.0.2.1").field
    read = theirs(field)
    assert read.authserv_id == US
    found = [
        (r.method, r.result, r.reason, [(f"{p.type}.{p.name}", p.value) for p in r.properties]) for r in read.results
    ]
    assert found == [
        ("iprev", "pass", None, [("policy.iprev", "192.0.2.1")]),
        ("spf", "pass", None, [("smtp.helo", "a.org")]),
        ("spf", "softfail", "it says '~all',", [("smtp.mailfrom", "x@b.org")]),
        ("dkim", "pass", None, [
            ("header.d", "a.org"), ("header.i", "@a.org"), ("header.s", "s1"), ("header.a", "rsa-sha256"), ("header.b", "ab/+c=d1"),
        ]),
        ("dkim", "fail", "the body [all of it]", [
            ("header.d", "b.org"), ("header.i", "joe@b.org"), ("header.s", "s2"), ("header.a", "ed25519-sha256"), ("header.b", "xyz"),
        ]),
        ("arc", "pass", None, []),
        ("dmarc", "pass", None, [("header.from", "a.org")]),
    ]  # fmt: skip
    assert all(len(line) <= 78 for line in field.splitlines())


def test_what_is_written_is_read_back() -> None:
    written = Results.of(ALL, US, "2001:db8::1")
    read = Results.parse(written.field.partition(b":")[2].decode())
    assert read is not None
    assert [(s.method, s.result, s.properties) for s in read.statements] == [
        (s.method, s.result, s.properties) for s in written.statements
    ]


def test_nothing_found_says_so() -> None:
    assert str(Results.of(Authentication(), US)) == f"{US}; dkim=none"
    assert str(Results(US)) == f"{US}; none"
    assert Results.parse(f"{US}; none") == Results(US)


HOSTILE = st.text(st.sampled_from('ab;="()\\\r\n\t\0 .@/<>\u2028\x85ü'), max_size=40)


@given(HOSTILE, HOSTILE, HOSTILE)
def test_nothing_that_a_peer_says_becomes_a_field_or_a_result(one: str, two: str, three: str) -> None:
    found = Authentication(
        Iprev(Result.PASS, one, two),
        Spf(Result.FAIL, one, two, True, three),
        Spf(Result.FAIL, two, three),
        (Dkim(Result.FAIL, one, two, three, one, 1, two, why=three),),
        Arc(Result.FAIL, (Seal(1, one, two),), three),
        Dmarc(Result.FAIL, "a.org", why=one),
    )
    field = Results.of(found, US, three).field
    lines = field.removesuffix(b"\r\n").split(b"\r\n")
    assert lines[0].startswith(b"Authentication-Results: ")
    assert all(line[:1] in b" \t" and line.strip() for line in lines[1:])
    assert not set(field.replace(b"\r\n", b"")) & {*range(32), 127}
    read = Results.parse(field.partition(b":")[2].decode())
    assert read is not None
    assert [(s.method, s.result) for s in read.statements] == [
        ("iprev", "pass"), ("spf", "fail"), ("spf", "fail"), ("dkim", "fail"), ("arc", "fail"), ("dmarc", "fail"),
    ]  # fmt: skip


@given(st.text(max_size=3000))
def test_a_value_of_any_length_is_bounded(text: str) -> None:
    field = Results.of(Authentication(mail=Spf(Result.FAIL, "a.org", text, why=text)), US).field
    assert len(field) < 2 * 4 * 255 + 200


EXAMPLES = [  # RFC 8601 appendix B
    ("example.org 1; none", Results("example.org")),
    ("example.com;\r\n          spf=pass smtp.mailfrom=example.net", Results(
        "example.com", (Statement("spf", "pass", (("smtp.mailfrom", "example.net"),)),)
    )),
    ('example.com;\r\n      auth=pass (cram-md5) smtp.auth=sender@example.net;\r\n spf=fail reason="no" smtp.mailfrom=x', Results(
        "example.com",
        (
            Statement("auth", "pass", (("smtp.auth", "sender@example.net"),)),
            Statement("spf", "fail", (("smtp.mailfrom", "x"),), reason="no"),
        ),
    )),
    (("foo.example.net (foobar) 1 (baz);\r\n dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r\n"
     " policy (A dot can go here) . (like that) expired\r\n (this surprised me) = (as I wasn't expecting it) 1362471462"),
     Results("foo.example.net", (Statement("dkim", "fail", (("policy.expired", "1362471462"),)),))),
]  # fmt: skip


@pytest.mark.parametrize("text, results", EXAMPLES)
def test_the_examples_of_rfc_8601(text: str, results: Results) -> None:
    assert Results.parse(text) == results


@pytest.mark.parametrize("text", ["", ";", "(open", 'a "open', "a b; spf=pass", ")", "a;" * 200, "x" * 70_000])
def test_what_is_no_such_field_is_none(text: str) -> None:
    assert Results.parse(text) is None


FORGED = [
    "mx1.example.org; dkim=pass",
    "MX1.Example.ORG; dkim=pass",
    "mx1.example.org.; dkim=pass",
    "mx1.example.org 1; dkim=pass",
    "\r\n\tmx1.example.org\r\n ; dkim=pass",
    "(a comment (in one) with \\) and ;) mx1.example.org (another); dkim=pass",
    '"mx1.example.org"; dkim=pass',
    '"mx1\\.example\\.org"; dkim=pass',
    '(x)"MX1.example.org"(y)1; dkim=pass',
    "mx1.example.org",
    "mx1.example.org; none",
    "mx1 . example . org; dkim=pass",
    "mx1.(x)example.org; dkim=pass",
    "mx1\0.example.org; dkim=pass",
    "(never closed mx1.example.org; dkim=pass",
    "mx1.example.org dkim=pass",
    "(" + "x" * 100_000 + ") mx1.example.org; dkim=pass",
    "(" * 50_000 + ")" * 50_000 + "mx1.example.org; dkim=pass",
]
OTHERS = [
    "mx2.example.org; dkim=pass header.d=mx1.example.org",
    "mx1.example.org.evil.example; dkim=pass",
    "notmx1.example.org; dkim=pass",
    "(mx1.example.org) other.example; dkim=pass",
    "example.org; dkim=pass",
    "",
    "; dkim=pass",
]
TOP = b"Received: from a by b; Mon, 2 Mar 2026 12:00:00 +0100\r\n"
REST = b"From: a@b.example\r\nSubject: Authentication-Results: mx1.example.org; none\r\n\r\nAuthentication-Results: mx1.example.org; x\r\n"


@pytest.mark.parametrize("name", ["Authentication-Results", "AUTHENTICATION-results", "Authentication-Results \t"])
@pytest.mark.parametrize("value", FORGED)
def test_s_authn_09_a_field_that_claims_our_name_goes(name: str, value: str) -> None:
    forged = f"{name}: {value}\r\n".encode()
    assert without_forged(TOP + forged + REST, US) == TOP + REST
    assert without_forged(forged + TOP + forged + forged + REST + forged, US) == TOP + REST + forged
    assert without_forged(TOP + forged, US) == TOP


@pytest.mark.parametrize("value", OTHERS)
def test_s_authn_09_others_stay_as_they_are(value: str) -> None:
    content = TOP + f"Authentication-Results: {value}\r\n\tmore  \r\n".encode() + REST
    assert without_forged(content, US) == content


@pytest.mark.parametrize("ours", ["mx.bücher.example", "mx.xn--bcher-kva.example"])
@pytest.mark.parametrize(
    "claimed", ["mx.bücher.example", "MX.BÜCHER.example", "mx.xn--bcher-kva.example", '"mx.b\\ücher.example"']
)
def test_s_authn_09_a_name_in_any_of_its_idn_forms_is_ours(ours: str, claimed: str) -> None:
    assert without_forged(f"Authentication-Results: {claimed}; spf=pass\r\n".encode() + REST, ours) == REST


@pytest.mark.parametrize("octets", [b"(", b")", b'"', b";", b"a ", b"\\", b"=", b"\r\n ", b"(a)", b"\xff"])
def test_megabytes_of_anything_are_looked_through_in_one_go(octets: bytes) -> None:
    huge = b"Authentication-Results: " + octets * (2_000_000 // len(octets)) + b"\r\n"
    assert without_forged(huge + REST, US) == huge + REST
    assert without_forged(huge * 2 + b"Authentication-Results: mx1.example.org; x\r\n" + REST, US) == huge * 2 + REST


@pytest.mark.parametrize("b", ["dzdVyOfA", "zZ0+Ab9.", "ab/d=f+h", "short", "", "longer than eight", "........"])
def test_of_two_signatures_by_one_signer_each_is_shown_with_its_own_letters(b: str) -> None:
    """What is kept of the first one's lines never shows in the second one's."""
    for one in ("dzdVyOfB", b):
        found = Dkim(Result.PASS, "example.org", "sel", "@example.org", "rsa-sha256", 2048, one, why="because")
        results = Results.of(Authentication(dkim=(found,)), "mx1.example.org")
        read = Results.parse(results.field.partition(b":")[2].decode())
        assert read is not None
        assert ["".join(statement.get("header.b").split()) for statement in read.every("dkim")] == [
            "".join(one.split())
        ]
        assert compose.field("", str(results.statements[0]))[1:-2] in results.field
