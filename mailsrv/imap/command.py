"""A command, read and checked, ready to run: the shape that every file in `commands/` has. Types only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from mailsrv.imap.grammar.cursor import Cursor
from mailsrv.imap.replies import Ok
from mailsrv.imap.session import Session, State

STRANGER = frozenset({State.STRANGER})
KNOWN = frozenset({State.KNOWN, State.SELECTED})
SELECTED = frozenset({State.SELECTED})
ANY = STRANGER | KNOWN


class Command(Protocol):
    """Arguments of one command, and what it does with a session."""

    async def run(self, session: Session) -> Ok: ...


@dataclass(frozen=True, slots=True)
class Verb:
    """How it is read, where it is allowed, and whether EXPUNGE may be told at its end (RFC 9051 7.5.1)."""

    read: Callable[[Cursor], Command]
    states: frozenset[State]
    renumbers: bool = True
