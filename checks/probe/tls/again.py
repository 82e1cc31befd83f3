"""How often a client may renegotiate on one connection: real handshakes up to TLS 1.2, by OpenSSL through pyOpenSSL.

Standards: RFC 5246 7.4.1.1, RFC 5746 (also with servers that know nothing of it: that is what is looked for).
Limits: attempts, and the visit's time for each connection. Fails by: a smaller number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from checks.facts import Version
from checks.probe.tls.visit import Visitor
from dnsops.certs.line import Line, Trouble

if TYPE_CHECKING:
    from OpenSSL import SSL

ATTEMPTS = 11
_OLD_SERVERS = 0x4 | 0x40000  # SSL_OP_LEGACY_SERVER_CONNECT, SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION
_MOST_TURNS = 200


async def renegotiations(visitor: Visitor, version: Version, attempts: int = ATTEMPTS) -> int:
    """How many of so many attempts worked, one after the other, until one did not."""
    from OpenSSL import SSL

    done = 0
    try:
        async with visitor.line() as line:
            connection = _connection(visitor.place.host, version)
            await _turns(connection, line, connection.do_handshake)
            while done < attempts:
                connection.renegotiate()
                await _turns(connection, line, connection.do_handshake)
                done += 1
    except (SSL.Error, Trouble, OSError, TimeoutError, ValueError):
        pass
    return done


def _connection(host: str, version: Version) -> SSL.Connection:
    from OpenSSL import SSL

    context = SSL.Context(SSL.TLS_METHOD)
    context.set_verify(SSL.VERIFY_NONE)
    context.set_options(_OLD_SERVERS)
    context.set_min_proto_version(int(version))
    context.set_max_proto_version(int(version))
    context.set_cipher_list(b"ALL:!aNULL:@SECLEVEL=0")
    connection = SSL.Connection(context, None)
    if host:
        connection.set_tlsext_host_name(host.encode("ascii", "ignore"))
    connection.set_connect_state()
    return connection


async def _turns(connection: SSL.Connection, line: Line, step: Callable[[], Any]) -> None:
    """Carry bytes both ways until the step is done."""
    from OpenSSL import SSL

    for _ in range(_MOST_TURNS):
        try:
            step()
        except SSL.WantReadError:
            await _carry(connection, line)
            data = await line.receive()
            if not data:
                raise Trouble("it closed the connection in the handshake") from None
            connection.bio_write(data)
        else:
            await _carry(connection, line)
            return
    raise Trouble("a handshake without end")


async def _carry(connection: SSL.Connection, line: Line) -> None:
    from OpenSSL import SSL

    while True:
        try:
            data = connection.bio_read(1 << 16)
        except SSL.WantReadError:
            return
        await line.send(data)
