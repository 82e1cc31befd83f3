"""One document by HTTP from a server that the user named: bounded, without following where it points.

Standards: RFC 9110, RFC 9112. Limits: MOST_OF_HEAD and LARGEST octets, the seconds given for all of it.
Fails by: OSError (TimeoutError too) when it is silent, ValueError when its answer is none or not 200.
"""

from __future__ import annotations

import asyncio
import ssl
from urllib.parse import urlsplit

import h11

LARGEST, MOST_OF_HEAD, BLOCK = 1 << 20, 16384, 65536


async def fetch(url: str, seconds: float) -> bytes:
    """The body."""
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    async with asyncio.timeout(seconds):
        tls = ssl.create_default_context() if secure else None
        reader, writer = await asyncio.open_connection(host, parts.port or (443 if secure else 80), ssl=tls)
        try:
            return await _asked(parts.netloc, parts.path or "/", reader, writer)
        finally:
            writer.transport.abort()


async def _asked(host: str, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_OF_HEAD)
    headers = [("Host", host), ("User-Agent", "mailsrv"), ("Accept", "application/json"), ("Connection", "close")]
    request = h11.Request(method="GET", target=path, headers=headers)
    writer.write((http.send(request) or b"") + (http.send(h11.EndOfMessage()) or b""))
    try:
        return await _body(http, reader)
    except h11.RemoteProtocolError as error:
        raise ValueError(f"not an HTTP answer ({error})") from None


async def _body(http: h11.Connection, reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await reader.read(BLOCK))
        elif isinstance(event, h11.Response) and event.status_code != 200:
            raise ValueError(f"it answers {event.status_code}")
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > LARGEST:
                raise ValueError(f"more than {LARGEST} octets")
        elif isinstance(event, h11.EndOfMessage):
            return bytes(body)
        elif isinstance(event, h11.ConnectionClosed):
            raise ValueError("it hung up")
