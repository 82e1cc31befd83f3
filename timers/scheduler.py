"""All jobs in one process, on APScheduler: jitter, no overlap, missed runs made up for once, a quiet end.

The first run of each job is computed from its remembered last one (`outcome.due`), so a restart neither forgets nor
repeats. A wall clock that is set back would leave every job waiting for the old time: then all are planned anew.
SIGTERM or SIGINT: no new runs; those under way may finish within DRAIN, a second signal ends them at once.
Fails by: nothing a job does. Its failure is its outcome; a fault of ours is a log line and the next run comes.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from dnsops.base.errors import Later
from timers import notify
from timers.outcome import due
from timers.run import House, last, run_once
from timers.table import Job

DRAIN = 25.0  # seconds; systemd waits 90 by default
GLANCE = 10.0  # seconds between two looks at the wall clock
SET_BACK = -2.0  # seconds of the wall clock against the one that nobody can set


def serve(jobs: Sequence[Job], house: House) -> None:
    """Run all enabled jobs until a signal."""
    asked, ending = threading.Event(), threading.Event()
    _listen(asked, ending)
    house = replace(house, stopped=ending.is_set)
    enabled = [job for job in jobs if job.enabled]
    scheduler = _scheduler(enabled, house)
    scheduler.start()
    notify.tell("READY=1")
    house.log("timers.serving", jobs=[job.name for job in enabled])
    _watch(scheduler, enabled, house, asked)
    notify.tell("STOPPING=1")
    _drain(scheduler, ending)
    house.log("timers.stopped")


def _listen(asked: threading.Event, ending: threading.Event) -> None:
    def on_signal(number: int, frame: object) -> None:
        (ending if asked.is_set() else asked).set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)


def _scheduler(jobs: Sequence[Job], house: House) -> Any:
    """APScheduler's, with our jobs in it; Any because it has no types."""
    from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES
    from apscheduler.executors.pool import ThreadPoolExecutor
    from apscheduler.schedulers.background import BackgroundScheduler
    from apscheduler.triggers.interval import IntervalTrigger

    logging.getLogger("apscheduler").setLevel(logging.CRITICAL + 1)  # its events come to our log, below
    scheduler = BackgroundScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(max(1, len(jobs)))},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    for job in jobs:
        trigger = IntervalTrigger(
            seconds=job.every.total_seconds(), jitter=job.jitter.total_seconds() or None, timezone=UTC
        )
        first = next_run(job, house)
        scheduler.add_job(_turn, trigger, args=(job, house), id=job.name, next_run_time=first)
        house.log("timers.planned", job=job.name, next=first.isoformat(timespec="seconds"))
    scheduler.add_listener(lambda event: _fault(event, house), EVENT_JOB_ERROR)
    scheduler.add_listener(lambda event: house.log("timers.overlap", job=event.job_id), EVENT_JOB_MAX_INSTANCES)
    return scheduler


def next_run(job: Job, house: House) -> datetime:
    """When the job is due, from what is remembered and both clocks."""
    up = timedelta(seconds=time.clock_gettime(time.CLOCK_BOOTTIME))
    return due(job, last(job, house), datetime.now(UTC), up)


def _turn(job: Job, house: House) -> None:
    try:
        run_once(job, house)
    except Later as busy:
        house.log("timers.busy", job=job.name, why=busy.reason)


def _fault(event: Any, house: House) -> None:
    house.log("timers.fault", job=event.job_id, kind=type(event.exception).__name__, trace=str(event.traceback))


def _watch(scheduler: Any, jobs: Sequence[Job], house: House, asked: threading.Event) -> None:
    """Wait for a signal, with an eye on the wall clock."""
    before = _offset()
    while not asked.wait(GLANCE):
        before, earlier = _offset(), before
        keep_time(scheduler, jobs, house, before - earlier)


def keep_time(scheduler: Any, jobs: Sequence[Job], house: House, step: float) -> None:
    """After a step of the wall clock, in seconds: one that leads back would leave the jobs waiting, so plan them anew."""
    if step > SET_BACK:
        return
    house.log("timers.clock", set_back=round(-step, 1))
    for job in jobs:
        scheduler.modify_job(job.name, next_run_time=next_run(job, house))


def _offset() -> float:
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


def _drain(scheduler: Any, ending: threading.Event) -> None:
    """Let those under way finish, but not for ever."""
    limit = threading.Timer(DRAIN, ending.set)
    limit.daemon = True
    limit.start()
    scheduler.shutdown(wait=True)
    limit.cancel()
