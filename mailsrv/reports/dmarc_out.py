"""From lines of the ledger to the aggregate report of a domain for a day. Pure.

Standard: RFC 9990 3.1 (one report for each policy domain and configuration; the last one seen stands for the day).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from mailsrv.reports import dmarc_xml, letters, seen, tags
from mailsrv.reports.aggregate import Aggregate
from mailsrv.reports.letters import Reporter

GENERATOR = "mailsrv"


def report(domain: str, record: str, day: date, lines: Sequence[tuple[str, int]], reporter: Reporter) -> Aggregate:
    """`record`: the policy as it was seen last; `lines`: texts of `seen.of_message` and how often each was seen."""
    begin, end = letters.span(day)
    return Aggregate(
        organization=reporter.organization,
        email=reporter.contact,
        id=letters.report_id("dmarc", day, domain, reporter),
        begin=begin,
        end=end,
        policy=tags.published(domain, record),
        rows=tuple(seen.row(text, count) for text, count in lines),
        generator=GENERATOR,
    )


def packed(aggregate: Aggregate) -> bytes:
    """What is attached."""
    return letters.packed(dmarc_xml.written(aggregate))
