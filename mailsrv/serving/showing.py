"""The web of a configuration, put together: what its names show, with the certificate of this moment, on its doors.

    async with showing(settings, certificate, state, log, doors) as shown: ...     shown.use(settings) after a reload

Tells: who meets whom. Fails by: nothing; a port that cannot be had is told in the log, and everything else goes on.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dnsops.base.errors import ForUser
from dnsops.base.log import Log
from dnsops.base.secrets import Secret
from dnsops.reconcile.wanted import documented
from dnsops.wanted.policies import policy_text
from dnsops.wanted.uaac_document import uaac_document
from mailsrv.directory.address import canonical_domain
from mailsrv.http.site import Documents, Site
from mailsrv.http.web import Rules, Web
from mailsrv.serving.allowed import networks
from mailsrv.serving.certificate import Certificate, Served, context_of
from mailsrv.serving.sockets import WEB, Door, taken

if TYPE_CHECKING:
    from dnsops.base.settings import Settings

GRACE = 5.0  # seconds that answers may take at the end
ADVICE = (
    "the port is another program's: `listeners.{kind}.enabled: false`, and put us behind it (`web.trusted_proxies`)"
)


@dataclass(frozen=True)
class _Now:
    """The served pair as the web shows it: the same, for HTTP/1.1."""

    context: ssl.SSLContext
    pem: Secret
    signed: bool


@dataclass
class Keys:
    """Asked at each handshake; made anew when another pair is served."""

    certificate: Certificate
    _of: Served | None = None
    _now: _Now | None = None

    def __call__(self) -> _Now:
        served = self.certificate.served
        if self._now is None or self._of is not served:
            self._now = _Now(context_of(served.pem, ["http/1.1"]), served.pem, served.signed)
            self._of = served
        return self._now


@dataclass
class Shown:
    """What is shown, and how to show something else."""

    web: Web

    def use(self, settings: Settings) -> None:
        """Another configuration from now on."""
        self.web.use(site(settings), rules(settings))

    @property
    def sessions(self) -> int:
        return self.web.sessions


@asynccontextmanager
async def showing(
    settings: Settings, certificate: Certificate, state: Path, log: Log, doors: Iterable[Door]
) -> AsyncIterator[Shown]:
    """The web listeners are open while the context is."""
    shown = Web(site(settings), rules(settings), Keys(certificate), state, log)
    try:
        for door in doors:
            if door.kind in WEB:
                _open(shown, door, log)
        yield Shown(shown)
    finally:
        await shown.close(GRACE)


def _open(web: Web, door: Door, log: Log) -> None:
    try:
        web.open(door.sock, door.implicit_tls)
    except OSError as error:
        not_listening(log, door.kind, taken(door.address, door.port, error))


def not_listening(log: Log, kind: str, trouble: ForUser) -> None:
    """Mail goes on; somebody should know all the same."""
    log("web.not_listening", listener=kind, why=trouble.what, where=trouble.where, advice=ADVICE.format(kind=kind))


def site(settings: Settings) -> Site:
    """What each name shows; documents made by the same words as the DNS records that hold their ids and hashes."""
    house = documented(settings)
    policy = policy_text(house).encode()
    domains = [domain for domain in map(canonical_domain, settings.domains) if domain]
    return Site.of(settings, {domain: Documents(policy, uaac_document(house, domain)) for domain in domains})


def rules(settings: Settings) -> Rules:
    port = settings.listeners.https.port if settings.listeners.https.enabled else 443
    return Rules(networks(settings.web.trusted_proxies), networks(settings.limits.exempt), port)
