"""Does our server relay for strangers, and does one message stay one? Tried at the server itself.

Exit status: 0 as wanted, 1 with findings that failed, 64 wrong usage.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from checks.commands import asking
from checks.commands.asking import telling_options
from checks.relay.tricks import MARK, OUTSIDE
from dnsops.base.errors import Deliberate, Misused

if TYPE_CHECKING:
    from checks.relay.facts import Facts
    from checks.relay.trying import Arrived, Target
    from dnsops.base.settings import Settings

PAUSE = 2.0  # seconds for what was smuggled to come
_INNER = re.compile(rb"^Subject: %s inner ([0-9a-f]{16})\r?$" % re.escape(MARK.encode()), re.MULTILINE)


@click.command(name="relay")
@click.argument("host", required=False)
@click.option("--port", type=click.IntRange(1, 65535), help="Its port.  [25, or that of the configuration]")
@click.option("--address", default="", metavar="IP", help="Where it is asked.  [the host's, or where it listens here]")
@click.option("--domain", default="", help="A domain whose mail it takes.  [the configuration's first]")
@click.option(
    "--to", "box", default="", metavar="ADDRESS", help="Your mailbox there, for messages with endings inside."
)
@click.option("--no-mail", is_flag=True, help="Send no message: only what RCPT answers.")
@click.option("--outside", default=OUTSIDE, show_default=True, help="The recipient elsewhere. Nothing is sent there.")
@click.option("--i-may", is_flag=True, help="HOST is not this configuration's, and its owner allowed it.")
@telling_options
def relay(config_file: str | None, **options: Any) -> int:
    """Try whether the server relays for strangers, and whether it makes two messages of one.

    Recipients elsewhere are asked for up to RCPT and never further. Messages go to a mailbox of yours only: for our own server to a
    one-time address, which is looked into.

    \b
    mailsrv check relay
    mailsrv check relay mx.example.org --i-may --domain example.org --to me@example.org
    """
    from checks.commands.telling import Telling
    from checks.relay.judging import judge

    settings = asking.settings_at(config_file)
    names = ("host", "port", "address", "domain", "box", "no_mail", "outside", "i_may")
    host, port, address, domain, box, no_mail, outside, may = (options.pop(name) for name in names)
    where = _target(settings, (host or "", port, address, domain, outside), may)
    state = options.pop("state")
    history = asking.history(settings, state, options.pop("no_history"))
    own = settings if settings and where.host == settings.hostname else None
    with Telling(asking.forms(options), history, 1, "RELAY") as telling:
        telling.take(judge(asyncio.run(tried(where, own, box, no_mail, state))))
    return telling.status


def _target(settings: Settings | None, given: tuple[str, int | None, str, str, str], may: bool) -> Target:
    from checks.relay.trying import Target

    host, port, address, domain, outside = given
    for text, name in ((outside, "--outside"),):
        if not re.fullmatch(r"[a-z0-9._+-]{1,64}@[a-z0-9.-]{1,200}", text):
            raise Misused(f"no mail address: {text[:80]!r}", name, "write user@example.com, in plain letters")
    if settings is not None and host in ("", settings.hostname):
        return of_own(settings, port, address, domain, outside)
    if not host:
        raise Misused(
            "no server to try", "relay", "name a configuration with --config, or a host of yours with --i-may"
        )
    if not may:
        raise Misused("it is not this configuration's", host, "say --i-may when its owner has allowed it")
    if not domain:
        raise Misused("a domain whose mail it takes is not known", "relay", "say --domain")
    return Target(host, address or _resolved(host), port or 25, domain, outside)


def of_own(settings: Settings, port: int | None = None, address: str = "", domain: str = "", outside: str = OUTSIDE) -> Target:  # fmt: skip
    """This host's, where it listens."""
    from checks.health.looking import nearest
    from checks.relay.trying import Target

    listener = settings.listeners.smtp
    first = domain or next(iter(settings.domains), settings.hostname)
    return Target(settings.hostname, address or nearest(listener.bind), port or listener.port, first, outside)


def _resolved(host: str) -> str:
    import socket

    try:
        return str(socket.getaddrinfo(host, 25, type=socket.SOCK_STREAM)[0][4][0])
    except OSError as error:
        raise Misused(f"it has no address ({error.strerror})", host, "say --address") from None


async def tried(where: Target, own: Settings | None, box: str, no_mail: bool, state: str | None = None) -> Facts:
    """All of it. own: the configuration, where the server is its own."""
    from checks.relay.trying import look

    if no_mail or (not box and own is None):
        return await look(where, untold="no mailbox was named (--to)" if not no_mail else "no message was wanted")
    if box or own is None:
        return await look(where, box)
    try:
        async with _watched(own, state) as (address, arrived):
            return await look(where, address, arrived=arrived)
    except Deliberate as error:
        return await look(where, untold=str(error))


@asynccontextmanager
async def _watched(own: Settings, state: str | None) -> AsyncIterator[tuple[str, Arrived]]:
    """A one-time address of ours, and what tells which messages came to its account by themselves."""
    from checks.deliverability import mailbox
    from dnsops.base.places import state_directory
    from mailsrv.store import STORE
    from mailsrv.store.sqlite import SqliteStore

    account, address = mailbox.address(own)
    directory = (Path(state) if state else state_directory(own.state.directory)) / STORE
    if not directory.is_dir():
        raise Misused("there is no mail store", str(directory), "it is made when `mailsrv serve` starts")
    store = SqliteStore(directory)
    try:
        waiting, seen = mailbox.Waiting(store, account, address), set[int]()
        await waiting.heads(seen)

        async def arrived() -> Collection[str]:
            await asyncio.sleep(PAUSE)
            return {found[1].decode() for head in await waiting.heads(seen) if (found := _INNER.search(_top(head)))}

        yield address, arrived
    finally:
        await store.close()


def _top(content: bytes) -> bytes:
    """The header only: the message inside another one has its subject in the text."""
    from mailsrv.message.header import header

    return content[: header(content).end]
