"""Dates of IMAP (RFC 9051 9: date, date-time): `1-Feb-1994`, `"17-Jul-1996 02:44:25 -0700"`. Pure."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache

from mailsrv.imap.grammar.cursor import Cursor, Unreadable

MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
MONTH = {name.upper(): number for number, name in enumerate(MONTHS, 1)}
DATE = re.compile(rb"([ 0-9]?[0-9])-([A-Za-z]{3})-([0-9]{4})")
DATE_TIME = re.compile(DATE.pattern + rb" ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})")
DAY = 86400


def read_date(cursor: Cursor) -> date:
    text = cursor.quoted() if cursor.stands(b'"') else cursor.atom()
    found = DATE.fullmatch(text)
    if found is None:
        raise Unreadable("a date expected, like 1-Feb-1994")
    return calendar_day(found)


def calendar_day(found: re.Match[bytes]) -> date:
    try:
        return date(int(found[3]), MONTH[found[2].upper()], int(found[1]))
    except (KeyError, ValueError):
        raise Unreadable("there is no such day") from None


def read_date_time(cursor: Cursor) -> datetime:
    found = DATE_TIME.fullmatch(cursor.quoted())
    if found is None:
        raise Unreadable('a date and time expected, like "17-Jul-1996 02:44:25 -0700"')
    day = calendar_day(found)
    hour, minute, second = int(found[4]), int(found[5]), min(int(found[6]), 59)  # a leap second is not told apart
    offset = timedelta(hours=int(found[8]), minutes=int(found[9]))
    try:
        zone = timezone(-offset if found[7] == b"-" else offset)
        moment = datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=zone)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unreadable("there is no such moment") from None


def date_time(seconds: int) -> bytes:
    """INTERNALDATE of a moment, in UTC."""
    day, rest = divmod(seconds, DAY)
    return b'%b %02d:%02d:%02d +0000"' % (day_text(day), rest // 3600, rest // 60 % 60, rest % 60)


@lru_cache(4096)
def day_text(day: int) -> bytes:
    on = date(1970, 1, 1) + timedelta(days=day)
    return b'"%2d-%b-%04d' % (on.day, MONTHS[on.month - 1], on.year)
