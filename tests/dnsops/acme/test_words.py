"""What an authority says: its words with their limits, and what each refusal means for a person."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from dnsops.acme import ari, lasting, refusals, words
from dnsops.acme.refusals import Refusal
from dnsops.acme.words import PREFIX, Problem
from dnsops.base.errors import ForUser, Later
from dnsops.records.txt.caa import Issuer

CA = "https://ca.example"
DIRECTORY = {"newNonce": f"{CA}/n", "newAccount": f"{CA}/a", "newOrder": f"{CA}/o"}
ORDER = {"status": "pending", "authorizations": [f"{CA}/z/1"], "finalize": f"{CA}/f"}
NOW = datetime(2026, 11, 26, tzinfo=UTC)


def test_a_directory_with_everything() -> None:
    meta = {"termsOfService": f"{CA}/tos", "caaIdentities": ["CA.example"], "externalAccountRequired": True}
    read = words.directory(DIRECTORY | {"renewalInfo": f"{CA}/ri/", "meta": meta | {"profiles": {"short": "6 days\n"}}})
    assert read.renewal_info == f"{CA}/ri"
    assert (read.terms, read.identities, read.binding_required) == (f"{CA}/tos", ("ca.example",), True)
    assert read.profiles == {"short": r"6 days\n"}
    assert words.directory(DIRECTORY | {"meta": 7}).profiles == {}


READERS: dict[str, Callable[[dict[str, Any]], object]] = {
    "directory": words.directory,
    "order": lambda data: words.order(data, f"{CA}/o/1"),
    "authorisation": words.authorisation,
}
BAD = [
    ("directory", {}),
    ("directory", DIRECTORY | {"newNonce": "http://ca.example/n"}),
    ("directory", DIRECTORY | {"newOrder": "https://ca.example/\n"}),
    ("directory", DIRECTORY | {"newOrder": "https://" + "x" * 3000}),
    ("directory", DIRECTORY | {"newOrder": 7}),
    ("directory", DIRECTORY | {"meta": {"caaIdentities": ["a"] * 21}}),
    ("order", {}),
    ("order", ORDER | {"authorizations": "https://ca.example/z/1"}),
    ("order", ORDER | {"authorizations": [f"{CA}/z/1"] * 201}),
    ("order", ORDER | {"certificate": "ftp://ca.example"}),
    ("authorisation", {"status": "pending"}),
    ("authorisation", {"identifier": {"type": "ip", "value": "192.0.2.1"}}),
    ("authorisation", {"identifier": {"type": "dns", "value": "a.example"}, "challenges": [{"type": "dns-01"}]}),
    ("authorisation", {"identifier": {"type": "dns", "value": "a.example"}, "challenges": [{}] * 21}),
]


@pytest.mark.parametrize("reader, data", BAD)
def test_what_is_not_as_the_standard_says(reader: str, data: dict[str, Any]) -> None:
    with pytest.raises(words.Malformed, match="is not as RFC 8555 says"):
        READERS[reader](data)


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"{", b"\xff", b"[" * 100000, b'"' + b"x" * (1 << 18) + b'"'])
def test_what_is_no_document(body: bytes) -> None:
    with pytest.raises(words.Malformed):
        words.document(body)


@pytest.mark.parametrize(
    "text, seconds",
    [
        ("0", 0.0),
        ("120", 120.0),
        ("9" * 30, 86400.0),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("1e9", None),
        ("Thu, 26 Nov 2026 00:01:00 GMT", 60.0),
        ("Thu, 26 Nov 2020 00:01:00 GMT", 0.0),
        ("Thu, 26 Nov 2026 00:01:00", None),
        ("Thu, 99 Nov 2026 00:01:00 GMT", None),
    ],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    assert words.retry_after(text, NOW) == seconds


def problem(kind: str, detail: str = "why", **more: Any) -> Problem:
    return words.problem({"type": PREFIX + kind, "detail": detail, **more}, 400)


@pytest.mark.parametrize("kind", [*refusals.ADVICE, "unheardOf"])
def test_every_refusal_is_for_a_person(kind: str) -> None:
    refusal = refusals.of(problem(kind), "an order")
    assert isinstance(refusal, Refusal)
    assert str(refusal).startswith(f"an order: the authority refused: why ({kind}) - ")
    assert refusal.advice


@pytest.mark.parametrize("kind", refusals.WAIT)
def test_waiting_helps(kind: str) -> None:
    assert isinstance(refusals.of(problem(kind), "an order"), Later)
    later = refusals.of(problem(kind), "an order", after=7)
    assert isinstance(later, Later)
    assert later.after == timedelta(seconds=7)


def test_several_names_are_one_sentence() -> None:
    found = [Problem("caa", "forbidden", name="a.example"), Problem("dns", "SERVFAIL\n", name="b.example")]
    text = str(refusals.of_several(found, "validation"))
    assert "a.example: forbidden (caa); b.example: SERVFAIL" in text
    assert "change the CAA records" in text
    assert "delegation" in text
    slow = [Problem("serverInternal", "x", name="a.example"), Problem("rateLimited", "y", name="b.example")]
    assert isinstance(refusals.of_several(slow, "validation"), Later)
    assert isinstance(refusals.of_several([*found, *slow], "validation"), ForUser)


def test_subproblems_are_bounded_and_printable() -> None:
    deep = {"type": PREFIX + "compound", "detail": "x\x1b[31m" * 1000, "subproblems": [{"detail": "y"}] * 500}
    read = words.problem(deep | {"subproblems": [{"detail": "y"}] * 500})
    assert len(read.more) == words.MOST_SUBPROBLEMS
    assert len(read.detail) == words.LONGEST_DETAIL
    assert "\x1b" not in read.detail


# renewal information


def certificate(serial: int, issuer: bytes | None) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    builder = x509.CertificateBuilder(name, name, key.public_key(), serial, NOW, NOW + timedelta(days=90))
    if issuer is not None:
        builder = builder.add_extension(x509.AuthorityKeyIdentifier(issuer, None, None), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def test_the_identifier_of_rfc_9773_4_1() -> None:
    """Its example: this key identifier, and the serial 87:65:43:21."""
    issuer = bytes.fromhex("69885b6b87464041e1b37b847ba0ae2cde01c8d4")
    found = ari.identifier(certificate(0x87654321, issuer))
    assert found == "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE", "a zero in front of a serial whose first bit is set"
    assert ari.identifier(certificate(7, None)) == ""


@pytest.mark.parametrize("bits", range(1, 160, 13))
def test_certbots_library_agrees_on_identifiers(bits: int) -> None:
    from acme.client import _renewal_info_path_component

    der = certificate((1 << bits) - 1, b"k" * 20)
    assert ari.identifier(der) == _renewal_info_path_component(x509.load_der_x509_certificate(der))


def test_windows_are_bounded() -> None:
    der = certificate(7, b"k")
    data = {"suggestedWindow": {"start": "2026-12-01T00:00:00Z", "end": "2030-01-01T00:00:00+02:00"}}
    window = ari.window(data, der, 1.0)
    assert (window.start, window.end) == (datetime(2026, 12, 1, tzinfo=UTC), NOW + timedelta(days=90))
    assert window.retry_after == ari.SHORTEST
    assert ari.window(data, der, None).retry_after == ari.USUAL
    assert ari.window(data, der, 1e9).retry_after == ari.LONGEST


# persistent validation

URI = "https://ca.example/acct/1"


def persistent(issuer: str, account: str, below: bool = False) -> str:
    return str(Issuer.persistent(issuer, account, below))


@pytest.mark.parametrize(
    "text, plain, wildcard",
    [
        (persistent("ca.example", URI), True, False),
        (persistent("ca.example", URI, below=True), True, True),
        (f"CA.example;accounturi={URI};POLICY=Wildcard", True, True),
        (f"ca.example; accounturi={URI}; accounturi={URI}", False, False),
        (f"ca.example.; accounturi={URI}", False, False),
        (persistent("other.example", URI), False, False),
        (persistent("ca.example", URI + "0"), False, False),
        ("ca.example", False, False),
        (f"ca.example; accounturi={URI}; persistUntil=999", False, False),
        (f"ca.example; accounturi={URI}; persistUntil=1001", True, False),
        (f"ca.example; accounturi={URI}; persistUntil=soon", False, False),
        (";" * 9000, False, False),
    ],
)
def test_a_persistent_validation_is_for_us(text: str, plain: bool, wildcard: bool) -> None:
    for wanted, expected in ((False, plain), (True, wildcard)):
        assert lasting.lasts(["v=spf1 -all", text], ["ca.example"], URI, wanted, 1000) is expected


def test_json_of_any_kind_ends_in_a_reader_or_malformed() -> None:
    odd = [None, True, 7, "x", [], {}, [[]], {"type": []}, {"value": 7}]
    for reader, good in (("directory", DIRECTORY), ("order", ORDER)):
        for key in [*good, "meta", "error", "certificate"]:
            for value in odd:
                data = json.loads(json.dumps(good | {key: value}))
                try:
                    READERS[reader](data)
                except words.Malformed:
                    continue
