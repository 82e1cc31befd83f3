"""Messages of our own: fields that stay within their line, encoded words, dates, Message-IDs, a body that travels anywhere. Pure.

Standards: RFC 5322 2.1.1 and 3.6, RFC 2047 2 (an encoded word has at most 75 characters), RFC 2045 6.7, RFC 3834 5.
Nothing handed in can begin a field of its own: control characters become blanks. `now` and what is random come in.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from mailsrv.message import dates

Fields = Iterable[tuple[str, str]]

_WIDTH = 76
_LONGEST_LINE = 998
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*\Z")
_PIECE = 45  # bytes of text in one encoded word: 60 letters of base64 and its frame
_LINE_END = re.compile(r"\r\n|\r|\n")


def field(name: str, value: str) -> bytes:
    """A field of text, folded before its words; long words stay whole (up to a line's limit)."""
    lines, line = [], f"{name}:"
    for word in one_line(value).split():
        if len(line) + len(word) >= _WIDTH and line != f"{name}:":
            lines.append(line)
            line = ""
        line += " " + word[: _LONGEST_LINE - _WIDTH]
    return "\r\n".join([*lines, line]).encode("utf-8", "replace") + b"\r\n"


def folded(value: str) -> bytes:
    """Lines that go on with a field whose earlier lines stand already; without the last line's end."""
    return field("", value)[1:-2]


def one_line(text: str) -> str:
    """Without anything that could end a line."""
    if text.isprintable():  # nearly all is
        return text
    return "".join(c if c.isprintable() else " " for c in text)


def words(text: str) -> str:
    """Unstructured text in ASCII: as it is, or as encoded words (RFC 2047)."""
    text = one_line(text)
    if text.isascii() and "=?" not in text:
        return text
    return " ".join(f"=?utf-8?B?{binascii.b2a_base64(piece, newline=False).decode()}?=" for piece in _pieces(text))


def _pieces(text: str) -> list[bytes]:
    """Bytes of at most `_PIECE`, never through a character."""
    pieces, piece = [], b""
    for char in text:
        code = char.encode("utf-8", "replace")
        if len(piece) + len(code) > _PIECE:
            pieces.append(piece)
            piece = b""
        piece += code
    return [*pieces, piece]


def mailbox(name: str, address: str) -> str:
    """A name and its address for From and To."""
    if not name:
        return f"<{one_line(address)}>" if address.startswith('"') else one_line(address)
    if not name.isascii():
        shown = words(name)
    elif _ATOMS.match(name):
        shown = name
    else:
        shown = '"' + one_line(name).replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{shown} <{one_line(address)}>"


def message_id(token: str, host: str) -> str:
    """A Message-ID from something that never comes twice."""
    return f"<{re.sub(r'[^A-Za-z0-9.-]', '', token)}@{re.sub(r'[^A-Za-z0-9.-]', '', host) or 'localhost'}>"


def lines(text: str) -> bytes:
    """Text as UTF-8 with CRLF line ends, the last line ended too."""
    whole = _LINE_END.sub("\r\n", text)
    return (whole if not whole or whole.endswith("\r\n") else whole + "\r\n").encode("utf-8", "replace")


def text_part(text: str) -> bytes:
    """A text/plain part, header and body: as it is when that travels anywhere, else quoted-printable."""
    body = lines(text)
    plain = body.isascii() and all(len(line) <= _LONGEST_LINE for line in body.split(b"\r\n"))
    encoding = "7bit" if plain else "quoted-printable"
    charset = "us-ascii" if plain else "utf-8"
    head = field("Content-Type", f"text/plain; charset={charset}") + field("Content-Transfer-Encoding", encoding)
    return head + b"\r\n" + (body if plain else binascii.b2a_qp(body, istext=True))


def multipart(content_type: str, boundary: str, parts: Sequence[bytes]) -> bytes:
    """A multipart, header and body; the parts are given with their headers."""
    delimiter = b"--" + boundary.encode()
    body = b"".join(delimiter + b"\r\n" + part + b"\r\n" for part in parts)
    head = field("Content-Type", f'{content_type}; boundary="{boundary}"')
    return head + b"\r\n" + body + delimiter + b"--\r\n"


def boundary(token: str, parts: Iterable[bytes]) -> str:
    """A boundary that no part contains."""
    stem = "=_" + re.sub(r"[^A-Za-z0-9]", "", token)[:40]
    whole = list(parts)
    number = 0
    while any(f"--{stem}.{number}".encode() in part for part in whole):
        number += 1
    return f"{stem}.{number}"


def message(fields: Fields, now: datetime, identifier: str, entity: bytes) -> bytes:
    """A whole message: these fields (their text encoded already), Date, Message-ID, and an entity with its own header."""
    head = b"".join(field(name, value) for name, value in fields)
    standing = field("Date", dates.written(now)) + field("Message-ID", identifier) + field("MIME-Version", "1.0")
    return head + standing + entity
