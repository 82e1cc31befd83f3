"""The records of two drafts, read and written: the hash of the settings document, and the picture beside mail."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnsops.records.txt.bimi import Bimi, owner
from dnsops.records.txt.tags import Malformed
from dnsops.records.txt.uaac import Uaac

EMPTY = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="  # SHA-256 of nothing


def test_the_hash_of_a_document() -> None:
    record = Uaac.of(b"")
    assert str(record) == f"v=UAAC1; a=sha256; d={EMPTY}"
    assert record.vouches(b"")
    assert not record.vouches(b" ")


@given(st.binary())
def test_written_and_read_again_is_the_same(document: bytes) -> None:
    assert Uaac.parse(str(Uaac.of(document))) == Uaac.of(document)


@pytest.mark.parametrize(
    "text",
    [
        "", "v=UAAC1", "v=UAAC2; a=sha256; d=" + EMPTY, "a=sha256; v=UAAC1; d=" + EMPTY, "v=UAAC1; a=sha1; d=" + EMPTY,
        "v=UAAC1; a=sha256; d=", "v=UAAC1; a=sha256; d=YWJj", "v=UAAC1; a=sha256; d=%", "v=UAAC1; a=sha256; d=" + "A" * 2000,
    ],
)  # fmt: skip
def test_what_is_no_uaac_record(text: str) -> None:
    with pytest.raises(Malformed):
        Uaac.parse(text)


@pytest.mark.parametrize(
    "text, location, authority",
    [
        ("v=BIMI1; l=https://example.org/l.svg", "https://example.org/l.svg", ""),
        ("v=BIMI1;l=https://a.b/l.svg;a=https://a.b/l.pem;", "https://a.b/l.svg", "https://a.b/l.pem"),
        ("v=BIMI1; l=; a=", "", ""),  # declines
        ("v=BIMI1; l=HTTPS://a.b/c; avp=brand", "HTTPS://a.b/c", ""),
    ],
)
def test_pictures(text: str, location: str, authority: str) -> None:
    record = Bimi.parse(text)
    assert (record.location, record.authority) == (location, authority)
    assert Bimi.parse(str(record)) == record


@pytest.mark.parametrize(
    "text",
    ["", "v=BIMI1", "v=BIMI2; l=https://a.b", "l=https://a.b; v=BIMI1", "v=BIMI1; l=http://a.b", "v=BIMI1; l=https://a b", "v=BIMI1; l=https://a.b; a=x"],
)  # fmt: skip
def test_what_is_no_picture(text: str) -> None:
    with pytest.raises(Malformed):
        Bimi.parse(text)


def test_where_it_stands() -> None:
    assert owner("example.org") == "default._bimi.example.org"
