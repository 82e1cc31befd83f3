"""Names in one spelling, and zones found at labels' borders."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnsops.base.errors import ForUser
from dnsops.records.names import asked, canonical, host, longest_suffix, tlsa_owner, under

SPELLINGS = [
    ("MX1.Example.ORG.", "mx1.example.org"),
    ("Bücher.example", "xn--bcher-kva.example"),
    ("BÜCHER.example", "xn--bcher-kva.example"),
    ("faß.example", "xn--fa-hia.example"),
    (" _25._TCP.mx.example.org ", "_25._tcp.mx.example.org"),
    ("*.example.org", "*.example.org"),
    (".", ""),
]


@pytest.mark.parametrize("text, wanted", SPELLINGS)
def test_names_have_one_spelling(text: str, wanted: str) -> None:
    assert canonical(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "..",
        "a..b",
        ".a",
        "a b",
        "a/b",
        "a.*.b",
        "x" * 64 + ".org",
        "a." * 127 + "bc",
        "\u2026",
        "xn--\u00fc.example",
        "a\0b",
    ],
)
def test_what_is_no_name_is_a_sentence(text: str) -> None:
    with pytest.raises(ForUser):
        canonical(text, "here")


@pytest.mark.parametrize("text", ["mx1", "_dmarc.example.org", "*.example.org", "192.0.2.1", "mx1.example.1"])
def test_what_is_no_host_is_a_sentence(text: str) -> None:
    with pytest.raises(ForUser):
        host(text)


@given(st.text(max_size=300))
def test_any_text_is_a_name_or_a_sentence(text: str) -> None:
    try:
        name = canonical(text)
    except ForUser:
        return
    assert canonical(name or ".") == name


def test_borders_of_labels() -> None:
    assert under("a.example.org", "example.org")
    assert under("example.org", "example.org")
    assert under("anything", "")
    assert not under("notexample.org", "example.org")
    assert not under("org", "example.org")
    zones = ["org", "example.org", "b.example.org", "notexample.org"]
    assert longest_suffix("a.b.example.org", zones) == "b.example.org"
    assert longest_suffix("xb.example.org", zones) == "example.org"
    assert longest_suffix("a.notexample.org", zones) == "notexample.org"
    assert longest_suffix("example.net", zones) is None


def test_the_owner_of_a_ports_tlsa_records() -> None:
    assert tlsa_owner("MX1.example.org", 25) == "_25._tcp.mx1.example.org"
    for port in (0, -1, 65536):
        with pytest.raises(ForUser, match="does not exist"):
            tlsa_owner("mx1.example.org", port)


@pytest.mark.parametrize(
    "text,name",
    [
        ("MX1.Example.org.", "mx1.example.org"),
        ("a+b=c.example.org", "a+b=c.example.org"),
        ("o'hara?x.y z.example.org", "o'hara?x.y z.example.org"),
        ("foo:bar/baz.example.com", "foo:bar/baz.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        (".", ""),
    ],
)
def test_the_dns_may_be_asked_for_more_names_than_machines_have(text: str, name: str) -> None:
    assert asked(text) == name


@pytest.mark.parametrize(
    "text", ["", "a..b", "a\\b.org", "a\x00b.org", "a\nb.org", "a" * 64 + ".org", "a." * 127 + "org"]
)
def test_some_names_cannot_be_asked_for(text: str) -> None:
    with pytest.raises(ForUser):
        asked(text)
