"""The conversations in the .txt files beside this one, held over loopback with a listening server.

==  a sentence                  begins a conversation, on a new connection
C: TEXT                         the client sends TEXT and CR LF; \\r \\n \\0 \\xNN and {N*TEXT} (TEXT N times) are octets
C+ TEXT                         the same without CR LF
S: TEXT                         the server's next line begins with TEXT (a whole line when TEXT ends in $)
S: (silence)                    the server says nothing within a tenth of a second
S: (hangs up)                   the connection ends
K: TEXT                         the message that was taken last is exactly TEXT
with: WORDS                     at the head of a file: logins, plain_login, trouble, NAME=NUMBER for a limit
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from mailsrv.smtp.house import House
from mailsrv.smtp.limits import Limits
from tests.mailsrv.smtp.null import Lines, Null, Peer, serving

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Talk:
    """One conversation."""

    file: str
    title: str
    settings: tuple[str, ...]
    lines: tuple[str, ...]


def talks() -> Iterator[Talk]:
    for path in sorted(HERE.glob("*.txt")):
        head, *parts = re.split(r"^== ", path.read_text(), flags=re.MULTILINE)
        words = [word for line in head.splitlines() if line.startswith("with:") for word in line[5:].split()]
        for part in parts:
            title, *lines = part.splitlines()
            spoken = tuple(line for line in lines if line[:2] in ("C:", "C+", "S:", "K:"))
            assert len(spoken) == len([line for line in lines if line.strip()]), f"{path.name}: {title}: what is this?"
            yield Talk(path.stem, title, tuple(words), spoken)


def octets(text: str) -> bytes:
    text = re.sub(r"\{(\d+)\*([^}]*)\}", lambda found: int(found[1]) * found[2], text)
    return text.encode().decode("unicode_escape").encode("latin-1")


def listener(talk: Talk, service: Null, log: Lines) -> House:
    words = set(talk.settings)
    service.logins, service.trouble = "logins" in words, "trouble" in words
    numbers: dict[str, Any] = {
        name: int(number) for name, _, number in (word.partition("=") for word in words) if number
    }
    limits = replace(Limits(), **numbers)
    return House("mx.here.test", service, log, limits, plain_login="plain_login" in words)


async def held(talk: Talk) -> None:
    service, log = Null(), Lines()
    async with serving(listener(talk, service, log)) as port:
        peer = await Peer.call(port, greeted=False)
        for number, line in enumerate(talk.lines):
            kind, text = line[:2], line[3:]
            where = f"{talk.file}.txt: {talk.title}: line {number + 1}: {line}"
            match kind:
                case "C:" | "C+":
                    peer.send(octets(text) + (b"\r\n" if kind == "C:" else b""))
                case "K:":
                    assert service.mails[-1].content == octets(text), where
                case _:
                    await expected(peer, text, where)
        peer.close()
    assert log.bugs == []


async def expected(peer: Peer, text: str, where: str) -> None:
    if text == "(silence)":
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await peer.reader.read(1)
        return
    async with asyncio.timeout(8):
        try:
            said = (await peer.reader.readline()).decode().removesuffix("\r\n")
        except ConnectionError:
            said = ""
    if text == "(hangs up)":
        assert said == "", where
    elif text.endswith("$"):
        assert said == text[:-1], where
    else:
        assert said.startswith(text), f"{where}\n the server said: {said!r}"


@pytest.mark.parametrize("talk", list(talks()), ids=lambda talk: f"{talk.file}: {talk.title}")
def test_conversation(talk: Talk) -> None:
    asyncio.run(held(talk))
