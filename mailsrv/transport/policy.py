"""What a hop asks of TLS: the door that DANE (RFC 7672) and MTA-STS (RFC 8461) come through. Pure.

Without either, a hop is encrypted when the peer offers it, whoever the peer is (RFC 7435: some protection most of the time).
Fails by: nothing; who cannot find a policy out answers `Later` before it gets here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mailsrv.transport.host import Host


@dataclass(frozen=True, slots=True)
class Policy:
    """must_encrypt: never in the clear. must_verify: only to a certificate for the host's name from a known authority."""

    must_encrypt: bool = False
    must_verify: bool = False
    why: str = "TLS when it is offered"

    @property
    def may_be_plain(self) -> bool:
        return not (self.must_encrypt or self.must_verify)


OPPORTUNISTIC = Policy()
PROVEN = Policy(must_encrypt=True, must_verify=True, why="TLS to the host that its certificate names")


class Policies(Protocol):
    """Finds a hop's policy out; raises `Later` when it is there but cannot be known now."""

    async def policy(self, domain: str, host: Host, proven: bool) -> Policy: ...


class Opportunistic:
    """The only rule there is without DANE and MTA-STS."""

    async def policy(self, domain: str, host: Host, proven: bool) -> Policy:
        return OPPORTUNISTIC
