"""TLS reports: read as they come, written as RFC 8460 has them, and nothing in them without a bound."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings

from mailsrv.reports import limits, tls_json
from mailsrv.reports.limits import Unreadable
from mailsrv.reports.tls_json import TlsReport
from tests.mailsrv.reports.samples import RFC8460, tls_reports


def test_the_sample_of_rfc_8460_appendix_b() -> None:
    report = tls_json.parse(RFC8460)
    assert (report.organization, report.sessions, report.failed) == ("Company-X", 5629, 303)
    assert report.end == datetime(2016, 4, 1, 23, 59, 59, tzinfo=UTC)
    (policy,) = report.policies
    assert (policy.type, policy.domain, policy.mx_hosts) == ("sts", "company-y.example", ("*.mail.company-y.example",))
    assert [(one.type, one.count) for one in policy.details] == [
        ("certificate-expired", 100), ("starttls-not-supported", 200), ("validation-failure", 3),
    ]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(tls_reports)
def test_written_and_read_again_is_the_same(report: TlsReport) -> None:
    assert tls_json.parse(tls_json.written(report)) == report


def test_members_have_the_names_of_rfc_8460_4_4() -> None:
    before, after = json.loads(RFC8460), json.loads(tls_json.written(tls_json.parse(RFC8460)))
    assert after == before


LENIENT = [
    (b'["*.mail.company-y.example"]', b'"*.mail.company-y.example"'),  # as 4.4 shows it
    (b"5326", b'"5326"'),
    (b"2016-04-01T00:00:00Z", b"2016-04-01T02:00:00+02:00"),
    (b"2016-04-01T00:00:00Z", b"2016-04-01T00:00:00.000Z"),
    (b'"contact-info"', b'"x-new": [{"a": 1.5}], "contact-info"'),
]


@pytest.mark.parametrize("old, new", LENIENT)
def test_what_others_write_is_read(old: bytes, new: bytes) -> None:
    assert old in RFC8460
    assert tls_json.parse(RFC8460.replace(old, new)) == tls_json.parse(RFC8460)


BAD = {
    "nothing": b"",
    "no JSON": b"{",
    "an array": b"[]",
    "not UTF-8": RFC8460.replace(b"Company-X", b"\xff"),
    "a member twice": RFC8460.replace(b'"report-id"', b'"report-id": "1", "report-id"'),
    "NaN": RFC8460.replace(b"5326", b"NaN"),
    "infinity": RFC8460.replace(b"5326", b"-Infinity"),
    "half a session": RFC8460.replace(b"5326", b"0.5"),
    "a number of a thousand digits": RFC8460.replace(b"5326", b"9" * 1000),
    "a fraction of a thousand digits": RFC8460.replace(b"5326", b"0." + b"9" * 1000),
    "less than nothing": RFC8460.replace(b"5326", b"-1"),
    "more than there can be": RFC8460.replace(b"5326", b"9" * 15),
    "a truth": RFC8460.replace(b"5326", b"true"),
    "no time": RFC8460.replace(b"2016-04-01T00:00:00Z", b"yesterday"),
    "a day that is none": RFC8460.replace(b"2016-04-01T00:00:00Z", b"2016-02-30T00:00:00Z"),
    "a time before time": RFC8460.replace(b"2016-04-01T00:00:00Z", b"0001-01-01T00:00:00+23:00"),
    "no policies": RFC8460.replace(b'"policies"', b'"polities"'),
    "no id": RFC8460.replace(b'"report-id"', b'"retort-id"'),
    "deep": b'{"a":' + b"[" * 100 + b"]" * 100 + b"}",
    "deeper than the interpreter": b"[" * 200_000,
    "wide": b'{"a":[' + b"[]," * limits.BRACKETS + b"[]]}",
    "large": b" " * (limits.JSON + 1),
    "many policies": b'{"date-range":{},"policies":[' + b"{}," * limits.POLICIES + b"{}]}",
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_report(name: str) -> None:
    with pytest.raises(Unreadable):
        tls_json.parse(BAD[name])


def test_brackets_in_strings_are_text() -> None:
    report = tls_json.parse(RFC8460.replace(b"Company-X", b"[" * 100 + b'\\\\\\"' + b"{" * 100))
    assert report.organization.count("[") == 100


def test_texts_are_cut_and_stay_on_their_line() -> None:
    report = tls_json.parse(RFC8460.replace(b"Company-X", b"\\ud800 evil\\r\\n\\u202eX" + b"y" * 5000))
    assert len(report.organization) <= limits.TEXT
    assert report.organization.isprintable()
    assert tls_json.parse(tls_json.written(report)) == report
