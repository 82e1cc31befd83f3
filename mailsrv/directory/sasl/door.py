"""What mechanisms and those who drive them meet at. Pure types.

A mechanism is a flow: it yields a `Challenge` and receives the client's bytes, yields a question about passwords, keys or
tokens and receives its answer, and returns how it ended. It touches nothing and raises nothing, whatever the client sends.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from mailsrv.directory.accounts import Account
from mailsrv.directory.keys import Keys

LONGEST_RESPONSE = 12288  # octets after base64; RFC 4954 4 wants lines of that length to be taken


class Why(Enum):
    """Why a login failed, as far as the client is told."""

    CREDENTIALS = "the name or the password is wrong"
    MALFORMED = "that is not what the mechanism sends"
    TOO_LONG = "the response is longer than is taken"
    AUTHZID = "one may act for oneself only"
    BINDING = "the channel binding does not fit this connection"
    LATER = "not now: too many logins, or too many failures"


@dataclass(frozen=True, slots=True)
class Challenge:
    """Send this; the client answers."""

    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Done:
    """The client is that account. `by`: the app password it used, or the mechanism's own word."""

    account: Account
    by: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """It is not, and why. after: seconds, with Why.LATER. name: as it was given, for the log."""

    why: Why
    name: str = ""
    after: int = 0


@dataclass(frozen=True, slots=True)
class AskPassword:
    """Is this the password? The answer is Account, or None."""

    name: str
    password: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class AskKeys:
    """The SCRAM keys of a name. The answer is Keys, true or made up."""

    name: str
    hash: str


@dataclass(frozen=True, slots=True)
class AskProved:
    """The client proved that it knows the password. The answer is Account, or None."""

    name: str


@dataclass(frozen=True, slots=True)
class AskToken:
    """Whose is this token? The answer is Account, or None."""

    name: str
    token: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class AskAct:
    """May this account act as `name`? It may as itself; the answer is True or False."""

    account: Account
    name: str


Question: TypeAlias = Challenge | AskPassword | AskKeys | AskProved | AskToken | AskAct
Answer: TypeAlias = bytes | Account | Keys | bool | None
Ending: TypeAlias = Done | Failed
Mechanism: TypeAlias = Generator[Question, Answer, Ending]


@dataclass(frozen=True, slots=True)
class Binding:
    """What binds a login to its TLS connection: type -> data (RFC 5929, RFC 9266); empty without TLS."""

    types: tuple[tuple[str, bytes], ...] = ()

    def data(self, kind: str) -> bytes | None:
        return dict(self.types).get(kind)


def as_bytes(answer: Answer) -> bytes:
    """The answer to a challenge."""
    return answer if isinstance(answer, bytes) else b""


def as_account(answer: Answer) -> Account | None:
    """The answer about a password, a proof or a token."""
    return answer if isinstance(answer, Account) else None


def text(data: bytes) -> str | None:
    """UTF-8 without NUL, or None."""
    try:
        return None if b"\0" in data else data.decode()
    except UnicodeDecodeError:
        return None
