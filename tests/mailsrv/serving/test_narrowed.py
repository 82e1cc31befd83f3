"""What our servers offer in a handshake: no SHA-1 and SHA-224, no finite fields, no more than AEAD; said by another OpenSSL."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailsrv.serving import narrowed as room
from mailsrv.serving.certificate import server_context
from tests.lab.pki import Pki

HOST = "mx1.example.org"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server with our context, and a P-256 key, that says goodbye after each handshake."""
    folder = tmp_path_factory.mktemp("narrowed")
    context = server_context()
    context.load_cert_chain(*Pki(folder).issue([HOST]).write(folder, "a"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = threading.Thread(target=_serve, args=(listener, context), daemon=True)
        serving.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        serving.join(5)


def _serve(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return
        try:
            with plain, context.wrap_socket(plain, server_side=True) as wrapped:
                wrapped.unwrap()
        except OSError:
            continue


def asked(port: int, *options: str) -> str:
    """What `openssl s_client` says of a handshake; empty when there was none."""
    words = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", HOST, *options]
    done = subprocess.run(words, input="", capture_output=True, text=True, timeout=20, check=False)
    return done.stdout if "Cipher is (NONE)" not in done.stdout else ""


@pytest.mark.parametrize(
    "options,said",
    [
        (("-tls1_3",), "TLS_AES_256_GCM_SHA384"),
        (("-tls1_2",), "ECDHE-ECDSA-AES256-GCM-SHA384"),
        (("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"), "ECDHE-ECDSA-AES128-GCM-SHA256"),
        (("-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"), "ECDHE-ECDSA-CHACHA20-POLY1305"),
        *((("-groups", group), "TLS_AES_256_GCM_SHA384") for group in room.GROUPS),
        *((("-tls1_2", "-curves", group), "ECDHE-ECDSA") for group in ("X25519:P-256", "P-384:P-256", "P-521:P-256")),
        (("-tls1_2", "-sigalgs", "ECDSA+SHA256"), "ECDHE-ECDSA"),
        (("-tls1_2",), "Secure Renegotiation IS supported"),
        (("-tls1_2",), "Extended master secret: yes"),
        (("-tls1_3",), "Early data was not sent"),
        (("-tls1_3",), "Compression: NONE"),
    ],
)
def test_who_speaks_tls_of_these_years_is_heard(port: int, options: tuple[str, ...], said: str) -> None:
    assert said in asked(port, *options)


@pytest.mark.parametrize(
    "options",
    [
        ("-tls1_2", "-sigalgs", "ECDSA+SHA224"),
        ("-tls1_2", "-sigalgs", "ECDSA+SHA1", "-cipher", "DEFAULT:@SECLEVEL=0"),
        ("-tls1_3", "-groups", "ffdhe2048"),
        ("-tls1_3", "-groups", "ffdhe4096"),
        ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-SHA384"),
        ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"),
        ("-tls1_2", "-cipher", "DHE-RSA-AES256-GCM-SHA384"),
        ("-tls1_2", "-cipher", "AES256-GCM-SHA384"),
        ("-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"),
    ],
)
def test_who_speaks_an_older_one_is_not(port: int, options: tuple[str, ...]) -> None:
    assert asked(port, *options) == ""


@pytest.mark.parametrize("version,first", [((3, 0), "X25519"), ((3, 4), "X25519"), ((3, 5), "X25519MLKEM768")])
def test_the_hybrid_group_is_named_where_it_is_known(version: tuple[int, int], first: str) -> None:
    assert f"Groups = {first}:" in room.text(version)


ALONE = """
import hashlib, ssl, sys
hashlib.sha256(b"").digest(), ssl.create_default_context()
from mailsrv.serving import narrowed as room
{}
"""
OFFERED = """
from tests.mailsrv.serving.hello import offered
from mailsrv.send.encrypting import contexts
print(room.narrowed())
made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
print(*sorted(offered(made)), "|", *sorted(offered(contexts().anyone)))
"""


def alone(text: str) -> list[str]:
    """What a process of its own prints, since it is done once in each."""
    words = [sys.executable, "-c", ALONE.format(text)]
    done = subprocess.run(words, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_those_who_meet_anyone_stay_wide() -> None:
    """RFC 7435 3: a peer that signs with SHA-1 still gets encrypted mail."""
    reason, offers = alone(OFFERED)
    narrow, wide = (set(part.split()) for part in offers.split("|"))
    old = {"0203", "0201", "0303", "0301", "0100"}  # SHA-1, SHA-224; ffdhe2048
    assert (reason, narrow & old) == ("", set())
    assert {"0203", "0303", "0100"} <= wide


@pytest.mark.parametrize(
    "configuration",
    ["", "nonsense", "openssl_conf = a\n[a]\nssl_conf = nowhere\n", room.TEXT.format(signatures="XYZ", groups="P-256"),
     room.TEXT.format(signatures="ECDSA+SHA256", groups="nonsense")],
)  # fmt: skip
def test_tls_goes_on_without_a_configuration_that_openssl_does_not_like(configuration: str) -> None:
    said = alone(f"print(room.loaded({configuration!r})); print(len(ssl.create_default_context().get_ciphers()) > 10)")
    assert said[-1] == "True"


def test_tls_goes_on_where_openssl_is_out_of_reach() -> None:
    reason, ciphers = alone(
        "import _ssl; _ssl.__file__ = '/none.so'; print(room.narrowed())\n"
        "print(len(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).get_ciphers()) > 10)"
    )
    assert reason.startswith("OpenSSL's configuration is out of reach: /none.so")
    assert ciphers == "True"
