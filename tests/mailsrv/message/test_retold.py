"""A stored message tells how it reached us, as our own trace fields say; a stranger's Received below ours tells nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mailsrv.message.received import Arrival, With, received, return_path
from mailsrv.message.retold import retold

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CAME = b"Received: from far.example ([203.0.113.9]) by x with SMTP id 00ff00ff\r\nSubject: hi\r\n\r\nhello\r\n"


def arrived(address: str, name: str = "", **more: object) -> bytes:
    ours = Arrival("mx1.example.org", "0123456789abcdef", NOON, "mail.example.net", address, name, **more)  # type: ignore[arg-type]
    return return_path("bob@example.net") + b"Authentication-Results: x; none\r\n" + received(ours) + CAME


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
@pytest.mark.parametrize("name", ["", "mail.example.net"])
@pytest.mark.parametrize("more", [{}, {"tls": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384"}, {"protocol": With.SMTP}])
def test_what_we_wrote_is_read_back(address: str, name: str, more: dict[str, object]) -> None:
    found = retold(arrived(address, name, **more))
    assert found is not None
    assert (found.id, found.address, found.helo, found.sender) == (
        "0123456789abcdef", address, "mail.example.net", "bob@example.net",
    )  # fmt: skip
    assert found.content == CAME


@pytest.mark.parametrize(
    "content",
    [
        b"Subject: nothing of ours\r\n\r\n",
        b"Received: by us, from nobody we know; x\r\n" + CAME,
        received(Arrival("mx1.example.org", "0123456789abcdef", NOON, "laptop", ""))
        + b"Subject: one of ours wrote\r\n\r\n",
        b"",
    ],
)
def test_what_is_not_in_our_form_tells_nothing(content: bytes) -> None:
    assert retold(content) is None
