"""A server with mail in it, `mailsrv backup` as a command, and all of a mailbox to compare."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.lab.mailserver import MailServer

SMALL = b"From: alice@mail.test\r\nSubject: small\r\n\r\nhello\r\n"
LARGE = b"Subject: large\r\n\r\n" + b"0123456789abcdef\r\n" * 20_000
Mail = dict[bytes, tuple[bytes, bytes]]


def run(*words: str | Path, status: int = 0, env: Mapping[str, str] | None = None) -> Any:
    """`mailsrv backup ...`: what it says, as a document, or its error."""
    done = subprocess.run(
        [sys.executable, "-m", "mailsrv", "backup", *map(str, words), "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, **(env or {})},
    )
    assert done.returncode == status, done.stdout + done.stderr
    said = json.loads(done.stdout)
    return said.get("error", said)


def whole(*words: str | Path, env: Mapping[str, str] | None = None) -> str:
    """Which backup was found whole."""
    said = run("verify", *words, env=env)
    assert (said["problems"], said["opened"], said["action"]) == ([], True, "whole")
    return str(said["name"])


def mail(server: MailServer, user: str = "alice") -> tuple[list[bytes | None], Mail]:
    """UIDVALIDITY, and UID FLAGS and text of every message."""
    client = server.imap(user)
    client.select("INBOX", readonly=True)
    _, validity = client.response("UIDVALIDITY")
    _, answer = client.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[])")
    client.logout()
    return validity, {
        part[0].split(b"UID ")[1].split()[0]: (part[0].split(b"FLAGS ")[1].split(b")")[0], bytes(part[1]))
        for part in answer
        if isinstance(part, tuple)
    }


def filled(server: MailServer) -> None:
    """UIDs 1 2 4: a copy by another road would give 1 2 3."""
    client = server.imap("alice")
    for content in (SMALL, LARGE, SMALL, LARGE):
        assert client.append("INBOX", "(\\Seen $Forwarded)", "", content)[0] == "OK"
    client.select("INBOX")
    client.store("3", "+FLAGS", "\\Deleted")
    client.expunge()
    client.logout()
