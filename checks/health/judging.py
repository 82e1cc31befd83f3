"""Whether the host is well: facts in, findings out, each with the sentence that helps at night. Pure.

    report = judge(facts)

Standards: RFC 5321 4.5.4.1 (a sender is warned after four hours), RFC 7671 5 (matching). Fails by: nothing; what could not be measured
is not tested, and says why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta

from checks.catalogue.ourselves import HEALTH_CATEGORY, ourselves
from checks.facts.looked import Evidence
from checks.finding import Category, Finding, Report, Status, strict_verdict
from checks.health.facts import Disk, Facts, Job, Log, Outward, Port, Queue
from dnsops.certs.chain import flaws, matches
from dnsops.records.tlsa import flaw
from dnsops.resolve.answer import Security

LONG, TOO_LONG = timedelta(hours=1), timedelta(hours=4)  # that mail waits
LITTLE, TOO_LITTLE = 2 << 30, 512 << 20  # octets free
FEW, TOO_FEW = 0.10, 0.02  # of all octets or files
SOON, TOO_SOON = timedelta(days=21), timedelta(days=7)  # until a certificate ends
OFF = 1.0  # seconds
STALE = timedelta(days=2)  # every job runs once a day at least
RARE = {"backup-proof": timedelta(days=15)}  # but for these
OFTEN = 3  # "not now" in a row
GRAVE = re.compile(r"\b[a-z_]+\.(?:bug|fault|unreadable)\b|\bstore\.failed\b|Traceback \(most")
SHOWN = 20
_WELL = "as wanted"


def judge(facts: Facts) -> Report:
    """All of them."""
    found = tuple(_findings(facts))
    return Report(facts.host, facts.now, 0, (), beyond=Category(HEALTH_CATEGORY, found, strict_verdict(found)))


def _findings(facts: Facts) -> Iterator[Finding]:
    yield _ports(facts.ports)
    yield _queue(facts.queue, facts)
    yield _disk(facts.disk)
    yield _clock(facts)
    yield _certificate(facts)
    yield _tlsa(facts)
    yield _jobs(facts)
    yield _backup(facts)
    yield _log(facts.log, facts)
    yield _outward(facts.outward)


def _ports(ports: Sequence[Port]) -> Finding:
    if not ports:
        return _untold("ports", "no port is configured")
    silent = [f"{one.name} ({one.address} port {one.port}): {one.error}" for one in ports if one.error]
    good = ", ".join(f"{one.name} {one.port}" for one in ports)
    return _finding("ports", Status.FAIL if silent else Status.GOOD, silent or [good])


def _queue(queue: Queue | None, facts: Facts) -> Finding:
    if queue is None or queue.why:
        return _untold("queue", queue.why if queue else "there is no mail store yet")
    held = f", {queue.held} are held" if queue.held else ""
    if queue.oldest is None:
        return _finding("queue", Status.GOOD, [f"nobody waits{held}"])
    age = facts.now - queue.oldest
    status = Status.FAIL if age > TOO_LONG else Status.NOTICE if age > LONG else Status.GOOD
    return _finding("queue", status, [f"{queue.waiting} recipients wait, the oldest for {_span(age)}{held}"])


def _disk(disk: Disk | None) -> Finding:
    if disk is None:
        return _untold("disk", "the state directory is not there")
    told = [f"{disk.free / (1 << 30):.1f} of {disk.size / (1 << 30):.1f} GiB are free at {disk.path}"]
    part = disk.free / disk.size if disk.size else 1.0
    grave, little = disk.free < TOO_LITTLE, disk.free < LITTLE and part < FEW
    if disk.most_files:
        left = disk.files / disk.most_files
        grave, little = grave or left < TOO_FEW, little or left < FEW
        told += [f"{disk.files} of {disk.most_files} files are left"] if left < FEW else []
    return _finding("disk", Status.FAIL if grave else Status.NOTICE if little else Status.GOOD, told)


def _clock(facts: Facts) -> Finding:
    if facts.clock is None:
        return _untold("clock", "the kernel does not tell")
    if not facts.clock.kept:
        return _finding("clock", Status.NOTICE, ["nobody keeps it right (the kernel says: unsynchronised)"])
    status = Status.NOTICE if facts.clock.error > OFF else Status.GOOD
    return _finding("clock", status, [f"off by {facts.clock.error:.3f} s at most"])


def _certificate(facts: Facts) -> Finding:
    shown = [one for one in facts.ports if one.chain is not None]
    if not shown:
        return _untold("certificate", "no port shows one")
    lost, status = [], Status.GOOD
    for one in shown:
        chain = one.chain
        if chain is None:
            continue
        wrong, left = flaws(chain, facts.host, facts.now), chain.not_after - facts.now
        lost += [f"{one.name} {one.port}: {said}" for said in wrong]
        if wrong or left < SOON:
            status = min(status, Status.FAIL if wrong or left < TOO_SOON else Status.NOTICE)
        if not wrong and left < SOON:
            lost.append(f"{one.name} {one.port}: it ends in {left.days} days")
    ends = min(one.chain.not_after for one in shown if one.chain)
    return _finding("certificate", status, list(dict.fromkeys(lost)) or [f"it ends in {(ends - facts.now).days} days"])


def _tlsa(facts: Facts) -> Finding:
    records = facts.records
    if records is None:
        return _untold("tlsa", "nobody was asked")
    if records.security is Security.FAILED:
        return _untold("tlsa", records.why or "they could not be looked up")
    if records.security is Security.BOGUS:
        return _finding("tlsa", Status.FAIL, [f"bogus: {records.why}"])
    if not records.tlsa:
        return _finding("tlsa", Status.NOTICE, ["there are none: senders cannot verify this host"])
    if records.security is not Security.SECURE:
        return _finding("tlsa", Status.NOTICE, ["DNSSEC does not prove them: they do nothing"])
    shown = [one.chain for one in facts.ports if one.name == "smtp" and one.chain]
    usable = [one for one in records.tlsa if flaw(one) is None]
    if not shown:
        return _untold("tlsa", "port 25 shows no certificate")
    if not any(matches(record, chain) for record in usable for chain in shown):
        return _finding("tlsa", Status.FAIL, ["none matches what port 25 shows: senders that verify do not deliver"])
    return _finding("tlsa", Status.GOOD, [f"{len(records.tlsa)} records, one matches"])


def _jobs(facts: Facts) -> Finding:
    if not facts.jobs and not facts.damaged:
        return _untold("timers", "no job has run here yet")
    lost = [(Status.NOTICE, f"{name}: its last outcome cannot be read") for name in facts.damaged]
    for job in facts.jobs:
        lost += [(status, f"{job.name}: {said}") for status, said in _job(job, facts)]
    status = min((one for one, _ in lost), default=Status.GOOD)
    return _finding("timers", status, [said for _, said in sorted(lost)] or [f"{len(facts.jobs)} jobs {_WELL}"])


def _job(job: Job, facts: Facts) -> Iterator[tuple[Status, str]]:
    often = f" ({job.failures} times)" if job.failures > 1 else ""
    match job.state:
        case "failed" | "bug":
            yield Status.FAIL, f"failed{often}: {job.text}"
        case "findings":
            yield Status.NOTICE, f"a person should look{often}: {job.text}"
        case "later" if job.failures >= OFTEN:
            yield Status.NOTICE, f"not now{often}: {job.text}"
    if facts.now - job.finished > RARE.get(job.name, STALE):
        yield Status.NOTICE, f"it ran last {_span(facts.now - job.finished)} ago"


def _backup(facts: Facts) -> Finding:
    if facts.backup is None:
        return _untold("backups", "no place is configured (`backup.place`)")
    if facts.backup.newest is None:
        return _finding("backups", Status.FAIL, [f"there is none at {facts.backup.place}"])
    age = facts.now - facts.backup.newest
    late = age.total_seconds() > facts.backup_age
    return _finding("backups", Status.FAIL if late else Status.GOOD, [f"the newest is {_span(age)} old"])


def _log(log: Log | None, facts: Facts) -> Finding:
    if log is None or log.why:
        return _untold("log", log.why if log else "there is none")
    if not log.lines:
        return _finding("log", Status.GOOD, [f"no trouble in {log.where}"])
    grave = any(GRAVE.search(line) for line in log.lines)
    said = [f"{len(log.lines)} lines in {log.where}, the last: {log.lines[-1]}"]
    shown = [Evidence(log.lines[-SHOWN:], facts.now)]
    return _finding("log", Status.FAIL if grave else Status.NOTICE, said, shown)


def _outward(tried: Sequence[Outward]) -> Finding:
    """A family that reaches one of its targets is open; the provider blocks a port, not a host."""
    if not [one for one in tried if not one.away]:
        said = "this host has no network" if tried else "no host to ask is configured (`checks.outward`)"
        return _untold("outward", said)
    told, status = [], Status.GOOD
    for family in sorted({one.family for one in tried if not one.away}):
        mine = [one for one in tried if one.family == family and not one.away]
        open_ = [one for one in mine if not one.error]
        if open_:
            told.append(f"IPv{family}: {open_[0].host} said: {open_[0].greeting}")
            continue
        status = Status.FAIL
        told += [f"IPv{family}: {one.host} ({one.address}): {one.error}" for one in mine]
    return _finding("outward", status, told)


def _span(span: timedelta) -> str:
    seconds = max(0, int(span.total_seconds()))
    for word, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {word}"
    return f"{seconds} seconds"


def _untold(name: str, why: str) -> Finding:
    return _finding(name, Status.NOT_TESTED, [why])


def _finding(name: str, status: Status, details: Sequence[str], evidence: Sequence[Evidence] = ()) -> Finding:
    verdict = {Status.GOOD: "good", Status.NOT_TESTED: "not-tested"}.get(status, "bad")
    return ourselves(f"health_{name}").finding(status, verdict, details=details, strict=status, evidence=evidence)
