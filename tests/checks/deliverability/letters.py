"""Messages to be scored: a good one, and what is done to it."""

from __future__ import annotations

from datetime import UTC, datetime

from checks.deliverability.generating import generate
from checks.deliverability.judging import score_message
from checks.deliverability.known import Known
from checks.finding import Finding, Report

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
GOOD = generate("news@example.org", "you@example.net", NOW, "token123")


def scored(content: bytes, known: Known | None = None) -> Report:
    return score_message(content, known or Known(NOW))


def finding(report: Report, name: str) -> Finding:
    return next(one for one in report.findings if one.id == f"letter_{name}")


def edited(*changes: tuple[bytes, bytes], content: bytes = GOOD) -> bytes:
    for old, new in changes:
        assert old in content, old
        content = content.replace(old, new, 1)
    return content


def field(line: bytes) -> bytes:
    """With one more field."""
    return line + b"\r\n" + GOOD


def page(body: str, plain: str = "Some words that are to be read, and more of them.\n") -> bytes:
    """The good message's header over an alternative of these two."""
    head = GOOD.partition(b"Content-Type:")[0]
    parts = (("plain", plain), ("html", f"<html><body><p>{plain}</p>{body}</body></html>\n"))
    text = "".join(f"--b\r\nContent-Type: text/{kind}; charset=utf-8\r\n\r\n{what}\r\n" for kind, what in parts)
    return head + f'Content-Type: multipart/alternative; boundary="b"\r\n\r\n{text}--b--\r\n'.encode()


def attached(name: str) -> bytes:
    """The good message's text with a file."""
    head = GOOD.partition(b"Content-Type:")[0]
    return (
        head
        + f'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nSome words to read here.\r\n--b\r\n'
        f"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
        f'Content-Disposition: attachment; filename="{name}"\r\n\r\nAAAA\r\n--b--\r\n'.encode()
    )
