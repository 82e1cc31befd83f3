"""Twenty messages made to hurt whoever reads them: name -> octets with CRLF, no line longer than SMTP allows."""

from __future__ import annotations

import base64
from collections.abc import Callable

HEAD = b"From: a@evil.test\r\nTo: alice@mail.test\r\nSubject: hostile\r\n"


def under(header: bytes, body: bytes = b"x\r\n") -> bytes:
    return HEAD + header + b"\r\n" + body


def folded(name: bytes, word: bytes, count: int, between: bytes = b"") -> bytes:
    """A field of many words, folded so that every line is short."""
    each = max(1, 900 // (len(word) + len(between)))
    full, rest = divmod(count, each)
    lines = [between.join([word] * each)] * full + ([between.join([word] * rest)] if rest else [])
    return name + b": " + (between + b"\r\n ").join(lines) + b"\r\n"


def nested(depth: int, kind: bytes = b"mixed") -> bytes:
    opened = b"".join(b"Content-Type: multipart/%b; boundary=b%d\r\n\r\n--b%d\r\n" % (kind, n, n) for n in range(depth))
    return HEAD + b"MIME-Version: 1.0\r\n" + opened + b"\r\nend\r\n"


def enclosed(depth: int) -> bytes:
    return HEAD + b"Content-Type: message/rfc822\r\n\r\n" * depth + b"Subject: inmost\r\n\r\nend\r\n"


def flat(parts: int) -> bytes:
    part = b"--b\r\nContent-Type: text/plain; name=a\r\nContent-Disposition: attachment\r\n\r\nx\r\n"
    return HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + part * parts + b"--b--\r\n"


def boundaries(count: int) -> bytes:
    """Lines that are nearly a boundary."""
    return (
        HEAD
        + b"Content-Type: multipart/mixed; boundary="
        + b"b" * 70
        + b"\r\n\r\n"
        + (b"--" + b"b" * 69 + b"\r\n") * count
    )


def encoded(kind: bytes, body: bytes) -> bytes:
    return under(b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: " + kind + b"\r\n", body)


def html(body: bytes) -> bytes:
    return under(b"Content-Type: text/html; charset=utf-8\r\n", body)


def lines(text: bytes, count: int) -> bytes:
    return (text + b"\r\n") * count


MESSAGES: dict[str, Callable[[], bytes]] = {
    "multiparts in multiparts": lambda: nested(8000),
    "alternatives in alternatives": lambda: nested(8000, b"alternative"),
    "messages in messages": lambda: enclosed(20_000),
    "forty thousand parts": lambda: flat(40_000),
    "nearly boundaries": lambda: boundaries(60_000),
    "a hundred thousand fields": lambda: under(b"X-A: b\r\n" * 100_000),
    "one field of 5 MB": lambda: under(folded(b"X-Big", b"h" * 200, 25_000)),
    "a field name of a line, again and again": lambda: under((b"N" * 900 + b": v\r\n") * 3000),
    "recipients without end": lambda: under(folded(b"Cc", b"u@b.test", 80_000, b", ")),
    "comments that never close": lambda: under(folded(b"Cc", b"(", 100_000)),
    "groups in groups": lambda: under(folded(b"Cc", b"g:", 40_000)),
    "quotes and backslashes": lambda: under(folded(b"Cc", b'"\\', 100_000)),
    "encoded words": lambda: under(folded(b"Subject", b"=?utf-8?B?" + base64.b64encode(b"word") + b"?=", 30_000, b" ")),
    "encoded words that never close": lambda: under(folded(b"Subject", b"=?utf-8?q?", 50_000)),
    "references without end": lambda: under(folded(b"References", b"<a.b.c@d.test>", 60_000, b" ")),
    "parameters in pieces": lambda: under(
        b"Content-Type: text/plain;\r\n" + b";\r\n".join(b" name*%d*=%%41" % n for n in range(30_000)) + b"\r\n"
    ),
    "base64 of nothing but line ends": lambda: encoded(b"base64", b"=\r\n" * 500_000),
    "quoted-printable of soft ends": lambda: encoded(b"quoted-printable", b"a=\r\n" * 500_000),
    "tags that never close": lambda: html(lines(b"<a " * 300, 1500) + lines(b"<!--" * 200, 1500)),
    "references of HTML": lambda: html(lines(b"&#" * 400, 1500) + lines(b"&" * 900, 1500)),
}
