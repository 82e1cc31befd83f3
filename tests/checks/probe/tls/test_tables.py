"""The tables of suites and groups are those of the standards and of the libraries."""

from __future__ import annotations

import re
import subprocess

import pytest

from checks.probe.tls import groups, suites
from tests.checks.probe.tls.servers import has


@has("openssl")
def test_suites_have_the_numbers_that_openssl_has():
    words = ["openssl", "ciphers", "-V", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    rows = {int(high + low, 16): name for high, low, name in re.findall(r"0x(..),0x(..) - (\S+)", told)}
    ours = {code: name for code, name in rows.items() if "PSK" not in name and "SRP" not in name}
    assert len(ours) > 80
    assert {code: suites.NAMES[code] for code in ours} == ours


@has("gnutls-cli")
def test_suites_have_the_numbers_that_gnutls_has():
    told = subprocess.run(["gnutls-cli", "-l"], capture_output=True, text=True, check=True).stdout
    rows = {name: int(high + low, 16) for name, high, low in re.findall(r"^TLS_(\S+)\s+0x(..), 0x(..)", told, re.M)}
    plain = {name: code for name, code in rows.items() if not re.search("PSK|SRP|GOST|ARCFOUR|CHACHA", name)}
    spelt = {re.sub("_WITH|^TLS_", "", name).replace("_anon_", "_ANON_"): code for code, name in suites.NAMES.items()}
    assert len(plain) > 60
    missing = {name: code for name, code in plain.items() if code not in (spelt.get(name), spelt.get(name[:-1]))}
    assert missing == {}


def test_each_suite_belongs_to_one_library():
    parts = (suites.LEGACY, suites.MODERN, suites.BEYOND, suites.THIRTEEN)
    assert sorted(code for part in parts for code in part) == sorted(suites.NAMES)
    assert {suites.NAMES[code] for code in suites.MODERN} >= {
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_RSA_WITH_CAMELLIA_256_CBC_SHA384",
        "TLS_RSA_WITH_AES_128_CCM_8",
    }
    assert suites.NAMES[suites.USUAL_MODERN[0]] == "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 128, 200])
def test_chunks_are_all_of_it_and_none_is_too_long(count):
    parts = suites.chunks(tuple(range(count)))
    assert sorted(code for part in parts for code in part) == list(range(count))
    assert all(0 < len(part) <= 64 for part in parts)


RFC_7919 = {  # bits -> the last eight octets but eight (appendix A), as hexadecimal digits
    2048: "61285C97FFFFFFFFFFFFFFFF",
    3072: "66C62E37FFFFFFFFFFFFFFFF",
    4096: "5E655F6AFFFFFFFFFFFFFFFF",
    6144: "D0E40E65FFFFFFFFFFFFFFFF",
    8192: "C5C6424CFFFFFFFFFFFFFFFF",
}


@pytest.mark.parametrize("bits", RFC_7919)
def test_groups_of_rfc_7919_are_known_by_their_primes(bits):
    (p,) = [p for p, name in groups._primes().items() if name == f"ffdhe{bits}"]
    assert p.bit_length() == bits
    assert f"{p:X}".endswith(RFC_7919[bits])
    assert f"{p:X}".startswith("FFFFFFFFFFFFFFFFADF85458A2BB4A9A")
    assert (groups.finite_name(p, 2), groups.finite_name(p, 5), groups.finite_name(p + 2, 2)) == (
        f"ffdhe{bits}",
        "",
        "",
    )


SIZES = {"secp256r1": 256, "secp521r1": 521, "brainpoolP512r1": 512, "sect571k1": 571, "x25519": None, "x448": None}


@pytest.mark.parametrize("name", SIZES)
def test_curves_have_the_size_that_the_site_sees(name):
    assert groups.curve_size(groups.CODES[name]) == SIZES[name]


def test_groups_have_their_numbers():
    numbers = {"secp224r1": 21, "secp256k1": 22, "brainpoolP256r1": 26, "x25519": 29, "X25519MLKEM768": 4588}
    assert {name: groups.CODES[name] for name in numbers} == numbers
