"""Channel bindings of true TLS connections: both ends get the same, another connection another."""

from __future__ import annotations

import hashlib
import ssl
import subprocess
from pathlib import Path

import pytest

from mailsrv.directory.sasl.binding import binding, server_end_point
from mailsrv.directory.sasl.exporter import exported


def certificate(folder: Path, *kind: str) -> tuple[Path, bytes]:
    """A self-signed certificate with its key in one file, and it alone as DER."""
    file, key = folder / "both.pem", folder / "key.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-nodes",
        "-subj",
        "/CN=mx",
        "-days",
        "2",
        "-keyout",
        str(key),
        "-out",
        str(file),
        *kind,
    ]
    subprocess.run(command, check=True, capture_output=True)
    der = ssl.PEM_cert_to_DER_cert(file.read_text())
    file.write_text(key.read_text() + file.read_text())
    return file, der


EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")


def connection(file: Path, version: ssl.TLSVersion) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Both ends of a connection in memory, after their handshake."""
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    server.load_cert_chain(file)
    server.maximum_version = version
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    one, other = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (client.wrap_bio(one, other), server.wrap_bio(other, one, server_side=True))
    for end in ends * 3:
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return ends


def test_exported_material_is_the_same_at_both_ends_and_nowhere_else(tmp_path: Path) -> None:
    file, _ = certificate(tmp_path, *EC)
    seen = set()
    for _ in range(3):
        client, server = connection(file, ssl.TLSVersion.TLSv1_3)
        assert exported(client) == exported(server)
        seen.add(exported(server))
    assert {len(data) for data in seen} == {32}
    assert len(seen) == 3


def test_tls_12_exports_nothing_and_has_its_own(tmp_path: Path) -> None:
    file, _ = certificate(tmp_path, *EC)
    client, server = connection(file, ssl.TLSVersion.TLSv1_2)
    assert exported(server) == b""
    assert client.get_channel_binding("tls-unique") == server.get_channel_binding("tls-unique") != b""


@pytest.mark.parametrize(
    "kind, digest",
    [
        (EC, "sha256"),
        ((*EC, "-sha384"), "sha384"),
        (("-newkey", "rsa:2048", "-sha512"), "sha512"),
        (("-newkey", "rsa:2048", "-sha1"), "sha256"),  # RFC 5929 4.1
        (("-newkey", "ed25519"), ""),
    ],
)
def test_the_end_point_is_the_certificates(tmp_path: Path, kind: tuple[str, ...], digest: str) -> None:
    _, der = certificate(tmp_path, *kind)
    assert server_end_point(der) == (hashlib.new(digest, der).digest() if digest else b"")


def test_what_is_not_there_is_left_out() -> None:
    assert binding().types == ()
    assert server_end_point(b"noise") == b""
    assert binding(exporter=b"e", unique=b"u").types == (("tls-exporter", b"e"), ("tls-unique", b"u"))
