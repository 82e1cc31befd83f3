"""Answers on disk: the two readers give what the solvers wrote, and nothing else of this machine."""

from __future__ import annotations

import hashlib
import os
import ssl
from pathlib import Path

import pytest
from cryptography import x509

from dnsops.acme.answers import ACME_IDENTIFIER, LARGEST, AlpnAnswers, HttpAnswers, alpn_pair, http_answer
from dnsops.acme.door import Challenge
from dnsops.base.errors import ForUser

PAGE = Challenge("http-01", "mx1.example.org", "token-1_A", "token-1_A.thumb")
PAIR = Challenge("tls-alpn-01", "mx1.example.org", "token-1_A", "token-1_A.thumb")


def test_a_page_is_there_until_it_is_removed(tmp_path: Path) -> None:
    solver = HttpAnswers(tmp_path)
    assert http_answer(tmp_path, PAGE.token) is None
    solver.show([PAGE])
    assert http_answer(tmp_path, PAGE.token) == b"token-1_A.thumb"
    solver.remove([PAGE, PAGE])
    assert http_answer(tmp_path, PAGE.token) is None


@pytest.mark.parametrize("token", ["", ".", "..", "../secret", "a/b", "a%2fb", "a\0", "x" * 300, "ä", "a\n"])
def test_nobody_reads_another_file(token: str, tmp_path: Path) -> None:
    HttpAnswers(tmp_path).show([PAGE])
    (tmp_path / "acme" / "secret").write_text("secret")
    assert http_answer(tmp_path, token) is None
    assert alpn_pair(tmp_path, token) is None


def test_a_page_that_is_too_large_is_none(tmp_path: Path) -> None:
    HttpAnswers(tmp_path).show([PAGE])
    (tmp_path / "acme/http-01" / PAGE.token).write_bytes(b"x" * (LARGEST + 1))
    assert http_answer(tmp_path, PAGE.token) is None


@pytest.mark.parametrize("token", ["../x", "", "a b"])
def test_a_token_of_another_alphabet_is_refused(token: str, tmp_path: Path) -> None:
    with pytest.raises(ForUser, match="a token that RFC 8555"):
        HttpAnswers(tmp_path).show([Challenge("http-01", "mx1.example.org", token, "text")])


def test_the_certificate_is_as_rfc_8737_says(tmp_path: Path) -> None:
    AlpnAnswers(tmp_path).show([PAIR])
    path = alpn_pair(tmp_path, "MX1.example.org.")
    assert path
    assert path.stat().st_mode & 0o777 == 0o600
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path)
    leaf = x509.load_pem_x509_certificate(path.read_bytes())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["mx1.example.org"]
    assert len(names) == 1
    identifier = leaf.extensions.get_extension_for_oid(x509.ObjectIdentifier(ACME_IDENTIFIER))
    assert identifier.critical
    assert identifier.value.value == b"\x04\x20" + hashlib.sha256(b"token-1_A.thumb").digest()  # type: ignore[attr-defined]
    AlpnAnswers(tmp_path).remove([PAIR])
    assert alpn_pair(tmp_path, "mx1.example.org") is None


def test_a_sweep_takes_what_is_old(tmp_path: Path) -> None:
    for solver, challenge in ((HttpAnswers(tmp_path), PAGE), (AlpnAnswers(tmp_path), PAIR)):
        solver.sweep()
        solver.show([challenge])
        solver.sweep()
    assert http_answer(tmp_path, PAGE.token), "another process may be showing it"
    for path in tmp_path.glob("acme/*/*"):
        os.utime(path, (0, 0))
    HttpAnswers(tmp_path).sweep()
    AlpnAnswers(tmp_path).sweep()
    assert http_answer(tmp_path, PAGE.token) is None
    assert alpn_pair(tmp_path, PAIR.name) is None
