"""What is worth a line in a report: one message, one TLS session, as a text that counts the same as its like. Pure.

    of_message(authentication, peer, envelope domain, applied, ...) -> Seen | None        None: nobody asked, or it is a report
    of_session(outcome) -> Seen | None                                                     the same for a session

Two messages with the same text differ in nothing that a report tells, so a ledger counts texts.
Standards: RFC 9990 3.1 (a row for each source, result, identifiers), 3.1.3 (which signatures), 3.1.6 (overrides); RFC 8460 4.
Limits: `SIGNATURES` of a message, `STRINGS` of a policy, `DETAILS` characters; domains and selectors as the DNS bounds them.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import lru_cache

from mailsrv.auth.verdicts import Authentication, Dkim, Dmarc, Result, Spf, Wish
from mailsrv.reports.aggregate import Checked, Reason, Row, Signature
from mailsrv.reports.limits import shortened
from mailsrv.reports.tls_json import Failure
from mailsrv.transport.outcome import Outcome, PolicyType

SIGNATURES = 10
STRINGS = 20
LONGEST_STRING = 500
DETAILS = 200  # characters
NAME = 253
MOST_KEPT = 1024  # lines that the next message may have as well
_ENCODED = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Seen:
    """One line. kind: dmarc or tls.  domain: whom it concerns.  other: the mail host, for tls.

    record, organizational: the policy as published and the domain's organizational domain, for dmarc.
    """

    kind: str
    day: date
    domain: str
    text: str
    other: str = ""
    record: str = ""
    organizational: str = ""


# messages


def of_message(
    found: Authentication,
    peer: str,
    sender: str | None,
    applied: Wish,
    now: datetime,
    recipients: Collection[str] = (),
    quiet: Collection[str] = (),
    override: Reason | None = None,
) -> Seen | None:
    """`sender`: the envelope's domain, "" for the null sender. `applied`: what was done with the message for DMARC's sake.

    `quiet`: addresses where reports arrive or are sent from; mail to them is reports and answers to reports, and to report
    on that would have two servers write to each other every day for ever. `override`: why another policy was applied.
    """
    dmarc = found.dmarc
    if dmarc.result not in (Result.PASS, Result.FAIL) or not dmarc.found or not dmarc.reports:
        return None
    if any(recipient.lower() in quiet for recipient in recipients):
        return None
    return _of_its_like(dmarc, found.dkim, found.mail, peer, sender, applied, now.astimezone(UTC).date(), override)


@lru_cache(MOST_KEPT)
def _of_its_like(
    dmarc: Dmarc,
    dkim: tuple[Dkim, ...],
    spf: Spf,
    peer: str,
    sender: str | None,
    applied: Wish,
    day: date,
    override: Reason | None,
) -> Seen:
    """A line that is the same for all messages of which the same was found (`Authentication.unmarked`)."""
    passed = dmarc.result is Result.PASS
    row = Row(
        source=peer,
        count=1,
        disposition=_disposition(passed, dmarc.wish if passed else applied, dmarc.testing),
        dkim="pass" if dmarc.by_dkim else "fail",
        spf="pass" if dmarc.by_spf else "fail",
        header_from=dmarc.domain[:NAME],
        envelope_from=None if sender is None else sender[:NAME],
        reasons=_reasons(passed, applied, dmarc.wish, dmarc.testing, override),
        signatures=_signatures(dkim, dmarc.domain, dmarc.organizational),
        checks=_check(spf),
    )
    return Seen(
        "dmarc", day, dmarc.found.removeprefix("_dmarc."), row_text(row), "", dmarc.record, dmarc.organizational
    )


def _disposition(passed: bool, wish: Wish, testing: bool) -> str:
    """RFC 9990 appendix A: "pass" is said only where a policy would have been enforced."""
    if passed:
        return "pass" if wish is not Wish.NONE and not testing else "none"
    return wish.value


def _reasons(passed: bool, applied: Wish, wish: Wish, testing: bool, override: Reason | None) -> tuple[Reason, ...]:
    """A reason must be there when what was done is not what was asked for."""
    if passed or applied is wish:
        return ()
    if override is not None:
        return (override,)
    return (Reason("policy_test_mode" if testing else "local_policy"),)


def _signatures(found: tuple[Dkim, ...], author: str, organizational: str) -> tuple[Signature, ...]:
    """The ones that tell most come first: passed and of the author's domain, then of its organization, then passed."""

    def rank(one: Dkim) -> int:
        if one.result is not Result.PASS:
            return 3
        if one.domain == author:
            return 0
        return 1 if organizational and f".{one.domain}".endswith(f".{organizational}") else 2

    said = [one for one in found if one.domain and one.result is not Result.NONE]
    ranked = sorted(said, key=lambda one: (rank(one), one.domain, one.selector, one.result.value))
    return tuple(
        Signature(one.domain[:NAME], one.selector[:NAME], _dkim_word(one.result)) for one in ranked[:SIGNATURES]
    )


def _dkim_word(result: Result) -> str:
    return "fail" if result is Result.SOFTFAIL else result.value


def _check(spf: Spf) -> tuple[Checked, ...]:
    """Only MAIL FROM's: HELO's means nothing for DMARC (RFC 9990 3.1.1.14)."""
    if spf.helo or not spf.domain:
        return ()
    return (Checked(spf.domain[:NAME], spf.result.value, "mfrom"),)


def row_text(row: Row) -> str:
    """A row without its count; equal rows have equal texts."""
    return _ENCODED(
        [
            row.source,
            row.disposition,
            row.dkim,
            row.spf,
            row.header_from,
            row.envelope_from,
            [[one.type, one.comment] for one in row.reasons],
            [[one.domain, one.selector, one.result] for one in row.signatures],
            [[one.domain, one.result, one.scope] for one in row.checks],
        ]
    )


def row(text: str, count: int) -> Row:
    """The inverse of `row_text`."""
    source, disposition, dkim, spf, header_from, envelope_from, reasons, signatures, checks = json.loads(text)
    return Row(
        source, count, disposition, dkim, spf, header_from, envelope_from,
        reasons=tuple(Reason(*one) for one in reasons),
        signatures=tuple(Signature(*one) for one in signatures),
        checks=tuple(Checked(*one) for one in checks),
    )  # fmt: skip


# sessions


@dataclass(frozen=True, slots=True)
class Session:
    """So many sessions of one kind: the policy that was applied, and how they failed; None for success."""

    type: str
    strings: tuple[str, ...]
    mx_hosts: tuple[str, ...]
    mx: str
    count: int
    failure: Failure | None = None


def of_session(outcome: Outcome) -> Seen | None:
    """A session that carried only reports of ours is not told: else every report would be the reason for the next."""
    if outcome.report:
        return None
    strings = [one[:LONGEST_STRING] for one in outcome.strings[:STRINGS]]
    patterns = [one[:LONGEST_STRING] for one in outcome.mx_patterns[:STRINGS]]
    failure = [
        outcome.trouble.value, outcome.helo[:NAME], outcome.address[:NAME], shortened(outcome.details)[:DETAILS],
    ] if outcome.trouble else None  # fmt: skip
    text = _ENCODED([outcome.type.value, strings, patterns, outcome.mx[:NAME], failure])
    host = outcome.mx[:NAME] if outcome.type is PolicyType.TLSA else ""
    return Seen("tls", outcome.when.astimezone(UTC).date(), outcome.domain[:NAME], text, host)


def session(text: str, count: int) -> Session:
    """The inverse of what `of_session` writes."""
    kind, strings, patterns, mx, failed = json.loads(text)
    plain = Session(kind, tuple(strings), tuple(patterns), mx, count)
    if failed is None:
        return plain
    trouble, helo, address, details = failed
    return replace(plain, failure=Failure(trouble, count, mx=mx, helo=helo, receiving_ip=address, information=details))
