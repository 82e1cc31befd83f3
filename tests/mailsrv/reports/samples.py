"""Reports as others send them, in mails as others send them; and hypothesis's idea of a report."""

from __future__ import annotations

import base64
import gzip
import io
import zipfile
from datetime import UTC, datetime

from hypothesis import strategies as st

from mailsrv.reports.aggregate import Aggregate, Checked, Policy, Reason, Row, Signature
from mailsrv.reports.tls_json import Applied, Failure, TlsReport

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

# RFC 9990 appendix B, in its own words
RFC9990 = b"""<?xml version="1.0" encoding="UTF-8"?>
<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">
  <version>1.0</version>
  <report_metadata>
    <org_name>Sample Reporter</org_name>
    <email>report_sender@example-reporter.com</email>
    <extra_contact_info>...</extra_contact_info>
    <report_id>3v98abbp8ya9n3va8yr8oa3ya</report_id>
    <date_range><begin>302832000</begin><end>302918399</end></date_range>
    <generator>Example DMARC Aggregate Reporter v1.2</generator>
  </report_metadata>
  <policy_published>
    <domain>example.com</domain><p>quarantine</p><sp>none</sp><np>none</np><testing>n</testing>
    <discovery_method>treewalk</discovery_method>
  </policy_published>
  <record>
    <row>
      <source_ip>192.0.2.123</source_ip><count>123</count>
      <policy_evaluated><disposition>pass</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated>
    </row>
    <identifiers><envelope_from>example.com</envelope_from><header_from>example.com</header_from></identifiers>
    <auth_results>
      <dkim><domain>example.com</domain><result>pass</result><selector>abc123</selector></dkim>
      <spf><domain>example.com</domain><result>fail</result></spf>
    </auth_results>
  </record>
</feedback>
"""

# RFC 7489 appendix C as big providers have sent it for years
OLD = b"""<?xml version="1.0" encoding="UTF-8" ?>
<feedback>
  <report_metadata>
    <org_name>google.com</org_name><email>noreply-dmarc-support@google.com</email>
    <report_id>12345678901234567890</report_id><date_range><begin>1772323200</begin><end>1772409599</end></date_range>
    <error>first</error><error>second</error>
  </report_metadata>
  <policy_published><domain>example.org</domain><adkim>r</adkim><aspf>r</aspf><p>reject</p><sp>reject</sp><pct>100</pct></policy_published>
  <record>
    <row><source_ip>2001:DB8::1</source_ip><count>2</count>
      <policy_evaluated><disposition>reject</disposition><dkim>fail</dkim><spf>fail</spf>
        <reason><type>sampled_out</type><comment>a &lt;comment&gt;</comment></reason></policy_evaluated></row>
    <identifiers><header_from>Example.ORG</header_from></identifiers>
    <auth_results>
      <dkim><domain>list.example.net</domain><result>pass</result></dkim>
      <spf><domain>helo.example.net</domain><scope>helo</scope><result>none</result></spf>
      <spf><domain>list.example.net</domain><result>softfail</result></spf>
    </auth_results>
  </record>
</feedback>
"""

# RFC 8460 appendix B, in its own words
RFC8460 = b"""{
  "organization-name": "Company-X",
  "date-range": {"start-datetime": "2016-04-01T00:00:00Z", "end-datetime": "2016-04-01T23:59:59Z"},
  "contact-info": "sts-reporting@company-x.example",
  "report-id": "5065427c-23d3-47ca-b6e0-946ea0e8c4be",
  "policies": [{
    "policy": {
      "policy-type": "sts", "policy-string": ["version: STSv1", "mode: testing", "mx: *.mail.company-y.example", "max_age: 86400"],
      "policy-domain": "company-y.example", "mx-host": ["*.mail.company-y.example"]},
    "summary": {"total-successful-session-count": 5326, "total-failure-session-count": 303},
    "failure-details": [
      {"result-type": "certificate-expired", "sending-mta-ip": "2001:db8:abcd:0012::1",
       "receiving-mx-hostname": "mx1.mail.company-y.example", "failed-session-count": 100},
      {"result-type": "starttls-not-supported", "sending-mta-ip": "2001:db8:abcd:0013::1",
       "receiving-mx-hostname": "mx2.mail.company-y.example", "receiving-ip": "203.0.113.56",
       "failed-session-count": 200, "additional-information": "https://reports.company-x.example/report_info"},
      {"result-type": "validation-failure", "sending-mta-ip": "198.51.100.62", "receiving-ip": "203.0.113.58",
       "receiving-mx-hostname": "mx-backup.mail.company-y.example", "failed-session-count": 3,
       "failure-reason-code": "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED"}]}]}
"""


def zipped(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return out.getvalue()


def mail(data: bytes, media: str = "application/gzip", name: str = "a!b!1!2.xml.gz") -> bytes:
    """A mail with one attachment."""
    return (
        b"From: noreply@google.com\r\nTo: dmarc-reports@example.org\r\nSubject: Report domain: example.org\r\n"
        b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\nThis is a report.\r\n"
        b"--b\r\nContent-Type: %b\r\nContent-Disposition: attachment; filename=%b\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n%b\r\n--b--\r\n"
    ) % (media.encode(), name.encode(), base64.encodebytes(data).replace(b"\n", b"\r\n"))


def google() -> bytes:
    """As Google sends it: a mail that is nothing but a zip."""
    return (
        b"From: noreply-dmarc-support@google.com\r\nTo: dmarc-reports@example.org\r\n"
        b"Subject: Report domain: example.org Submitter: google.com Report-ID: 12345678901234567890\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: application/zip; name="google.com!example.org!1772323200!1772409599.zip"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\n"
    ) + base64.encodebytes(zipped(("google.com!example.org!1772323200!1772409599.xml", OLD))).replace(b"\n", b"\r\n")


def gzipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


# values for round trips: such as a report may hold, on one line and without blanks at the ends

texts = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=20)
some = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20)
domains = st.sampled_from(["example.org", "a.example.org", "xn--bcher-kva.example"])
moments = st.integers(0, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)
words = st.sampled_from(["pass", "fail"])
signatures = st.builds(Signature, domains, some, st.sampled_from(["pass", "fail", "none", "temperror"]), texts)
checks = st.builds(Checked, domains, st.sampled_from(["pass", "softfail", "neutral"]), st.just("mfrom"), texts)
reasons = st.builds(Reason, st.sampled_from(["local_policy", "other", "mailing_list"]), texts)
rows = st.builds(
    Row, addresses, st.integers(0, 10**9), st.sampled_from(["none", "pass", "quarantine", "reject"]), words, words, domains,
    envelope_from=st.sampled_from([None, "", "example.org"]), envelope_to=st.sampled_from(["", "example.net"]),
    reasons=st.lists(reasons, max_size=2).map(tuple), signatures=st.lists(signatures, max_size=3).map(tuple),
    checks=st.lists(checks, max_size=1).map(tuple),
)  # fmt: skip
wishes = st.sampled_from(["none", "quarantine", "reject"])
policies = st.builds(
    Policy, domains, wishes, wishes | st.just(""), wishes | st.just(""), st.sampled_from(["", "r", "s"]),
    st.sampled_from(["", "r", "s"]), st.sampled_from(["", "psl", "treewalk"]), st.sampled_from(["", "1:d:s"]),
    st.sampled_from(["", "y", "n"]),
)  # fmt: skip
aggregates = st.builds(
    Aggregate, texts, texts, some, moments, moments, policies, st.lists(rows, min_size=1, max_size=4).map(tuple),
    texts, st.one_of(st.just(()), some.map(lambda text: (text,))), texts,
)  # fmt: skip

failures = st.builds(
    Failure, st.sampled_from(["certificate-expired", "tlsa-invalid"]), st.integers(0, 10**9), addresses, domains, texts,
    addresses, texts, texts,
)  # fmt: skip
applied = st.builds(
    Applied, st.sampled_from(["tlsa", "sts", "no-policy-found"]), domains, st.integers(0, 10**9), st.integers(0, 10**9),
    st.lists(some, max_size=3).map(tuple), st.lists(some, max_size=2).map(tuple), st.lists(failures, max_size=3).map(tuple),
)  # fmt: skip
tls_reports = st.builds(
    TlsReport, texts, texts, some, moments, moments, st.lists(applied, min_size=1, max_size=3).map(tuple)
)
