"""What mail programs find when they set up an account of a domain, as values. Pure.

Standards: RFC 6186 and RFC 8314 5.1 (SRV), Thunderbird's config-v1.1.xml, MS-OXDSCLI 2.2.4 (Autodiscover). Fails by: nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

IMPLICIT, STARTTLS, CLEAR = "TLS", "STARTTLS", "no TLS"


@dataclass(frozen=True, slots=True, order=True)
class Service:
    """One server that a program would use. kind: imap, pop3 or smtp.  security: IMPLICIT, STARTTLS or CLEAR."""

    kind: str
    host: str
    port: int
    security: str

    def __str__(self) -> str:
        return f"{self.kind} {self.host}:{self.port} ({self.security})"


@dataclass(frozen=True, slots=True)
class Source:
    """One place where a program looks. who: which programs.  body: None when nothing was there, and `why` says it.

    absent: nobody offers it there (no such name, 404): that is no fault, the next place is asked.
    via: where redirects led.  shared: another web server may live there, whose pages are no fault.
    """

    where: str
    who: str
    body: bytes | None = None
    why: str = ""
    absent: bool = False
    via: tuple[str, ...] = ()
    shared: bool = False

    @property
    def clear(self) -> bool:
        """Whether the document itself came without TLS."""
        return (self.where, *self.via)[-1].startswith("http:")


@dataclass(frozen=True, slots=True)
class Place:
    """A try at a server that they name. why: what is wrong with it, "" when it is well.  late: there was no time for it."""

    host: str
    port: int
    why: str = ""
    late: bool = False


@dataclass(frozen=True, slots=True)
class Setup:
    """sources: in the order in which programs ask.  places: each server once."""

    sources: tuple[Source, ...] = ()
    places: tuple[Place, ...] = ()
