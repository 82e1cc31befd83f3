"""What a hop asks of TLS: the door that DANE (RFC 7672) and MTA-STS (RFC 8461) come through. Pure.

    opportunistic    encrypted when the peer offers it, whoever the peer is (RFC 7435: some protection most of the time)
    encrypt          never in the clear, whoever the peer is
    dane             to a certificate that matches one of `tlsa`
    mta-sts          to a certificate for the host's name from a known authority
    testing          as mta-sts; what fails is told to the domain and goes all the same

Fails by: `Withheld`, a `Later`, from who cannot find a policy out or finds that it forbids the host.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from dnsops.base.errors import Later
from dnsops.records.tlsa import Tlsa
from mailsrv.transport.host import Host
from mailsrv.transport.outcome import PolicyType, Trouble


@dataclass(frozen=True, slots=True)
class Policy:
    """must_encrypt: never in the clear. must_verify: only to whom the certificate proves; by `tlsa` where there are some,
    else by its name and a known authority. soft: a failure is told, and the mail goes all the same.

    name: for the log.  server_name: what SNI says instead of the host's name.  names: whom a certificate under a record of
    usage 2 may name.  type, strings, mx_patterns: for the TLS report.  trouble, details: what was wrong before we connected.
    """

    must_encrypt: bool = False
    must_verify: bool = False
    why: str = "TLS when it is offered"
    name: str = "opportunistic"
    tlsa: tuple[Tlsa, ...] = ()
    server_name: str = ""
    names: tuple[str, ...] = ()
    soft: bool = False
    type: PolicyType = PolicyType.NONE
    strings: tuple[str, ...] = ()
    mx_patterns: tuple[str, ...] = ()
    trouble: Trouble | None = None
    details: str = ""

    @property
    def may_be_plain(self) -> bool:
        return self.soft or not (self.must_encrypt or self.must_verify)

    @property
    def firm(self) -> Policy:
        """The same for a message that must not take less."""
        return replace(self, soft=False, name="mta-sts") if self.soft else self


OPPORTUNISTIC = Policy()
PROVEN = Policy(must_encrypt=True, must_verify=True, why="TLS to the host that its certificate names", name="verify")
REQUIRED = replace(PROVEN, why="the sender asked for TLS all the way", name="requiretls")
WAIVED = Policy(why="the sender asks for delivery even without TLS", name="tls-required-no")  # RFC 8689 5


class Withheld(Later):
    """Not to this host now: its policy cannot be known, or forbids it. policy: the name of that policy, for the log."""

    def __init__(self, reason: str, policy: str) -> None:
        super().__init__(reason)
        self.policy = policy


class Policies(Protocol):
    """Finds a hop's policy out; raises `Withheld`, or another `Later`, with a sentence."""

    async def policy(self, domain: str, host: Host, proven: bool) -> Policy: ...


class Opportunistic:
    """The only rule there is without DANE and MTA-STS."""

    async def policy(self, domain: str, host: Host, proven: bool) -> Policy:
        return OPPORTUNISTIC
