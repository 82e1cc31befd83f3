"""What we remember of one host's tries for a certificate, as JSON text. Pure.

A try is written down before it is made: a run that is killed again and again still counts against the five an hour.
Lost or damaged, the next try is made at once, and nothing else is lost: keys and certificates are files of their own.
Limits: MOST tries are kept, texts are cut at LONGEST characters. Fails by: ValueError from `read`, with what is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from dnsops.acme.door import Window
from dnsops.base import versioned
from dnsops.base.errors import Deliberate, ForUser, Later
from dnsops.base.printable import printable

VERSION, MOST, LONGEST = 1, 20, 500


@dataclass(frozen=True, slots=True)
class Journal:
    """tries: when orders were begun, oldest first.  failed, failures, why, advice: of those since the last success.

    person: the last failure needs one.  open: an order was begun and never came to its end, so that the authority may
    believe it replaced the old certificate.  not_before: what the authority asked for (Retry-After).  installed: the certificate (SHA-256 of the leaf, hex) that
    the server was told about.  window, asked, window_of: ARI's last answer, when it may be asked again, and about what.
    """

    host: str
    tries: tuple[datetime, ...] = ()
    failed: datetime | None = None
    failures: int = 0
    why: str = ""
    advice: str = ""
    person: bool = False
    open: bool = False
    not_before: datetime | None = None
    installed: str = ""
    window: Window | None = None
    window_of: str = ""
    ask_after: datetime | None = None

    def begun(self, now: datetime) -> Journal:
        return replace(self, tries=(*self.tries, now)[-MOST:], open=True)

    def succeeded(self) -> Journal:
        return replace(self, failed=None, failures=0, why="", advice="", person=False, open=False, not_before=None)

    def failing(self, now: datetime, error: Deliberate) -> Journal:
        """A wait that the authority, or who else it was, asked for is believed up to a day."""
        why, advice, after = _told(error)
        until = now + min(after, timedelta(days=1)) if after else None
        return replace(
            self,
            failed=now,
            failures=self.failures + 1,
            why=printable(why)[:LONGEST],
            advice=printable(advice)[:LONGEST],
            person=isinstance(error, ForUser),
            not_before=until,
        )

    def told(self, installed: str) -> Journal:
        return replace(self, installed=installed)

    def advised(self, window: Window | None, of: str, ask_after: datetime) -> Journal:
        return replace(self, window=window, window_of=of, ask_after=ask_after)


def write(journal: Journal) -> bytes:
    """The journal as JSON; the same journal gives the same bytes."""
    window = journal.window
    return versioned.write(
        VERSION,
        host=journal.host,
        tries=[when.isoformat() for when in journal.tries],
        failed=_text(journal.failed),
        failures=journal.failures,
        why=journal.why,
        advice=journal.advice,
        person=journal.person,
        open=journal.open,
        not_before=_text(journal.not_before),
        installed=journal.installed,
        window=[_text(window.start), _text(window.end), window.retry_after, window.explanation] if window else None,
        window_of=journal.window_of,
        ask_after=_text(journal.ask_after),
    )


def read(data: bytes) -> Journal:
    """The inverse of `write`."""
    return versioned.read(data, VERSION, "a journal of certificates", _journal)


def _journal(document: dict[str, Any]) -> Journal:
    return Journal(
        str(document["host"]),
        tuple(_time(text) for text in document["tries"][-MOST:]),
        _when(document["failed"]),
        _count(document["failures"]),
        printable(str(document["why"]))[:LONGEST],
        printable(str(document["advice"]))[:LONGEST],
        document["person"] is True,
        document["open"] is True,
        _when(document["not_before"]),
        str(document["installed"]),
        _window(*document["window"]) if document["window"] else None,
        str(document["window_of"]),
        _when(document["ask_after"]),
    )


def _told(error: Deliberate) -> tuple[str, str, timedelta]:
    """What went wrong, what to do, how long to wait."""
    match error:
        case Later():
            return error.reason, "", error.after
        case ForUser():
            return (f"{error.where}: {error.what}" if error.where else error.what), error.advice, timedelta(0)
    return str(error), "", timedelta(0)


def _window(start: str, end: str, retry_after: float, explanation: str) -> Window:
    return Window(_time(start), _time(end), float(retry_after), str(explanation))


def _text(when: datetime | None) -> str | None:
    return when.isoformat() if when else None


def _when(text: str | None) -> datetime | None:
    return _time(text) if text else None


def _time(text: str) -> datetime:
    when = datetime.fromisoformat(text)
    if when.tzinfo is None:
        raise ValueError("a time without its zone")
    return when


def _count(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value < 10**6:
        raise ValueError(f"{value!r} failures")
    return value
