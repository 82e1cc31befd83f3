"""Dates as they are written, and as we write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsrv.message import dates


def at(*numbers: int, zone: int = 0) -> datetime:
    return datetime(*numbers, tzinfo=timezone(timedelta(minutes=zone)))  # type: ignore[misc,arg-type]


VECTORS = [
    (b"Fri, 21 Nov 1997 09:55:06 -0600", at(1997, 11, 21, 9, 55, 6, zone=-360)),
    (b"Thu, 13 Feb 1969 23:32 -0330 (Newfoundland Time)", at(1969, 2, 13, 23, 32, zone=-210)),  # RFC 5322 A.5
    (b"21 Nov 97 09:55:06 GMT", at(1997, 11, 21, 9, 55, 6)),
    (b"Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", at(1997, 11, 21, 9, 55, 6, zone=-360)),  # A.6.2
    (b"Fri (a), 21 Nov 1997 (b) 09:55:06 -0600", at(1997, 11, 21, 9, 55, 6, zone=-360)),
    (b"Mon, 7 Feb 1994 21:52:25 PST", at(1994, 2, 7, 21, 52, 25, zone=-480)),
    (b"Mon Feb  7 21:52:25 1994", at(1994, 2, 7, 21, 52, 25)),
    (b"Mon Feb  7 21:52:25 PST 1994", at(1994, 2, 7, 21, 52, 25)),
    (b"Sunday, 06-Nov-94 08:49:37 GMT", at(1994, 11, 6, 8, 49, 37)),
    (b"1 Jan 49 00:00 Z", at(2049, 1, 1, 0, 0)),
    (b"1 Jan 102 00:00 +0000", at(2002, 1, 1, 0, 0)),
    (b"Tue, 10 Sep 0102 19:03:14 +1200", at(2002, 9, 10, 19, 3, 14, zone=720)),
    (b"Sat, 31 Dec 2016 23:59:60 +0000", at(2016, 12, 31, 23, 59, 59)),
    (b"Mon, 99 Foo 99999999999 99:99:99 +9999999999", None),
    (b"Wed, 31 Feb 2024 10:00:00 +0000", None),
    (b"1 Jan 2024 10:00:00 +9999", at(2024, 1, 1, 10, 0, 0)),
    (b"1 Jan 9999 10:00:00 +0000", None),
    (b"1 Jan 0000 10:00:00 -2359", at(1900, 1, 1, 10, 0, 0, zone=-1439)),
    (b"", None),
    (b"yesterday", None),
]


@pytest.mark.parametrize("value, wanted", VECTORS)
def test_dates_are_read(value: bytes, wanted: datetime | None) -> None:
    found = dates.parse(value)
    assert found == wanted
    if found is not None and wanted is not None:
        assert found.utcoffset() == wanted.utcoffset()
        found.astimezone(UTC).timestamp()


@given(st.datetimes(datetime(1900, 1, 1), datetime(9998, 12, 31)), st.integers(-1439, 1439))
def test_what_we_write_is_read_back(moment: datetime, minutes: int) -> None:
    moment = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    assert dates.parse(dates.written(moment).encode()) == moment


def test_it_is_written_as_the_rfc_has_it() -> None:
    assert dates.written(at(1997, 11, 21, 9, 55, 6, zone=-390)) == "Fri, 21 Nov 1997 09:55:06 -0630"
