"""Conversations with a real listening server, from the files in `conversations/`.

`C:` is sent, `S:` is what comes back, line by line; `C2:`/`S2:` is a second connection. `…` stands for anything,
`‹...›` for a literal of that text with its announcement in front, and `↵` in it for a line end.
"""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from tests.mailsrv.imap.house import ENGINES, running

FOLDER = Path(__file__).parent / "conversations"
LITERAL = re.compile("‹(.*?)›")
LINE = re.compile(r"([CS])(2?):(?: (.*))?")


class Talk:
    """One connection of a conversation."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 5)
        self._file = self._socket.makefile("rb")

    def say(self, text: str) -> None:
        self._socket.sendall(LITERAL.sub(literal, text).encode() + b"\r\n")

    def hear(self) -> str:
        return self._file.readline().decode().removesuffix("\r\n")

    def close(self) -> None:
        self._file.close()
        self._socket.close()


def literal(found: re.Match[str]) -> str:
    text = found[1].replace("↵", "\r\n")
    return f"{{{len(text.encode())}+}}\r\n{text}"


def fits(pattern: str, line: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("…"))), line) is not None


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_the_conversation_goes_as_written(path: Path, engine: str, tmp_path: Path) -> None:
    with running(store=ENGINES[engine](tmp_path)) as house:
        talks: dict[str, Talk] = {}
        try:
            for number, text in enumerate(path.read_text().splitlines(), 1):
                found = LINE.fullmatch(text)
                if found is None:
                    assert not text or text.startswith("#"), f"{path.name}:{number}: neither C: nor S:"
                    continue
                talk = talks.setdefault(found[2], Talk(house.port)) if found[2] not in talks else talks[found[2]]
                if found[1] == "C":
                    talk.say(found[3] or "")
                else:
                    heard = talk.hear()
                    assert fits(found[3] or "", heard), f"{path.name}:{number}: wanted {found[3]!r}, heard {heard!r}"
        finally:
            for talk in talks.values():
                talk.close()


def test_there_are_conversations() -> None:
    assert len(list(FOLDER.glob("*.txt"))) >= 15
