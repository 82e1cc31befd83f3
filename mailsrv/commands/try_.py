"""A throw-away mail server on loopback: alice and bob, password foobar; nothing is left behind.

Mail among the two is delivered; what they send to others waits in memory and goes nowhere. It needs no root, no TLS, no configuration, and ends with Ctrl-C.
"""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from dnsops.base.settings import Settings
    from mailsrv.server import Ports

DOMAIN = "mail.test"
USERS = ("alice", "bob")
PASSWORD = "foobar"  # noqa: S105 - of a server that nobody else can reach


@click.command(name="try")
@click.option(
    "--base",
    type=click.IntRange(0, 64000),
    default=1000,
    metavar="N",
    help="Ports N+25, N+587, N+143; 0: any free ones.  [1000]",
)
def try_(base: int) -> None:
    """Serve mail on 127.0.0.1 until Ctrl-C: alice and bob, password foobar."""
    asyncio.run(_serve(base))


async def _serve(base: int) -> None:
    from dnsops.base.log import Log
    from mailsrv.server import Ports, serving
    from mailsrv.store.memory import MemoryStore

    wanted = Ports("127.0.0.1", base + 25, base + 587, base + 143) if base else Ports("127.0.0.1", 0, 0, 0)
    done = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, done.set)
    async with serving(settings(), MemoryStore(), wanted, Log()) as ports:
        click.echo(welcome(ports))
        await done.wait()


def settings() -> Settings:
    """The configuration that a person would write for it."""
    from dnsops.base.secrets import Secret
    from dnsops.base.settings.model import Settings

    accounts = [{"name": user, "password": Secret(PASSWORD), "addresses": [f"{user}@{DOMAIN}"]} for user in USERS]
    return Settings.model_validate({"hostname": f"mx.{DOMAIN}", "domains": [DOMAIN], "accounts": accounts})


def welcome(ports: Ports) -> str:
    """How to connect."""
    return f"""mailsrv is listening on {ports.address}, for this machine only, until Ctrl-C:
  mail in     port {ports.smtp}   anyone, to {USERS[0]}@{DOMAIN} or {USERS[1]}@{DOMAIN}
  submission  port {ports.submission}   user {USERS[0]} or {USERS[1]}, password {PASSWORD}
  IMAP        port {ports.imap}   the same
Try: curl -s smtp://{ports.address}:{ports.smtp} --mail-from you@example.org --mail-rcpt {USERS[0]}@{DOMAIN} -T message.eml
     curl -s imap://{ports.address}:{ports.imap}/INBOX -u {USERS[0]}:{PASSWORD} -X 'FETCH 1:* (ENVELOPE FLAGS)'"""
