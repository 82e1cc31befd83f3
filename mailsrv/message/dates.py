"""The Date field: read as it is really written, and written as it should be. Pure.

Standard: RFC 5322 3.3 and 4.3 (two-digit years, names of zones), asctime's order of words, RFC 9110's names of days.
Fails by a value: None for what is no date between 1900 and 9998, so that no zone can carry it out of the calendar.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTH = {name.encode().lower(): number for number, name in enumerate(MONTHS, 1)}
_ZONES = {
    b"EST": -300,
    b"EDT": -240,
    b"CST": -360,
    b"CDT": -300,
    b"MST": -420,
    b"MDT": -360,
    b"PST": -480,
    b"PDT": -420,
}
_ZONES |= {b"BST": 60, b"CET": 60, b"MET": 60, b"CEST": 120, b"MEST": 120, b"EET": 120, b"EEST": 180, b"MSK": 180}
_CLOCK = rb"(\d{1,2})[:.](\d{1,2})(?:[:.](\d{1,2})(?:[.,]\d{1,9})?)?"
_ZONE = rb"(?:\s*+([+-])(\d\d):?(\d\d)|\s*+\(?([A-Za-z]{1,5}))?"
_COMMON = re.compile(
    rb"\s*+(?:[A-Za-z]{2,9}+[.,\s]*+)?(\d{1,2})[\s-]++([A-Za-z]{3})[a-z.]*+[\s,-]++(\d{2,4})[\s,]++" + _CLOCK + _ZONE
)
_ASCTIME = re.compile(
    rb"\s*+[A-Za-z]{2,9}+,?\s++([A-Za-z]{3})[a-z]*+\s++(\d{1,2}),?\s++"
    + _CLOCK
    + rb"\s++(?:[A-Za-z]{3,4}\s++)?(\d{4})"
    + _ZONE
)
_COLON = re.compile(rb"\s*+:\s*+")
_COMMENT = re.compile(rb"\([^()]*+\)")


def parse(value: bytes) -> datetime | None:
    """The moment a Date field names, with the offset it was written in (UTC when that is unknown)."""
    value = value[:200]
    found = _COMMON.match(value) or _COMMON.match(_COLON.sub(b":", _COMMENT.sub(b" ", value)))
    if found:
        day, month, year, *rest = found.groups()
        return _moment(year, month, day, rest[:3], rest[3:])
    found = _ASCTIME.match(value)
    if found:
        month, day, *rest = found.groups()
        return _moment(rest[3], month, day, rest[:3], rest[4:])
    return None


def _moment(year: bytes, month: bytes, day: bytes, clock: list[bytes], zone: list[bytes | None]) -> datetime | None:
    number, full = _MONTH.get(month.lower()), _year(year)
    if number is None or not 1900 <= full <= 9998:
        return None
    hour, minute, second = clock
    try:
        return datetime(full, number, int(day), int(hour), int(minute), min(int(second or 0), 59), tzinfo=_zone(zone))
    except ValueError:
        return None


def _year(text: bytes) -> int:
    """RFC 5322 4.3: two digits below 50 are of this century, three digits count from 1900, also when written as 0102."""
    year = int(text)
    if year >= 1000:
        return year
    return year + (2000 if len(text) == 2 and year < 50 else 1900)


def _zone(parts: list[bytes | None]) -> timezone:
    sign, hours, minutes, name = parts
    if sign is None or hours is None or minutes is None:
        return _offset(_ZONES.get((name or b"").upper(), 0))
    offset = int(hours) * 60 + int(minutes)
    return _offset(-offset if sign == b"-" else offset)


@lru_cache(512)
def _offset(minutes: int) -> timezone:
    return timezone(timedelta(minutes=minutes)) if 0 < abs(minutes) < 24 * 60 else UTC


def written(moment: datetime) -> str:
    """RFC 5322 3.3, in the offset the moment carries."""
    return _written(moment.replace(microsecond=0), moment.utcoffset() or timedelta(0))


@lru_cache(16)
def _written(moment: datetime, offset: timedelta) -> str:
    """The mails of one second share it. With the offset beside it: moments are equal whatever the zone they are told in."""
    minutes = int(offset.total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    zone = f"{'-' if minutes < 0 else '+'}{hours:02}{rest:02}"
    return (
        f"{DAYS[moment.weekday()]}, {moment.day} {MONTHS[moment.month - 1]} {moment.year:04} "
        f"{moment.hour:02}:{moment.minute:02}:{moment.second:02} {zone}"
    )
