"""Looking at this host as the configuration describes it: ports, mail store, DNS, and the machine's own facts.

    facts = await look(settings, state)

Limits: SECONDS for a port, for the store and for the DNS. Fails by: nothing; what could not be seen is in the facts.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from checks.health import host
from checks.health.facts import Facts, Port, Queue, Records
from checks.health.outward import outward
from dnsops.base.errors import Deliberate
from dnsops.certs import wire
from dnsops.certs.wire import How
from dnsops.records import names
from dnsops.records.tlsa import Tlsa
from dnsops.resolve.answer import Security
from mailsrv.spam.hints import plain
from mailsrv.store import STORE

if TYPE_CHECKING:
    from dnsops.base.settings import Settings
    from dnsops.base.settings.mailserver import Listener

SECONDS = 8.0
EVERYWHERE = {"::": "::1", "0.0.0.0": "127.0.0.1"}  # where a port for all is reached from here
HOWS = {"smtp": How.SMTP, "submission": How.SMTP, "imap": How.IMAP}


async def look(settings: Settings, state: Path, ask: bool = True) -> Facts:
    """Everything. ask: the DNS, too."""
    now = datetime.now(UTC)
    tried = asyncio.gather(*(_port(*one, settings.hostname) for one in _doors(settings)))
    ports, queue, records = await asyncio.gather(tried, _queue(state / STORE), _records(settings, ask))
    jobs, damaged = host.jobs(state)
    kept = settings.checks
    beyond = await outward([_door(one) for one in kept.outward]) if ask else ()
    return Facts(
        now,
        settings.hostname,
        tuple(ports),
        queue,
        host.disk(state),
        host.clock(),
        records,
        jobs,
        damaged,
        host.backups(kept.backups, settings.backup.place, state),
        await asyncio.to_thread(host.log, kept.log, now),
        beyond,
        kept.backup_age.total_seconds(),
    )


def _doors(settings: Settings) -> Iterator[tuple[str, str, Listener]]:
    """Each enabled listener at each of its addresses; one that is for all, at loopback."""
    for name in type(settings.listeners).model_fields:
        if name == "proxies":
            continue
        listener: Listener = getattr(settings.listeners, name)
        if listener.enabled:
            for address in _addresses(listener.bind):
                yield name, address, listener


def _addresses(bind: Sequence[object]) -> list[str]:
    """`::` and 0.0.0.0 together are one socket often; a machine without IPv6 has no ::1."""
    found = [str(one) for one in bind]
    if set(found) == {"::", "0.0.0.0"}:
        return ["127.0.0.1"]
    return [EVERYWHERE.get(one, one) for one in found]


async def _port(name: str, address: str, listener: Listener, host_name: str) -> Port:
    how = How.IMPLICIT if listener.implicit_tls else HOWS.get(name)
    if how is None:
        return Port(name, address, listener.port, await _opens(address, listener.port))
    shown = await wire.show(host_name, address, listener.port, how, SECONDS)
    return Port(name, address, listener.port, shown.error, shown.chain)


async def _opens(address: str, port: int) -> str:
    """Why a port takes no connection."""
    try:
        async with asyncio.timeout(SECONDS):
            _, writer = await asyncio.open_connection(address, port)
    except TimeoutError:
        return f"no answer within {SECONDS:g} s"
    except OSError as error:
        return plain(error.strerror or type(error).__name__)
    writer.transport.abort()
    return ""


async def _queue(directory: Path) -> Queue | None:
    """What waits, from the mail store beside the running server."""
    if not directory.is_dir():
        return None
    from dnsops.base.log import Log
    from mailsrv.store.door import NEVER
    from mailsrv.store.sqlite import SqliteStore

    try:
        store = SqliteStore(directory, Log(quiet=True))
    except (Deliberate, OSError) as error:
        return Queue(why=plain(str(error)))
    try:
        async with asyncio.timeout(SECONDS):
            queued = await store.queue()
    except (Deliberate, OSError, TimeoutError) as error:
        return Queue(why=plain(str(error)) or "the mail store does not answer")
    finally:
        await store.close()
    waiting = [one for one in queued if one.next != NEVER]
    return Queue(len(waiting), min((one.received for one in waiting), default=None), len(queued) - len(waiting))


def _door(text: str) -> tuple[str, int]:
    """`mx1.example.net`, `[2001:db8::25]:25` -> host and port; 25 unless said."""
    found = re.fullmatch(r"(?:\[([^\]\[]+)\]|([^\]\[:]+))(?::([0-9]{1,5}))?", text)
    if found is None:  # an IPv6 address without brackets, too: its last group is no port
        return text, 25
    return found[1] or found[2], min(max(int(found[3] or 25), 1), 65535)


async def _records(settings: Settings, ask: bool) -> Records | None:
    """TLSA of port 25. A resolver that cannot be had is a finding, not the end."""
    if not ask or not settings.listeners.smtp.enabled:
        return None
    from dnsops.resolve.choice import resolver
    from dnsops.resolve.settings import configured

    try:
        async with asyncio.timeout(SECONDS), resolver(configured(settings.resolver)) as asked:
            answer = await asked.ask(names.tlsa_owner(settings.hostname, 25), "TLSA")
    except Deliberate as error:
        return Records(Security.FAILED, why=plain(str(error)))
    except TimeoutError:
        return Records(Security.FAILED, why=f"no answer within {SECONDS:g} s")
    found = tuple(sorted(item for item in answer.items if isinstance(item, Tlsa)))
    return Records(answer.security, found, answer.why)


def nearest(bind: Sequence[object]) -> str:
    """One address at which this host reaches its own port; IPv4 first, for it is everywhere."""
    return min(_addresses(bind), key=lambda address: ":" in address, default="127.0.0.1")
