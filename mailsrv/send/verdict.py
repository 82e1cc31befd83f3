"""What became of a recipient at one attempt. Pure.

Standards: RFC 5321 4.2 (reply codes), RFC 3463 (enhanced codes), RFC 2034 (their place in a reply).
Verdicts are values; nothing here fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

from dnsops.base.printable import printable
from mailsrv.send.reply import Reply

LONGEST_REASON = 600  # characters of a peer's text that we keep


class Fate(Enum):
    DELIVERED = "the next host has taken it"
    RELAYED = "the next host has taken it, and will not report on it"  # RFC 3464 2.3.3
    HERE = "it is for a mailbox of ours"
    LATER = "not now"
    FAILED = "never"


@dataclass(frozen=True, slots=True)
class Verdict:
    """fate, enhanced code (X.Y.Z), reason for a person; `host` is who said so ("" for ourselves), `reply` its words.

    tls: the version that the connection was encrypted with, "" when it was not.  policy: what the hop asked of TLS.
    trust: "verified" when the peer proved who it is, else "encrypted" or "plain"; "" when nothing was sent.
    """

    fate: Fate
    code: str
    reason: str
    host: str = ""
    reply: str = ""
    tls: str = ""
    policy: str = ""
    trust: str = ""

    def __str__(self) -> str:
        said = f"{self.host} said: {self.reply}" if self.reply else self.reason
        return f"{self.code} {said}"

    def at(self, host: str) -> Verdict:
        return replace(self, host=self.host or host)


def later(code: str, reason: str, host: str = "") -> Verdict:
    return Verdict(Fate.LATER, code, reason, host)


def failed(code: str, reason: str, host: str = "") -> Verdict:
    return Verdict(Fate.FAILED, code, reason, host)


def of_reply(reply: Reply, stage: str, host: str) -> Verdict:
    """A refusal in the peer's words: 5xx never, everything else that is no consent later."""
    fate = Fate.FAILED if reply.code >= 500 else Fate.LATER
    said = printable(str(reply))[:LONGEST_REASON]
    default = "5.0.0" if fate is Fate.FAILED else "4.0.0"
    return Verdict(fate, _agreeing(reply, default), f"refused at {stage}", host, said)


def taken(reply: Reply, host: str, reports: bool) -> Verdict:
    """Delivered; `reports`: the peer speaks DSN and has taken over what there is to tell (RFC 3461 5.2)."""
    fate = Fate.DELIVERED if reports else Fate.RELAYED
    return Verdict(fate, _agreeing(reply, "2.0.0"), fate.value, host, printable(str(reply))[:LONGEST_REASON])


def better(one: Verdict | None, other: Verdict) -> Verdict:
    """Of two hosts' verdicts the one that leaves more hope: while one may take it later, nothing is final."""
    if one is not None and (one.fate is Fate.LATER or other.fate is Fate.FAILED):
        return one
    return other


def _agreeing(reply: Reply, default: str) -> str:
    """The reply's enhanced code, when its class is that of the code (RFC 2034 4)."""
    return reply.enhanced if reply.enhanced[:1] == default[0] else default


Verdicts = Mapping[int, Verdict]  # by the queue's ids
