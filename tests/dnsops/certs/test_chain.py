import hashlib
import re
import subprocess
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from dnsops.base.errors import ForUser
from dnsops.certs.chain import (
    LONGEST_CHAIN,
    Chain,
    association,
    check_key,
    flaws,
    from_der,
    from_pem,
    key_name,
    matches,
    spki_association,
)
from dnsops.records.tlsa import Tlsa, flaw
from tests.dnsops.certs.making import DAY, HOST, NOW, Authority, ecdsa, key_pem, rsa_key

CA = Authority()
DER = from_pem(CA.pair()[0], "test").certificates[0]
FORMS = [(u, s, m) for u in (2, 3) for s in (0, 1) for m in (0, 1, 2)]


def openssl(arguments: str, data: bytes) -> bytes:
    return subprocess.run(["openssl", *arguments.split()], input=data, capture_output=True, check=True).stdout


def by_openssl(pem: bytes, selector: int, matching: int) -> bytes:
    """What the shell pipeline of every DANE how-to computes."""
    if selector:
        data = openssl("pkey -pubin -outform DER", openssl("x509 -noout -pubkey", pem))
    else:
        data = openssl("x509 -outform DER", pem)
    digest = {1: "sha256", 2: "sha512"}.get(matching)
    return openssl(f"dgst -{digest} -binary", data) if digest else data


@pytest.mark.parametrize("make_key", [ecdsa, rsa_key, ed25519.Ed25519PrivateKey.generate])
def test_every_form_is_what_openssl_computes(make_key):
    chain = from_pem(CA.pair(key=make_key())[0], "test")
    for der in chain.certificates:
        pem = x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
        for usage, selector, matching in FORMS:
            expected = Tlsa(usage, selector, matching, by_openssl(pem, selector, matching))
            assert association(der, usage, selector, matching) == expected


def test_keys_that_a_library_would_spell_otherwise_are_hashed_as_they_stand(tmp_path):
    """A compressed point, explicit curve parameters, and RSASSA-PSS: the record is over the certificate's own bytes."""
    for make in (
        "ecparam -name prime256v1 -genkey -noout -conv_form compressed",
        "ecparam -name prime256v1 -genkey -noout -param_enc explicit",
        "genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048",
    ):
        (tmp_path / "key").write_bytes(openssl(make, b""))
        request = f"req -x509 -new -key {tmp_path}/key -subj /CN=x -addext subjectAltName=DNS:{HOST} -days 9"
        pem = openssl(request, b"")
        chain = from_pem(pem, "test")
        elements = re.findall(rb"^ *(\d+):d=2 +hl=(\d+) +l= *(\d+)", openssl("asn1parse", pem), re.M)
        start, header, length = (int(number) for number in elements[6])  # version, serial ... subject come before it
        assert chain.spki == chain.certificates[0][start : start + header + length], make
        assert association(chain.certificates[0]).data == hashlib.sha256(chain.spki).digest()


@pytest.mark.filterwarnings("ignore::UserWarning")  # other roots in the bundle
def test_the_published_values_of_isrg_root_x1():
    """RFC 7671 era records that anyone can look up: 2 1 1 and 2 0 1 of Let's Encrypt's root (letsencrypt.org/certificates)."""
    key = "0b9fa5a59eed715c26c1020c711b4f6ec42d58b0015e14337a39dad301c5afc3"
    whole = "96bcec06264976f37460779acf28c5a7cfe8a3c0aae11a8ffcee05c0bddf08c6"
    roots = x509.load_pem_x509_certificates(Path(certifi.where()).read_bytes())
    seen = {str(association(root.public_bytes(Encoding.DER), 2, s)) for root in roots for s in (0, 1)}
    assert {f"2 1 1 {key}", f"2 0 1 {whole}"} <= seen


@given(st.sampled_from(FORMS), st.binary(max_size=300))
def test_nothing_never_becomes_a_record(form, data):
    usage, selector, matching = form
    try:
        record = spki_association(data, usage, matching, selector)
    except ValueError:
        assert not data
        return
    assert data
    assert flaw(record) is None
    assert record.data not in (b"", hashlib.sha256(b"").digest(), hashlib.sha512(b"").digest())


@given(st.integers(-1, 256), st.integers(-1, 256), st.integers(-1, 256))
def test_only_forms_that_exist_become_records(usage, selector, matching):
    if (usage, selector, matching) in FORMS:
        assert flaw(association(DER, usage, selector, matching)) is None
    else:
        with pytest.raises(ValueError):
            association(DER, usage, selector, matching)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_damaged_certificate_is_a_sentence_never_a_crash(data):
    """Whatever passes can be read to the end: names, times, every association, every flaw."""
    damaged = bytearray(DER)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(DER) - 1))] = data.draw(st.integers(0, 255))
    damaged = damaged[: data.draw(st.integers(0, len(DER)) | st.just(len(DER)))]
    try:
        chain = from_der([bytes(damaged)], "peer")
    except ForUser:
        return
    flaws(chain, HOST, NOW)
    key_name(chain)
    assert matches(association(chain.certificates[0]), chain)


CHAIN, KEY = CA.pair()


@pytest.mark.parametrize(
    "data, says",
    [
        (b"", "no PEM certificate"),
        (KEY, "no PEM certificate"),
        (CHAIN[:-30], "damaged or cut off"),
        (CHAIN[:300], "damaged or cut off"),
        (CHAIN + CHAIN[:200], "damaged or cut off"),
        (CHAIN.replace(b"MII", b"MIX"), "damaged or cut off"),
        (CHAIN * LONGEST_CHAIN, "more than 16"),
        (CHAIN + b" " * (1 << 20), "larger than"),
    ],
)
def test_bad_pem_says_what_is_wrong_and_where(data, says):
    with pytest.raises(ForUser, match=says) as caught:
        from_pem(data, "/etc/x.pem")
    assert caught.value.where == "/etc/x.pem"


@pytest.mark.parametrize(
    "text", [CHAIN, KEY + b"\n" + CHAIN, CHAIN.replace(b"\n", b"\r\n"), b"subject=x\n" + CHAIN + KEY]
)
def test_a_chain_is_found_in_whatever_order_and_line_ends(text):
    assert from_pem(text, "x").certificates == from_pem(CHAIN, "x").certificates


@pytest.mark.parametrize(
    "pem, says",
    [
        (KEY, None),
        (b"", None),
        (CHAIN, None),
        (b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n", None),
        (key_pem(ecdsa()), "key mismatch"),
        (KEY[:-20], "cut off"),
        (KEY.replace(b"MIG", b"XXX"), "not an unencrypted PEM private key"),
    ],
)
def test_a_key_must_be_the_certificates(pem, says):
    chain = from_pem(CHAIN, "x")
    if says is None:
        check_key(chain, pem, "k")
        return
    with pytest.raises(ForUser, match=says) as caught:
        check_key(chain, pem, "k")
    assert KEY.split(b"\n")[1].decode()[:20] not in str(caught.value)


@pytest.mark.parametrize(
    "names, host, covered",
    [
        (["mx1.example.org"], "mx1.example.org", True),
        (["MX1.Example.org"], "mx1.example.org", True),
        (["*.example.org"], "mx1.example.org", True),
        (["*.example.org"], "a.mx1.example.org", False),
        (["*.example.org"], "example.org", False),
        (["example.org"], "mx1.example.org", False),
        (["*"], "localhost", False),
    ],
)
def test_names_cover_hosts_label_by_label(names, host, covered):
    chain = from_pem(CA.pair(names)[0], "x")
    assert chain.covers(host) is covered
    assert bool(flaws(chain, host, NOW)) is not covered


@pytest.mark.parametrize(
    "start, end, says",
    [(NOW - DAY, NOW, "expired"), (NOW + DAY, NOW + 2 * DAY, "not valid before"), (NOW, NOW + DAY, None)],
)
def test_validity_ends_and_begins_to_the_second(start, end, says):
    found = flaws(from_pem(CA.pair(start=start, end=end)[0], "x"), HOST, NOW)
    assert (says in found[0]) if says else not found


def test_a_record_matches_the_leaf_or_an_issuer_by_its_usage():
    chain = from_pem(CHAIN, "x")
    leaf, issuer = chain.certificates
    for form in FORMS:
        assert matches(association(leaf, *form), chain) is (form[0] == 3)
        assert matches(association(issuer, *form), chain) is (form[0] == 2)
    assert not matches(Tlsa(3, 1, 1, hashlib.sha256(b"").digest()), chain)


def test_keys_have_names():
    for key, name in ((ecdsa(), "ECDSA P-256"), (rsa_key(), "RSA 2048")):
        assert key_name(from_pem(CA.pair(key=key)[0], "x")) == name


def test_an_empty_chain_is_refused():
    with pytest.raises(ForUser, match="no certificate"):
        from_der([], "x")
    assert Chain((DER,)).names == (HOST,)
