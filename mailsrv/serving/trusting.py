"""Trust, both ways, put together from a configuration: who judges strangers' mail, what we sign, which addresses are programs.

    async with trusting(settings, state, resolver, log) as trust: ...     trust.use(settings) after a reload, trust.look() now and then

Tells: who meets whom. Fails by: `ForUser` for a file of secrets that cannot be read, `Misconfigured` for a scanner's address.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dnsops.base.log import Log
from dnsops.records import names
from dnsops.resolve.remembered import Remembered
from mailsrv.auth import decide, spf, suffixes
from mailsrv.auth.signatures import signatures
from mailsrv.auth.story import Means
from mailsrv.receive import srskeys
from mailsrv.receive.echoing import Echoing
from mailsrv.receive.judging import Judging
from mailsrv.receive.outgoing import Outgoing
from mailsrv.receive.reporting import Reporting
from mailsrv.receive.returning import Rewritten
from mailsrv.receive.stations import Station, Stations
from mailsrv.reports import configured
from mailsrv.reports.ledger import LEDGER
from mailsrv.reports.ledger import Ledger as Reports
from mailsrv.reports.notes import Notes
from mailsrv.reports.receiving import Receiving
from mailsrv.serving.allowed import networks
from mailsrv.serving.signing import Ring, signing
from mailsrv.spam.ledger import Ledger
from mailsrv.spam.scanning import Scanning, panel

if TYPE_CHECKING:
    from dnsops.base.settings import Settings


@dataclass
class Trust:
    """What the receptions of a process are given. notes: where what is seen is counted for reports."""

    outgoing: Outgoing = field(default_factory=lambda: Outgoing(""))
    judging: Judging | None = None
    stations: Stations = field(default_factory=lambda: Stations({}))
    notes: Notes | None = None
    keys: Ring | None = None

    def look(self) -> None:
        """Sign with what may sign now."""
        if self.keys is not None:
            self.keys.look()

    def use(self, settings: Settings) -> None:
        """Another configuration. What needs other files or connections waits for a restart: state, resolver, SRS secrets."""
        self.outgoing.sealing = settings.inbound.seal
        if self.judging is not None:
            _instruct(self.judging, settings)


@asynccontextmanager
async def trusting(
    settings: Settings, state: Path, resolver: Remembered, log: Log, srs: Sequence[bytes] | None = None
) -> AsyncIterator[Trust]:
    """While the context is open. srs: the secrets, where they were read before; else those of the state directory."""
    async with AsyncExitStack() as stack:
        keys = signing(settings, state, log)
        reports = Reports(state / LEDGER)
        notes = Notes(reports, log)
        stack.callback(notes.close)
        outgoing = _outgoing(settings, state, keys, srs)
        judging = _judging(settings, resolver, log, Ledger(state, log), notes)
        if judging.ledger is not None:
            stack.push_async_callback(judging.ledger.close)
        stations = _stations(settings, outgoing, reports, log)
        if settings.inbound.check:
            spf.prepare()  # else the first mail would wait for it
        yield Trust(outgoing, judging if settings.inbound.check else None, stations, notes, keys)


def _judging(settings: Settings, resolver: Remembered, log: Log, ledger: Ledger, notes: Notes) -> Judging:
    host = settings.inbound.authserv_id or settings.hostname
    find = suffixes.finder(settings.inbound.organizational)
    means = Means(resolver, signatures, settings.hostname, find, known=resolver.known)
    scanning = Scanning(panel(settings.spam), resolver, log)
    judging = Judging(host, means, scanning, decide.rules(settings.inbound), log, _now, ledger=ledger, notes=notes)
    _instruct(judging, settings)
    return judging


def _instruct(judging: Judging, settings: Settings) -> None:
    judging.rules = decide.rules(settings.inbound)
    judging.trusted = networks(settings.inbound.trusted_networks)
    judging.scanning = Scanning(panel(settings.spam), judging.scanning.resolver, judging.log)
    judging.greylist, judging.reputation = settings.spam.greylist, settings.spam.reputation
    judging.quiet = configured.own(settings)


def _outgoing(settings: Settings, state: Path, keys: Ring, srs: Sequence[bytes] | None) -> Outgoing:
    outgoing = Outgoing(settings.hostname, keys.signers, settings.inbound.seal)
    if settings.srs.enabled:
        ours = {names.canonical(name) for name in (*settings.domains, settings.hostname)}
        outgoing.paths = Rewritten(srs or srskeys.secrets(state, settings.srs.secret), settings.srs.domain or "", ours)
    return outgoing


def _stations(settings: Settings, outgoing: Outgoing, reports: Reports, log: Log) -> Stations:
    reporting = Reporting(Receiving(reports, configured.addresses(settings), configured.domains(settings), log))
    found: dict[str, Station] = dict.fromkeys(configured.addresses(settings), reporting) if settings.domains else {}
    echoes = [address.lower() for address in settings.echo.addresses]
    if echoes:
        found |= dict.fromkeys(echoes, Echoing(settings.hostname, echoes, outgoing, log, _token))
    return Stations(found)


def _token() -> str:
    return secrets.token_hex(12)


def _now() -> datetime:
    return datetime.now(UTC)
