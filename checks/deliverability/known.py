"""What was found about a message beside its own octets: who vouches for it, what lists and scanners say. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from checks.facts.looked import Evidence
from mailsrv.auth.verdicts import Authentication
from mailsrv.spam.hints import Hint


@dataclass(frozen=True, slots=True)
class Page:
    """A linked page that was asked for. status: of HTTP, 0 when there was no answer; then `why`."""

    target: str
    status: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """now: when it is scored.  arrived: when it came, where that is known.

    authentication: None when there was nobody to ask; then nothing of its origin is judged.  address, sender: the client's and the
    envelope's, "" when nobody knows them (a file that was not sent yet).  hints: of lists and scanners.
    pages: of links, where they were to be fetched; None: they were not.
    """

    now: datetime
    arrived: datetime | None = None
    address: str = ""
    helo: str = ""
    sender: str = ""
    authentication: Authentication | None = None
    hints: tuple[Hint, ...] = ()
    pages: tuple[Page, ...] | None = None
    notes: tuple[str, ...] = ()

    @property
    def authentication_signed(self) -> bool:
        """Whether there is a signature at all."""
        return self.authentication is not None and bool(self.authentication.dkim)

    def shown(self, *lines: str) -> tuple[Evidence, ...]:
        """Lines as evidence of now."""
        return (Evidence(lines, self.now),) if lines else ()
