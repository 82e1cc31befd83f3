"""Real TLS servers on loopback: OpenSSL's and GnuTLS's own, with options that no mail server should have."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from checks.facts import Tls
from checks.probe.tls import Limits, Place, look, read_roots
from dnsops.certs.wire import How
from tests.dnsops.certs.making import HOST, Authority, key_pem

OPENSSL = ("openssl", "s_server", "-quiet", "-naccept", "10000")
GNUTLS = ("gnutls-serv", "--quiet", "--echo")


def has(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


@contextmanager
def serving(folder: Path, program: tuple[str, ...], *options: str, **keys: object) -> Iterator[int]:
    """A server with a certificate for HOST of each key named (`ec`, `rsa`); gives its port."""
    authority = Authority()
    (folder / "root.pem").write_bytes(authority.root.public_bytes(Encoding.PEM))
    (folder / "above.pem").write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    files = []
    for name, key in keys.items():
        leaf = authority.issue(key.public_key())
        (folder / f"{name}.pem").write_bytes(leaf + key_pem(key))
        files.append(str(folder / f"{name}.pem"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [*program, *_files(program[0], files, port, str(folder / "above.pem")), *options]
    server = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _answering(port, server)
        yield port
    finally:
        server.kill()
        server.communicate()


def _files(program: str, files: list[str], port: int, above: str) -> list[str]:
    if program == "gnutls-serv":
        pairs = [word for file in files for word in ("--x509certfile", file, "--x509keyfile", file)]
        return ["-p", str(port), *pairs]
    first, *others = files
    more = [word for file in others for word in ("-dcert", file, "-dkey", file, "-dcert_chain", above)]
    return ["-accept", f"127.0.0.1:{port}", "-cert", first, "-key", first, "-cert_chain", above, *more]


def _answering(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        assert server.poll() is None, "the server did not start"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the server does not listen")


def seen(folder: Path, port: int, wide: bool = True, host: str = HOST, limits: Limits = Limits()) -> Tls:
    place = Place(host, "127.0.0.1", port, How.IMPLICIT)
    return asyncio.run(look(place, read_roots(folder / "root.pem"), datetime.now(UTC), limits, wide=wide))
