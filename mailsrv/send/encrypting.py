"""How a session is encrypted, as its policy wants it: the tries, one after the other, and the proof after the handshake.

    opportunistic    with anyone ── else in the clear
    testing          with whom the certificate proves ── else with anyone ── else in the clear
    encrypt          with anyone
    dane, mta-sts    with whom the certificate proves

Standards: RFC 7435 3 (a try that fails makes way for less, where less is allowed), RFC 7672 3.2 (the proof, by TLSA), RFC 8461 4.
Fails by: `Broken`, with what the TLS report calls it.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from dnsops.base import clock
from mailsrv.send.verdict import later
from mailsrv.send.wire import Broken, Wire
from mailsrv.transport.matching import Mismatch, mismatch
from mailsrv.transport.policy import Policy


@dataclass(frozen=True, slots=True)
class Contexts:
    """Ways to begin TLS: with anyone; with whom the certificate names; with anyone whose key is looked at afterwards."""

    anyone: ssl.SSLContext
    named: ssl.SSLContext
    keyed: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """One try. context: None for no TLS. must: without TLS there is no session. proof: the peer must prove who it is."""

    context: ssl.SSLContext | None
    must: bool = False
    proof: bool = False


@cache
def contexts() -> Contexts:
    """Made once. Who must prove itself gets no grace."""
    return Contexts(anyone(), ssl.create_default_context(), _unverified())


@cache
def anyone() -> ssl.SSLContext:
    """Made once, for the one who may be anyone: even old TLS is better than none (RFC 7435 3)."""
    made = _unverified()
    made.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    made.set_ciphers("DEFAULT:@SECLEVEL=0")
    return made


def _unverified() -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made


def ways(policy: Policy, given: Contexts) -> list[Way]:
    """What may be tried, the best first."""
    found: list[Way] = []
    if policy.must_verify:
        found.append(Way(given.keyed or contexts().keyed if policy.tlsa else given.named, must=True, proof=True))
    if not policy.must_verify or policy.soft:
        found.append(Way(given.anyone, must=not policy.may_be_plain))
    if policy.may_be_plain:
        found.append(Way(None))
    return found


def server_name(policy: Policy, host: str) -> str:
    """What SNI says (RFC 7672 8.1: the name under which the TLSA records stand), and what a certificate must name."""
    return policy.server_name or host.strip("[]").removeprefix("IPv6:")


async def prove(wire: Wire, policy: Policy) -> None:
    """After the handshake and before a word is said: whether the peer's certificate is one of the policy's."""
    if not policy.tlsa:
        return
    wrong = await _mismatch(wire.chain, policy)
    if wrong is not None:
        wire.abort()
        raise Broken(later("4.7.5", f"TLS would be with somebody else: {wrong.details}"), wrong.trouble)


async def _mismatch(chain: Sequence[bytes], policy: Policy) -> Mismatch | None:
    """Building chains takes a while, comparing one key does not."""
    now = clock.now().wall
    if any(record.usage == 2 for record in policy.tlsa):
        return await asyncio.to_thread(mismatch, chain, policy.tlsa, policy.names, now)
    return mismatch(chain, policy.tlsa, policy.names, now)
