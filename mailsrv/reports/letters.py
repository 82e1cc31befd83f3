"""The mail that carries a report: subject, file name, attachment, as RFC 9990 and RFC 8460 have them. Pure.

    multipart/mixed                                     multipart/report; report-type=tlsrpt
      text/plain          for a person                    text/plain
      application/gzip    DOMAIN!ABOUT!BEGIN!END.xml.gz   application/tlsrpt+gzip    ....json.gz

The id of a report depends on its domain and its day only: who gets it twice can tell, and we may send it again.
Standards: RFC 9990 3.5.1 and 3.5.2, RFC 8460 5.1 and 5.3 (its own two fields), RFC 3834 5 (Auto-Submitted), RFC 8689 5
(TLS-Required: No: a report about broken encryption must arrive all the same).
"""

from __future__ import annotations

import binascii
import hashlib
import zlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from mailsrv.message import compose

_LINE = 57  # octets of a line of 76 characters in base64


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who we are in reports. sender: the address they come from; contact: whom people may write to. host: for Message-IDs."""

    host: str
    organization: str
    contact: str
    sender: str

    @property
    def domain(self) -> str:
        """The domain that vouches for our reports: DKIM and SPF must be aligned with it."""
        return self.sender.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Form:
    """How a kind of report travels."""

    what: str
    container: str
    media: str
    extension: str
    tls: bool


DMARC = Form("a DMARC aggregate report", "multipart/mixed", "application/gzip", "xml.gz", False)
TLS = Form("a TLS report", "multipart/report; report-type=tlsrpt", "application/tlsrpt+gzip", "json.gz", True)


def span(day: date) -> tuple[datetime, datetime]:
    """The first and the last second of a day, UTC."""
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return begin, begin + timedelta(days=1, seconds=-1)


def report_id(kind: str, day: date, domain: str, reporter: Reporter) -> str:
    """Without brackets: DAY.HASH@OURS; the same for the same report."""
    digest = hashlib.sha256(f"{kind} {day} {domain} {reporter.host}".encode()).hexdigest()[:16]
    return f"{day:%Y%m%d}.{digest}@{reporter.domain}"


def jitter(domain: str, reporter: Reporter, most: timedelta) -> timedelta:
    """How long after midnight a domain's report leaves: always the same, and another for each domain and each of us."""
    digest = hashlib.sha256(f"{domain} {reporter.host}".encode()).digest()
    return most * (int.from_bytes(digest[:4]) / 2**32)


def packed(data: bytes) -> bytes:
    """RFC 1952, without a time: the same report is the same bytes."""
    deflating = zlib.compressobj(9, wbits=31)
    return deflating.compress(data) + deflating.flush()


def file_name(form: Form, day: date, domain: str, reporter: Reporter) -> str:
    begin, end = (int(moment.timestamp()) for moment in span(day))
    return f"{reporter.domain}!{domain}!{begin}!{end}.{form.extension}"


def letter(
    form: Form, data: bytes, identifier: str, day: date, domain: str, to: str, reporter: Reporter, now: datetime
) -> bytes:
    """The whole message. `data`: packed already."""
    parts = [compose.text_part(_note(form, day, domain, reporter)), _attachment(form, data, day, domain, reporter)]
    entity = compose.multipart(form.container, compose.boundary(identifier, parts), parts)
    own = [("TLS-Report-Domain", domain), ("TLS-Report-Submitter", reporter.domain), ("TLS-Required", "No")]
    fields = [
        ("From", compose.mailbox(reporter.organization, reporter.sender)),
        ("To", compose.mailbox("", to)),
        ("Subject", f"Report Domain: {domain} Submitter: {reporter.domain} Report-ID: <{identifier}>"),
        *(own if form.tls else []),
        ("Auto-Submitted", "auto-generated"),
    ]
    token, _, host = identifier.partition("@")
    return compose.message(fields, now, compose.message_id(f"{token}.{_token(to)}", host), entity)


def _token(to: str) -> str:
    return hashlib.sha256(to.encode()).hexdigest()[:8]


def _note(form: Form, day: date, domain: str, reporter: Reporter) -> str:
    return (
        f"This is {form.what} about {domain} for {day} (UTC), from {reporter.organization}.\n"
        f"It is made for programs. The DNS of {domain} asks for it.\n"
        f"Questions: {reporter.contact}\n"
    )


def _attachment(form: Form, data: bytes, day: date, domain: str, reporter: Reporter) -> bytes:
    name = file_name(form, day, domain, reporter)
    lines = [data[at : at + _LINE] for at in range(0, len(data), _LINE)]
    head = (
        compose.field("Content-Type", f'{form.media}; name="{name}"')
        + compose.field("Content-Disposition", f'attachment; filename="{name}"')
        + compose.field("Content-Transfer-Encoding", "base64")
    )
    return head + b"\r\n" + b"".join(binascii.b2a_base64(line, newline=False) + b"\r\n" for line in lines)
