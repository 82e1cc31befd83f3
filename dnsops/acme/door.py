"""What issuing needs from others, and what it gives: the words that the order, the challenges and the story share. Pure.

Standards: RFC 8555 (ACME), RFC 8737 (TLS-ALPN-01), RFC 9773 (ARI). Errors: `ForUser` when a person must act, `Later` when waiting
helps; an order that failed leaves the account, the keys and the zone as they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Kind = Literal["dns-01", "http-01", "tls-alpn-01"]


@dataclass(frozen=True, slots=True)
class Challenge:
    """One thing to show for one name (without `*.`).

    dns-01: `text` is the TXT content at _acme-challenge.NAME.  http-01: the body at /.well-known/acme-challenge/`token`.
    tls-alpn-01: `text` is the key authorisation, whose SHA-256 goes into acmeIdentifier.
    """

    kind: Kind
    name: str
    token: str
    text: str


class Solver(Protocol):
    """Shows challenges to the world and takes them away. Blocking; `show` returns when everybody can see them."""

    @property
    def kind(self) -> Kind: ...

    def show(self, challenges: Sequence[Challenge]) -> None: ...

    def remove(self, challenges: Sequence[Challenge]) -> None: ...

    def sweep(self) -> None:
        """Take away what a run that was killed left behind: only ours. It costs nothing when there is nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Window:
    """When the authority suggests to renew (RFC 9773 4.2). retry_after: seconds until it may be asked again."""

    start: datetime
    end: datetime
    retry_after: float = 21600.0
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """What to order. profile, preferred_chain: "" for the authority's choice.  replaces: the certificate (DER) that ends by it."""

    names: tuple[str, ...]
    csr: bytes  # PEM, by the announced key
    profile: str = ""
    preferred_chain: str = ""
    replaces: bytes | None = None


class Authority(Protocol):
    """An ACME server with our account there. Blocking."""

    @property
    def account_uri(self) -> str: ...

    def issue(self, wish: Wish, solver: Solver) -> bytes:
        """The chain, PEM, leaf first; checked to be for the CSR's key and names."""
        ...

    def window(self, certificate: bytes) -> Window | None:
        """ARI's answer for a certificate (DER); None when the authority has no ARI, or says what cannot be meant."""
        ...
