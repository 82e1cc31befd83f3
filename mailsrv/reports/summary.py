"""A report in sentences: who sent as you, what failed, and what that most likely is. Pure.

    example.org, 2026-03-01 to 2026-03-02, seen by google.com: 120 messages, 3 failed.
    192.0.2.9 sent 3 messages as example.org that nothing proved (rejected): SPF fail for example.org, no DKIM signature.

Limits: `MOST` sources or failures, those with the most messages first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mailsrv.reports.aggregate import Aggregate, Row
from mailsrv.reports.received import Received
from mailsrv.reports.tls_json import Applied, Failure, TlsReport

MOST = 20
_DONE = {"none": "delivered", "pass": "delivered", "quarantine": "put aside", "reject": "rejected"}
_MEANINGS = {  # RFC 8460 4.3
    "starttls-not-supported": "the host offered no STARTTLS",
    "certificate-host-mismatch": "the certificate is not for the host's name",
    "certificate-expired": "the certificate had expired",
    "certificate-not-trusted": "the certificate is from nobody they trust",
    "validation-failure": "something else was wrong with TLS",
    "tlsa-invalid": "no TLSA record fits the certificate, or it cannot be used",
    "dnssec-invalid": "DNSSEC could not prove the records",
    "dane-required": "they insist on DANE, and there are no TLSA records",
    "sts-policy-fetch-error": "the MTA-STS policy could not be fetched",
    "sts-policy-invalid": "the MTA-STS policy is wrong",
    "sts-webpki-invalid": "the web server of the MTA-STS policy has no valid certificate",
}


def dmarc(received: Received, report: Aggregate) -> Iterator[str]:
    """The sentences of an aggregate report."""
    yield _head(received, "message")
    yield _origin(received)
    yield f"The policy they saw: p={report.policy.p or 'none'}{_more(report)}."
    bad = [row for row in report.rows if not row.passed]
    if not bad:
        yield "Every message was proven to be yours."
        return
    for source in _sources(bad):
        yield source.sentence
    left = len(_sources(bad, most=len(bad))) - MOST
    if left > 0:
        yield f"And {left} more sources; `mailsrv report export` has all of them."


def tls(received: Received, report: TlsReport) -> Iterator[str]:
    """The sentences of a TLS report."""
    yield _head(received, "session")
    yield _origin(received)
    for policy in report.policies[:MOST]:
        yield _policy(policy)
        worst = sorted(policy.details, key=lambda failure: -failure.count)
        yield from (_failure(failure) for failure in worst[:MOST])
    if not received.failed:
        yield "Every session was encrypted as your policy says."


def _head(received: Received, what: str) -> str:
    count = f"{received.total} {what}{'s' * (received.total != 1)}, {received.failed} failed"
    return f"{received.domain}, {_days(received)}, seen by {received.organization or 'somebody'}: {count}."


def _origin(received: Received) -> str:
    if received.proven:
        return f"The report came from {received.proven}, which DMARC proved."
    return "Nothing proved who sent the report: do not act on it alone."


def _days(received: Received) -> str:
    begin, end = f"{received.begin:%Y-%m-%d}", f"{received.end:%Y-%m-%d}"
    return begin if begin == end else f"{begin} to {end}"


def _more(report: Aggregate) -> str:
    said = {"sp": report.policy.sp, "np": report.policy.np, "t": report.policy.testing, "pct": report.policy.pct}
    return "".join(f", {tag}={value}" for tag, value in said.items() if value)


@dataclass
class _Source:
    """Failed messages of one address and one author's domain."""

    row: Row
    count: int = 0

    @property
    def sentence(self) -> str:
        row = self.row
        messages = f"{self.count} message{'s' * (self.count != 1)}"
        done = _DONE.get(row.disposition, row.disposition)
        return f"{row.source} sent {messages} as {row.header_from} that nothing proved ({done}): {_why(row)}."


def _sources(rows: Iterable[Row], most: int = MOST) -> list[_Source]:
    found: dict[tuple[str, str, str], _Source] = {}
    for row in rows:
        found.setdefault((row.source, row.header_from, row.disposition), _Source(row)).count += row.count
    return sorted(found.values(), key=lambda source: -source.count)[:most]


def _why(row: Row) -> str:
    """What was wrong, each half with the domain that was looked at: a pass for another domain is a forwarder's or a service's."""
    spf = [f"SPF {check.result} for {check.domain}" for check in row.checks[:1]] or ["no SPF result"]
    dkim = [f"DKIM {one.result} for {one.domain}" for one in row.signatures[:3]] or ["no DKIM signature"]
    elsewhere = [one.domain for one in row.signatures if one.result == "pass"]
    elsewhere += [check.domain for check in row.checks if check.result == "pass"]
    hint = f"; {elsewhere[0]} vouches for it, which is not {row.header_from}" if elsewhere else ""
    reasons = "; they say: " + ", ".join(one.type for one in row.reasons[:3]) if row.reasons else ""
    return ", ".join([*spf, *dkim]) + hint + reasons


def _policy(policy: Applied) -> str:
    names = {"tlsa": "DANE", "sts": "MTA-STS", "no-policy-found": "no policy"}
    return (
        f"{policy.domain}, {names.get(policy.type, policy.type)}:"
        f" {policy.successes} encrypted as it says, {policy.failures} not."
    )


def _failure(failure: Failure) -> str:
    where = failure.mx or failure.receiving_ip or "a host"
    by = f" ({failure.receiving_ip})" if failure.mx and failure.receiving_ip else ""
    more = "; ".join(text for text in (failure.information, failure.code) if text)
    meaning = _MEANINGS.get(failure.type, failure.type)
    sessions = f"{failure.count} session{'s' * (failure.count != 1)}"
    return f"{where}{by}: {sessions} failed, {meaning}" + (f" - {more}" if more else "") + "."
