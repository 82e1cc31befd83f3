"""Pebble issues by DNS-01 for the key that it is handed, and only where DNS can be believed."""

from datetime import timedelta

import pytest
from acme import errors, messages
from cryptography import x509

from tests.lab.acme import Account
from tests.lab.pki import new_key

NAMES = ["example.org", "*.example.org", "mx1.example.org"]


def leaf(credentials):
    return x509.load_pem_x509_certificates(credentials.chain)[0]


def names(credentials):
    return (
        leaf(credentials)
        .extensions.get_extension_for_class(x509.SubjectAlternativeName)
        .value.get_values_for_type(x509.DNSName)
    )


def test_the_handed_key_decides_the_association(pebble, clean_zone):
    account, key = Account(pebble), new_key()
    first = account.issue(key, NAMES, clean_zone.replace)
    again = account.issue(key, NAMES[-1:], clean_zone.replace)
    assert sorted(names(first)) == sorted(NAMES)
    assert first.association == again.association
    assert first.chain != again.chain
    assert clean_zone.texts("_acme-challenge.example.org", "TXT") == set()
    account.revoke(again)


def test_certificates_may_be_short(pebble, clean_zone):
    pebble.restart(life=timedelta(days=7))
    try:
        issued = leaf(Account(pebble).issue(new_key(), NAMES[-1:], clean_zone.replace))
    finally:
        pebble.restart()
    assert issued.not_valid_after_utc - issued.not_valid_before_utc < timedelta(days=7, minutes=1)


def test_a_bogus_zone_gets_no_certificate(pebble):
    with pytest.raises(errors.ValidationError) as refused:
        Account(pebble).issue(new_key(), ["mx1.bogus.org"], lambda *_: None)
    assert [one.body.status for one in refused.value.failed_authzrs] == [messages.STATUS_INVALID]


def test_refused_nonces_reach_the_client(pebble):
    pebble.restart(nonce_reject=100)
    try:
        with pytest.raises(messages.Error, match="badNonce"):
            Account(pebble)
    finally:
        pebble.restart()
