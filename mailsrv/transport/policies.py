"""Finds out what a hop asks of TLS: DANE first, then MTA-STS, then whatever is offered; the administrator before all.

    policies = Policed(resolver, sts, notes); policy = await policies.policy("example.org", host, proven)

Standards: RFC 7672 2, RFC 8461 2 and 5. Tells: dane, mtasts, deciding. Fails by: `Withheld`, with a sentence; it is noted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from dnsops.base.errors import Later
from dnsops.base.flow import arun
from dnsops.resolve.answer import Answer, Question, Resolver
from mailsrv.transport.dane import Dane, NoDane, look
from mailsrv.transport.deciding import No, Rule, decide
from mailsrv.transport.found import NOTHING, Found
from mailsrv.transport.host import Host, mail_domain
from mailsrv.transport.noting import Notes
from mailsrv.transport.outcome import PolicyType, Trouble
from mailsrv.transport.policy import Policy, Withheld


class FindsSts(Protocol):
    """Who knows MTA-STS policies: `StsPolicies`."""

    async def find(self, domain: str) -> Found: ...


class Policed:
    """`Policies` for the world as it is. sts: None for no MTA-STS; dane: whether TLSA is asked for; rules: by domain."""

    def __init__(
        self,
        resolver: Resolver,
        sts: FindsSts | None,
        notes: Notes,
        dane: bool = True,
        rules: Mapping[str, Rule] | None = None,
    ) -> None:
        self._resolver, self._sts, self._notes, self._dane = resolver, sts, notes, dane
        self._rules = dict(rules or {})

    async def policy(self, domain: str, host: Host, proven: bool) -> Policy:
        """DNS trouble, and a policy that excludes the host, are `Later`: another host may do."""
        domain = mail_domain(domain)
        rule = self._rules.get(domain)
        if rule is Rule.OPPORTUNISTIC:
            decided = decide(host, NoDane(""), NOTHING, rule)
        else:
            dane = await self.dane(domain, host, proven)
            matched = rule is Rule.DANE or (isinstance(dane, Dane) and dane.usable != ())
            decided = decide(host, dane, NOTHING if matched else await self.sts(domain), rule)
        if isinstance(decided, No):
            self._notes.note(domain, host, decided.policy)
            raise Withheld(decided.why, decided.policy.name)
        return decided

    async def dane(self, domain: str, host: Host, proven: bool) -> Dane | NoDane:
        """What DNSSEC proves of the host."""
        if not self._dane:
            return NoDane("DANE is switched off")
        try:
            return await arun(look(domain, host, proven), self._ask)
        except Later as reason:
            self._notes.note(domain, host, Policy(type=PolicyType.TLSA), "", Trouble.DNSSEC_INVALID, reason.reason)
            raise Withheld(reason.reason, "dane") from None

    async def sts(self, domain: str) -> Found:
        """The MTA-STS policy of the domain."""
        if self._sts is None or domain.startswith("["):
            return NOTHING
        try:
            return await self._sts.find(domain)
        except Later as reason:
            raise Withheld(reason.reason, "mta-sts") from None

    async def _ask(self, question: Question) -> Answer:
        return await self._resolver.ask(question.name, question.type)
