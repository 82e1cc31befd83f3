"""Servers on loopback for tests of the wire: real TLS behind each protocol's greeting, and hostile ones."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager

from tests.lab.streams import start_server

SMTP = [b"220 mx1.example.org ESMTP\r\n", b"250-mx1.example.org\r\n250-PIPELINING\r\n250 STARTTLS\r\n", b"220 go\r\n"]
IMAP = [b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hello\r\n", b"* NO wait\r\na OK begin\r\n"]
POP3 = [b"+OK hello\r\n", b"+OK begin\r\n"]
SIEVE = [b'"IMPLEMENTATION" "x"\r\n"STARTTLS"\r\n"VERSION" "1.0"\r\nOK ready\r\n', b'OK "begin"\r\n']


def context(folder, *pairs, versions=(None, None)) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for number, (chain, key) in enumerate(pairs):
        (folder / f"{number}.crt").write_bytes(chain)
        (folder / f"{number}.key").write_bytes(key)
        made.load_cert_chain(folder / f"{number}.crt", folder / f"{number}.key")
    if versions[0]:
        made.minimum_version, made.maximum_version = versions
    return made


@asynccontextmanager
async def listening(serve, tls=None, address="127.0.0.1"):
    """A server whose every connection is `serve(reader, writer)`; gives its port."""
    tasks = set()

    async def connected(reader, writer):
        tasks.add(asyncio.current_task())
        try:
            await serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await start_server(connected, address, 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def speaking(script, tls, heard=None):
    """A server that says its lines, one per line of the client's, and then begins TLS."""

    async def serve(reader, writer):
        writer.write(script[0])
        for answer in script[1:]:
            line = await reader.readline()
            if heard is not None:
                heard.append(line)
            writer.write(answer)
        await writer.drain()
        await writer.start_tls(tls)
        line = await reader.readline()
        if heard is not None:
            heard.append(line)

    return serve
