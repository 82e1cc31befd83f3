"""One child process: its own group, a time limit, bounded output, and no life beyond ours.

Standards: pidfd_open(2), prctl(2) PR_SET_PDEATHSIG. A child whose parent is killed -9 is killed by the kernel, so that no
orphan works on beside the next run, which would find the lock free.
Fails by: OSError when the program cannot be started.
"""

from __future__ import annotations

import ctypes
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import IO

MOST_OUTPUT = 1 << 20  # bytes kept of each stream, room for the report on 200 hosts; the rest is read and forgotten
MOST_INPUT = 65536  # bytes that a pipe holds (pipe(7))
GRACE = 5.0  # seconds between SIGTERM and SIGKILL
GLANCE = 0.25  # seconds between two looks at whether we are told to stop
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass
class Ended:
    """How the child ended: exit status (negative: signal), what it wrote, and why we ended it if we did."""

    status: int
    stdout: str
    stderr: str
    cut: str = ""


@dataclass
class _Running:
    process: subprocess.Popen[bytes]
    deadline: float
    kept: dict[int, bytearray] = field(default_factory=dict)


def run(
    argv: Sequence[str],
    limit: timedelta,
    env: Mapping[str, str] | None = None,
    data: bytes = b"",
    stopped: Callable[[], bool] = lambda: False,
) -> Ended:
    """Run a program to its end, or to ours. Whatever happens, nothing of its process group outlives this call."""
    process = subprocess.Popen(
        argv,
        env=None if env is None else dict(env),
        stdin=subprocess.PIPE if data else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=_die_with_parent,
    )
    running = _Running(process, time.monotonic() + limit.total_seconds())
    try:
        _feed(process.stdin, data)
        cut = _watch(running, stopped, limit)
        return Ended(_end(process, at_once=not cut), *_texts(running), cut)
    finally:
        _end(process, at_once=True)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                with suppress(OSError):
                    pipe.close()


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _feed(pipe: IO[bytes] | None, data: bytes) -> None:
    """Write what fits into the pipe itself: nobody waits for a reader that is slow or gone."""
    if pipe is None:
        return
    if len(data) > MOST_INPUT:
        raise ValueError("more than a pipe holds")
    with suppress(BrokenPipeError), pipe:
        pipe.write(data)


def _watch(running: _Running, stopped: Callable[[], bool], limit: timedelta) -> str:
    """Read until the child is gone; why we gave up on it, else nothing."""
    handle = os.pidfd_open(running.process.pid)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(handle, selectors.EVENT_READ)
            for pipe in (running.process.stdout, running.process.stderr):
                assert pipe is not None  # noqa: S101 - both are pipes
                os.set_blocking(pipe.fileno(), False)
                running.kept[pipe.fileno()] = bytearray()
                selector.register(pipe, selectors.EVENT_READ)
            return _read(running, selector, handle, stopped, limit)
    finally:
        os.close(handle)


def _read(
    running: _Running, selector: selectors.BaseSelector, handle: int, stopped: Callable[[], bool], limit: timedelta
) -> str:
    while True:
        left = running.deadline - time.monotonic()
        if left <= 0:
            return f"it took longer than {limit.total_seconds():g} s and was ended"
        if stopped():
            return "it was ended because we are stopping"
        ready = [key.fd for key, _ in selector.select(min(left, GLANCE))]
        for number in ready:
            if number != handle and not _take(running, number):
                selector.unregister(number)
        if handle in ready:
            for number in running.kept:
                _take(running, number)
            return ""


def _take(running: _Running, number: int) -> bool:
    """Read what is there, keep what fits; False at the end of the stream."""
    kept = running.kept[number]
    for _ in range(64):
        try:
            chunk = os.read(number, 65536)
        except BlockingIOError:
            return True
        if not chunk:
            return False
        kept += chunk[: MOST_OUTPUT - len(kept)]
    return True


def _texts(running: _Running) -> tuple[str, str]:
    stdout, stderr = (bytes(kept).decode("utf-8", "replace") for kept in running.kept.values())
    return stdout, stderr


def _end(process: subprocess.Popen[bytes], at_once: bool) -> int:
    """End the whole group, politely unless it must be at once; the child's status. Its number is ours until we wait."""
    if process.returncode is None:
        if not at_once:
            _signal(process, signal.SIGTERM)
            _await(process)
        _signal(process, signal.SIGKILL)
    return process.wait()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _await(process: subprocess.Popen[bytes]) -> None:
    """Until the child is gone or the grace is over, without reaping it."""
    handle = os.pidfd_open(process.pid)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(handle, selectors.EVENT_READ)
            selector.select(GRACE)
    finally:
        os.close(handle)
