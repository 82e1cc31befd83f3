"""Greylisting: a stranger's first attempt is told to come again; who does so is a mail server, and known from then on. A machine.

            first attempt            again, after DELAY                        again within GOOD_FOR
   unknown --------------> waiting --------------------> good (and taken) --------------------------> good
      ^---- PATIENCE over ----'                            '---- GOOD_FOR over ----> unknown

What waits is the triplet (network, sender, recipient); what becomes good is the pair (network, sender's domain), so that a
known server's next mail to anyone here comes in at once. A network is an IPv4 /24 or an IPv6 /64: farms send from any of
their hosts. Numbers in a sender's local part do not count, for lists write them anew for each mail.
Standard: RFC 6647 (greylisting): 4xx at RCPT, strangers only. Off by default. Times are seconds of the calendar's clock; one
that was set back starts the waiting anew. Fails by: nothing.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from enum import Enum

from mailsrv.smtp.replies import Reply

DELAY = 120.0  # RFC 6647: from one minute to a day
PATIENCE = 2 * 86400.0
GOOD_FOR = 36 * 86400.0  # a monthly newsletter is still known
COME_AGAIN = Reply(451, "4.7.1", "we do not know you yet, please try again in a few minutes")

_NUMBER = re.compile(r"\d+")
_LONGEST = 320


class Answer(Enum):
    """What the peer is told."""

    KNOWN = "it is known"
    BACK = "it came again: it is known from now on"
    WAIT = "it is to come again"

    @property
    def passes(self) -> bool:
        return self is not Answer.WAIT


@dataclass(frozen=True, slots=True)
class State:
    """What is remembered of one triplet and its pair. first: its first attempt.  good: when the pair was last let in."""

    first: float | None = None
    good: float | None = None


@dataclass(frozen=True, slots=True)
class Triplet:
    """Who writes to whom; two keys to remember it by."""

    network: str
    sender: str
    recipient: str

    @property
    def waiting(self) -> str:
        return f"{self.network} {self.sender} {self.recipient}"

    @property
    def pair(self) -> str:
        return f"{self.network} {self.sender.rpartition('@')[2]}"


def triplet(client: str, sender: str, recipient: str) -> Triplet:
    """`sender`: "" for the null sender. Spelling in capitals is no other address here."""
    local, at, domain = sender[:_LONGEST].lower().rpartition("@")
    return Triplet(network(client), f"{_NUMBER.sub('#', local)}{at}{domain}", recipient[:_LONGEST].lower())


def step(state: State, now: float) -> tuple[State, Answer]:
    """One attempt: what is known afterwards, and whether it passes."""
    if state.good is not None and now - state.good < GOOD_FOR:
        return State(None, max(now, state.good)), Answer.KNOWN
    if state.first is None or not 0 <= now - state.first < PATIENCE:
        return State(now), Answer.WAIT
    if now - state.first < DELAY:
        return State(state.first), Answer.WAIT
    return State(None, now), Answer.BACK


def network(client: str) -> str:
    """What counts as one sender's network; what is no address counts as itself."""
    try:
        ip = ipaddress.ip_address(client.partition("%")[0])
    except ValueError:
        return client[:64]
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is None:
            return str(ipaddress.IPv6Network((ip, 64), strict=False))
        ip = ip.ipv4_mapped
    return str(ipaddress.IPv4Network((ip, 24), strict=False))
