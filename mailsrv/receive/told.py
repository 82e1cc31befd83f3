"""The decision on a message, written into it: for its reader, for filters, and for `mailsrv message explain`. Pure.

    Mailsrv-Decision: junk; dmarc=fail (example.org asks for quarantine); spf mail=softfail (no term matched)

The steps in the order in which they were taken; one that the owner's word has outweighed is in square brackets.
Limits: MOST steps; MOST_READ characters when read. Never fails; what somebody else wrote under our field's name is taken away.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from mailsrv.message import compose
from mailsrv.message.header import header, without

if TYPE_CHECKING:
    from mailsrv.auth.decide import Decision, Reason

NAME = "Mailsrv-Decision"
KEY = NAME.lower().encode()
MOST = 40
MOST_KEPT = 1024  # decisions whose text is kept
MOST_READ = 16 << 10
_HARMLESS = str.maketrans(";()[]", ",{}{}")
_STEP = re.compile(r"(?P<open>\[?)(?P<what>[^=]{1,300})=(?P<outcome>[^ ()\[\]]{1,300})(?: \((?P<why>[^()]*)\))?\]?\Z")


@dataclass(frozen=True, slots=True)
class Step:
    """One step, as it was written down."""

    what: str
    outcome: str
    why: str = ""
    outweighed: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """A decision, as it was written down: accept or junk, and how it came to that."""

    action: str
    steps: tuple[Step, ...] = ()


def written(decision: Decision, action: str) -> bytes:
    """The field with its line end. `action`: what became of this copy."""
    return _field(decision.reasons[:MOST], action)


@lru_cache(MOST_KEPT)
def _field(reasons: tuple[Reason, ...], action: str) -> bytes:
    """Most mail comes by the same few ways."""
    return compose.field(NAME, "; ".join([action, *map(_written, reasons)]))


def _written(reason: Reason) -> str:
    """A step as text."""
    text = f"{_plain(reason.what).replace('=', '-')}={_plain(reason.outcome).replace(' ', '-') or 'none'}"
    text += f" ({_plain(reason.why)})" if reason.why else ""
    return f"[{text}]" if reason.outweighed else text


def _plain(text: str) -> str:
    return compose.one_line(text).translate(_HARMLESS).strip()


def read(content: bytes) -> Told | None:
    """What a message of ours says of itself; None when it says nothing."""
    value = header(content).first(KEY)
    if value is None:
        return None
    action, *steps = " ".join(value[:MOST_READ].decode("utf-8", "replace").split()).split("; ")
    found = (_STEP.match(step) for step in steps)
    return Told(
        action, tuple(Step(m["what"], m["outcome"], m["why"] or "", bool(m["open"])) for m in found if m is not None)
    )


def without_forged(content: bytes) -> bytes:
    """The message without fields of that name."""
    return without(content, lambda field: field.name == KEY)
