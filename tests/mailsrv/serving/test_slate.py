"""Log lines of a busy server are written together, and none is lost when it ends."""

from __future__ import annotations

import asyncio
import fcntl
import os

from dnsops.base.log import Log
from mailsrv.serving.slate import MOST, Slate


def test_without_a_loop_each_line_is_written_at_once() -> None:
    reading, writing = os.pipe()
    log = Log(Slate(writing), json_lines=True)
    log("one")
    assert b'"one"' in os.read(reading, 1000)
    os.close(reading)
    os.close(writing)


def test_in_a_loop_lines_wait_for_one_another_and_not_for_ever() -> None:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    slate = Slate(writing)
    log = Log(slate, json_lines=True)

    async def busy() -> None:
        log("one")
        log("two")
        try:
            early = os.read(reading, 1000)
        except BlockingIOError:
            early = b""
        assert early == b""
        await asyncio.sleep(0.2)
        assert os.read(reading, 1000).count(b"\n") == 2
        slate.wipe()
        slate.write("x" * MOST)
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4 * MOST)
        slate.flush()
        assert os.read(reading, 10)
        log("last")

    asyncio.run(busy())
    while True:
        try:
            os.read(reading, 1 << 20)
        except BlockingIOError:
            break
    slate.wipe()
    assert b'"last"' in os.read(reading, 1000)
    os.close(reading)
    os.close(writing)


def test_a_reader_that_is_gone_stops_nobody() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    Log(Slate(writing))("said to nobody")
    os.close(writing)
