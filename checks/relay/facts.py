"""What was tried and what the server said, as values. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Trick:
    """One way to ask for a recipient elsewhere. rcpt: what follows `RCPT TO:`.  local: it ends in a domain of the server's, so that
    a server that takes everything there takes this, too.  login: an AUTH that fails comes before."""

    name: str
    rcpt: bytes
    sender: bytes = b"<probe@probe.invalid>"
    helo: bytes = b"probe.invalid"
    local: bool = False
    login: bool = False


@dataclass(frozen=True, slots=True)
class Tried:
    """code: of the answer to RCPT (or to the step before that was refused); 0 when the server hung up or said nothing.

    outside: it was turned away at EHLO, before it had asked for anything.
    """

    trick: Trick
    code: int
    said: str = ""
    outside: bool = False

    @property
    def taken(self) -> bool:
        return self.code // 100 == 2


@dataclass(frozen=True, slots=True)
class Ending:
    """What stands in the data where a lenient server sees its end. data: b"" for BDAT.  bare: it has a CR or LF by itself."""

    name: str
    data: bytes
    bare: bool = True


@dataclass(frozen=True, slots=True)
class Cut:
    """One message with an ending inside. replies: all codes from its true end up to the goodbye, that one left out; none when it was
    not sent at all, and `why` says that.  arrived: whether the message inside came by itself; None: nobody looked."""

    ending: Ending
    replies: tuple[int, ...] = ()
    why: str = ""
    arrived: bool | None = None

    @property
    def split(self) -> bool:
        """One message has one answer (RFC 5321 4.1.1.4); more are answers to what stood inside."""
        return len(self.replies) > 1 or self.arrived is True

    @property
    def taken(self) -> bool:
        return self.replies[:1] == (250,)


@dataclass(frozen=True, slots=True)
class Facts:
    """why: the server could not be asked at all.  untold: why no message was sent.  lines: the transcript."""

    now: datetime
    host: str
    tried: tuple[Tried, ...] = ()
    unknown: Tried | None = None  # the control: a local part that nobody has
    cuts: tuple[Cut, ...] = ()
    why: str = ""
    untold: str = ""
    lines: tuple[str, ...] = ()
