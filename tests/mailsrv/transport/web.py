"""A web server in the test's own loop that says whatever it is told, byte for byte.

    async with Web(tls_context, [b"HTTP/1.1 200 OK\\r\\n..."]) as web: ... web.port, web.requests

A list is for the first request, the second ..., its last one for good. Pauses are numbers among the pieces of an answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

Piece = bytes | float
POLICY = "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.org\r\nmax_age: 86400\r\n"


def ok(body: str | bytes = POLICY, media: str = "text/plain", *headers: str) -> bytes:
    """An answer with status 200."""
    raw = body.encode() if isinstance(body, str) else body
    lines = ["HTTP/1.1 200 OK", f"Content-Type: {media}", f"Content-Length: {len(raw)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + raw


@dataclass
class Web:
    tls: ssl.SSLContext | None
    answers: Sequence[bytes | Sequence[Piece]]
    address: str = "127.0.0.1"
    port: int = 0
    requests: list[str] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    connections: int = 0

    async def __aenter__(self) -> Self:
        self._tasks: set[asyncio.Task[None]] = set()
        if self.tls is not None:
            self.tls.sni_callback = lambda _socket, name, _context: self.names.append(name)
        self._server = await asyncio.start_server(self._met, self.address, self.port, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self.connections += 1
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                request = await (reader.readuntil(b"\r\n\r\n") if self.tls else reader.read(100))
                answer = self.answers[min(len(self.requests), len(self.answers) - 1)]
                self.requests.append(request.decode("latin-1"))
                for piece in [answer] if isinstance(answer, bytes) else answer:
                    if isinstance(piece, bytes):
                        writer.write(piece)
                        await writer.drain()
                    else:
                        await asyncio.sleep(piece)
        finally:
            writer.close()
            self._tasks.discard(task)
