"""TXT records as texts: strings joined, octets kept, only those wanted, and not too many."""

from __future__ import annotations

import pytest

from dnsops.records import rdata
from dnsops.records.txt.texts import text_of, texts


@pytest.mark.parametrize(
    "written,text",
    [
        ('"v=spf1 -all"', "v=spf1 -all"),
        ('"v=spf1 " "-all"', "v=spf1 -all"),  # RFC 7208 3.3
        ('"v=DM" "ARC1"', "v=DMARC1"),
        ('"a" "" "b"', "ab"),
        ('""', ""),
        ('"a\\"b" "c\\\\"', 'a"bc\\'),
        ('"a\\" \\"b"', 'a" "b'),
        ('"\\195\\169"', "\xc3\xa9"),
        ('"\\000"', "\0"),
    ],
)
def test_one_record(written: str, text: str) -> None:
    assert text_of(rdata.parse("TXT", written)) == text


def test_only_those_wanted_in_one_order_and_not_too_many() -> None:
    items = [rdata.txt(f"v={n:03}") for n in range(500)] + [rdata.txt("other")]
    assert texts(items, lambda text: text.startswith("v="), most=2) == ["v=000", "v=001"]
    assert texts(reversed(items), lambda text: text.startswith("v="), most=2) == ["v=000", "v=001"]
    assert texts([], str) == []
