"""From lines of the ledger to the TLS report of a domain for a day. Pure.

Standards: RFC 8460 4.2 and 4.4; with DANE the policy domain is the mail host's name, with MTA-STS the mail domain (RFC 8460 1.1).
Limits: `limits.POLICIES`; the ledger bounds the lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from mailsrv.reports import letters, limits, seen, tls_json
from mailsrv.reports.letters import Reporter
from mailsrv.reports.seen import Session
from mailsrv.reports.tls_json import Applied, Failure, TlsReport
from mailsrv.transport.outcome import PolicyType


def report(domain: str, day: date, lines: Sequence[tuple[str, int]], reporter: Reporter) -> TlsReport:
    """`lines`: texts of `seen.of_session` and how often each was seen."""
    begin, end = letters.span(day)
    groups: dict[Applied, list[Session]] = {}
    for text, count in lines:
        session = seen.session(text, count)
        groups.setdefault(_policy(session, domain), []).append(session)
    return TlsReport(
        organization=reporter.organization,
        contact=reporter.contact,
        id=letters.report_id("tls", day, domain, reporter),
        begin=begin,
        end=end,
        policies=tuple(_applied(policy, sessions) for policy, sessions in list(groups.items())[: limits.POLICIES]),
    )


def packed(made: TlsReport) -> bytes:
    """What is attached, or posted."""
    return letters.packed(tls_json.written(made))


def _policy(session: Session, domain: str) -> Applied:
    """The policy alone, without its sums."""
    of_host = session.type == PolicyType.TLSA.value
    return Applied(session.type, session.mx if of_host else domain, 0, 0, session.strings, session.mx_hosts)


def _applied(policy: Applied, sessions: Sequence[Session]) -> Applied:
    details = [_failure(session) for session in sessions if session.failure]
    good = sum(session.count for session in sessions if not session.failure)
    bad = sum(session.count for session in sessions if session.failure)
    return replace(policy, successes=good, failures=bad, details=tuple(details))


def _failure(session: Session) -> Failure:
    assert session.failure is not None  # noqa: S101 - the caller has looked
    return session.failure
