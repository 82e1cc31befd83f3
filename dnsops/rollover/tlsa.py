"""One TLSA RRset: what was seen of it turned into the machine's terms, and the step into a decision with its reasons. Pure.

Standards: RFC 6698 4.1 and RFC 7672 2.2, 3.1 (secure, insecure, bogus; which records are usable), RFC 7671 8.
Fails by: deciding for less. Bogus or unanswered: nothing at all. Insecure: nothing, unless a person insists.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum

from dnsops.base.moment import Moment
from dnsops.certs.chain import Chain, association, flaws, matches, spki_association
from dnsops.records.tlsa import Tlsa, flaw
from dnsops.resolve.answer import Answer, Consensus, Security
from dnsops.rollover.ledger import Ledger
from dnsops.rollover.machine import Phase, Seen, Stage, Step, Wanted, step

Form = tuple[int, int, int]


class Action(Enum):
    """The one word for a run at one name, in JSON and tables; the value explains it."""

    NONE = "in sync: nothing to do"
    PUBLISH = "records that senders need were missing"
    WAIT = "nothing to do until servers agree or caches run out"
    PRUNE = "old records that nobody needs any more go"
    SWITCH = "the next key may be served, and now it is"
    REFUSE = "doing nothing is right, and a person should look"
    LATER = "the DNS gave no answer that can be trusted: nothing was touched"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person should know. `trouble`: mail is or will be affected, exit status 1."""

    what: str
    advice: str = ""
    trouble: bool = True

    def __str__(self) -> str:
        return f"{self.what} - {self.advice}" if self.advice else self.what


@dataclass(frozen=True, slots=True)
class Policy:
    """What a person asked for. forms: (usage, selector, matching) of the records to publish for every key."""

    forms: tuple[Form, ...] = ((3, 1, 1),)
    allow_insecure: bool = False
    probe: bool = True
    adopt: bool = False
    switch: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """What one address of the port showed; `chain` is None when it showed nothing, and `error` says why.

    unroutable: this machine has no route to it (no IPv6 here), so that its silence means nothing.
    """

    address: str
    chain: Chain | None = None
    error: str = ""
    unroutable: bool = False


@dataclass(frozen=True, slots=True)
class Port:
    """One port of one host. answer: its TLSA look-up. current: the certificates that its sources give.

    next_keys: SubjectPublicKeyInfo (DER) of keys announced for later; next_chains: their certificates, where there are any.
    """

    host: str
    port: int
    answer: Answer
    current: tuple[Chain, ...] = ()
    next_keys: tuple[bytes, ...] = ()
    next_chains: tuple[Chain, ...] = ()
    shown: tuple[Shown, ...] = ()

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Look:
    """Everything that was seen of one TLSA RRset: where it stands, and all our ports whose names lead there.

    Several ports share a place when their names are CNAMEs to it or come from one wildcard; a record leaves only when none
    of them needs it.
    """

    place: str
    ports: tuple[Port, ...]
    consensus: Consensus

    @property
    def present(self) -> frozenset[Tlsa]:
        """TLSA records that a validated answer or any server shows."""
        return self.consensus_tlsa | tlsa_only(item for port in self.ports for item in port.answer.items)

    @property
    def consensus_tlsa(self) -> frozenset[Tlsa]:
        return tlsa_only(self.consensus.anywhere)

    @property
    def everywhere(self) -> frozenset[Tlsa] | None:
        """What every server and every validated answer shows."""
        shared = self.consensus.everywhere
        if shared is None:
            return None
        return tlsa_only(shared).intersection(*(port.answer.items for port in self.ports))

    @property
    def ttl(self) -> int:
        validated = [port.answer.ttl for port in self.ports if port.answer.items]
        return max([self.consensus.ttl if self.consensus_tlsa else 0, *validated])


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do at one place now, and why. `ledger` is what to remember; `wait`: how long until time allows more.

    foreign: records there that are not ours to touch.  ready: the announced keys may be served from now on.
    """

    action: Action
    ledger: Ledger
    publish: frozenset[Tlsa] = frozenset()
    needed: frozenset[Tlsa] = frozenset()
    prune: frozenset[Tlsa] = frozenset()
    ready: bool = False
    wait: timedelta | None = None
    findings: tuple[Finding, ...] = ()
    wanted: Wanted[Tlsa] = field(default_factory=lambda: Wanted(frozenset()))
    foreign: frozenset[Tlsa] = frozenset()


def decide(ledger: Ledger, look: Look, policy: Policy, now: Moment) -> Decision:
    """The decision for one place at one moment."""
    stop = _not_now(ledger, look, policy)
    if stop:
        return stop
    wanted, findings = wanted_records(look, policy, now.wall)
    if not wanted.current:
        return Decision(Action.REFUSE, ledger, findings=tuple(findings), wanted=wanted)
    if policy.adopt:
        ledger = _adopted(ledger, look.present - wanted.all, policy, now)
    result = step(ledger.life, wanted, _seen(ledger, look, wanted, policy), now)
    kept = replace(ledger, place=look.place, life=result.life).forget_absent(look.present)
    findings += _findings(ledger, look, wanted, result, policy, now)
    return Decision(
        _action(result, wanted, policy),
        kept if _mismatched(look, policy) else replace(kept, matched=now),
        publish=result.publish,
        needed=result.needed,
        prune=result.prune,
        ready=result.ready,
        wait=result.wait,
        findings=tuple(findings),
        wanted=wanted,
        foreign=look.present - frozenset(result.life.stages),
    )


def wanted_records(look: Look, policy: Policy, now: datetime) -> tuple[Wanted[Tlsa], list[Finding]]:
    """The records that the keys in use and the announced keys need, and what is wrong with their certificates."""
    findings: list[Finding] = []
    current: set[Tlsa] = set()
    upcoming: set[Tlsa] = set()
    for port in look.ports:
        for chain in port.current:
            findings += [
                Finding(f"{chain.where}: {problem}", "renew it or name the right source")
                for problem in flaws(chain, port.host, now)
            ]
            if chain.covers(port.host):
                current |= _records(chain, policy.forms, findings)
        for chain in port.next_chains:
            upcoming |= _records(chain, policy.forms, findings)
        for key in port.next_keys:
            upcoming |= {
                spki_association(key, 3, matching) for usage, sel, matching in policy.forms if (usage, sel) == (3, 1)
            }
    return Wanted(frozenset(current), frozenset(upcoming - current)), list(dict.fromkeys(findings))


def _records(chain: Chain, forms: tuple[Form, ...], findings: list[Finding]) -> set[Tlsa]:
    records = set()
    for usage, selector, matching in forms:
        if usage == 3:
            records.add(association(chain.certificates[0], usage, selector, matching))
        elif len(chain.certificates) > 1:
            records.add(association(chain.certificates[1], usage, selector, matching))
        else:
            findings.append(
                Finding(f"{chain.where}: no issuer in the chain, so nothing for usage 2", "use the full chain")
            )
    return records


def _not_now(ledger: Ledger, look: Look, policy: Policy) -> Decision | None:
    """The cases in which nothing may be touched."""
    for answer in (port.answer for port in look.ports):
        if answer.security in (Security.BOGUS, Security.FAILED):
            why = f"{answer.name} TLSA: {answer.security.value}" + (f" ({answer.why})" if answer.why else "")
            finding = Finding(why, f"nothing was changed; look with `mailsrv ask {answer.name} TLSA`", trouble=False)
            return Decision(Action.LATER, ledger, findings=(finding,))
        if answer.security is Security.INSECURE and not policy.allow_insecure:
            what = f"{answer.name}: the zone is not signed with DNSSEC, and there TLSA does nothing"
            finding = Finding(what, "sign the zone and set its DS at the parent, or insist with --allow-insecure")
            return Decision(Action.REFUSE, ledger, findings=(finding,))
    return None


def _adopted(ledger: Ledger, strangers: frozenset[Tlsa], policy: Policy, now: Moment) -> Ledger:
    """A person says that records of our forms at this place are ours, whoever made them."""
    taken = frozenset(r for r in strangers if (r.usage, r.selector, r.matching) in policy.forms)
    stages = {record: Stage(Phase.ASKED, now) for record in taken} | dict(ledger.life.stages)
    return replace(
        ledger, life=replace(ledger.life, stages=stages), adopted=ledger.adopted | taken, foreign=ledger.foreign - taken
    )


def _seen(ledger: Ledger, look: Look, wanted: Wanted[Tlsa], policy: Policy) -> Seen[Tlsa]:
    """The look in the machine's terms."""
    candidates = look.present | wanted.all | frozenset(ledger.life.stages)
    chains = [shown.chain for port in look.ports for shown in port.shown if shown.chain]
    satisfied = tuple(frozenset(record for record in candidates if matches(record, chain)) for chain in chains)
    return Seen(
        everywhere=look.everywhere,
        anywhere=look.present,
        usable=_usable(look),
        ttl=timedelta(seconds=look.ttl),
        shown=satisfied if policy.probe else (wanted.current,),
        blind=policy.probe and any(_blind(port) for port in look.ports),
    )


def _usable(look: Look) -> frozenset[Tlsa]:
    return frozenset(record for record in look.present if flaw(record) is None)


def _blind(port: Port) -> bool:
    """Whether an address of this port may show something that we did not see."""
    seen = any(shown.chain for shown in port.shown)
    return not seen or any(not shown.chain and not shown.unroutable for shown in port.shown)


def _mismatched(look: Look, policy: Policy) -> bool:
    """Whether senders that verify are refused somewhere right now."""
    usable = _usable(look)
    chains = [shown.chain for port in look.ports for shown in port.shown if shown.chain]
    return policy.probe and bool(usable) and not all(any(matches(r, chain) for r in usable) for chain in chains)


def _action(result: Step[Tlsa], wanted: Wanted[Tlsa], policy: Policy) -> Action:
    """The most important thing that happens at this place."""
    phases = {stage.phase for stage in result.life.stages.values()}
    if result.publish:
        return Action.PUBLISH
    if result.withheld:
        return Action.REFUSE
    if result.prune:
        return Action.PRUNE
    if policy.switch and result.ready:
        return Action.SWITCH
    if Phase.RETIRING in phases or Phase.ASKED in phases or (policy.switch and wanted.next):
        return Action.WAIT
    return Action.NONE


def _findings(
    ledger: Ledger, look: Look, wanted: Wanted[Tlsa], result: Step[Tlsa], policy: Policy, now: Moment
) -> list[Finding]:
    """What a person should know about this look."""
    found = []
    if result.withheld:
        found.append(_withheld(look, wanted))
    if look.consensus.silent:
        names = ", ".join(f"{told.server}: {told.why or 'no answer'}" for told in look.consensus.silent)
        found.append(
            Finding(f"silent name servers: {names}", "no record is removed and no key switched until they answer")
        )
    if not look.consensus.told:
        found.append(Finding(f"no name server of {look.place} is known", "no record is removed and no key switched"))
    if policy.probe:
        for port in look.ports:
            found += [
                finding for shown in port.shown for finding in _of_address(port, shown, look, wanted, ledger, now)
            ]
    left = look.present - frozenset(result.life.stages)
    found += [Finding(f"foreign record left alone: {record.short}", trouble=False) for record in sorted(left)]
    return found


def _withheld(look: Look, wanted: Wanted[Tlsa]) -> Finding:
    """Why the first record of a name is not published."""
    odd = [port for port in look.ports if not _satisfied(port, wanted)] or list(look.ports)
    port = odd[0]
    if not any(shown.chain for shown in port.shown):
        silence = "; ".join(f"{shown.address}: {shown.error}" for shown in port.shown) or "it has no address"
        face = f"port {port.port} of {port.host} shows no certificate ({silence})"
    else:
        face = f"port {port.port} of {port.host} shows another key than the source's"
    return Finding(
        f"{look.place}: not published, since {face}",
        "reload the server so that it shows the source's certificate, or take the key from the wire with "
        f"--source starttls:{port.host}:{port.port}; --no-probe if this machine cannot reach the port",
    )


def _satisfied(port: Port, wanted: Wanted[Tlsa]) -> bool:
    chains = [shown.chain for shown in port.shown if shown.chain]
    return bool(chains) and all(any(matches(record, chain) for record in wanted.all) for chain in chains)


def _of_address(
    port: Port, shown: Shown, look: Look, wanted: Wanted[Tlsa], ledger: Ledger, now: Moment
) -> list[Finding]:
    """What one address of a port shows that it should not."""
    at = f"{port.host} [{shown.address}]:{port.port}"
    if shown.chain is None:
        return [] if shown.unroutable else [Finding(f"{at} shows no certificate: {shown.error}")]
    known = any(matches(record, shown.chain) for record in wanted.all)
    usable = _usable(look)
    if usable and not any(matches(record, shown.chain) for record in usable):
        what = f"{at}: senders that verify refuse this key{_since(ledger, look, now)}: no published record matches it"
        advice = "its record is being published" if known else "the source does not know this key: reload the server"
        return [Finding(what, advice, trouble=not known)]
    return [] if known else [Finding(f"{at} still shows a key that the source no longer has", "reload the server")]


def _since(ledger: Ledger, look: Look, now: Moment) -> str:
    """For how long, as far as we know."""
    if ledger.matched is None:
        return ""
    minutes = max(now.wall - ledger.matched.wall, timedelta(0)).total_seconds() / 60
    return f" since at most {minutes:.0f} min, and for up to {look.ttl} s more where the old answer is cached"


def tlsa_only(items: Iterable[object]) -> frozenset[Tlsa]:
    """The TLSA values among rdata (a server may add others, such as a CNAME)."""
    return frozenset(item for item in items if isinstance(item, Tlsa))
