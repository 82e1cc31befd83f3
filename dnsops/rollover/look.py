"""What is seen of one TLSA RRset and of the ports whose names lead to it, and what a person asked for. Pure values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dnsops.certs.chain import Chain
from dnsops.records.tlsa import Tlsa, flaw
from dnsops.resolve.answer import Answer, Consensus

Form = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person should know. `trouble`: mail is or will be affected, exit status 1.

    host: whose port shows what it should not; a reload makes such a finding untrue.
    """

    what: str
    advice: str = ""
    trouble: bool = True
    host: str = ""

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
    probe: whether a person lets us look at what it shows; if not, the sources are believed.
    """

    host: str
    port: int
    answer: Answer
    current: tuple[Chain, ...] = ()
    next_keys: tuple[bytes, ...] = ()
    next_chains: tuple[Chain, ...] = ()
    shown: tuple[Shown, ...] = ()
    probe: bool = True

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def blind(self) -> bool:
        """Whether an address may show something that we did not see."""
        seen = any(shown.chain for shown in self.shown)
        return self.probe and (not seen or any(not shown.chain and not shown.unroutable for shown in self.shown))


@dataclass(frozen=True, slots=True)
class Look:
    """Everything that was seen of one TLSA RRset: where it stands, and all our ports whose names lead there.

    Several ports share a place when their names are CNAMEs to it or come from one wildcard; a record leaves only when none
    of them needs it.  partial: what a port here needs could not be found out.  elsewhere: owner names that are proven to
    lead to other places now.
    """

    place: str
    ports: tuple[Port, ...]
    consensus: Consensus
    partial: bool = False
    elsewhere: frozenset[str] = frozenset()

    @property
    def present(self) -> frozenset[Tlsa]:
        """TLSA records that a validated answer or any server shows."""
        return self.consensus_tlsa | tlsa_only(item for port in self.ports for item in port.answer.items)

    @property
    def consensus_tlsa(self) -> frozenset[Tlsa]:
        return tlsa_only(self.consensus.anywhere)

    @property
    def everywhere(self) -> frozenset[Tlsa] | None:
        """What every server and every validated answer shows; None while anything is in doubt."""
        shared = self.consensus.everywhere
        if shared is None or self.partial:
            return None
        return tlsa_only(shared).intersection(*(port.answer.items for port in self.ports))

    @property
    def ttl(self) -> int:
        validated = [port.answer.ttl for port in self.ports if port.answer.items]
        return max([self.consensus.ttl if self.consensus_tlsa else 0, *validated])


def usable(look: Look) -> frozenset[Tlsa]:
    """The records there that a sender would act on."""
    return frozenset(record for record in look.present if flaw(record) is None)


def bare(look: Look) -> bool:
    """Whether somebody is told that there is nothing to verify against: by a server that answers, or by a proof."""
    told = [told.items for told in look.consensus.told if told.items is not None]
    answers = [*told, *(port.answer.items for port in look.ports)]
    return any(all(flaw(record) for record in tlsa_only(items)) for items in answers)


def tlsa_only(items: Iterable[object]) -> frozenset[Tlsa]:
    """The TLSA values among rdata (a server may add others, such as a CNAME)."""
    return frozenset(item for item in items if isinstance(item, Tlsa))
