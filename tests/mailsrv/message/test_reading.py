"""What a message says: text for the index, its beginning for PREVIEW."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsrv.message import limits
from mailsrv.message.reading import read, shortened, stripped
from mailsrv.message.scan import scan
from tests.mailsrv.message.messages import COMPLEX, crlf

HTML = [
    ("<p>Hello <b>wor</b>ld</p><p>again</p>", "Hello world again"),
    ("<html><head><title>t</title><style>p {color: red}</style></head><body>x</body></html>", "x"),
    ("a<script>if (1 < 2) alert('x')</script>b", "a b"),
    ("a<!-- <p>no</p> -->b", "a b"),
    ("a &amp; b &lt;c&gt; &#8364;", "a & b <c> €"),
    ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
    ("a<br>b<br/>c", "a b c"),
    ("<header>h</header>", "h"),
    ('<a href="x>y">link</a>', 'y">link'),
    ("a<style>never closed", "a"),
    ("a<!-- never closed", "a"),
    ("a<p never closed", "a"),
    ("&#" + "9" * 5000 + ";x", "x"),  # int() refuses more than 4300 digits
    ("&#xd800;&#0;", "\ufffd \ufffd".replace(" ", "")),
    ("&nbsp;a&nbsp;b", "a b"),
]


@pytest.mark.parametrize("source, wanted", HTML)
def test_html_is_stripped(source: str, wanted: str) -> None:
    assert stripped(source) == wanted


@pytest.mark.parametrize("unit", ["<style", "<!--", "<script>", "<", "<a", "</", "&#", "&", "<b ", "<style></styl"])
def test_no_html_is_read_twice(unit: str) -> None:
    stripped(unit * (limits.SOURCE // len(unit)))


MESSAGES = [  # message, text, preview
    ("\nHello\nworld\n", "Hello\r\nworld\r\n", "Hello world"),
    ("Content-Type: text/html\n\n<p>Hi &amp; bye</p>", "Hi & bye", "Hi & bye"),
    ("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\nZ3LDvG4=\n", "grün", "grün"),
    (
        "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\ngr=FCn",
        "grün",
        "grün",
    ),
    ("Content-Transfer-Encoding: x-unknown\n\nas it is", "as it is", "as it is"),
    ("\n> quoted\nanswer\n-- \nsignature", "> quoted\r\nanswer\r\n-- \r\nsignature", "answer"),
    ("\n> only\n> quoted\n", "> only\r\n> quoted\r\n", "> only > quoted"),
    ("Content-Type: text/plain; format=flowed\n\none \ntwo", "one two", "one two"),
    ("Content-Type: application/pdf\n\nhello", "", ""),
    ("Content-Type: text/plain\nContent-Disposition: attachment\n\nlog", "log", ""),
    (
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nfirst\n--b\nContent-Type: image/png; name=\"=?utf-8?Q?=C3=BC?=.png\"\n\nx\n--b\nContent-Type: a/b\nContent-Disposition: attachment; filename*=utf-8''%e2%82%ac.pdf\n\n--b--",
        "first\nü.png\n€.pdf",
        "first",
    ),
    (
        "Content-Type: multipart/alternative; boundary=b\n\n--b\n\n \n--b\nContent-Type: text/html\n\n<b>rich</b>\n--b--",
        " \nrich",
        "rich",
    ),
]


@pytest.mark.parametrize("content, text, preview", MESSAGES)
def test_messages_are_read(content: str, text: str, preview: str) -> None:
    assert read(scan(crlf(content))) == (text, preview)


def test_parts_of_messages_inside_are_read_too() -> None:
    text, preview = read(scan(COMPLEX))
    assert text.split("\n") == ["one", "three one", "four two one", "four two two one", "four two two two"]
    assert preview == "one"


def test_a_preview_shows_no_control_and_no_filler() -> None:
    assert shortened("a\x07b\u200c\u034f \u00ad c\x1b[0m") == "a b c [0m"
    assert len(shortened("word " * 1000)) <= limits.PREVIEW


@pytest.mark.parametrize("kind", ["plain", "html"])
@pytest.mark.parametrize("letter", ["x ", "ü ", "€ ", "<p>y"])
def test_text_is_limited(kind: str, letter: str) -> None:
    head = f"Content-Type: text/{kind}; charset=utf-8\r\n\r\n".encode()
    text, _ = read(scan(head + letter.encode() * 2_000_000))
    assert limits.TEXT // 4 < len(text) <= limits.TEXT


@given(st.text(alphabet="<>!-/&#;x0 \nbstyle=\"'", max_size=80))
def test_any_html_gives_text(source: str) -> None:
    stripped(source).encode()


@given(st.text("ab \n\u00e9\u200b\x01", max_size=4 * limits.PREVIEW))
def test_a_preview_is_the_beginning_of_all_words(text: str) -> None:
    """However many blanks stand among the first ones."""
    every = " ".join(text.replace("\u200b", "").split())[: limits.PREVIEW]
    assert shortened(text) == every.replace("\x01", " ").rstrip()
