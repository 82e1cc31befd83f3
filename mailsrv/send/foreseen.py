"""What would happen to mail for a domain, host by host, and why; nothing is sent.

    foresee(domain, router, resolver, policies) ──> Outlook        probe(outlook, ...) ──> the same, each host greeted for real

Standards: those of route, dane, mtasts and deciding, which it asks in their order. Tells.
Fails by: nothing; what cannot be known is a sentence in the result.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from dnsops.base.errors import ForUser, Later
from dnsops.base.flow import arun
from dnsops.certs.chain import from_der
from dnsops.resolve.answer import Answer, Question, Resolver
from mailsrv.send.client import Patience, Peer, open_session
from mailsrv.send.encrypting import Contexts
from mailsrv.send.nexthop import Here
from mailsrv.send.route import Router
from mailsrv.send.verdict import Verdict
from mailsrv.send.wire import Broken
from mailsrv.transport.dane import Dane, NoDane
from mailsrv.transport.found import Found
from mailsrv.transport.host import Host
from mailsrv.transport.outcome import Trouble
from mailsrv.transport.policies import Policed
from mailsrv.transport.policy import Policy

HURRY = Patience(connect=10, handshake=10, greeting=30, command=30, goodbye=2)


@dataclass(frozen=True, slots=True)
class Probed:
    """What a host did. trust: verified, encrypted or plain; "" when there was no session, and `said` is why."""

    address: str
    tls: str = ""
    trust: str = ""
    trouble: Trouble | None = None
    said: str = ""
    names: tuple[str, ...] = ()
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One host. A sentence instead of a value: why it cannot be known now, or why the host gets no mail."""

    host: Host
    dane: Dane | NoDane | str
    policy: Policy | str
    probed: Probed | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """way: how the hosts were found. proven: DNSSEC proves it. verdict: instead of hosts."""

    domain: str
    way: str
    proven: bool = False
    sts: Found | str = ""
    hosts: tuple[Foreseen, ...] = ()
    verdict: Verdict | None = None

    @property
    def well(self) -> bool:
        """Whether some host would get the mail."""
        return any(isinstance(one.policy, Policy) and (one.probed is None or one.probed.trust) for one in self.hosts)


async def foresee(domain: str, router: Router, resolver: Resolver, policies: Policed) -> Outlook:
    """All that the DNS and the policies say."""

    async def ask(question: Question) -> Answer:
        return await resolver.ask(question.name, question.type)

    way = await arun(router.route(domain), ask)
    if isinstance(way, Here):
        return Outlook(domain, "it stays here")
    if isinstance(way, Verdict):
        return Outlook(domain, way.reason, verdict=way)
    try:
        sts: Found | str = await policies.sts(domain)
    except Later as reason:
        sts = reason.reason
    found = [await _foreseen(domain, host, way.proven, policies) for host in way.hosts]
    words = "proven by DNSSEC" if way.proven else "found without any proof"
    return Outlook(domain, words, way.proven, sts, tuple(found))


async def _foreseen(domain: str, host: Host, proven: bool, policies: Policed) -> Foreseen:
    try:
        dane: Dane | NoDane | str = await policies.dane(domain, host, proven)
    except Later as reason:
        dane = reason.reason
    try:
        policy: Policy | str = await policies.policy(domain, host, proven)
    except Later as reason:
        policy = reason.reason
    return Foreseen(host, dane, policy)


async def probe(outlook: Outlook, hello: str, tls: Contexts) -> Outlook:
    """Each host that may be talked to, until its TLS is up; no mail."""
    hosts = [replace(one, probed=await _probed(one, hello, tls)) for one in outlook.hosts]
    return replace(outlook, hosts=tuple(hosts))


async def _probed(one: Foreseen, hello: str, tls: Contexts) -> Probed | None:
    """Its addresses in turn, until one is reached."""
    last = None
    if isinstance(one.policy, str):
        return None
    for address in one.host.addresses:
        last = await _greeted(Peer(one.host.name, address, one.host.port, policy=one.policy), hello, tls)
        if last.trust or last.trouble:
            break
    return last


async def _greeted(peer: Peer, hello: str, tls: Contexts) -> Probed:
    try:
        session = await open_session(peer, hello, HURRY, tls)
    except Broken as broken:
        return Probed(peer.address, trouble=broken.trouble, said=str(broken.verdict))
    try:
        chain = from_der(session.certificates, peer.host)
        names, until = chain.names, chain.not_after
    except ForUser:
        names, until = (), None
    probed = Probed(peer.address, session.tls, session.trust, session.trouble, session.details, names, until)
    await session.quit()
    return probed
