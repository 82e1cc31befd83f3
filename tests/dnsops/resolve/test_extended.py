"""RFC 8914 codes for the words of a validator."""

from __future__ import annotations

import pytest

from dnsops.resolve import extended


@pytest.mark.parametrize(
    "why, code",
    [
        (
            "validation failure <a. TLSA IN>: signature expired from 192.0.2.1 for key a. while building chain of trust",
            7,
        ),
        ("validation failure <a. A IN>: signature before inception date from 192.0.2.1", 8),
        ("validation failure <a. A IN>: no signatures from 192.0.2.1", 10),
        ("validation failure <a. A IN>: No DNSKEY record from 192.0.2.1 for key a.", 9),
        ("validation failure <a. A IN>: could not fetch DNSKEY rrset", 9),
        ("validation failure <a. A IN>: ECDSA signature verification failed from 192.0.2.1", 6),
        ("something new", 6),
        ("", 6),
    ],
)
def test_the_words_of_libunbound_have_a_code(why: str, code: int) -> None:
    assert extended.of_reason(why) == code
    assert code in extended.DNSSEC


def test_the_reason_comes_without_what_the_reader_knows() -> None:
    assert (
        extended.reason("validation failure <_25._tcp.a. TLSA IN>: no signatures from 192.0.2.1")
        == "no signatures from 192.0.2.1"
    )
    assert extended.reason("no signatures") == "no signatures"


@pytest.mark.parametrize("code, name", [(6, "DNSSEC Bogus"), (22, "No Reachable Authority"), (777, "not in RFC 8914")])
def test_codes_have_the_names_of_the_registry(code: int, name: str) -> None:
    assert extended.name(code) == name


def test_the_reason_names_each_server_once() -> None:
    said = "validation failure <a. A IN>: signature expired from 2001:db8::1 and 192.0.2.1 and 2001:db8::1 for key example.org."
    assert extended.reason(said) == "signature expired from 2001:db8::1, 192.0.2.1 for key example.org."
