"""A world small enough to hold in a test: a zone, an authority that looks into it, a server that shows the current pair.

`World.certificate()`, `.tlsa()` and `.dkim()` are real runs of the stories, as processes of their own would do them: nothing
but the disk is remembered. `fault` is called at every point where things may go wrong, and `check()` is the oracle: whatever a
resolver may hold of the last two TTLs, a TLSA record in it matches the served key, and the served certificate is valid.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from dnsops.base.errors import Later
from dnsops.base.log import Log
from dnsops.base.moment import Moment
from dnsops.certs.chain import Chain, matches
from dnsops.certs.generations import Generation, Generations
from dnsops.certs.sources.mailsrv import Ours
from dnsops.dkim.keys import Keys
from dnsops.reconcile import certificate, dkim, dkim_target, dkim_world, tlsa
from dnsops.reconcile.certificate_report import action_of
from dnsops.reconcile.certificate_target import Outcome, Target, Turn
from dnsops.reconcile.certificate_turn import take_turn
from dnsops.reconcile.certificate_world import Journals
from dnsops.reconcile.certificate_world import World as CertificateWorld
from dnsops.reconcile.ledgers import Ledgers
from dnsops.reconcile.looking import Eyes
from dnsops.reconcile.target import Outcome as TlsaOutcome
from dnsops.reconcile.target import Target as Port
from dnsops.reconcile.world import World as TlsaWorld
from dnsops.records.rdata import Rdata
from dnsops.records.tlsa import Tlsa
from dnsops.resolve.answer import Security
from dnsops.resolve.memory import MemoryDns
from dnsops.rollover.dkim_look import Policy as DkimPolicy
from dnsops.rollover.look import Shown
from tests.dnsops.reconcile.certificate_parties import HOST, NAMES, NOON, OWNER, TTL, ZONE, InTheZone, Issuer, Zone


class Killed(BaseException):
    """The process died here."""


class Inline(ThreadPoolExecutor):
    """No threads: what a story does off the loop is done at once, in a fifth of the time."""

    def submit(self, work: Callable[..., Any], /, *words: Any, **options: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(work(*words, **options))
        except BaseException as error:
            done.set_exception(error)
        return done


@contextmanager
def running() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop without threads."""
    with closing(asyncio.new_event_loop()) as loop:
        loop.set_default_executor(Inline(1))
        yield loop


class FaultyJournals(Journals):
    """The journal on disk; saving may die before or after."""

    world: Any = None

    def save(self, journal: Any) -> None:
        self.world.fault("journal.save")
        super().save(journal)
        self.world.fault("journal.saved")


class FaultyLedgers(Ledgers):
    world: Any = None

    def save(self, ledger: Any) -> None:
        self.world.fault("ledger.save")
        super().save(ledger)
        self.world.fault("ledger.saved")


class FaultyKeys(Generations):
    """Keys on disk; a switch and a chain may die before or after."""

    world: Any = None

    def promote(self, host: str) -> Generation:
        self.world.fault("promote")
        self.world.remember()
        done = super().promote(host)
        self.world.fault("promoted")
        return done

    def install_chain(self, host: str, pem: bytes, others: Any = ()) -> Generation:
        self.world.fault("chain")
        done = super().install_chain(host, pem, others)
        self.world.fault("chained")
        return done


class Current:
    """The source `mailsrv:`, by the world's clock."""

    def __init__(self, keys: Generations) -> None:
        self._keys = keys

    def read(self, host: str) -> Chain:
        return Ours(self._keys).find(host)


class World:
    """See the module. tlsa_on: whether the zone is to have TLSA records, so that the job for them runs."""

    def __init__(self, directory: Path, loop: asyncio.AbstractEventLoop | None = None, tlsa_on: bool = True) -> None:
        self.now = Moment(NOON, "boot", 1000.0)
        self.dns = MemoryDns({ZONE: Security.SECURE})
        self.dns.put(HOST, "A", "192.0.2.25")
        self.dns.put(ZONE, "SOA", "ns1.example.org. hostmaster.example.org. 1 3600 600 86400 1800")
        self.directory, self.tlsa_on = directory, tlsa_on
        self._loop = loop
        self.zone, self.issuer = Zone(self), Issuer(self)
        self.fault: Callable[[str], None] = self._step
        self.steps: list[str] = []
        self.strike: Callable[[str], None] = lambda where: None
        self.dead = False
        self.answers: dict[frozenset[Rdata], float] = {}  # of TLSA, each until when somebody may hold it
        self.target = Target(HOST, NAMES, provider=lambda: self.zone)
        self.dkim_target = dkim_target.Target(
            ZONE,
            DkimPolicy(algorithms=("ed25519",), every=timedelta(days=30), hold=timedelta(days=7)),
            TTL,
            lambda: self.zone,
        )
        self.more_ports: list[Port] = []
        self.commands: list[Sequence[str]] = []
        self.trouble = ""  # what the command says
        FaultyJournals.world = FaultyLedgers.world = FaultyKeys.world = self

    # time and faults

    def _step(self, where: str) -> None:
        self.steps.append(where)
        try:
            self.strike(where)
        except Killed:
            self.dead = True
            raise

    def fail_at(self, number: int, error: BaseException) -> None:
        """The number-th step from now raises; every later one works."""
        start = len(self.steps)

        def strike(where: str) -> None:
            if len(self.steps) - start == number:
                raise error

        self.strike = strike

    def pass_time(self, **delta: float) -> None:
        self.remember()
        later = timedelta(**delta)
        self.now = Moment(self.now.wall + later, self.now.boot, self.now.up + later.total_seconds())
        self.check()

    def remember(self) -> None:
        """Resolvers ask every server all the time, and keep what they got for a TTL, and twice over through forwarders."""
        views = [self.dns.records, *self.dns._behind.values()]
        for view in views:
            rrset = view.get((OWNER, "TLSA"))
            self.answers[rrset.items if rrset else frozenset()] = self.now.up + 2 * TTL

    def check(self) -> None:
        """No sender with any cached answer is refused; what is served is valid."""
        self.remember()
        self.answers = {items: until for items, until in self.answers.items() if until > self.now.up}
        served = self.served
        if served is None:
            return
        assert served.not_before <= self.now.wall < served.not_after, (served.not_after, self.now.wall)
        for items in self.answers:
            records = [item for item in items if isinstance(item, Tlsa)]
            assert not records or any(matches(one, served) for one in records), (self.now.wall, items)

    # what there is

    @property
    def keys(self) -> FaultyKeys:
        return FaultyKeys(self.directory / "certs", now=lambda: self.now.wall)

    @property
    def served(self) -> Chain | None:
        """What the port shows: always the current pair."""
        current = Generations(self.directory / "certs").current(HOST)
        return current.chain if current else None

    @property
    def journal(self) -> Any:
        return Journals(self.directory / "acme", Log(quiet=True)).load(HOST)

    def published(self) -> set[str]:
        rrset = self.dns.records.get((OWNER, "TLSA"))
        return {str(item) for item in rrset.items} if rrset else set()

    @property
    def ports(self) -> list[Port]:
        source, install = Current(self.keys), self.target.install
        return [
            Port(HOST, 25, (source,), ttl=TTL, keys=self.keys, reload=install, provider=lambda: self.zone),
            *self.more_ports,
        ]

    async def probe(self, target: Port, address: str, thorough: bool) -> tuple[Shown, ...]:
        chain = self.served
        return (Shown(address, chain) if chain else Shown(address, error="connection refused"),)

    async def run_command(self, command: Sequence[str]) -> str:
        self.fault("command")
        self.commands.append(tuple(command))
        return self.trouble

    # runs

    def certificate(self, dry_run: bool = False, **policy: Any) -> Outcome:
        """One run of the certificate's story."""
        target = replace(self.target, policy=replace(self.target.policy, **policy))
        world = CertificateWorld(
            self.dns,
            self.keys,
            FaultyJournals(self.directory / "acme", Log(quiet=True)),
            lambda: self.issuer,  # type: ignore[arg-type,return-value]
            lambda target: InTheZone(self.zone),
            self._turn,
            self._install,
            lambda: self.now.wall,
            Log(quiet=True),
        )
        (outcome,) = self._do(certificate.reconcile([target], world, dry_run))
        return outcome

    def action(self, dry_run: bool = False, **policy: Any) -> str:
        return action_of(self.certificate(dry_run, **policy), dry_run).name.lower()

    def tlsa(self, dry_run: bool = False) -> list[TlsaOutcome]:
        return self._do(tlsa.reconcile(self.ports, self._tlsa_world(), dry_run))

    def dkim(self, dry_run: bool = False) -> dkim_target.Outcome:
        directory = self.directory / "dkim"
        world = dkim_world.World(
            self.dns,
            self.dns,
            Keys(directory),
            dkim_world.Ledgers(directory, Log(quiet=True)),
            lambda: self.now,
            Log(quiet=True),
        )
        (outcome,) = self._do(dkim.reconcile([self.dkim_target], world, dry_run))
        return outcome

    async def _turn(self, target: Target) -> Turn:
        return await take_turn(target.host, self.ports, self.keys, self._tlsa_world(), self.tlsa_on)

    async def _install(self, words: Sequence[str], pair: Generation) -> str:
        return await self.run_command(words)

    def _tlsa_world(self) -> TlsaWorld:
        ledgers = FaultyLedgers(self.directory / "tlsa", Log(quiet=True))
        eyes = Eyes(self.dns, self.dns, self.probe, ledgers.unsettled)
        return TlsaWorld(eyes, ledgers, lambda: self.now, Log(quiet=True), self.run_command, patience=0)

    def _do(self, story: Any) -> Any:
        self.dead = False
        try:
            if self._loop:
                return self._loop.run_until_complete(story)
            with running() as loop:
                return loop.run_until_complete(story)
        finally:
            self.remember()


LATER = Later("the authority does not answer")
