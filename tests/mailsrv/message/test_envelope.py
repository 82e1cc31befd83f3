"""ENVELOPE as the RFC writes it, and strings that any bytes become."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsrv.message.envelope import envelope
from mailsrv.message.header import header
from mailsrv.message.imaptext import nstring, string
from tests.mailsrv.message import imaptext
from tests.mailsrv.message.messages import crlf

# RFC 9051 8
MINUTES = crlf("""\
Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)
From: Terry Gray <gray@cac.washington.edu>
Subject: IMAP4rev1 WG mtg summary and minutes
To: imap@cac.washington.edu
cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>
Message-Id: <B27397-0100000@cac.washington.edu>
MIME-Version: 1.0
Content-Type: TEXT/PLAIN; CHARSET=US-ASCII

""")
GRAY = b'(("Terry Gray" NIL "gray" "cac.washington.edu"))'

VECTORS = [
    (
        MINUTES,
        b'("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev1 WG mtg summary and minutes" '
        + GRAY
        + b" "
        + GRAY
        + b" "
        + GRAY
        + b' ((NIL NIL "imap" "cac.washington.edu"))'
        b' ((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) NIL NIL "<B27397-0100000@cac.washington.edu>")',
    ),
    (b"", b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"),
    (
        b"Date:\r\nSubject: \r\nFrom:\r\nSender:\r\nTo: \r\nMessage-ID:\r\n\r\n",
        b'("" "" NIL NIL NIL NIL NIL NIL NIL "")',
    ),
    (
        b"From: a@b.test\r\nSender: ,\r\nReply-To: c@d.test\r\nTo: x:;\r\nTo: e@f.test\r\nBcc: g\r\n",
        b'(NIL NIL ((NIL NIL "a" "b.test")) ((NIL NIL "a" "b.test")) ((NIL NIL "c" "d.test")) ((NIL NIL "x" NIL)(NIL NIL NIL NIL)(NIL NIL "e" "f.test")) NIL ((NIL NIL "g" "")) NIL NIL)',
    ),
    (
        b'Subject: a "b" \\c\r\nFrom: "D \\"E\\" \\\\" <a@b.test>\r\nIn-Reply-To: <x@y>\r\n <z@y>\r\n',
        b'(NIL "a \\"b\\" \\\\c" (("D \\"E\\" \\\\" NIL "a" "b.test")) (("D \\"E\\" \\\\" NIL "a" "b.test")) (("D \\"E\\" \\\\" NIL "a" "b.test")) NIL NIL NIL "<x@y> <z@y>" NIL)',
    ),
    (
        "Subject: grün\r\nTo: Jörg <j@x.test>\r\n".encode(),
        '(NIL {5}\r\ngrün NIL NIL NIL (({5}\r\nJörg NIL "j" "x.test")) NIL NIL NIL NIL)'.encode(),
    ),
    (b"Subject: a\0b\rc\r\n", b"(NIL {4}\r\nab\rc NIL NIL NIL NIL NIL NIL NIL NIL)"),
]


@pytest.mark.parametrize("content, wanted", VECTORS)
def test_envelopes_are_written(content: bytes, wanted: bytes) -> None:
    assert envelope(header(content)) == wanted
    imaptext.check_envelope(imaptext.read(wanted))


@given(st.binary(max_size=80))
def test_any_bytes_are_a_string_that_reads_back(value: bytes) -> None:
    assert imaptext.read(string(value)) == value.replace(b"\0", b"")
    assert imaptext.read(nstring(None)) is None
