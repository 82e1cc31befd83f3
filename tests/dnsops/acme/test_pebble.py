"""Pebble in its moods: nonces refused, chains of several, short lives, only for customers; and our web server's two challenges."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from dnsops.acme.accounts import Binding, Terms
from dnsops.acme.answers import AlpnAnswers, HttpAnswers
from dnsops.base.errors import ForUser, Later, Misconfigured
from dnsops.base.secrets import Secret
from tests.dnsops.acme import issuing
from tests.dnsops.acme.webserver import serving
from tests.lab.acme import Pebble
from tests.lab.dnstree import DnsTree

HMAC = "c2VjcmV0LWZvci1hLXRlc3Qtb2YtbWFpbHNydi0zMi1ieXRlcyE"
EAB = {"externalAccountBindingRequired": True, "externalAccountMACKeys": {"kid-1": HMAC}}


@pytest.fixture
def moody(pebble: Pebble) -> Iterator[Pebble]:
    """Pebble, for a test that starts it otherwise."""
    yield pebble
    pebble.restart()


def test_refused_nonces_chains_and_short_lives(moody: Pebble, clean_zone: DnsTree, tmp_path: Path) -> None:
    moody.restart(timedelta(days=7), 40, PEBBLE_CHAIN_LENGTH=2)
    pem = issuing.authority(moody.url, tmp_path).issue(
        issuing.wish(), issuing.solver(issuing.knot(clean_zone), tmp_path)
    )
    chain = x509.load_pem_x509_certificates(pem)
    assert len(chain) == 3
    assert chain[0].not_valid_after_utc - chain[0].not_valid_before_utc < timedelta(days=7, minutes=1)
    assert issuing.challenges_out(clean_zone) == set()


def test_a_server_that_refuses_every_nonce_is_left(moody: Pebble, tmp_path: Path) -> None:
    moody.restart(nonce_reject=100)
    naps: list[float] = []
    with pytest.raises(Later, match="badNonce"):
        issuing.authority(moody.url, tmp_path, naps=naps).account_uri  # noqa: B018 (asking registers)
    assert len(naps) <= 6


def test_the_preferred_chain_of_several(moody: Pebble, clean_zone: DnsTree, tmp_path: Path) -> None:
    moody.restart(PEBBLE_ALTERNATE_ROOTS=2, PEBBLE_CHAIN_LENGTH=2)
    authority, solver = issuing.authority(moody.url, tmp_path), issuing.solver(issuing.knot(clean_zone), tmp_path)

    def root(preferred: str) -> str:
        pem = authority.issue(issuing.wish("mx1.example.org", preferred_chain=preferred), solver)
        return str(x509.load_pem_x509_certificates(pem)[-1].issuer.rfc4514_string().removeprefix("CN="))

    usual = root("")
    roots = {root_name(moody, number) for number in range(3)}
    assert usual in roots
    for wanted in roots:
        assert root(wanted) == wanted
    assert root("No Such Root") == usual


def root_name(pebble: Pebble, number: int) -> str:
    import ssl
    import urllib.request

    context = ssl.create_default_context(cafile=str(pebble.pki.ca))
    with urllib.request.urlopen(f"https://192.0.2.14:15000/roots/{number}", context=context) as answer:
        return x509.load_pem_x509_certificate(answer.read()).subject.rfc4514_string().removeprefix("CN=")


def test_external_accounts(moody: Pebble, clean_zone: DnsTree, tmp_path: Path) -> None:
    moody.restart(**EAB)
    with pytest.raises(Misconfigured, match=r"acme\.eab: the authority opens accounts only for its customers"):
        issuing.authority(moody.url, tmp_path).account_uri  # noqa: B018
    for binding in (Binding("kid-2", Secret(HMAC)), Binding("kid-1", Secret("AAAA" * 8))):
        with pytest.raises(ForUser) as refusal:
            issuing.authority(moody.url, tmp_path, Terms(binding=binding)).account_uri  # noqa: B018
        assert "AAAA" not in str(refusal.value)
    bad = Terms(binding=Binding("kid-1", Secret("not base64url!!")))
    with pytest.raises(Misconfigured, match=r"acme\.eab\.hmac_key"):
        issuing.authority(moody.url, tmp_path, bad).account_uri  # noqa: B018
    good = issuing.authority(moody.url, tmp_path, Terms(issuing.CONTACT, True, Binding("kid-1", Secret(HMAC))))
    pem = good.issue(issuing.wish("mx1.example.org"), issuing.solver(issuing.knot(clean_zone), tmp_path))
    assert issuing.names_of(pem) == {"mx1.example.org"}


def test_an_account_of_an_authority_that_forgot_it(moody: Pebble, tmp_path: Path) -> None:
    first = issuing.authority(moody.url, tmp_path).account_uri
    file = tmp_path / "acme/192.0.2.14-14000-dir/account.json"
    assert file.stat().st_mode & 0o777 == 0o600
    moody.restart()
    with pytest.raises(ForUser, match=r"the authority knows our account no more.*move .*account\.json away") as refusal:
        issuing.authority(moody.url, tmp_path).issue(issuing.wish("mx1.example.org"), HttpAnswers(tmp_path))
    assert refusal.value.where == first
    file.unlink()
    assert issuing.authority(moody.url, tmp_path).account_uri


def test_terms_that_nobody_agreed_to(pebble: Pebble, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"read (data|https?):.*agree_to_terms"):
        issuing.authority(pebble.url, tmp_path, Terms(agreed=False)).account_uri  # noqa: B018


def test_http_01_and_tls_alpn_01_through_the_disk(pebble: Pebble, dnstree: DnsTree, tmp_path: Path) -> None:
    with serving(tmp_path):
        for solver in (HttpAnswers(tmp_path), AlpnAnswers(tmp_path)):
            pem = issuing.authority(pebble.url, tmp_path).issue(issuing.wish("mx1.example.org"), solver)
            assert issuing.names_of(pem) == {"mx1.example.org"}
            assert list((tmp_path / "acme" / solver.kind).iterdir()) == []


def test_what_cannot_be_validated_says_why(pebble: Pebble, dnstree: DnsTree, tmp_path: Path) -> None:
    authority = issuing.authority(pebble.url, tmp_path)
    with pytest.raises(ForUser, match=r"\*\.example\.org: .*not validate it by http-01.* a wildcard needs dns-01"):
        authority.issue(issuing.wish("*.example.org"), HttpAnswers(tmp_path))
    with pytest.raises(ForUser, match=r"mx1\.example\.org: .*\(connection\) - let port 80"):
        authority.issue(issuing.wish("mx1.example.org"), HttpAnswers(tmp_path))
