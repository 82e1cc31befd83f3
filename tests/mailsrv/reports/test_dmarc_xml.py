"""Aggregate reports: read as they come, written as the schema of RFC 9990 wants them, and never more than the limits."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings

from mailsrv.reports import dmarc_xml, limits
from mailsrv.reports.aggregate import Aggregate, Checked, Reason, Signature
from mailsrv.reports.limits import Unreadable
from tests.mailsrv.reports.samples import OLD, RFC9990, aggregates


def test_the_sample_of_rfc_9990_appendix_b() -> None:
    report = dmarc_xml.parse(RFC9990)
    assert (report.organization, report.id) == ("Sample Reporter", "3v98abbp8ya9n3va8yr8oa3ya")
    assert (report.begin, report.end) == (
        datetime(1979, 8, 7, tzinfo=UTC),
        datetime(1979, 8, 7, 23, 59, 59, tzinfo=UTC),
    )
    assert (report.policy.p, report.policy.sp, report.policy.testing, report.policy.discovery) == (
        "quarantine", "none", "n", "treewalk",
    )  # fmt: skip
    assert (report.messages, report.failed) == (123, 0)
    assert report.rows[0].signatures == (Signature("example.com", "abc123", "pass"),)


def test_an_old_report_with_what_it_has_more_and_less() -> None:
    report = dmarc_xml.parse(OLD)
    row = report.rows[0]
    assert (report.policy.pct, report.errors, report.failed) == ("100", ("first", "second"), 2)
    assert (row.source, row.header_from, row.envelope_from) == ("2001:db8::1", "example.org", None)
    assert row.reasons == (Reason("sampled_out", "a <comment>"),)
    assert row.checks == (Checked("helo.example.net", "none", "helo"), Checked("list.example.net", "softfail"))


NAMESPACES = [
    (b"", True),
    (b' xmlns="urn:ietf:params:xml:ns:dmarc-2.0"', True),
    (b' xmlns="http://dmarc.org/dmarc-xml/0.1"', True),
    (b' xmlns="http://dmarc.org/dmarc-xml/0.2"', True),
    (b' xmlns="urn:example:other"', False),
]


@pytest.mark.parametrize("namespace, read", NAMESPACES)
def test_namespaces(namespace: bytes, read: bool) -> None:
    data = OLD.replace(b"<feedback>", b"<feedback" + namespace + b">")
    if read:
        assert dmarc_xml.parse(data) == dmarc_xml.parse(OLD)
    else:
        with pytest.raises(Unreadable, match="no DMARC report"):
            dmarc_xml.parse(data)


def test_elements_of_extensions_are_passed_over_with_all_in_them() -> None:
    more = b'<x:a xmlns:x="urn:x"><record xmlns=""><x:b/></record><count>9</count></x:a></record>'
    data = RFC9990.replace(b"</policy_published>", b"</policy_published><extension><y xmlns='urn:y'>1</y></extension>")
    assert dmarc_xml.parse(data.replace(b"</record>", more)) == dmarc_xml.parse(RFC9990)


def test_the_null_sender_is_not_a_sender_that_was_not_said() -> None:
    data = RFC9990.replace(b"<envelope_from>example.com</envelope_from>", b"<envelope_from/>")
    assert dmarc_xml.parse(data).rows[0].envelope_from == ""
    assert b"<envelope_from></envelope_from>" in dmarc_xml.written(dmarc_xml.parse(data))


BAD = {
    "nothing": b"",
    "no XML": b"hello",
    "another document": b"<html/>",
    "cut": RFC9990[:-20],
    "no id": RFC9990.replace(b"<report_id>3v98abbp8ya9n3va8yr8oa3ya</report_id>", b""),
    "no domain": RFC9990.replace(b"<domain>example.com</domain><p>", b"<p>"),
    "no rows": RFC9990.replace(b"record>", b"discord>"),
    "no address": RFC9990.replace(b"192.0.2.123", b"192.0.2.1234"),
    "a count that is none": RFC9990.replace(b"<count>123<", b"<count>1e3<"),
    "a count below nothing": RFC9990.replace(b"<count>123<", b"<count>-1<"),
    "a count of a thousand digits": RFC9990.replace(b"<count>123<", b"<count>" + b"9" * 1000 + b"<"),
    "no time": RFC9990.replace(b"302832000", b""),
    "a time after all times": RFC9990.replace(b"302832000", b"999999999999999"),
    "UTF-16": RFC9990.decode().replace("UTF-8", "UTF-16").encode("utf-16"),
    "a long text": RFC9990.replace(b"Sample Reporter", b"x" * (limits.LONGEST_TEXT + 1)),
    "too many signatures": RFC9990.replace(b"<spf><domain>", b"<dkim/>" * limits.RESULTS + b"<spf><domain>"),
    "nested": b"<feedback>" + b"<a>" * 100 + b"</a>" * 100 + b"</feedback>",
    "a million elements": b"<feedback>" + b"<a/>" * (limits.ELEMENTS + 1) + b"</feedback>",
    "a token of megabytes": b"<feedback><" + b"a" * (3 << 20) + b"/></feedback>",
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_report(name: str) -> None:
    with pytest.raises(Unreadable):
        dmarc_xml.parse(BAD[name])


def test_latin_1_is_read_and_no_declaration_hides_a_doctype() -> None:
    data = RFC9990.replace(b"UTF-8", b"ISO-8859-1").replace(b"Sample", "Müller".encode("latin-1"))
    assert dmarc_xml.parse(data).organization == "Müller Reporter"
    hidden = b'<?xml version="1.0" encoding="cp037"?>' + "<!DOCTYPE a><feedback/>".encode("cp037")
    with pytest.raises(Unreadable):
        dmarc_xml.parse(hidden)


@settings(max_examples=60, deadline=None)
@given(aggregates)
def test_written_and_read_again_is_the_same(report: Aggregate) -> None:
    assert dmarc_xml.parse(dmarc_xml.written(report)) == report


# the oracle: the schema of RFC 9990 and the values of the library `dmarc`


@settings(max_examples=25, deadline=None)
@given(aggregates)
def test_s_authn_10_what_we_write_is_valid_by_the_schema_and_means_the_same_to_the_library(report: Aggregate) -> None:
    pytest.importorskip("xmlschema")
    from dmarc.report import DMARC2Schema

    text = dmarc_xml.written(report).decode()
    DMARC2Schema.validate(text)
    read = DMARC2Schema.to_dict(text)
    records = read["record"]
    assert read["policy_published"]["domain"] == report.policy.domain
    assert [one["row"]["count"] for one in records] == [row.count for row in report.rows]
    assert [one["row"]["source_ip"] for one in records] == [row.source for row in report.rows]
    assert [len(one["auth_results"].get("dkim", []) if one["auth_results"] else []) for one in records] == [
        len(row.signatures) for row in report.rows
    ]
