"""The digest: right about well-formed mail, sane about everything else, and soon done."""

from __future__ import annotations

import base64
import json
import random
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from email.mime.application import MIMEApplication
from email.mime.base import MIMEBase
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from itertools import takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsrv.message import limits
from mailsrv.message.digest import digest
from mailsrv.message.header import header
from mailsrv.message.structure import section
from mailsrv.store.door import Digest
from tests.mailsrv.message import imaptext, oracle
from tests.mailsrv.message.messages import COMPLEX, SECTIONS, crlf


def test_a_digest_says_it_all() -> None:
    content = crlf(
        """\
Date: Mon, 7 Feb 1994 21:52:25 -0800 (PST)
From: Fred Foobar <foobar@Blurdybloop.example>
Subject: Re: [list] =?utf-8?Q?caf=C3=A9?= meeting (fwd)
To: mooch@owatagu.example, A Group:Ed Jones <joe@where.test>;
Cc: =?utf-8?Q?J=C3=B6rg?= <j@x.test>
Message-Id: <B27397-0100000@Blurdybloop.example>
References: <a@b> <c@d>
Content-Type: TEXT/PLAIN; CHARSET=US-ASCII

Hello Joe, do you think we can meet at 3:30 tomorrow?
"""
    )
    body, end = content.index(b"Hello"), len(content)
    people = b'(("Fred Foobar" NIL "foobar" "Blurdybloop.example"))'
    assert digest(content) == Digest(
        envelope=b'("Mon, 7 Feb 1994 21:52:25 -0800 (PST)" "Re: [list] =?utf-8?Q?caf=C3=A9?= meeting (fwd)" '
        + people
        + b" "
        + people
        + b" "
        + people
        + b' ((NIL NIL "mooch" "owatagu.example")(NIL NIL "A Group" NIL)("Ed Jones" NIL "joe" "where.test")(NIL NIL NIL NIL))'
        b' (("=?utf-8?Q?J=C3=B6rg?=" NIL "j" "x.test")) NIL NIL "<B27397-0100000@Blurdybloop.example>")',
        bodystructure=b'("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 55 1 NIL NIL NIL NIL)',
        body=b'("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 55 1)',
        parts=f'{{"":[0,{body},{end},"7bit"],"1":[0,{body},{end},"7bit"]}}',
        preview="Hello Joe, do you think we can meet at 3:30 tomorrow?",
        text="Hello Joe, do you think we can meet at 3:30 tomorrow?\r\n",
        subject="re: [list] café meeting (fwd)",
        base="café meeting",
        sender="foobar@blurdybloop.example fred foobar <foobar@blurdybloop.example>",
        to="mooch@owatagu.example, joe@where.test ed jones <joe@where.test>",
        cc="j@x.test jörg <j@x.test>",
        sent=datetime(1994, 2, 7, 21, 52, 25, tzinfo=timezone(timedelta(hours=-8))),
        message_id="B27397-0100000@Blurdybloop.example",
        references=("a@b", "c@d"),
    )


# beside Python's own parser


def entity(rng: random.Random, depth: int) -> MIMEBase:
    """A well-formed part at random."""
    match rng.choice(["text", "html", "data", "mixed", "message"]) if depth else "text":
        case "text":
            return MIMEText(
                "line\n" * rng.randint(0, 5) + rng.choice(["", "end"]), "plain", rng.choice(["us-ascii", "utf-8"])
            )
        case "html":
            return MIMEText("<p>ü</p>\n", "html", "utf-8")
        case "data":
            part = MIMEApplication(rng.randbytes(rng.randint(0, 300)), Name=rng.choice(["a b.bin", "ü.pdf"]))
            part["Content-Disposition"] = "attachment"
            return part
        case "message":
            inner = entity(rng, depth - 1)
            inner["Subject"] = "inside"
            return MIMEMessage(inner)
    whole = MIMEMultipart(rng.choice(["mixed", "alternative", "related"]))
    for _ in range(rng.randint(1, 4)):
        whole.attach(entity(rng, depth - 1))
    if rng.random() < 0.3:
        whole.preamble = "This is a message in several parts.\n"
    return whole


@pytest.mark.parametrize("seed", range(150))
@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_well_formed_mail_is_seen_as_python_sees_it(seed: int, end: bytes) -> None:
    message = entity(random.Random(seed), 4)
    message["Subject"] = "outside"
    content = message.as_bytes().replace(b"\n", end)
    found, wanted = digest(content), oracle.parts(content)
    assert {number for number in json.loads(found.parts) if number} == set(wanted)
    for number, (_, body) in wanted.items():
        start, length = section(found.parts, number) or (0, 0)
        assert not body or content[start : start + length] == body
    assert media_types(imaptext.read(found.bodystructure), "") == {
        number: kind for number, (kind, _) in wanted.items() if not kind.startswith("multipart/")
    }


def media_types(body: imaptext.Item, number: str, inside: bool = False) -> dict[str, str]:
    """Part number -> media type, out of a BODYSTRUCTURE; multiparts left out."""
    assert isinstance(body, list)
    if isinstance(body[0], list):
        found: dict[str, str] = {}
        for place, child in enumerate(takewhile(lambda one: isinstance(one, list), body), 1):
            found |= media_types(child, f"{number}.{place}" if number else str(place), inside=True)
        return found
    own = number if inside else (f"{number}.1" if number else "1")
    kind, subtype = body[0], body[1]
    assert isinstance(kind, bytes)
    assert isinstance(subtype, bytes)
    found = {own: f"{kind.decode()}/{subtype.decode()}".lower()}
    return found | (media_types(body[8], own) if kind == b"MESSAGE" else {})


# whatever comes


def check(content: bytes) -> Digest:
    """Everything any digest must be."""
    found = digest(content)
    imaptext.check_envelope(imaptext.read(found.envelope))
    imaptext.check_body(imaptext.read(found.body), extended=False)
    imaptext.check_body(imaptext.read(found.bodystructure), extended=True)
    for number, row in json.loads(found.parts).items():
        start, body, end = row[:3]
        assert 0 <= start <= body <= end <= len(content)
        assert len(row) == 4 or body <= row[4] <= end
        for spec in (number, f"{number}.MIME", f"{number}.HEADER", f"{number}.TEXT"):
            span = section(found.parts, spec.strip("."))
            assert span is None or (span[0] >= 0 and span[1] >= 0 and sum(span) <= len(content))
    assert len(found.text) <= limits.TEXT
    assert len(found.preview) <= limits.PREVIEW
    for value in asdict(found).values():
        if isinstance(value, str):
            assert "\0" not in value
            value.encode()
    return found


@given(st.binary(max_size=400))
def test_any_bytes_have_a_digest(content: bytes) -> None:
    check(content)


PIECES = [
    b"From: ",
    b"To: ",
    b"Subject: ",
    b"Date: ",
    b"Content-Type: ",
    b"Content-Transfer-Encoding: base64\r\n",
    b"multipart/mixed; boundary=b\r\n",
    b"message/rfc822\r\n",
    b"text/html; charset=utf-8\r\n",
    b"\r\n",
    b"\n",
    b"\r",
    b"--b\r\n",
    b"--b--\r\n",
    b"--b",
    b"\r\n\r\n",
    b" ",
    b"\0",
    b"\xff",
    b"=?utf-8?B?4pyT?=",
    b"a@b.test",
    b"<",
    b">",
    b'"',
    b"\\",
    b"(",
    b")",
    b";",
    b":",
    b",",
    b"name*0*=x''%ff",
    b"; name*1=y",
    b"QUJD",
    b"&#1;",
    b"<b>",
]


@given(st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join))
def test_any_pieces_of_mail_have_a_digest(content: bytes) -> None:
    check(content)


@given(st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join))
def test_a_header_that_was_read_before_leads_to_the_same_digest(content: bytes) -> None:
    """The fields above it are ours, and nothing of the digest looks at them."""
    above = b"Return-Path: <a@b.example>\r\nReceived: from x\r\n\tby y; now\r\n"
    whole = above + content
    assert digest(whole, header(content).under(whole, len(above))) == digest(whole)


@pytest.mark.parametrize("seed", range(200))
def test_mail_that_was_damaged_has_a_digest(seed: int) -> None:
    rng = random.Random(seed)
    content = bytearray(COMPLEX)
    for _ in range(rng.randint(1, 30)):
        at = rng.randrange(len(content) + 1)
        match rng.randrange(4):
            case 0:
                content[at : at + 1] = rng.randbytes(1)
            case 1:
                del content[at : at + rng.randint(1, 40)]
            case 2:
                content[at:at] = rng.choice(PIECES)
            case 3:
                start = rng.randrange(len(content))
                content[at:at] = content[start : start + 200]
    check(bytes(content))


def test_cut_anywhere_it_has_a_digest() -> None:
    for end in range(0, len(COMPLEX), 3):
        check(COMPLEX[:end])


# shapes that have hurt others: (what, message)
HEAD = b"From: a@evil.test\r\n"
HOSTILE = [
    ("100 000 fields", HEAD + b"".join(b"X-H%d: v\r\n" % n for n in range(100_000)) + b"\r\n"),
    ("100 000 Cc fields", HEAD + b"Cc: a@b.test\r\n" * 100_000 + b"\r\n"),
    ("a field of 10 MB", HEAD + b"Subject: x\r\n" + b" hhhhhhhhhhhhhhh\r\n" * 600_000 + b"\r\n"),
    ("100 000 addresses", HEAD + b"Cc: " + b",\r\n ".join(b"u%d@b.test" % n for n in range(100_000)) + b"\r\n\r\n"),
    (
        "20 000 parameters",
        HEAD + b"Content-Type: text/plain" + b"".join(b";\r\n a*%d*=%%41" % n for n in range(20_000)) + b"\r\n\r\n",
    ),
    (
        "20 000 encoded words",
        HEAD
        + b"Subject: "
        + b"\r\n ".join(b"=?utf-8?B?%s?=" % base64.b64encode(b"w%d" % n) for n in range(20_000))
        + b"\r\n\r\n",
    ),
    ("encoded words never closed", HEAD + b"Subject: " + b"=?" * 200_000 + b"\r\n\r\n"),
    ("comments 50 000 deep", HEAD + b"Cc: " + b"(" * 50_000 + b"\r\n\r\n"),
    ("groups 20 000 deep", HEAD + b"Cc: " + b"g:" * 20_000 + b" a@b;\r\n\r\n"),
    ("200 000 quoted pairs", HEAD + b'Cc: "' + b"\\\\" * 200_000 + b'" <a@b.test>\r\n\r\n'),
    (
        "multiparts 5000 deep",
        HEAD + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(5000)),
    ),
    ("the same boundary 5000 deep", HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" * 5000),
    (
        "boundaries that begin alike",
        HEAD
        + b"".join(
            b"Content-Type: multipart/mixed; boundary=%b\r\n\r\n--%b\r\n" % (b"b" * (1 + n % 60), b"b" * (1 + n % 60))
            for n in range(2000)
        ),
    ),
    ("messages 5000 deep", HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 5000),
    (
        "100 000 parts",
        HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 100_000 + b"--b--\r\n",
    ),
    ("lines of nothing but their end", HEAD + b"\n" * 1_000_000),
    ("blanks before a colon", HEAD + b"X" + b" " * 500_000 + b"\r\n" + b"y" * 500_000 + b"\r\n\r\n"),
]


@pytest.mark.parametrize("what, content", HOSTILE, ids=[what for what, _ in HOSTILE])
def test_hostile_mail_has_a_small_digest(what: str, content: bytes) -> None:
    """Time that grows faster than the message would show as a run of minutes."""
    found = check(content)
    assert len(found.envelope) <= 4 * limits.HEADER
    assert len(found.bodystructure) <= 100 * limits.PARTS
    assert check(content.replace(b"\r\n", b"\n")).sender == "a@evil.test"


def test_codec_names_of_python_are_no_charsets() -> None:
    found = check(
        b"Subject: =?unicode_escape?Q?=5Cud800?= =?zlib_codec?B?eJwDAA==?=\r\nContent-Type: text/plain; charset=rot13\r\n\r\nuryyb \xff"
    )
    assert found.text == "uryyb ÿ"


def test_the_example_of_part_numbers_is_complete() -> None:
    numbers = {
        spec.removesuffix(".MIME")
        for spec, held in SECTIONS.items()
        if held is not None and "." in spec and spec[0].isdigit()
    }
    assert {number for number in numbers if number.replace(".", "").isdigit()} <= set(json.loads(digest(COMPLEX).parts))
