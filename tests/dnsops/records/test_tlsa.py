"""TLSA records: read, written, and which must never be published."""

from __future__ import annotations

import hashlib

import pytest

from dnsops.records.tlsa import Tlsa, flaw

GOOD = hashlib.sha256(b"a key").digest()
VERDICTS = [
    (Tlsa(3, 1, 1, GOOD), None),
    (Tlsa(2, 0, 1, GOOD), None),
    (Tlsa(3, 1, 2, hashlib.sha512(b"a key").digest()), None),
    (Tlsa(3, 0, 0, b"a certificate"), None),
    (Tlsa(1, 1, 1, GOOD), "nothing for mail"),
    (Tlsa(3, 2, 1, GOOD), "selector 2"),
    (Tlsa(3, 1, 3, GOOD), "matching type 3"),
    (Tlsa(3, 1, 1, GOOD[1:]), "needs 32 bytes"),
    (Tlsa(3, 1, 2, GOOD), "needs 64 bytes"),
    (Tlsa(3, 1, 1, hashlib.sha256(b"").digest()), "hash of nothing"),
    (Tlsa(3, 1, 2, hashlib.sha512(b"").digest()), "hash of nothing"),
    (Tlsa(3, 1, 0, b""), "no data"),
]


@pytest.mark.parametrize("record, told", VERDICTS)
def test_which_records_may_leave_the_house(record: Tlsa, told: str | None) -> None:
    found = flaw(record)
    assert (found is None) == (told is None)
    assert (told or "") in (found or "")


def test_the_text_comes_back() -> None:
    record = Tlsa(3, 1, 1, GOOD)
    assert Tlsa.parse(str(record)) == record
    assert Tlsa.parse(f" 3 1 1 {GOOD.hex().upper()[:20]} {GOOD.hex()[20:]}") == record
    assert record.short == f"3 1 1 {GOOD.hex()[:8]}"
