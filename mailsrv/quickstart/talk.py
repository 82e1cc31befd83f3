"""How a quickstart speaks with whoever runs it: a person at a terminal, or a program that wants JSON. Types only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dnsops.base.secrets import Secret


class Talk(Protocol):
    """attended: somebody is there who can answer."""

    @property
    def attended(self) -> bool: ...

    def say(self, text: str) -> None: ...

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None: ...

    def ask(self, text: str, guess: str) -> str: ...

    def ask_secret(self, text: str) -> str: ...

    def agree(self, text: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line says. given: texts by the keys of `questions`.  token_file: of the token or the TSIG key.

    state, directory, roots: "" for what is usual.  yes: nothing is asked, the plan is applied.
    """

    domain: str
    given: Mapping[str, str]
    output: Path
    token: Secret | None = None
    token_file: str = ""
    state: str = ""
    directory: str = ""
    roots: str = ""
    bind: bool = False
    yes: bool = False
    apply: bool = True
    start: bool = False
    skip_checks: bool = False
    dial: tuple[str, ...] = ()
