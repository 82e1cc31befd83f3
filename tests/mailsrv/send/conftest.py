"""A TLS server's context for mx1.example.org, and a client's that trusts it."""

import ssl
from pathlib import Path

import pytest

from tests.dnsops.certs.making import Authority


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="session")
def tls_server(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    directory: Path = tmp_path_factory.mktemp("sink")
    chain, key = authority.pair()
    (directory / "chain.pem").write_bytes(chain)
    (directory / "key.pem").write_bytes(key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "chain.pem", directory / "key.pem")
    return context


@pytest.fixture(scope="session")
def tls_client(authority: Authority) -> ssl.SSLContext:
    from cryptography.hazmat.primitives.serialization import Encoding

    return ssl.create_default_context(cadata=authority.root.public_bytes(Encoding.PEM).decode())
