"""A certificate authority, servers' contexts by name, and a client's context that trusts it."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

import pytest

from tests.dnsops.certs.making import Authority


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="session")
def served(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., ssl.SSLContext]:
    """A server's context for these names; `times` and `by` as in `Authority.pair`."""
    directory = tmp_path_factory.mktemp("served")

    def made(*names: str, by: Authority | None = None, **times: Any) -> ssl.SSLContext:
        chain, key = (by or authority).pair(names, **times)
        (directory / "chain.pem").write_bytes(chain)
        (directory / "key.pem").write_bytes(key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(directory / "chain.pem", directory / "key.pem")
        return context

    return made


@pytest.fixture(scope="session")
def trusting(authority: Authority) -> ssl.SSLContext:
    from cryptography.hazmat.primitives.serialization import Encoding

    return ssl.create_default_context(cadata=authority.root.public_bytes(Encoding.PEM).decode())
