"""Tell a server of the pair that has just become current: by a command, or by the server's own interface.

    ["systemctl", "reload", "postfix"]      a command, word by word and without a shell; it finds in its environment
                                            MAILSRV_HOST, MAILSRV_KEY and MAILSRV_CHAIN: files that stay the same names
    ["stalwart-api:https://mx1.example.org"]    Stalwart from 0.16 on takes key and chain itself (stalwart.py)

Whoever calls this knows that it is the pair's turn: its TLSA records are ripe.
Fails by: a sentence about what went wrong; "" when nothing did. Doing it twice is doing it once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from dnsops.base.errors import Deliberate
from dnsops.certs.generations import Generation

Run = Callable[[Sequence[str], Mapping[str, str]], Awaitable[str]]  # a command and its environment -> "" or the trouble
STALWART = "stalwart-api:"


async def install(words: Sequence[str], pair: Generation, run: Run) -> str:
    """Tell one server."""
    if len(words) == 1 and words[0].startswith(STALWART):
        from dnsops.certs.installing.stalwart import push

        try:
            await asyncio.to_thread(push, words[0], pair)
        except Deliberate as error:
            return str(error)
        return ""
    return await run(words, environ(pair))


def environ(pair: Generation) -> dict[str, str]:
    """What a command is told. The paths lead through the link, so that a configuration may hold them for good."""
    current = pair.path.parent / "current"
    return {
        "MAILSRV_HOST": pair.host,
        "MAILSRV_KEY": str(current / pair.key_path.name),
        "MAILSRV_CHAIN": str(current / pair.chain_path.name),
    }
