"""CAA of a mail host's name: the climb to the record that counts, and the finding. Pure; the climb is a flow.

    mx1.mail.example.org -> mail.example.org -> example.org -> org        the first with records counts (RFC 8659 3)

Never part of the score. Limits: MOST records are read. Fails by: nothing.
"""

from __future__ import annotations

from checks.catalogue import by_id
from checks.facts.looked import Lookup, Question
from checks.finding import Finding, Status
from checks.judge import caa_grammar
from dnsops.base.flow import Flow

MOST = 100
FULL, NONE = 10, 0


def find(host: str) -> Flow[Question, Lookup, Lookup]:
    """The answer that counts: the first with records, or that failed, else the topmost, which has none."""
    labels = host.split(".")
    answer = yield Question(host, "CAA")
    for first in range(1, len(labels)):
        if not answer.none:
            break
        answer = yield Question(".".join(labels[first:]), "CAA")
    return answer


def finding(host: str, answer: Lookup) -> Finding:
    """mail_caa of the answer."""
    subtest = by_id("mail_caa")
    if not answer.records or answer.rcode != "NOERROR":
        why = answer.why or answer.rcode if not answer.answered else "there is none, here or above"
        return subtest.finding(Status.FAIL, "bad", NONE, host=host, details=(f"{host}: {why}",))
    errors, issue = _read(answer.records[:MOST])
    where = f"at {answer.name}"
    if not issue:
        return subtest.finding(
            Status.FAIL, "insufficient", NONE, host=host, details=(f"no issue property {where}", *errors)
        )
    if errors:
        return subtest.finding(Status.FAIL, "syntax-error", NONE, host=host, details=errors)
    return subtest.finding(Status.GOOD, "good", FULL, host=host, details=answer.records)


def _read(records: tuple[str, ...]) -> tuple[list[str], bool]:
    """What is wrong, and whether there is an `issue`."""
    errors, issue = [], False
    for text in records:
        record = caa_grammar.parse(text)
        if record is None:
            errors.append(f"not readable: {text[:80]!r}")
            continue
        issue = issue or record.tag.lower() == "issue"
        if why := caa_grammar.wrong(record):
            errors.append(why)
    return errors, issue
