"""Content-Type and Content-Disposition, with RFC 2231."""

from __future__ import annotations

import pytest

from mailsrv.message import limits
from mailsrv.message.parameters import PLAIN, disposition, get, media

TYPES = [
    (b"text/plain", (b"TEXT", b"PLAIN", ())),
    (b' Text / HTML ; Charset="utf-8"', (b"TEXT", b"HTML", ((b"CHARSET", b"utf-8"),))),
    (b"text/plain; charset=us-ascii (Plain text)", (b"TEXT", b"PLAIN", ((b"CHARSET", b"us-ascii"),))),
    (
        b'multipart/mixed; boundary="a; b=\\"c\\""; x=y',
        (b"MULTIPART", b"MIXED", ((b"BOUNDARY", b'a; b="c"'), (b"X", b"y"))),
    ),
    (b"text/plain; charset", (b"TEXT", b"PLAIN", ())),
    (b"text/plain;;; =x; a=", (b"TEXT", b"PLAIN", ((b"A", b""),))),
    (b'text/plain; name="open', (b"TEXT", b"PLAIN", ((b"NAME", b"open"),))),
    # RFC 2231 3, 4, 4.1
    (
        b'message/external-body; URL*0="ftp://"; URL*1="cs.utk.edu/pub"',
        (b"MESSAGE", b"EXTERNAL-BODY", ((b"URL", b"ftp://cs.utk.edu/pub"),)),
    ),
    (
        b"application/x-stuff; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A",
        (b"APPLICATION", b"X-STUFF", ((b"TITLE*", b"us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A"),)),
    ),
    (
        b"application/x-stuff; title*0*=us-ascii'en'This%20is%20even%20more%20; title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2=\"isn't it!\"",
        (
            b"APPLICATION",
            b"X-STUFF",
            ((b"TITLE*", b"us-ascii'en'This%20is%20even%20more%20%2A%2A%2Afun%2A%2A%2A%20isn%27t%20it%21"),),
        ),
    ),
    (b"a/b; n*1=b; n*0=a; n*3=d", (b"A", b"B", ((b"N", b"ab"),))),
    (b"a/b; n*=x; n=y", (b"A", b"B", ((b"N*", b"x"), (b"N", b"y")))),
]


@pytest.mark.parametrize("value, wanted", TYPES)
def test_types_are_read(value: bytes, wanted: tuple[object, ...]) -> None:
    assert tuple(media(value)) == wanted


@pytest.mark.parametrize("value", [None, b"", b"text", b"text/", b"/plain", b";a=b", b"\xff/\xff"])
def test_what_is_no_type_is_the_default(value: bytes | None) -> None:
    assert media(value) is PLAIN


@pytest.mark.parametrize(
    "value, wanted",
    [
        (b'attachment; filename="a b.txt"', (b"ATTACHMENT", b"a b.txt")),
        (b"inline", (b"INLINE", b"")),
        (b"attachment; filename*=utf-8''%e2%82%ac%20rates", (b"ATTACHMENT", "€ rates".encode())),
    ],
)
def test_dispositions_are_read(value: bytes, wanted: tuple[bytes, bytes]) -> None:
    found = disposition(value)
    assert found is not None
    assert (found[0], get(found[1], b"FILENAME")) == wanted


def test_the_limit_counts_pieces() -> None:
    """The shape of CVE-2026-27859."""
    assert len(media(b"a/b" + b";x=y" * (limits.PARAMETERS + 1)).parameters) == limits.PARAMETERS
    value = b"text/plain" + b"".join(b"; a*%d*=%%41" % i for i in range(20_000))
    assert media(value).parameters == ((b"A*", b"%41" * limits.PARAMETERS),)
