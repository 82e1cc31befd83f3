"""Noting what we see without waiting for a disk: counted in memory, written by a thread once a second.

    notes = Notes(Ledger(state / LEDGER), log)
    notes.saw(of_message(...))       notes.note(outcome)       notes.close()

`note` makes it an `Outcomes` (mailsrv.transport). What was noted within the last second is lost at a crash or a kill: a report
counts a message less, and nobody's mail depends on it.
Limits: `MOST_WAITING` different lines wait; more are dropped, and the log says how many. Fails by: silence towards whoever notes;
a ledger that cannot be written is logged when that begins and when it ends.
"""

from __future__ import annotations

import threading

from dnsops.base.errors import Deliberate
from mailsrv.reports.ledger import Ledger
from mailsrv.reports.seen import Seen, of_session
from mailsrv.smtp.house import Events
from mailsrv.transport.outcome import Outcome

MOST_WAITING = 20_000
PAUSE = 1.0  # seconds between two commits
PATIENCE = 5.0  # seconds that `close` waits for the last one


class Notes:
    """For one process; the thread begins with the first note, so that processes may fork before."""

    def __init__(self, ledger: Ledger, log: Events, pause: float = PAUSE) -> None:
        self._ledger, self._log, self._pause = ledger, log, pause
        self._lock = threading.Lock()
        self._waiting: dict[Seen, int] = {}
        self._dropped = 0
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._ill = False

    def note(self, outcome: Outcome) -> None:
        """A TLS session begun or failed."""
        self.saw(of_session(outcome))

    def saw(self, seen: Seen | None) -> None:
        """A line for a report; None is none."""
        if seen is None:
            return
        with self._lock:
            count = self._waiting.get(seen, 0)
            if count or len(self._waiting) < MOST_WAITING:
                self._waiting[seen] = count + 1
            else:
                self._dropped += 1
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(target=self._write, name="reports", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """What waits is written, if the disk lets us."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(PATIENCE)

    def _write(self) -> None:
        while not self._closing.wait(self._pause):
            self.flush()
        self.flush()
        self._ledger.close()

    def flush(self) -> None:
        """Write what waits now."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
            dropped, self._dropped = self._dropped, 0
        try:
            dropped += self._ledger.add(waiting) if waiting else 0
        except Deliberate as trouble:
            self._keep(waiting)
            if not self._ill:
                self._log("reports.trouble", why=str(trouble))
            self._ill = True
            return
        if self._ill and waiting:
            self._ill = False
            self._log("reports.well")
        if dropped:
            self._log("reports.dropped", count=dropped)

    def _keep(self, waiting: dict[Seen, int]) -> None:
        """Back to the others, as far as there is room."""
        with self._lock:
            for seen, count in waiting.items():
                if seen in self._waiting or len(self._waiting) < MOST_WAITING:
                    self._waiting[seen] = self._waiting.get(seen, 0) + count
                else:
                    self._dropped += count
