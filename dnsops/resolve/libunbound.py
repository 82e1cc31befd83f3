"""Debian's libunbound8 through ctypes: questions go in, replies come out of a file descriptor that the loop watches.

Standard: libunbound(3); the structures are those of unbound.h, unchanged from 1.4 to 1.23.
Fails by: `load` gives None when the library is not there. `Reply.error` holds libunbound's words for a question that it
could not work on. Whoever gives up waiting cancels; a late answer then falls on the floor.

Memory: one callback object lives as long as its context and finds the waiting future by a number, so that no pointer
to a Python object ever crosses over; the callback copies a result and frees it, whoever still waits.
"""

from __future__ import annotations

import asyncio
import ctypes
import itertools
from ctypes import POINTER, c_char_p, c_int, c_void_p
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIBRARY = "libunbound.so.8"
LONGEST_PACKET = 65535
MOST_DATA = 8192  # rdata of one RRset; more does not fit into a packet


class Result(ctypes.Structure):
    """struct ub_result."""

    _fields_ = [
        ("qname", c_char_p),
        ("qtype", c_int),
        ("qclass", c_int),
        ("data", POINTER(c_void_p)),
        ("len", POINTER(c_int)),
        ("canonname", c_char_p),
        ("rcode", c_int),
        ("answer_packet", c_void_p),
        ("answer_len", c_int),
        ("havedata", c_int),
        ("nxdomain", c_int),
        ("secure", c_int),
        ("bogus", c_int),
        ("why_bogus", c_char_p),
        ("was_ratelimited", c_int),
        ("ttl", c_int),
    ]


Callback = ctypes.CFUNCTYPE(None, c_void_p, c_int, POINTER(Result))

# name: (result, arguments); each function of the library that we call
FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "ub_version": (c_char_p, []),
    "ub_strerror": (c_char_p, [c_int]),
    "ub_ctx_create": (c_void_p, []),
    "ub_ctx_delete": (None, [c_void_p]),
    "ub_ctx_debugout": (c_int, [c_void_p, c_void_p]),
    "ub_ctx_set_option": (c_int, [c_void_p, c_char_p, c_char_p]),
    "ub_ctx_add_ta_file": (c_int, [c_void_p, c_char_p]),
    "ub_ctx_set_fwd": (c_int, [c_void_p, c_char_p]),
    "ub_ctx_async": (c_int, [c_void_p, c_int]),
    "ub_fd": (c_int, [c_void_p]),
    "ub_process": (c_int, [c_void_p]),
    "ub_resolve_async": (c_int, [c_void_p, c_char_p, c_int, c_int, c_void_p, Callback, POINTER(c_int)]),
    "ub_cancel": (c_int, [c_void_p, c_int]),
    "ub_resolve_free": (None, [POINTER(Result)]),
}


@dataclass(frozen=True, slots=True)
class Reply:
    """What libunbound found out, copied out of its memory. With `error` set the rest means nothing."""

    rcode: int = 0
    data: tuple[bytes, ...] = ()
    packet: bytes = b""
    canonname: str = ""
    havedata: bool = False
    nxdomain: bool = False
    secure: bool = False
    bogus: bool = False
    why_bogus: str = ""
    ratelimited: bool = False
    ttl: int = 0
    error: str = ""


def load(name: str = LIBRARY) -> ctypes.CDLL | None:
    """The library with its functions typed; None when this machine has not got it."""
    try:
        library = ctypes.CDLL(name)
        for function, (result, arguments) in FUNCTIONS.items():
            entry = getattr(library, function)
            entry.restype, entry.argtypes = result, arguments
    except (OSError, AttributeError):
        return None
    return library


class Context:
    """A resolver with a cache and a thread of its own. Set it up, `start` it inside a running loop, `close` it once."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self._context: int | None = library.ub_ctx_create()
        if not self._context:
            raise MemoryError("ub_ctx_create")
        library.ub_ctx_debugout(self._context, None)  # its words reach us as results, not on stderr
        self._callback = Callback(self._arrived)
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._numbers = itertools.count(1)  # 0 would be a null pointer
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def version(self) -> str:
        return _text(self._library.ub_version())

    def option(self, name: str, value: str) -> str:
        """Set an option of unbound.conf(5); what is wrong with it, or nothing."""
        return self._said(self._library.ub_ctx_set_option(self._context, f"{name}:".encode(), value.encode()))

    def anchor(self, path: Path) -> str:
        return self._said(self._library.ub_ctx_add_ta_file(self._context, bytes(path)))

    def forward(self, address: str) -> str:
        return self._said(self._library.ub_ctx_set_fwd(self._context, address.encode()))

    def start(self) -> None:
        """Answers come through the running loop from now on."""
        self._library.ub_ctx_async(self._context, 1)  # a thread, not a process
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._library.ub_fd(self._context), self._process)

    async def ask(self, name: str, type_code: int) -> Reply:
        """Ask; cancelling the caller cancels the question. No answer is no end: the caller sets the time."""
        if self._context is None or self._loop is None:
            return Reply(error="the resolver is closed")
        number, future, handle = next(self._numbers), self._loop.create_future(), c_int(0)
        self._waiting[number] = future
        try:
            status = self._library.ub_resolve_async(
                self._context, name.encode("ascii"), type_code, 1, number, self._callback, ctypes.byref(handle)
            )
            return Reply(error=self._said(status)) if status else await future
        finally:
            del self._waiting[number]
            if future.cancelled() or not future.done():
                self._cancel(handle.value)

    def close(self) -> None:
        """End the thread and free everything; open questions are answered with an error. A second call does nothing."""
        context, self._context = self._context, None
        if context is None:
            return
        if self._loop is not None:
            self._loop.remove_reader(self._library.ub_fd(context))
        for future in self._waiting.values():
            if not future.done():
                future.set_result(Reply(error="the resolver was closed"))
        self._library.ub_ctx_delete(context)

    def _process(self) -> None:
        if self._context is not None:
            self._library.ub_process(self._context)

    def _cancel(self, handle: int) -> None:
        if self._context is not None and handle:
            self._library.ub_cancel(self._context, handle)

    def _arrived(self, number: int | None, status: int, result: Any) -> None:
        """Called by ub_process, so in the loop's own thread."""
        future = self._waiting.get(number or 0)
        try:
            if future is not None and not future.done():
                future.set_result(Reply(error=self._said(status)) if status else _copied(result.contents))
        finally:
            if result:
                self._library.ub_resolve_free(result)

    def _said(self, status: int) -> str:
        return _text(self._library.ub_strerror(status)) if status else ""


def _copied(result: Result) -> Reply:
    return Reply(
        rcode=result.rcode,
        data=_data(result),
        packet=_bytes(result.answer_packet, min(result.answer_len, LONGEST_PACKET)),
        canonname=_text(result.canonname),
        havedata=bool(result.havedata),
        nxdomain=bool(result.nxdomain),
        secure=bool(result.secure),
        bogus=bool(result.bogus),
        why_bogus=_text(result.why_bogus),
        ratelimited=bool(result.was_ratelimited),
        ttl=max(result.ttl, 0),
    )


def _data(result: Result) -> tuple[bytes, ...]:
    """The rdata without compression; a null pointer ends the list."""
    if not result.data:
        return ()
    pointers = itertools.takewhile(bool, (result.data[i] for i in range(MOST_DATA)))
    return tuple(_bytes(pointer, result.len[i]) for i, pointer in enumerate(pointers))


def _bytes(pointer: int | None, length: int) -> bytes:
    return ctypes.string_at(pointer, length) if pointer and length > 0 else b""


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode("ascii", "backslashreplace")
