"""Messages the tests of this room share: RFC 9051's example of part numbers, and the parts its tables speak of."""

from __future__ import annotations


def crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


# RFC 9051 6.4.5's table: part numbers of a complex message
COMPLEX = crlf("""\
From: Terry Gray <gray@cac.washington.edu>
Subject: complex
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=outer

preamble
--outer
Content-Type: text/plain

one
--outer
Content-Type: application/octet-stream
Content-Transfer-Encoding: base64

dHdv
--outer
Content-Type: message/rfc822

Subject: three
Content-Type: multipart/mixed; boundary="three"

--three
Content-Type: text/plain; charset=utf-8

three one
--three
Content-Type: application/octet-stream

three two
--three--
--outer
Content-Type: multipart/mixed; boundary=four

--four
Content-Type: image/gif
Content-ID: <gif@x>

four one
--four
Content-Type: message/rfc822

Subject: four two
Content-Type: multipart/mixed; boundary=inner

--inner
Content-Type: text/plain

four two one
--inner
Content-Type: multipart/alternative; boundary=alternative

--alternative

four two two one
--alternative
Content-Type: text/richtext

four two two two
--alternative--
--inner--
--four--
--outer--
epilogue
""")

# section -> what it holds; None: no such section
SECTIONS: dict[str, bytes | None] = {
    "": COMPLEX,
    "HEADER": COMPLEX[: COMPLEX.index(b"preamble")],
    "HEADER.FIELDS": COMPLEX[: COMPLEX.index(b"preamble")],
    "TEXT": COMPLEX[COMPLEX.index(b"preamble") :],
    "1": b"one",
    "1.MIME": b"Content-Type: text/plain\r\n\r\n",
    "2": b"dHdv",
    "3.HEADER": b'Subject: three\r\nContent-Type: multipart/mixed; boundary="three"\r\n\r\n',
    "3.TEXT": COMPLEX[COMPLEX.index(b"--three\r\n") : COMPLEX.index(b"--three--") + 9],
    "3.1": b"three one",
    "3.1.mime": b"Content-Type: text/plain; charset=utf-8\r\n\r\n",
    "3.2": b"three two",
    "3.HEADER.FIELDS.NOT": b'Subject: three\r\nContent-Type: multipart/mixed; boundary="three"\r\n\r\n',
    "4.1": b"four one",
    "4.1.MIME": b"Content-Type: image/gif\r\nContent-ID: <gif@x>\r\n\r\n",
    "4.2.HEADER": b"Subject: four two\r\nContent-Type: multipart/mixed; boundary=inner\r\n\r\n",
    "4.2.1": b"four two one",
    "4.2.2.1": b"four two two one",
    "4.2.2.1.MIME": b"\r\n",
    "4.2.2.2": b"four two two two",
    "5": None,
    "1.1": None,
    "1.HEADER": None,
    "1.TEXT": None,
    "4.HEADER": None,
    "MIME": None,
    "0": None,
    "1.": None,
    "1.2.": None,
    "01": None,
    "x": None,
    "1..2": None,
    ".1": None,
    "1.HEADERS": None,
    "1" * 40: None,
}
