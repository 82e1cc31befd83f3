"""A user who moves mail into Junk, or out of it, says something about who wrote it; other moves say nothing."""

from __future__ import annotations

import imaplib

import pytest

from tests.mailsrv.imap.house import PASSWORD, running

LETTER = b"From: Ann <ann@example.org>\r\nSubject: hello\r\n\r\nbody\r\n"


@pytest.mark.parametrize("verb", ["MOVE", "COPY"])
@pytest.mark.parametrize(
    "source, target, said",
    [
        ("INBOX", "Junk", True),
        ("Junk", "INBOX", False),
        ("Junk", "Archive", False),
        ("Junk", "Trash", None),
        ("INBOX", "Archive", None),
        ("Junk", "Junk", None),
    ],
)
def test_what_a_move_says(verb: str, source: str, target: str, said: bool | None) -> None:
    heard: list[tuple[str, int, bool]] = []

    def judged(account: str, blobs: list[int], junk: bool) -> None:
        heard.append((account, len(blobs), junk))

    with running(judged=judged) as house, imaplib.IMAP4("127.0.0.1", house.port) as client:
        client.login("alice", PASSWORD)
        client.append(source, "", "", LETTER)
        client.append(source, "", "", LETTER)
        client.select(source)
        status, _ = client.uid(verb, "1:*", target)
        assert status == "OK"
    assert heard == ([] if said is None else [("alice", 2, said)])
