"""Message-IDs, and who a message answers."""

from __future__ import annotations

import pytest

from mailsrv.message import limits
from mailsrv.message.header import header
from mailsrv.message.identifiers import message_id, references

VECTORS = [  # header, Message-ID, references
    (b"Message-ID: <a@b>\r\n", "a@b", ()),
    (b'Message-ID: <"01KF8JCEOCBS0045PS"@xxx.yyy.com>\r\n', "01KF8JCEOCBS0045PS@xxx.yyy.com", ()),  # RFC 5256 3
    (b'Message-ID: <"a b"@c>\r\n', '"a b"@c', ()),
    (b"Message-ID: junk <a@b> more\r\n", "a@b", ()),
    (b"Message-ID: <no-at-sign>\r\n", "no-at-sign", ()),
    (b"Message-ID: none\r\n", "", ()),
    (b"References: <a@b>\r\n <c@d>\t<a@b><e@f>\r\n", "", ("a@b", "c@d", "e@f")),
    (b"References: <a@b>\r\nIn-Reply-To: <c@d>\r\n", "", ("a@b",)),
    (b"In-Reply-To: your message of today <c@d> <e@f>\r\n", "", ("c@d",)),
    (b"References: junk\r\nIn-Reply-To: <c@d>\r\n", "", ("c@d",)),
    (b"Message-ID: <" + b"a" * limits.IDENTIFIER + b"@b>\r\n", "", ()),
    (b"Message-ID: <\xff\0@b>\r\n", "ÿ@b", ()),
]


@pytest.mark.parametrize("content, own, ancestors", VECTORS)
def test_identifiers(content: bytes, own: str, ancestors: tuple[str, ...]) -> None:
    assert (message_id(header(content)), references(header(content))) == (own, ancestors)


def test_the_first_and_the_latest_references_are_kept() -> None:
    found = references(header(b"References: " + b" ".join(b"<%d@x>" % n for n in range(500))))
    assert len(found) == limits.REFERENCES
    assert (found[0], found[1], found[-1]) == ("0@x", "401@x", "499@x")
