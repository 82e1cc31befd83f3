"""Every job once: what it does, how it is called, how often. `list`, `serve` and `units` are three readings of this table. Pure.

Fails by: `Misused` for a job's name that is not here, `Misconfigured` for a setting about one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING

from dnsops.base.errors import Misconfigured, Misused

if TYPE_CHECKING:
    from dnsops.base.settings import Settings


@dataclass(frozen=True)
class Job:
    """One thing that happens by itself.

    command: what follows `mailsrv`.  after_boot: the first run after the machine's start.  jitter: the most that a run
    is delayed at random.  timeout: after which it is ended.  credentials: which secrets it reads, as dotted settings.
    needs: systemd units that must be up before.  keeps: whether it uses the place of backups.
    """

    name: str
    what: str
    command: tuple[str, ...]
    every: timedelta
    after_boot: timedelta
    jitter: timedelta = timedelta(0)
    timeout: timedelta = timedelta(minutes=4)
    credentials: tuple[str, ...] = ()
    needs: tuple[str, ...] = ("network-online.target",)
    keeps: bool = False
    enabled: bool = True


JOBS = (
    Job(
        name="tlsa",
        what="keeps the TLSA records of every port true, and takes key rollovers one step further",
        command=("tlsa", "reconcile", "--json"),
        every=timedelta(minutes=5),
        after_boot=timedelta(minutes=2),
        jitter=timedelta(seconds=30),
        credentials=("dns.token", "dns.key_file", "tlsa.targets"),
    ),
    Job(
        name="dkim",
        what="keeps the records of our DKIM keys true, makes new keys in time, and takes their rotation one step further",
        command=("dkim", "reconcile", "--json"),
        every=timedelta(hours=1),
        after_boot=timedelta(minutes=3),
        jitter=timedelta(minutes=5),
        credentials=("dns.token", "dns.key_file"),
    ),
    Job(
        name="zone",
        what="puts back records of ours that are gone from our zones, and tells what a person should look at",
        command=("dns", "apply", "--additions", "--yes", "--json"),
        every=timedelta(hours=1),
        after_boot=timedelta(minutes=4),
        jitter=timedelta(minutes=5),
        credentials=("dns.token", "dns.key_file"),
    ),
    Job(
        name="dnssec",
        what="looks at the zones' DNSSEC while there is time: signatures that end, DS, keys, servers that lag",
        command=("dns", "dnssec", "--json"),
        every=timedelta(hours=6),
        after_boot=timedelta(minutes=15),
        jitter=timedelta(minutes=15),
    ),
    Job(
        name="certificate",
        what="has the host's certificate renewed in time, for the key whose TLSA record is out already",
        command=("cert", "issue", "--json"),
        every=timedelta(hours=1),
        after_boot=timedelta(minutes=5),
        jitter=timedelta(minutes=10),
        timeout=timedelta(minutes=20),
        credentials=("dns.token", "dns.key_file", "tlsa.targets", "acme.eab"),
    ),
    Job(
        name="reports",
        what="sends each domain its DMARC and TLS report of yesterday when its hour has come, and forgets old reports",
        command=("report", "send", "--json"),
        every=timedelta(hours=1),
        after_boot=timedelta(minutes=10),
        jitter=timedelta(minutes=5),
        timeout=timedelta(minutes=20),
    ),
    Job(
        name="check",
        what="looks at our domains from outside, as internet.nl does and further, at this host and its server: what changed since yesterday",
        command=("check", "all", "--json"),
        every=timedelta(days=1),
        after_boot=timedelta(minutes=30),
        jitter=timedelta(minutes=30),
        timeout=timedelta(minutes=20),
    ),
    Job(
        name="health",
        what="looks whether this host is well: ports, queue, disk, clock, certificate, other jobs, backups, log",
        command=("check", "health", "--json"),
        every=timedelta(minutes=15),
        after_boot=timedelta(minutes=10),
        jitter=timedelta(minutes=1),
    ),
    Job(
        name="echo",
        what="sends a marked mail to the addresses of `checks.echo`, and tells when an answer is late or missing",
        command=("check", "echo", "--configured", "--json"),
        every=timedelta(hours=6),
        after_boot=timedelta(minutes=20),
        jitter=timedelta(minutes=15),
        timeout=timedelta(minutes=30),
    ),
    Job(
        name="backup",
        what="takes a backup to `backup.place`, where there is one, and forgets those beyond `backup.keep`",
        command=("backup", "create", "--configured", "--json"),
        every=timedelta(days=1),
        after_boot=timedelta(minutes=45),
        jitter=timedelta(minutes=30),
        timeout=timedelta(hours=12),
        credentials=("backup.access_key", "backup.secret_key"),
        keeps=True,
    ),
    Job(
        name="backup-proof",
        what="restores the newest backup into a scratch directory, proves every database and body, and removes it",
        command=("backup", "verify", "--restore", "--configured", "--json"),
        every=timedelta(days=7),
        after_boot=timedelta(hours=3),
        jitter=timedelta(hours=1),
        timeout=timedelta(hours=24),
        credentials=("backup.access_key", "backup.secret_key", "backup.identity"),
        keeps=True,
    ),
)


def find(jobs: Iterable[Job], name: str) -> Job:
    """The job of a name."""
    known = {job.name: job for job in jobs}
    if name not in known:
        raise Misused(f"no such job: {name!r}", "timers run", _nearest(name, list(known)))
    return known[name]


def adjusted(jobs: tuple[Job, ...], settings: Settings | None) -> tuple[Job, ...]:
    """The table as the configuration wants it."""
    if settings is None:
        return jobs
    names = [job.name for job in jobs]
    for name in settings.timers.jobs:
        if name not in names:
            raise Misconfigured("there is no such job", f"timers.jobs.{name}", _nearest(name, names))
    return tuple(_adjusted(job, settings) for job in jobs)


def _adjusted(job: Job, settings: Settings) -> Job:
    wish = settings.timers.jobs.get(job.name)
    if wish is None:
        return job
    return replace(
        job,
        every=job.every if wish.every is None else wish.every,
        after_boot=job.after_boot if wish.after_boot is None else wish.after_boot,
        jitter=job.jitter if wish.jitter is None else wish.jitter,
        enabled=wish.enabled,
    )


def _nearest(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else "known are: " + ", ".join(known)
