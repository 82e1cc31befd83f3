"""Who sends, through which ports of ours, and where the answer is read: from the configuration. Pure, but for TLS contexts.

Fails by: `Misconfigured` when no account has a password that is known here, or a port is off.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from checks.echo.reading import Door
from dnsops.base.errors import Misconfigured
from dnsops.base.secrets import Secret

if TYPE_CHECKING:
    from dnsops.base.settings import Settings
    from dnsops.base.settings.mailserver import Account

SUBMISSIONS, SUBMISSION, IMAPS = 465, 587, 993
EVERYWHERE = {"::": "::1", "0.0.0.0": "127.0.0.1", "": "127.0.0.1"}  # where a port for all is reached from here


@dataclass(frozen=True, slots=True)
class Ways:
    """implicit: TLS from the first byte of submission."""

    user: str
    password: Secret = field(repr=False)
    sender: str
    submission: Door
    implicit: bool
    reading: Door


def of(settings: Settings, account: str = "", password: Secret | None = None, server: str = "", trust: Path | None = None) -> Ways:  # fmt: skip
    """server: another host than this one, at the usual ports; then its certificate has to be right."""
    one, secret = _account(settings, account, password)
    context = _context(server, trust or settings.checks.trust)
    sender = str(one.addresses[0])
    if server:
        return Ways(one.name, secret, sender, Door(server, SUBMISSIONS, server, context), True, Door(server, IMAPS, server, context))  # fmt: skip
    ports, name = settings.listeners, settings.hostname
    implicit = ports.submissions.enabled
    out = ports.submissions if implicit else ports.submission
    if not out.enabled or not ports.imaps.enabled:
        raise Misconfigured("echo needs a submission port and imaps", "listeners", "enable submissions and imaps")
    sending = Door(_near(out.bind), out.port, name, context)
    return Ways(one.name, secret, sender, sending, implicit, Door(_near(ports.imaps.bind), ports.imaps.port, name, context))  # fmt: skip


def _account(settings: Settings, account: str, password: Secret | None) -> tuple[Account, Secret]:
    wanted = account or settings.checks.echo_account or ""
    for one in settings.accounts:
        secret = password or settings.checks.echo_password or one.password
        if secret and (one.name == wanted or (not wanted and one.enabled)):
            return one, secret
    what = (
        f"no password of the account {wanted} is known here"
        if wanted
        else "no account has a password that is known here"
    )
    raise Misconfigured(what, "checks.echo_account", "set checks.echo_account and checks.echo_password")


def _near(bind: Sequence[object]) -> str:
    """The address at which this host reaches its own port."""
    first = sorted(map(str, bind), key=lambda address: ":" in address)  # IPv4 first: it is everywhere
    return EVERYWHERE.get(first[0] if first else "", first[0] if first else "127.0.0.1")


def _context(server: str, trust: Path | None) -> ssl.SSLContext:
    """On this host nobody stands between, and the certificate may be the first day's, signed by nobody."""
    made = ssl.create_default_context(cafile=str(trust) if trust else None)
    if not server:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    elif trust:
        made.load_default_certs()
    return made
