"""How many renegotiations by the client are counted: a server of our own that allows so many and no more (reference internet.nl 6.7)."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL

from checks.facts import Version
from checks.probe.tls.again import ATTEMPTS, renegotiations
from checks.probe.tls.visit import Limits, Place, Visitor
from dnsops.certs.wire import How
from tests.checks.probe.tls.servers import GNUTLS, OPENSSL, has, serving
from tests.dnsops.certs.making import HOST, Authority, key_pem

ALLOW, BEGUN = 0x100, 0x10  # SSL_OP_ALLOW_CLIENT_RENEGOTIATION of OpenSSL 3, SSL_CB_HANDSHAKE_START
KEY = ec.generate_private_key(ec.SECP256R1())


def context(folder: Path) -> SSL.Context:
    (folder / "pair.pem").write_bytes(Authority().issue(KEY.public_key()) + key_pem(KEY))
    made = SSL.Context(SSL.TLS_METHOD)
    made.set_max_proto_version(SSL.TLS1_2_VERSION)
    made.set_options(ALLOW)
    made.use_certificate_chain_file(str(folder / "pair.pem"))
    made.use_privatekey_file(str(folder / "pair.pem"))
    return made


def serve_one(line: socket.socket, made: SSL.Context, limit: int) -> None:
    """Hangs up when one renegotiation more than `limit` begins."""
    begun = 0

    def told(_connection: SSL.Connection, where: int, _value: int) -> None:
        nonlocal begun
        begun += bool(where & BEGUN)
        if begun > limit + 1:
            with suppress(OSError):  # the client hung up first
                line.shutdown(socket.SHUT_RDWR)

    made.set_info_callback(told)
    connection = SSL.Connection(made, line)
    connection.set_accept_state()
    with suppress(SSL.Error, OSError):
        while connection.recv(100):
            pass
    line.close()


@contextmanager
def allowing(folder: Path, limit: int) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as door:
        made = context(folder)

        def serve() -> None:
            with suppress(OSError):
                serve_one(door.accept()[0], made, limit)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield door.getsockname()[1]
        thread.join(20)


def counted(port: int) -> int:
    visitor = Visitor(Place(HOST, "127.0.0.1", port, How.IMPLICIT), Limits())
    return asyncio.run(renegotiations(visitor, Version.TLS12))


@pytest.mark.parametrize("limit", [0, 1, 3, 9, 10, 11, 20])
def test_so_many_as_the_server_allows_are_counted_up_to_eleven(limit: int, tmp_path: Path) -> None:
    with allowing(tmp_path, limit) as port:
        assert counted(port) == min(limit, ATTEMPTS)


@has("openssl")
@pytest.mark.parametrize(
    "options, wanted",
    [(("-tls1_2",), 0), (("-tls1_2", "-no_renegotiation"), 0), (("-tls1_2", "-client_renegotiation"), ATTEMPTS), (("-tls1_2", "-legacy_renegotiation"), 0)],
)  # fmt: skip
def test_openssl_refuses_unless_told_otherwise(options: tuple[str, ...], wanted: int, tmp_path: Path) -> None:
    with serving(tmp_path, OPENSSL, *options, ec=KEY) as port:
        assert counted(port) == wanted


@has("gnutls-serv")
def test_gnutls_allows_all_that_are_asked(tmp_path: Path) -> None:
    with serving(tmp_path, GNUTLS, "--priority", "NORMAL:-VERS-TLS1.3", ec=KEY) as port:
        assert counted(port) == ATTEMPTS
