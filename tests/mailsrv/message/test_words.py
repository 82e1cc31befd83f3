"""Encoded words, charsets and transfer encodings."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsrv.message import charsets, transfer, words

WORDS = [  # RFC 2047 8, then what is really sent
    (b"=?ISO-8859-1?Q?a?=", "a"),
    (b"=?ISO-8859-1?Q?a?= b", "a b"),
    (b"=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab"),
    (b"=?ISO-8859-1?Q?a?=  \t =?ISO-8859-1?Q?b?=", "ab"),
    (b"=?ISO-8859-1?Q?a_b?=", "a b"),
    (b"=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=", "a b"),
    (b"=?US-ASCII*EN?Q?Keith_Moore?=", "Keith Moore"),
    (b"=?utf-8?b?Y2Fmw6k=?=", "café"),
    (b"=?utf-8?B?Y2Fmw6k?=", "café"),
    (b"=?utf-8?Q?caf=C3?= =?utf-8?Q?=A9?=", "café"),  # a character in two words
    (b"x =?utf-8?Q?=E2=82=AC?=y", "x €y"),
    (b"Re: =?koi8-r?B?8NLJ18XU?= end", "Re: Привет end"),
    (b"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"),
    (b"=?gb2312?B?xOO6ww==?=", "你好"),
    (b"=?x-unknown?Q?=E9?=", "é"),
    (b"=?utf-8?X?abc?=", "=?utf-8?X?abc?="),
    (b"=?utf-8?Q?open", "=?utf-8?Q?open"),
    ("naïve".encode(), "naïve"),
    ("naïve".encode("latin-1"), "naïve"),
    (b"plain", "plain"),
    (b"=?utf-8?Q??=", ""),
    (b"=?zlib_codec?Q?=78?= =?rot13?Q?n?= =?idna?Q?x?= =?unicode_escape?Q?=5Cud800?=", "xnx\\ud800"),
]


@pytest.mark.parametrize("value, wanted", WORDS)
def test_words_are_decoded(value: bytes, wanted: str) -> None:
    assert words.text(value) == wanted


CHARSETS = [
    (b"caf\xe9", "iso-8859-1", "café"),
    (b"\x93quoted\x94", "us-ascii", "“quoted”"),
    ("€".encode(), "us-ascii", "€"),
    ("grüße, cut €".encode()[:-1], "utf-8", "grüße, cut \ufffd"),
    (b"a\0b", "utf-8", "ab"),
    (b"+2AA-", "utf-7", "\ufffd"),
    (b"\xff\xfeA\0\0\xd8", "utf-16", "A\ufffd"),
    (b"x", "rot13", "x"),
    (b"\xe9", "base64", "é"),
]


@pytest.mark.parametrize("data, charset, wanted", CHARSETS)
def test_only_charsets_of_mail_decode(data: bytes, charset: str, wanted: str) -> None:
    assert charsets.text(data, charset) == wanted


@pytest.mark.parametrize("charset", sorted(charsets.CODECS))
def test_every_charset_is_a_codec_that_never_raises(charset: str) -> None:
    "x".encode(charsets.CODECS[charset])
    for data in (bytes(range(256)), b"\x1b$B\xff", b"+/v8", b"~{\xff", b"\x1b"):
        charsets.text(data, charset).encode()


@pytest.mark.parametrize(
    "data, wanted",
    [
        (b"aGVsbG8=", b"hello"),
        (b"aGVs\r\nbG8=\r\n", b"hello"),
        (b"aGVsbG8", b"hello"),
        (b"aGVsbG8=d29ybGQ=", b"helloworld"),
        (b"a!G@V#s", b"hel"),
        (b"a", b""),
        (b"====", b""),
        (b"", b""),
    ],
)
def test_base64_is_read_as_far_as_it_goes(data: bytes, wanted: bytes) -> None:
    assert transfer.decoded("base64", data) == wanted


@given(st.binary(max_size=300))
def test_base64_of_anything_comes_back(data: bytes) -> None:
    assert transfer.decoded(b"BASE64", base64.encodebytes(data)) == data


@pytest.mark.parametrize(
    "encoding, data, wanted",
    [
        ("7bit", b"a=20", b"a=20"),
        ("BINARY", b"\0", b"\0"),
        ("Quoted-Printable", b"a=20b=\r\nc=3D=zz", b"a bc==zz"),
        ("x-uuencode", b"a", None),
    ],
)
def test_other_encodings(encoding: str, data: bytes, wanted: bytes | None) -> None:
    assert transfer.decoded(encoding, data) == wanted


@given(st.binary(max_size=200), st.sampled_from(["utf-8", *charsets.CODECS]))
def test_no_bytes_make_text_that_cannot_be_stored(data: bytes, charset: str) -> None:
    for text in (
        charsets.text(data, charset),
        words.text(b"=?" + charset.encode() + b"?B?" + base64.b64encode(data) + b"?="),
        words.text(data),
    ):
        assert "\0" not in text
        text.encode()
