"""What a visit to a mailbox showed, judged. Pure.

    report = judge(Visit(now, "alice@example.org", ...))

Standards: RFC 9051, RFC 8314 4.1 (TLS 1.2 or newer). Fails by: nothing; what was not reached is not tested.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from checks.catalogue.ourselves import MAILBOX_CATEGORY, ourselves
from checks.facts.looked import Evidence
from checks.finding import Category, Finding, Report, Status, strict_verdict

PROTOCOLS = ("IMAP4REV2", "IMAP4REV1")
USEFUL = ("IDLE", "UIDPLUS", "MOVE", "SPECIAL-USE")
GOOD_TLS = ("TLSv1.2", "TLSv1.3")


@dataclass(frozen=True, slots=True)
class Visit:
    """How far it went. why: what ended it at login.  untold: why nobody went at all.  tls: the version, "" for none.

    put, removed: "" when it worked; None when it was not reached; else why not.  lines: what was done, for the evidence.
    """

    now: datetime
    who: str
    why: str = ""
    untold: str = ""
    tls: str = ""
    capabilities: frozenset[str] = frozenset()
    put: str | None = None
    removed: str | None = None
    lines: tuple[str, ...] = ()


def judge(visit: Visit) -> Report:
    """All of it."""
    found = tuple(findings(visit))
    return Report(visit.who, visit.now, 0, (), beyond=Category(MAILBOX_CATEGORY, found, strict_verdict(found)))


def findings(visit: Visit) -> Iterator[Finding]:
    """The same for another report."""
    if visit.why or visit.untold:
        yield _finding(visit, "login", Status.FAIL if visit.why else Status.NOT_TESTED, visit.why or visit.untold)
        for name in ("tls", "capability", "put", "removed"):
            yield _finding(visit, name, Status.NOT_TESTED, "there was no login")
        return
    yield _finding(visit, "login", Status.GOOD, "")
    status = Status.GOOD if visit.tls in GOOD_TLS else Status.NOTICE if visit.tls else Status.FAIL
    yield _finding(visit, "tls", status, visit.tls or "the password went in plain text")
    yield _capability(visit)
    yield _step(visit, "put", visit.put)
    yield _step(visit, "removed", visit.removed)


def _capability(visit: Visit) -> Finding:
    if not visit.capabilities & set(PROTOCOLS):
        return _finding(visit, "capability", Status.FAIL, "it does not say IMAP4rev1 or IMAP4rev2")
    missing = [one for one in USEFUL if one not in visit.capabilities and "IMAP4REV2" not in visit.capabilities]
    if missing:
        return _finding(visit, "capability", Status.NOTICE, f"it has no {', '.join(missing)}")
    return _finding(visit, "capability", Status.GOOD, "")


def _step(visit: Visit, name: str, why: str | None) -> Finding:
    if why is None:
        return _finding(visit, name, Status.NOT_TESTED, "it did not come to that")
    return _finding(visit, name, Status.FAIL if why else Status.GOOD, why)


def _finding(visit: Visit, name: str, status: Status, said: str) -> Finding:
    verdict = {Status.GOOD: "good", Status.NOT_TESTED: "not-tested"}.get(status, "bad")
    shown = [Evidence(visit.lines, visit.now)] if visit.lines and name == "put" else []
    return ourselves(f"mailbox_{name}").finding(
        status, verdict, details=(said,) if said else (), strict=status, evidence=shown
    )
