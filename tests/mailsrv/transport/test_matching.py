"""Certificates against TLSA records: usage 3 looks at the key alone, usage 2 builds a chain."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dnsops.records.tlsa import Tlsa
from mailsrv.transport.matching import mismatch
from mailsrv.transport.outcome import Trouble
from tests.dnsops.certs.making import DAY, HOST, NOW, Authority, ecdsa, named, rsa_key, spki

NAMES = (HOST, "example.org")
CA, FORGED = Authority(), Authority()  # of the same name
KEY = ecdsa()
ROOT, TA = (certificate.public_bytes(Encoding.DER) for certificate in (CA.root, CA.certificate))


def leaf(names: tuple[str, ...] = (HOST,), authority: Authority = CA, key: Any = KEY, **times: datetime) -> bytes:
    pem = authority.issue(key.public_key(), names, **times)
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


LEAF = leaf()
CHAIN = [LEAF, TA]
TA_KEY, ROOT_KEY = spki(CA.key), spki(CA.root_key)


def record(usage: int, selector: int, matching: int, certificate: bytes, key: bytes) -> Tlsa:
    data = certificate if selector == 0 else key
    digest = {0: data, 1: hashlib.sha256(data).digest(), 2: hashlib.sha512(data).digest()}
    return Tlsa(usage, selector, matching, digest[matching])


def trouble(chain: list[bytes], *records: Tlsa, names: tuple[str, ...] = NAMES, now: datetime = NOW) -> Trouble | None:
    found = mismatch(chain, records, names, now)
    assert found is None or found.details
    return found.trouble if found else None


FORMS = [(selector, matching) for selector in (0, 1) for matching in (0, 1, 2)]


@pytest.mark.parametrize("selector,matching", FORMS)
def test_every_form_of_usage_3(selector: int, matching: int) -> None:
    mine, other = ecdsa(), ecdsa()
    shown = leaf(key=mine)
    assert trouble([shown], record(3, selector, matching, shown, spki(mine))) is None
    assert trouble([shown], record(3, selector, matching, LEAF, spki(other))) is Trouble.VALIDATION_FAILURE


def test_usage_3_knows_no_name_no_date_and_no_authority() -> None:
    """RFC 7671 5.1, RFC 7672 3.1.1."""
    old = leaf(("elsewhere.example",), FORGED, start=NOW - 90 * DAY, end=NOW - DAY)
    assert trouble([old, b"rubbish"], record(3, 1, 1, old, spki(KEY))) is None


def test_usage_3_means_the_first_certificate_only() -> None:
    assert trouble(CHAIN, record(3, 0, 1, TA, TA_KEY)) is Trouble.VALIDATION_FAILURE


@pytest.mark.parametrize("selector,matching", FORMS)
def test_every_form_of_usage_2_with_the_authority_in_the_chain(selector: int, matching: int) -> None:
    """An intermediate is as good as a root: PARTIAL_CHAIN."""
    right, wrong = record(2, selector, matching, TA, TA_KEY), record(2, selector, matching, FORGED_TA, spki(FORGED.key))
    assert trouble(CHAIN, right) is None
    assert trouble(CHAIN, wrong) is Trouble.CERTIFICATE_NOT_TRUSTED
    assert trouble([*CHAIN, ROOT], record(2, selector, matching, ROOT, ROOT_KEY)) is None


FORGED_TA = FORGED.certificate.public_bytes(Encoding.DER)


@pytest.mark.parametrize("selector,matching,found", [
    (0, 0, None), (1, 0, None),                      # the record itself has all that is missing
    (0, 1, Trouble.CERTIFICATE_NOT_TRUSTED), (1, 2, Trouble.CERTIFICATE_NOT_TRUSTED),
])  # fmt: skip
def test_usage_2_without_the_authority_in_the_chain(selector: int, matching: int, found: Trouble | None) -> None:
    """RFC 7671 5.2.2."""
    assert trouble([LEAF], record(2, selector, matching, TA, TA_KEY)) is found
    assert trouble(CHAIN, record(2, selector, matching, ROOT, ROOT_KEY)) is found


def test_usage_2_a_forged_authority_of_the_same_name_is_none() -> None:
    mine = record(2, 0, 1, TA, TA_KEY)
    assert trouble([leaf(authority=FORGED), FORGED_TA], mine) is Trouble.CERTIFICATE_NOT_TRUSTED
    # with the true one beside it: it is there, but has not signed
    assert trouble([leaf(authority=FORGED), TA], mine) is Trouble.CERTIFICATE_NOT_TRUSTED
    assert trouble([leaf(authority=FORGED)], record(2, 1, 0, TA, TA_KEY)) is Trouble.CERTIFICATE_NOT_TRUSTED


@pytest.mark.parametrize(
    "names,found",
    [
        ((HOST,), None),
        (("example.org",), None),  # RFC 7672 3.2.2: the mail domain does as well
        (("*.example.org",), None),
        (("MX1.Example.org",), None),
        (("*.mx1.example.org",), Trouble.CERTIFICATE_HOST_MISMATCH),
        (("*.org",), None),  # it means example.org: one label
        (("*",), Trouble.CERTIFICATE_HOST_MISMATCH),
        (("mx1.example.org.evil.example",), Trouble.CERTIFICATE_HOST_MISMATCH),
    ],
)
def test_usage_2_names(names: tuple[str, ...], found: Trouble | None) -> None:
    assert trouble([leaf(names), TA], record(2, 0, 1, TA, TA_KEY)) is found


@pytest.mark.parametrize("common,found", [(HOST, None), ("mx2.example.org", Trouble.CERTIFICATE_HOST_MISMATCH)])
def test_usage_2_the_common_name_where_there_is_no_other(common: str, found: Trouble | None) -> None:
    """RFC 7672 3.2.3."""
    shown = made(common, ())
    assert trouble([shown, TA], record(2, 0, 1, TA, TA_KEY)) is found
    assert (
        trouble([made(HOST, ("mx9.example.org",)), TA], record(2, 0, 1, TA, TA_KEY))
        is Trouble.CERTIFICATE_HOST_MISMATCH
    )


def made(common: str, names: tuple[str, ...], purpose: str = "") -> bytes:
    builder = x509.CertificateBuilder().subject_name(named(common)).issuer_name(CA.certificate.subject)
    builder = (
        builder.public_key(KEY.public_key()).serial_number(7).not_valid_before(NOW - DAY).not_valid_after(NOW + DAY)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
    if purpose:
        builder = builder.add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier(purpose)]), False)
    return builder.sign(CA.key, hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.mark.parametrize("purpose,found", [
    ("1.3.6.1.5.5.7.3.1", None), ("2.5.29.37.0", None), ("1.3.6.1.5.5.7.3.4", Trouble.CERTIFICATE_NOT_TRUSTED),
])  # fmt: skip
def test_usage_2_purposes(purpose: str, found: Trouble | None) -> None:
    assert trouble([made("", (HOST,), purpose), TA], record(2, 0, 1, TA, TA_KEY)) is found


@pytest.mark.parametrize("when", [NOW + timedelta(days=61), NOW - timedelta(days=2)])
def test_usage_2_dates(when: datetime) -> None:
    assert trouble(CHAIN, record(2, 0, 1, TA, TA_KEY), now=when) is Trouble.CERTIFICATE_EXPIRED
    assert trouble([LEAF], record(2, 1, 0, TA, TA_KEY), now=when) is Trouble.CERTIFICATE_EXPIRED


def test_a_leaf_is_no_authority() -> None:
    """Whoever has any certificate of the authority could else be any host."""
    mallory = ecdsa()
    builder = (
        x509.CertificateBuilder().subject_name(named("")).issuer_name(x509.load_der_x509_certificate(LEAF).subject)
    )
    builder = (
        builder.public_key(mallory.public_key()).serial_number(9).not_valid_before(NOW - DAY).not_valid_after(NOW + DAY)
    )
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), False)
    forged = builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER)
    assert trouble([forged, LEAF, TA], record(2, 0, 1, TA, TA_KEY)) is Trouble.CERTIFICATE_NOT_TRUSTED


def test_a_lone_certificate_may_be_its_own_authority() -> None:
    lone = Authority._sign(named(HOST), KEY.public_key(), named(HOST), KEY, (HOST,)).public_bytes(Encoding.DER)
    assert trouble([lone], record(2, 0, 1, lone, spki(KEY))) is None


@pytest.mark.parametrize("key", [rsa_key(), ecdsa()])
def test_a_bare_key_of_any_kind(key: Any) -> None:
    """2 1 0: the signature is checked with the key of the record."""
    authority = Authority()
    authority.key = key
    data = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert trouble([leaf(authority=authority)], Tlsa(2, 1, 0, data)) is None
    assert trouble([LEAF], Tlsa(2, 1, 0, data)) is Trouble.CERTIFICATE_NOT_TRUSTED


def test_one_that_matches_is_enough() -> None:
    wrong = [Tlsa(3, 1, 1, bytes([n]) * 32) for n in range(5)] + [Tlsa(2, 0, 1, bytes(32))]
    assert trouble(CHAIN, *wrong, record(3, 1, 1, LEAF, spki(KEY))) is None
    assert trouble(CHAIN, *wrong, record(2, 1, 2, TA, TA_KEY)) is None
    assert trouble(CHAIN, *wrong) is Trouble.CERTIFICATE_NOT_TRUSTED


@pytest.mark.parametrize(
    "chain", [[], [b""], [b"rubbish"], [LEAF[:-1]], [b"0\x03\x02\x01\x01"], [LEAF, b"rubbish"], [LEAF, TA] * 50]
)
@pytest.mark.parametrize("selector,matching", FORMS)
def test_rubbish_is_a_mismatch_and_no_exception(chain: list[bytes], selector: int, matching: int) -> None:
    none = record(3, selector, matching, ROOT, ROOT_KEY)
    assert trouble(chain, none) is Trouble.VALIDATION_FAILURE
    assert trouble(chain, none, record(2, selector, matching, b"0\x03\x02\x01\x01", b"0\x03\x02\x01\x02")) is not None


@pytest.mark.parametrize("selector,matching", FORMS)
def test_usage_2_does_not_mean_the_hosts_own_certificate(selector: int, matching: int) -> None:
    """RFC 7671 5.2: it names who issued it."""
    assert trouble(CHAIN, record(2, selector, matching, LEAF, spki(KEY))) is Trouble.CERTIFICATE_NOT_TRUSTED
