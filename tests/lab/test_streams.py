"""A test's server may be cut off before a conversation has begun, and leaves no traceback."""

from __future__ import annotations

import asyncio

from tests.lab.streams import start_server


def test_a_conversation_that_is_cancelled_before_it_began_is_no_bug() -> None:
    heard: list[object] = []

    async def story() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: heard.append(context))

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()

        before = asyncio.all_tasks()
        server = await start_server(serve, "127.0.0.1", 0)
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        while not (new := asyncio.all_tasks() - before):
            await asyncio.sleep(0)
        for task in new:
            task.cancel()
        await asyncio.gather(*new, return_exceptions=True)
        writer.close()
        server.close()

    asyncio.run(story())
    assert heard == []


def test_an_exception_of_a_conversation_is_told() -> None:
    heard: list[object] = []

    async def story() -> None:
        told = asyncio.Event()

        def hear(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
            heard.append(context["exception"])
            told.set()

        asyncio.get_running_loop().set_exception_handler(hear)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()
            raise ValueError("a bug")

        server = await start_server(serve, "127.0.0.1", 0)
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        async with asyncio.timeout(5):
            await told.wait()
        writer.close()
        server.close()

    asyncio.run(story())
    assert [type(error) for error in heard] == [ValueError]
