"""The answer of an echo address."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from mailsrv.auth.verdicts import Authentication, Dkim, Dmarc, Iprev, Result, Spf, Wish
from mailsrv.echo.reply import HEADER, Seen, answer
from mailsrv.echo.rules import why_not
from mailsrv.message.header import header
from mailsrv.smtp.door import Client, Tls

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CONTENT = (
    b"Received: from mx.remote.example (mx.remote.example [192.0.2.9])\r\n\tby mx1.ours.example with ESMTPS id q1;\r\n"
    b"\tThu, 1 Jan 2026 12:00:00 +0000\r\nFrom: Bob <bob@remote.example>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
    b"Message-ID: <3@remote.example>\r\nReferences: <1@a> <2@b>\r\nX-Odd: \x1b[31m\xff\r\n\r\nHello\r\n"
)
KNOWN = Authentication(
    Iprev(Result.PASS, "mx.remote.example"),
    Spf(Result.NONE, "mx.remote.example", helo=True),
    Spf(Result.PASS, "remote.example", "bob@remote.example"),
    (Dkim(Result.FAIL, "remote.example", "s1", algorithm="rsa-sha256", bits=2048, why="the body was changed"),),
    dmarc=Dmarc(Result.PASS, "remote.example", "remote.example", "remote.example", Wish.REJECT, by_spf=True),
)
SEEN = Seen(
    "echo@ours.example",
    "mx1.ours.example",
    "bob@remote.example",
    Client("192.0.2.9", helo="mx.remote.example", tls=Tls("TLSv1.3", "TLS_AES_256_GCM_SHA384")),
    CONTENT,
    NOON,
    "t0k3n",
    KNOWN,
)


def test_it_tells_what_we_saw() -> None:
    sent = email.message_from_bytes(answer(SEEN), policy=email.policy.default)
    assert sent["From"] == "Echo <echo@ours.example>"
    assert sent["To"] == "bob@remote.example"
    assert sent["Subject"] == "Auto: Grüße"
    assert sent["Auto-Submitted"] == "auto-replied"  # RFC 3834 5
    assert sent["In-Reply-To"] == "<3@remote.example>"
    assert sent["References"] == "<1@a> <2@b> <3@remote.example>"
    assert sent["Message-ID"] == "<t0k3n@mx1.ours.example>"
    text = sent.get_content()
    assert text.splitlines()[3:14] == [
        "  From    <bob@remote.example> (envelope)",
        "  Client  192.0.2.9 called itself mx.remote.example",
        "  Name    mx.remote.example: pass",
        "  TLS     TLSv1.3 with TLS_AES_256_GCM_SHA384",
        "  DANE    whether your server checked our certificate by DANE (or MTA-STS) cannot be seen from here",
        "  SPF     pass for remote.example",
        "  DKIM    fail for remote.example (selector s1, rsa-sha256, 2048 bits): the body was changed",
        "  DMARC   pass for remote.example, the policy at remote.example is reject",
        "",
        "The header as it arrived:",
        "",
    ]
    assert "> Received: from mx.remote.example (mx.remote.example [192.0.2.9])" in text
    assert "> X-Odd: ?[31m?" in text
    assert "Hello" not in text


def test_a_bare_mail_over_a_bare_line_is_told_so() -> None:
    bare = replace(
        SEEN, client=Client("192.0.2.9"), content=b"hello\r\n", authentication=Authentication(), dane="your MX has TLSA"
    )
    sent = email.message_from_bytes(answer(bare), policy=email.policy.default)
    text = sent.get_content()
    for line in (
        "  Client  192.0.2.9 called itself (nothing)",
        "  TLS     none: the mail came in the clear",
        "  DANE    your MX has TLSA",
        "  SPF     none for no domain",
        "  DKIM    none: the mail bears no signature",
        "  DMARC   none for no domain",
    ):
        assert line in text
    assert sent["Subject"] == "Auto: your mail"
    assert "References" not in sent


def test_an_answer_is_never_answered() -> None:
    """S-BAK-05: two echo addresses that meet."""
    head = header(answer(replace(SEEN, sender="echo2@ours.example")))
    assert why_not(head, "echo@ours.example", (), KNOWN)
    assert why_not(head, "anyone@remote.example", (), KNOWN).startswith("a machine sent it")


def test_a_large_header_is_cut() -> None:
    huge = b"".join(b"X-%d: %b\r\n" % (n, b"y" * 2000) for n in range(100))
    sent = answer(replace(SEEN, content=huge + b"\r\n"))
    assert len(sent) < HEADER + 4096
    assert b"> (and more)" in sent


@given(st.binary(max_size=600), st.text(max_size=80))
def test_nothing_that_comes_in_can_add_a_field_or_a_byte_that_does_not_travel(noise: bytes, word: str) -> None:
    known = Authentication(mail=Spf(Result.FAIL, word, why=word), dkim=(Dkim(Result.FAIL, word, word, why=word),) * 20)
    content = b"Subject: " + noise + b"\r\nMessage-ID: <" + noise + b"@a>\r\nReferences: <" + noise + b"@b>\r\n\r\n"
    sent = answer(replace(SEEN, content=content, client=Client(word, helo=word), authentication=known, dane=word))
    assert sent.isascii()
    assert all(len(line) <= 998 for line in sent.split(b"\r\n"))
    assert b"\r" not in sent.replace(b"\r\n", b"")
    assert b"\n" not in sent.replace(b"\r\n", b"")
    names = set(header(sent).fields)
    assert names <= {
        b"from", b"to", b"subject", b"auto-submitted", b"in-reply-to", b"references", b"date", b"message-id", b"mime-version",
        b"content-type", b"content-transfer-encoding",
    }  # fmt: skip
