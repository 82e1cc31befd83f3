"""Part numbers, their offsets, and BODY and BODYSTRUCTURE as the RFC writes them."""

from __future__ import annotations

import pytest

from mailsrv.message import limits, structure
from mailsrv.message.scan import scan
from mailsrv.message.structure import encoding, parts, section, structures
from tests.mailsrv.message import imaptext
from tests.mailsrv.message.messages import COMPLEX, SECTIONS, crlf


def body(content: bytes) -> bytes:
    return structures(scan(content))[0]


def bodystructure(content: bytes) -> bytes:
    return structures(scan(content))[1]


def read(content: bytes, spec: str) -> bytes | None:
    span = section(parts(scan(content)), spec)
    return None if span is None else content[span[0] : span[0] + span[1]]


@pytest.mark.parametrize("spec, wanted", SECTIONS.items())
def test_every_section_is_answered_from_offsets(spec: str, wanted: bytes | None) -> None:
    assert read(COMPLEX, spec) == wanted


def test_line_ends_may_be_bare() -> None:
    bare = COMPLEX.replace(b"\r\n", b"\n")
    for spec, wanted in SECTIONS.items():
        assert read(bare, spec) == (None if wanted is None else wanted.replace(b"\r\n", b"\n")), spec


@pytest.mark.parametrize(
    "content, found",
    [
        (b"A: b\r\n\r\nbody", {"1": b"body", "1.MIME": b"A: b\r\n\r\n", "TEXT": b"body", "1.1": None}),
        (
            b"Content-Type: message/rfc822\r\n\r\nA: b\r\n\r\nbody",
            {
                "1": b"A: b\r\n\r\nbody",
                "1.HEADER": b"A: b\r\n\r\n",
                "1.TEXT": b"body",
                "1.1": b"body",
                "1.1.MIME": b"A: b\r\n\r\n",
            },
        ),
        (
            b"Content-Type: message/rfc822\r\n\r\nContent-Type: message/rfc822\r\n\r\nA: b\r\n\r\nbody",
            {"1.1.HEADER": b"A: b\r\n\r\n", "1.1.1": b"body"},
        ),
        (b"", {"": b"", "1": b"", "HEADER": b"", "TEXT": b""}),
    ],
)
def test_a_message_without_parts_is_part_1(content: bytes, found: dict[str, bytes | None]) -> None:
    for spec, wanted in found.items():
        assert read(content, spec) == wanted, spec


def test_encodings_are_told_for_binary() -> None:
    table = parts(scan(COMPLEX))
    assert [encoding(table, number) for number in ("1", "2", "3", "9")] == ["7bit", "base64", "7bit", None]


# RFC 9051 7.5.2 and 8
WASHINGTON = (
    crlf("""\
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: text/plain; charset=us-ascii

""")
    + b"a" * 1106
    + b"\r\n" * 23
    + crlf("""
--x
Content-Type: TEXT/PLAIN; CHARSET=US-ASCII; NAME="cc.diff"
Content-ID: <960723163407.20117h@cac.washington.edu>
Content-Description: Compiler diff
Content-Transfer-Encoding: base64

""")
    + b"a" * 4408
    + b"\r\n" * 73
    + b"\r\n--x--\r\n"
)


def test_the_example_of_the_rfc() -> None:
    assert body(WASHINGTON) == (
        b'(("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" 1152 23)'
        b'("TEXT" "PLAIN" ("CHARSET" "US-ASCII" "NAME" "cc.diff") "<960723163407.20117h@cac.washington.edu>" "Compiler diff" "BASE64" 4554 73) "MIXED")'
    )


HEAD = b"From: a@b.test\r\n"
ENVELOPE = b'(NIL NIL ((NIL NIL "a" "b.test")) ((NIL NIL "a" "b.test")) ((NIL NIL "a" "b.test")) NIL NIL NIL NIL NIL)'
STRUCTURES = [  # message, BODYSTRUCTURE
    (b"\r\n", b'("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 0 0 NIL NIL NIL NIL)'),
    (
        (
            b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: Quoted-Printable\r\nContent-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\r\n"
            b'Content-Disposition: inline; filename="a\\"b"\r\nContent-Language: de, en-GB\r\nContent-Location: http://x/y\r\n\r\na\r\nb\r\n'
        ),
        b'("TEXT" "HTML" ("CHARSET" "utf-8") NIL NIL "QUOTED-PRINTABLE" 6 2 "Q2hlY2sgSW50ZWdyaXR5IQ==" ("INLINE" ("FILENAME" "a\\"b")) ("de" "en-GB") "http://x/y")',
    ),
    (
        b"Content-Type: text/plain; format=flowed\r\n\r\n",
        b'("TEXT" "PLAIN" ("CHARSET" "US-ASCII" "FORMAT" "flowed") NIL NIL "7BIT" 0 0 NIL NIL NIL NIL)',
    ),
    (
        b"Content-Type: image/png\r\nContent-Language: fr\r\n\r\nxyz",
        b'("IMAGE" "PNG" NIL NIL NIL "7BIT" 3 NIL NIL "fr" NIL)',
    ),
    (
        'Content-Type: image/png; name="ü"\r\nContent-Description: ü\r\n\r\n'.encode(),
        b'("IMAGE" "PNG" ("NAME" {2}\r\n\xc3\xbc) NIL {2}\r\n\xc3\xbc "7BIT" 0 NIL NIL NIL NIL)',
    ),
    (
        b"Content-Type: message/rfc822\r\n\r\n" + HEAD + b"\r\nx\r\ny\r\n",
        b'("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 24 '
        + ENVELOPE
        + b' ("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 6 2 NIL NIL NIL NIL) 4 NIL NIL NIL NIL)',
    ),
    (
        b"Content-Type: message/delivery-status\r\n\r\nx",
        b'("MESSAGE" "DELIVERY-STATUS" NIL NIL NIL "7BIT" 1 NIL NIL NIL NIL)',
    ),
    (
        b"Content-Type: multipart/digest; boundary=b\r\nContent-Disposition: inline\r\n\r\n--b\r\n\r\n"
        + HEAD
        + b"\r\nx\r\n--b--\r\n",
        b'(("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 19 '
        + ENVELOPE
        + b' ("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 1 0 NIL NIL NIL NIL) 2 NIL NIL NIL NIL)'
        b' "DIGEST" ("BOUNDARY" "b") ("INLINE" NIL) NIL NIL)',
    ),
    (  # no boundary, or none that comes: what is there can be read as text
        b"Content-Type: multipart/mixed\r\n\r\nhello\r\n",
        b'(("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 7 1 NIL NIL NIL NIL) "MIXED" NIL NIL NIL NIL)',
    ),
    (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--bb\r\n\r\nx\r\n",
        b'(("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 11 3 NIL NIL NIL NIL) "MIXED" ("BOUNDARY" "b") NIL NIL NIL)',
    ),
]


@pytest.mark.parametrize("content, wanted", STRUCTURES)
def test_body_structures_are_written(content: bytes, wanted: bytes) -> None:
    assert bodystructure(content) == wanted
    imaptext.check_body(imaptext.read(wanted), extended=True)
    imaptext.check_body(imaptext.read(body(content)), extended=False)


def multipart(*parts: bytes, boundary: bytes = b"b", end: bytes = b"--b--") -> bytes:
    return (
        b"Content-Type: multipart/mixed; boundary="
        + boundary
        + b"\r\n\r\n"
        + b"".join(b"--b\r\n" + part for part in parts)
        + end
    )


BROKEN = [  # message, bodies of its parts 1, 2, ...
    (multipart(b"\r\none\r\n", b"\r\ntwo\r\n"), [b"one", b"two"]),
    (multipart(b"\r\none\r\n", b"\r\ntwo", end=b""), [b"one", b"two"]),  # cut off
    (multipart(b"\r\none\r\n", b"", end=b""), [b"one", b""]),
    (multipart(b"", b"", b""), [b"", b"", b""]),  # delimiters side by side
    (multipart(b"\r\none\r\n", end=b"--b-- \t\r\nepilogue\r\n--b\r\n\r\nnever\r\n"), [b"one"]),
    (multipart(b"no field\r\nmore\r\n"), [b"no field\r\nmore"]),  # a part without a header and its blank line
    (multipart(b"A: b\r\n"), [b""]),
    (multipart(b"\r\n--bx\r\n --b\r\n--b-\r\n"), [b"--bx\r\n --b\r\n--b-"]),
    (multipart(b"\r\none\n", b"\ntwo\n"), [b"one", b"two"]),
    (multipart(b"\r\none\r\n", boundary=b'"b  "'), [b"one"]),
    (
        multipart(b"Content-Type: multipart/mixed; boundary=b\r\n\r\nx\r\n", b"\r\ntwo\r\n"),
        [b"x", b"two"],
    ),  # the same inside
    (
        b'Content-Type: multipart/mixed; boundary="'
        + b"l" * limits.BOUNDARY
        + b'"\r\n\r\n--'
        + b"l" * limits.BOUNDARY
        + b"\r\n\r\none",
        [b"one"],
    ),
    (
        b'Content-Type: multipart/mixed; boundary="' + b"l" * 257 + b'"\r\n\r\n--' + b"l" * 257 + b"\r\n\r\none",
        [b"--" + b"l" * 257 + b"\r\n\r\none"],
    ),
]


@pytest.mark.parametrize("content, bodies", BROKEN)
def test_broken_multiparts_keep_what_can_be_read(content: bytes, bodies: list[bytes]) -> None:
    assert [read(content, str(number)) for number in range(1, len(bodies) + 2)] == [*bodies, None]


def nested(depth: int) -> bytes:
    levels = [b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(depth)]
    return b"".join(levels) + b"\r\ntext\r\n"


@pytest.mark.parametrize("depth, opaque", [(limits.DEPTH - 1, False), (limits.DEPTH, False), (limits.DEPTH + 1, True)])
def test_depth_is_limited(depth: int, opaque: bool) -> None:
    shown = bodystructure(nested(depth))
    assert (b'"OCTET-STREAM"' in shown) is opaque
    assert shown.count(b'"MIXED"') == min(depth, limits.DEPTH)
    imaptext.check_body(imaptext.read(shown), extended=True)


def test_much_work_ends_before_much_depth() -> None:
    shown = bodystructure(nested(5000))
    assert 1 < shown.count(b'"MIXED"') < limits.DEPTH
    assert shown.count(b'"OCTET-STREAM"') == 1


def test_messages_inside_messages_are_limited_too() -> None:
    shown = bodystructure(b"Content-Type: message/rfc822\r\n\r\n" * (limits.DEPTH + 10))
    assert shown.count(b'"RFC822"') == limits.DEPTH
    assert shown.count(b'"OCTET-STREAM"') == 1


@pytest.mark.parametrize("count", [limits.PARTS - 1, limits.PARTS, limits.PARTS + 1, 5000])
def test_the_number_of_parts_is_limited(count: int) -> None:
    """The multipart itself is a part; the last one allowed holds the rest."""
    content = multipart(*[b"\r\nx\r\n"] * count)
    shown = scan(content)
    assert len(shown.children) == min(count, limits.PARTS - 1)
    assert shown.children[-1].end == (len(content) - 7 if count < limits.PARTS else len(content))


def test_lines_that_might_be_a_boundary_cost_from_a_budget() -> None:
    """Fifty levels, each with its own boundary, and a body whose every line begins like all of them."""
    levels = [
        b"Content-Type: multipart/mixed; boundary=%b\r\n\r\n--%b\r\n" % (b"b" * n, b"b" * n) for n in range(1, 50)
    ]
    content = b"".join(levels) + b"\r\n" + (b"--" + b"b" * 60 + b"x\r\n") * 50_000
    imaptext.check_body(imaptext.read(bodystructure(content)), extended=True)


def test_the_table_is_json_whatever_the_encoding_is_called() -> None:
    content = b'Content-Transfer-Encoding: "\\x"\r\n\r\n'
    assert structure.encoding(parts(scan(content)), "1") == "x"
