"""What real servers show, with all that can be wrong with them."""

from __future__ import annotations

import asyncio

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from checks.facts import Hashes, Version
from checks.probe.tls.visit import Limits, Place, Visitor
from checks.probe.tls.whole import ECDSA, RSA, visit_13
from dnsops.certs.wire import How
from tests.checks.probe.tls.servers import GNUTLS, OPENSSL, has, seen, serving

pytestmark = has("openssl")
EC, KEY_RSA = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)
NEW = {Version.TLS12, Version.TLS13}
WEAK = ("-cipher", "ALL:@SECLEVEL=0", "-min_protocol", "TLSv1")

OF_OPENSSL = {  # options -> what must be seen
    (): {"versions": NEW, "ems": True, "secure_renegotiation": True, "compression": False, "client_renegotiations": 0},
    WEAK: {"versions": {Version.TLS10, Version.TLS11, *NEW}},
    ("-tls1_2",): {"versions": {Version.TLS12}, "early_data": None},
    ("-tls1_3",): {"versions": {Version.TLS13}, "ems": None, "hashes": Hashes(asked=False), "early_data": False},
    ("-tls1_2", "-client_renegotiation"): {"client_renegotiations": 11},
    ("-early_data",): {"early_data": True, "reachable": True},
    ("-tls1_2", "-groups", "X448"): {"reachable": False, "versions": {Version.TLS12}, "wide_groups": {"x448"}},
    ("-tls1_2", "-groups", "brainpoolP256r1"): {"reachable": False, "wide_groups": {"brainpoolP256r1"}},
    ("-tls1_2", "-groups", "P-521"): {"reachable": True, "wide_groups": {"secp521r1"}},
    ("-tls1_3", "-groups", "ffdhe2048:X448"): {"reachable": True, "wide_groups": {"ffdhe2048", "x448"}},
    ("-tls1_2", "-sigalgs", "ECDSA+SHA256"): {"hashes": Hashes()},
    ("-tls1_2", "-sigalgs", "ECDSA+SHA256:ECDSA+SHA224"): {"hashes": Hashes(sha224=True)},
    (*WEAK, "-sigalgs", "ECDSA+SHA256:ECDSA+SHA1"): {"hashes": Hashes(sha1=True)},
    ("-ciphersuites", "TLS_AES_128_CCM_8_SHA256:TLS_AES_256_GCM_SHA384"): {
        "suites[TLS13]": ("TLS_AES_128_CCM_8_SHA256",),
    },
}


@pytest.mark.parametrize("options", OF_OPENSSL, ids=" ".join)
def test_what_openssl_does_is_seen(options, tmp_path):
    with serving(tmp_path, OPENSSL, *options, ec=EC) as port:
        found = seen(tmp_path, port)
    for name, wanted in OF_OPENSSL[options].items():
        value = found.suites[Version.TLS13] if name == "suites[TLS13]" else getattr(found, name)
        assert value == wanted, (name, found.evidence.lines)
    assert not found.late
    if found.reachable:
        assert (len(found.chain), found.trusted, found.name_matches) == (2, True, True), found.trust_why


OF_GNUTLS = {
    "NORMAL": {"client_renegotiations": 11, "hashes": Hashes(sha1=True), "ems": True},
    "NORMAL:-VERS-TLS1.3:%NO_SESSION_HASH:%DISABLE_SAFE_RENEGOTIATION": {
        "ems": False,
        "secure_renegotiation": False,
        "client_renegotiations": 11,
    },
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-SECP384R1": {"versions": {Version.TLS13}, "reachable": True},
}


@has("gnutls-serv")
@pytest.mark.parametrize("priority", OF_GNUTLS)
def test_what_gnutls_does_is_seen(priority, tmp_path):
    with serving(tmp_path, GNUTLS, "--priority", priority, ec=EC) as port:
        found = seen(tmp_path, port)
    for name, wanted in OF_GNUTLS[priority].items():
        assert getattr(found, name) == wanted, (name, found.evidence.lines)


def test_every_suite_is_found_and_no_other(tmp_path):
    names = "ECDHE-RSA-AES128-GCM-SHA256 DHE-RSA-AES256-SHA256 AES128-SHA ECDHE-RSA-CHACHA20-POLY1305 CAMELLIA256-SHA"
    options = ("-tls1_2", "-cipher", ":".join(names.split()) + ":@SECLEVEL=0")
    with serving(tmp_path, OPENSSL, *options, rsa=KEY_RSA) as port:
        found = seen(tmp_path, port)
    assert set(found.suites[Version.TLS12]) == {
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256",
        "TLS_RSA_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA",
    }
    finite = [key for key in found.keys if key.finite]
    assert [(key.g, key.size == key.p.bit_length()) for key in finite] == [(2, True)]
    assert found.order  # DHE to be phased out, ECDHE better


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_both_certificates_are_seen(version, tmp_path):
    with serving(tmp_path, OPENSSL, version, ec=EC, rsa=KEY_RSA) as port:
        found = seen(tmp_path, port, wide=False)
    assert len({found.chain, *found.wide_chains}) == 2


@pytest.mark.parametrize(
    "options",
    [("-groups", "X25519"), ("-groups", "P-384"), ("-groups", "P-521"), ("-groups", "X448"), ("-verify", "1")],
)
@pytest.mark.parametrize("suite", ["AES_128_GCM", "AES_256_GCM", "CHACHA20_POLY1305", "AES_128_CCM", "AES_128_CCM_8"])
def test_tls_13_is_spoken_to_its_end(options, suite, tmp_path):
    hashed = "SHA384" if suite == "AES_256_GCM" else "SHA256"
    with serving(tmp_path, OPENSSL, "-ciphersuites", f"TLS_{suite}_{hashed}", "-early_data", *options, ec=EC) as port:
        chain, early = asyncio.run(visit_13(Visitor(Place("x", "127.0.0.1", port, How.IMPLICIT), Limits())))
    assert (len(chain), early) == (2, True)


def test_a_kind_of_key_that_is_not_there_brings_no_chain(tmp_path):
    with serving(tmp_path, OPENSSL, ed=ed25519.Ed25519PrivateKey.generate()) as port:
        place = Place("", "127.0.0.1", port, How.IMPLICIT)
        chains = [asyncio.run(visit_13(Visitor(place, Limits()), kind))[0] for kind in (RSA, ECDSA)]
    assert [len(chain) for chain in chains] == [0, 2]


def test_a_server_for_another_host_is_not_trusted(tmp_path):
    with serving(tmp_path, OPENSSL, ec=EC) as port:
        found = seen(tmp_path, port, host="other.example.org", wide=False)
    assert (found.reachable, found.trusted, found.name_matches) == (True, False, False)
    assert found.trust_why.isprintable()


def test_enough_is_enough(tmp_path):
    with serving(tmp_path, OPENSSL, *WEAK, rsa=KEY_RSA) as port:
        found = seen(tmp_path, port, limits=Limits(connections=12))
    assert any("12 connections were enough" in line for line in found.evidence.lines)
