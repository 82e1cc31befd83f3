"""The binding: many questions, cancelled ones, a context closed under them; a resolver that never hears anything."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import struct

import pytest

from dnsops.resolve import libunbound
from dnsops.resolve.libunbound import FUNCTIONS, Context, Reply, Result
from tests.dnsops.resolve.stub import Stub

LIBRARY = libunbound.load()
needs_library = pytest.mark.skipif(LIBRARY is None, reason="libunbound8 is not installed")


def open_context(stub: Stub) -> Context:
    """A context whose only way out is a stub that says nothing."""
    assert LIBRARY is not None
    context = Context(LIBRARY)
    assert context.forward(f"127.0.0.1@{stub.port}") == ""
    context.start()
    return context


def test_a_library_that_is_not_there_is_none() -> None:
    assert libunbound.load("libunbound-of-another-house.so.8") is None


def test_a_library_without_our_functions_is_none() -> None:
    assert libunbound.load("libc.so.6") is None


def test_the_structure_is_that_of_the_header() -> None:
    # unbound.h on a 64-bit machine: pointers at multiples of eight
    if struct.calcsize("P") != 8:
        pytest.skip("offsets written down for 64 bits")
    offsets = {field[0]: getattr(Result, field[0]).offset for field in Result._fields_}
    assert offsets["canonname"] == 32
    assert offsets["answer_packet"] == 48
    assert offsets["why_bogus"] == 80
    assert offsets["ttl"] == 92
    assert ctypes.sizeof(Result) == 96


@needs_library
def test_every_function_is_typed() -> None:
    assert LIBRARY is not None
    assert all(getattr(LIBRARY, name).argtypes == arguments for name, (_, arguments) in FUNCTIONS.items())


@needs_library
def test_wrong_settings_come_back_with_the_librarys_words() -> None:
    assert LIBRARY is not None
    context = Context(LIBRARY)
    assert "syntax error" in context.option("no-such-option", "yes")
    assert context.forward("not an address") != ""
    context.close()


@needs_library
def test_a_name_that_is_none_is_an_error_not_an_accident() -> None:
    async def story() -> Reply:
        async with Stub() as stub:
            context = open_context(stub)
            reply = await context.ask("a..b", 1)
            context.close()
            return reply

    assert asyncio.run(story()).error


@needs_library
def test_closing_answers_what_is_open_and_closing_again_does_nothing() -> None:
    async def story() -> list[Reply]:
        async with Stub() as stub:
            context = open_context(stub)
            asks = [asyncio.create_task(context.ask(f"h{i}.example.org", 1)) for i in range(100)]
            await asyncio.sleep(0.1)
            context.close()
            context.close()
            late = await context.ask("late.example.org", 1)
            return [*await asyncio.gather(*asks), late]

    replies = asyncio.run(story())
    assert [reply.error for reply in replies] == ["the resolver was closed"] * 100 + ["the resolver is closed"]


@needs_library
def test_cancelled_questions_leave_nothing_behind() -> None:
    async def story() -> int:
        async with Stub() as stub:
            context = open_context(stub)
            for _ in range(5):
                asks = [asyncio.create_task(context.ask(f"h{i}.example.org", 1)) for i in range(50)]
                await asyncio.sleep(0.01)
                for ask in asks:
                    ask.cancel()
                await asyncio.gather(*asks, return_exceptions=True)
                gc.collect()
            left = len(context._waiting)
            context.close()
            return left

    assert asyncio.run(story()) == 0


@needs_library
def test_questions_cancelled_before_they_were_asked() -> None:
    async def story() -> int:
        async with Stub() as stub:
            context = open_context(stub)
            ask = asyncio.create_task(context.ask("a.example.org", 1))
            ask.cancel()
            await asyncio.gather(ask, return_exceptions=True)
            left = len(context._waiting)
            context.close()
            return left

    assert asyncio.run(story()) == 0
