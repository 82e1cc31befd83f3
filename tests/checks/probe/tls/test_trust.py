"""A chain is trusted for a name and a time, or a sentence says why not."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from checks.probe.tls.trust import distrust, named, read_roots
from dnsops.base.errors import ForUser
from tests.dnsops.certs.making import DAY, HOST, NOW, Authority

OURS, OTHER = Authority(), Authority("Other CA")


def ders(pem: bytes) -> tuple[bytes, ...]:
    return tuple(one.public_bytes(Encoding.DER) for one in x509.load_pem_x509_certificates(pem))


@pytest.fixture
def roots(tmp_path):
    path = tmp_path / "roots.pem"
    broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    path.write_bytes(broken + OURS.root.public_bytes(Encoding.PEM))
    return read_roots(path)


GOOD = ders(OURS.pair()[0])
CHAINS = {  # chain, host, days from now -> trusted
    "as it should be": (GOOD, HOST, 0, True),
    "upside down": (GOOD[::-1], HOST, 0, False),
    "without what is between": (GOOD[:1], HOST, 0, False),
    "for another host": (GOOD, "mx2.example.org", 0, False),
    "of another authority": (ders(OTHER.pair()[0]), HOST, 0, False),
    "too late": (GOOD, HOST, 70, False),
    "too early": (GOOD, HOST, -2, False),
    "by a wildcard": (ders(OURS.pair(("*.example.org",))[0]), HOST, 0, True),
    "for a host that is no name": (GOOD, "mx1..example", 0, False),
    "that is none": ((b"abc",), HOST, 0, False),
    "empty": ((), HOST, 0, False),
}


@pytest.mark.parametrize("case", CHAINS)
def test_a_chain_is_trusted_or_not(case, roots):
    chain, host, days, trusted = CHAINS[case]
    why = distrust(chain, host, roots, NOW + days * DAY)
    assert (not why) == trusted, why
    assert why.isprintable()


NAMES = {  # names in the certificate, host -> fits
    ((HOST,), HOST): True,
    (("*.example.org",), HOST): True,
    (("*.example.org",), "a.b.example.org"): False,
    (("*.org",), "example.org"): False,
    (("MX1.Example.ORG",), HOST): True,
    (("mx2.example.org",), HOST): False,
}


@pytest.mark.parametrize("case", NAMES, ids=str)
def test_a_name_stands_in_the_certificate(case):
    names, host = case
    assert named(ders(OURS.pair(names)[0])[:1], host) is NAMES[case]


def test_no_certificate_has_no_name():
    assert not named((), HOST)
    assert not named((b"abc",), HOST)


def test_roots_are_known_as_such(roots):
    assert roots.has(OURS.root.public_bytes(Encoding.DER))
    assert not roots.has(GOOD[0])


def test_a_bundle_that_is_not_there_is_said(tmp_path):
    with pytest.raises(ForUser, match="cannot be read"):
        read_roots(tmp_path / "none.pem")
    (tmp_path / "empty.pem").write_bytes(b"")
    assert distrust(GOOD, HOST, read_roots(tmp_path / "empty.pem"), NOW) == "no root is trusted here"
