"""What we put our name to: signatures on mail of ours, a seal and a return path on mail that an alias of ours sends on. Pure.

    outgoing = Outgoing("mx1.example.org", signers)
    content = outgoing.signed(content, now)               DKIM-Signature fields of From's domain, above the message
    fields = outgoing.seal(content, arc, results, "info@example.org", now)

Who signs: the keys of From's domain, or of the closest domain above it that has keys (relaxed alignment, RFC 9989 4.4).
Standards: RFC 6376 5, RFC 8617 5.1 (sealing), RFC 5321 3.9.1 (an alias keeps the sender; SRS where its SPF would break).
Fails by: nothing. Without keys nothing is signed; a chain that has failed is not sealed (`arc.seal`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from mailsrv.auth import arc, signing
from mailsrv.auth.author import author
from mailsrv.auth.keys import Signer
from mailsrv.auth.verdicts import Arc
from mailsrv.message.header import header

EVERYBODYS = "rsa-sha256"  # a set has one signature, so it is by the key that every verifier knows
MOST_ABOVE = 8  # labels that are taken off to find who signs


class ReturnPaths(Protocol):
    """Senders of forwarded mail, rewritten, and back again."""

    def forward(self, sender: str, via: str, now: datetime) -> str:
        """The sender under which mail goes on by the alias `via`."""
        ...

    def back(self, address: str, now: datetime) -> str | None:
        """Whose address it was; None for what is none of ours, is forged, or too old."""
        ...


class Unchanged:
    """Mail keeps its sender."""

    def forward(self, sender: str, via: str, now: datetime) -> str:
        return sender

    def back(self, address: str, now: datetime) -> str | None:
        return None


def nobody(domain: str) -> Sequence[Signer]:
    """No keys."""
    return ()


@dataclass(eq=False)
class Outgoing:
    """signers: the keys of exactly that domain that sign now.  sealing: the one switch of ARC, which may become historic."""

    host: str
    signers: Callable[[str], Sequence[Signer]] = nobody
    sealing: bool = True
    paths: ReturnPaths = field(default_factory=Unchanged)

    def signed(self, content: bytes, now: datetime) -> bytes:
        """The message under the signatures of its author's domain; as it is when nobody here signs for that."""
        signers = self._for(author(header(content)).domain)
        return signing.sign(content, signers, now) + content if signers else content

    def seal(self, content: bytes, found: Arc, results: str, via: str, now: datetime) -> bytes:
        """The ARC set to be put above a message that the alias `via` sends on; b"" where there is none to be."""
        signers = self._for(via.rpartition("@")[2]) if self.sealing else ()
        signer = min(signers, key=lambda one: one.algorithm != EVERYBODYS, default=None)
        return arc.seal(content, found, results, signer, now) if signer else b""

    def _for(self, domain: str) -> Sequence[Signer]:
        for _ in range(MOST_ABOVE):
            if not domain or (signers := self.signers(domain)):
                return signers if domain else ()
            domain = domain.partition(".")[2]
        return ()
