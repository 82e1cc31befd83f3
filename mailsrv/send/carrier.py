"""One attempt: route, policy, hosts one after the other, until each recipient has a verdict.

Standards: RFC 5321 5.1 (which hosts, in which order), RFC 8689 4.2.1 (REQUIRETLS) and 5 (TLS-Required: No).
Who may be asked next: another host when this one could not be reached, broke off before the final dot, said 4xx before the
message was sent, or does not offer what the message needs. 5xx and 4xx of RCPT and of the message itself are the domain's.
Limits: `route` bounds the addresses; 3 hosts that answered are asked, and 20 transactions are made with one of them.
Fails by: verdicts; it raises nothing but what loading the message raises.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from dnsops.base.errors import Later
from dnsops.base.flow import arun
from dnsops.resolve.answer import Answer, Question, Resolver
from mailsrv.send.client import Outcome, Peer, Session, unreachable
from mailsrv.send.connections import Connections
from mailsrv.send.letter import Letter, Recipient
from mailsrv.send.nexthop import Here, NextHop
from mailsrv.send.route import Route, Router
from mailsrv.send.verdict import Fate, Verdict, better, failed, later
from mailsrv.send.wire import Broken
from mailsrv.transport.host import Host, mail_domain
from mailsrv.transport.noting import Notes
from mailsrv.transport.outcome import Trouble
from mailsrv.transport.policy import OPPORTUNISTIC, PROVEN, REQUIRED, WAIVED, Opportunistic, Policies, Policy, Withheld

MOST_ANSWERING = 3
MOST_TRANSACTIONS = 20

Load = Callable[[], Awaitable[Letter]]


@dataclass(frozen=True, slots=True)
class Carried:
    """The verdicts by the queue's ids. `unreached`: the "later" that holds for all that goes there, as no host let us in."""

    verdicts: dict[int, Verdict]
    unreached: Verdict | None = None


@dataclass(slots=True)
class _Journey:
    """What is known midway: who is still to be carried, and the best that their hosts said."""

    rest: list[Recipient]
    settled: dict[int, Verdict] = field(default_factory=dict)
    said: dict[int, Verdict] = field(default_factory=dict)
    asked: int = 0
    reached: bool = False

    def hear(self, verdicts: dict[int, Verdict]) -> None:
        self.said |= {key: better(self.said.get(key), verdict) for key, verdict in verdicts.items()}

    def hear_all(self, verdict: Verdict) -> None:
        self.hear({recipient.id: verdict for recipient in self.rest})


class Carrier:
    """Carries letters. What it needs is handed in: routes, a resolver, policies, connections."""

    def __init__(
        self,
        router: Router,
        resolver: Resolver,
        connections: Connections,
        policies: Policies | None = None,
        notes: Notes | None = None,
    ) -> None:
        self.router, self.connections = router, connections
        self._resolver, self._policies, self._notes = resolver, policies or Opportunistic(), notes

    def lane(self, domain: str) -> str:
        """What shares a fate: all that goes to one smarthost, else a domain."""
        hop = self.router.next_hop
        return f"{hop.host}:{hop.port}" if isinstance(hop, NextHop) else domain.lower()

    async def carry(self, domain: str, load: Load, recipients: Sequence[Recipient]) -> Carried:
        """An attempt for these recipients, all of them of this domain (or all for the smarthost)."""
        way = await arun(self.router.route(domain), self._ask)
        if isinstance(way, Here):
            return Carried({recipient.id: Verdict(Fate.HERE, "2.0.0", Fate.HERE.value) for recipient in recipients})
        if isinstance(way, Verdict):
            unreached = way if way.fate is Fate.LATER else None
            return Carried({recipient.id: way for recipient in recipients}, unreached)
        return await self._walk(domain, way, await load(), list(recipients))

    async def close(self) -> None:
        await self.connections.close()

    async def _ask(self, question: Question) -> Answer:
        return await self._resolver.ask(question.name, question.type)

    async def _walk(self, domain: str, route: Route, letter: Letter, recipients: list[Recipient]) -> Carried:
        journey = _Journey(recipients)
        known: dict[str, Policy | Verdict] = {}
        for host, address in route.addresses:
            if not journey.rest or journey.asked >= MOST_ANSWERING:
                break
            if route.via is not None:
                policy: Policy | Verdict = _of_smarthost(route.via, address, letter)
            else:
                if host.name not in known:
                    known[host.name] = await self._policy(domain, route, host, letter)
                policy = known[host.name]
            if isinstance(policy, Verdict):
                journey.hear_all(policy)
                continue
            implicit, login = (route.via.implicit, route.via.login) if route.via else (False, None)
            peer = Peer(host.name, address, host.port, implicit, login, policy)
            await self._visit(peer, letter, journey, None if route.via else (domain, host))
        left = {recipient.id: unreachable(journey.said.get(recipient.id)) for recipient in journey.rest}
        return Carried(journey.settled | left, None if journey.reached else _common(left))

    async def _policy(self, domain: str, route: Route, host: Host, letter: Letter) -> Policy | Verdict:
        """What the host must prove for this letter; the domain's word, unless the sender has another."""
        if letter.waives_tls:
            return WAIVED
        try:
            policy = await self._policies.policy(domain, host, route.proven)
        except Later as reason:
            name = reason.policy if isinstance(reason, Withheld) else ""
            return replace(later("4.7.5", reason.reason, host.name), policy=name)
        if not letter.requires_tls:
            return policy
        if policy.must_verify:
            return policy.firm
        if not route.proven:
            # RFC 8689 4.2.1: the host's name must itself be proven
            return failed(
                "5.7.10", f"the sender asked for TLS all the way, and nothing proves that {host.name} is right"
            )
        return REQUIRED

    async def _visit(self, peer: Peer, letter: Letter, journey: _Journey, whose: tuple[str, Host] | None) -> None:
        """One address: by a session that waits for us, else by a new one. whose: domain and host, for the TLS report."""
        session = self.connections.waiting(peer)
        if session is not None:
            await self._talk(session, letter, journey)
            if not session.lost or not journey.rest:
                return
        try:
            session = await self.connections.open(peer)
        except Broken as broken:
            journey.asked += broken.verdict.reply != ""
            self._note(whose, peer, broken.trouble, broken.verdict.reason)
            journey.hear_all(replace(_of_opening(broken.verdict, letter), policy=peer.policy.name))
            return
        journey.asked += 1
        self._note(whose, peer, session.trouble, session.details, begun=True)
        await self._talk(session, letter, journey)

    def _note(
        self, whose: tuple[str, Host] | None, peer: Peer, trouble: Trouble | None, details: str, begun: bool = False
    ) -> None:
        """For the TLS report: sessions that began, and those that TLS was the end of; not those that passed policies by."""
        if peer.policy is WAIVED or self._notes is None or whose is None:
            return
        if begun or trouble is not None:
            domain, host = whose
            self._notes.note(mail_domain(domain), host, peer.policy, peer.address, trouble, details)

    async def _talk(self, session: Session, letter: Letter, journey: _Journey) -> None:
        """All the transactions that it takes; whoever is not settled afterwards may be asked for elsewhere."""
        journey.reached = True
        asking, elsewhere = journey.rest, []
        for _ in range(MOST_TRANSACTIONS):
            outcome: Outcome = await session.deliver(letter, asking)
            journey.settled |= outcome.settled
            journey.hear(outcome.elsewhere)
            elsewhere += [recipient for recipient in asking if recipient.id in outcome.elsewhere]
            asking = outcome.crowded
            if not asking or not session.reusable:
                break
        crowded = later("4.5.3", "the next host takes no more recipients now", session.peer.host)
        journey.hear({recipient.id: crowded for recipient in asking})
        journey.rest = elsewhere + asking
        self.connections.give_back(session)


def _of_smarthost(hop: NextHop, address: str, letter: Letter) -> Policy:
    """A password goes to nobody else than whom the administrator named."""
    sure = hop.login is not None and not ipaddress.ip_address(address).is_loopback
    return PROVEN if sure or letter.requires_tls else OPPORTUNISTIC


def _common(left: dict[int, Verdict]) -> Verdict | None:
    """What all of them were told, when that was "later" for each."""
    waiting = [verdict for verdict in left.values() if verdict.fate is Fate.LATER]
    return waiting[0] if waiting and len(waiting) == len(left) else None


def _of_opening(verdict: Verdict, letter: Letter) -> Verdict:
    """Without TLS that is proven, a message that asks for it goes back at once (RFC 8689 4.2.1); else it waits."""
    if letter.requires_tls and verdict.fate is Fate.LATER and verdict.code in ("4.7.4", "4.7.5") and not verdict.reply:
        return failed("5.7.10", f"the sender asked for TLS all the way: {verdict.reason}", verdict.host)
    return verdict
