"""The wire as a source; servers run in a thread of their own, as `read` blocks."""

import asyncio
import threading
from contextlib import contextmanager

import pytest

from dnsops.base.errors import ForUser, Later
from dnsops.certs.chain import from_pem
from dnsops.certs.sources.door import parse
from dnsops.certs.sources.starttls import Wire
from dnsops.certs.wire import How
from tests.dnsops.certs.making import DAY, HOST, NOW
from tests.dnsops.certs.servers import SMTP, context, listening, speaking


async def silent(reader, writer):
    await reader.read()


@contextmanager
def running(serve, tls=None):
    """A server in a thread; gives its port."""
    ready, done, found = threading.Event(), None, []

    async def main():
        nonlocal done
        done = asyncio.Event()
        async with listening(serve, tls) as port:
            found.extend([port, asyncio.get_running_loop()])
            ready.set()
            await done.wait()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    ready.wait(10)
    try:
        yield found[0]
    finally:
        found[1].call_soon_threadsafe(done.set)
        thread.join()


@pytest.mark.parametrize("server", ["127.0.0.1", "localhost"])
def test_starttls_and_implicit_tls(server, tmp_path, pair):
    tls = context(tmp_path, pair)
    with running(speaking(SMTP, tls)) as plain, running(silent, tls) as implicit:
        for spec in (f"starttls:{server}:{plain}", f"tls:{server}:{implicit}"):
            assert parse(spec).read(HOST).certificates == from_pem(pair[0], "").certificates


def test_what_the_server_shows_is_judged(tmp_path, ca):
    for pair, says in ((ca.pair(["x.example"]), "not for"), (ca.pair(start=NOW - 9 * DAY, end=NOW - DAY), "expired")):
        with running(silent, context(tmp_path, pair)) as port, pytest.raises(ForUser, match=says):
            parse(f"tls:127.0.0.1:{port}").read(HOST)


def test_a_server_that_shows_nothing_means_later():
    with running(silent) as port:
        with pytest.raises(Later, match=r"shows no certificate .*no answer within"):
            Wire("127.0.0.1", port, How.SMTP, 0.5).read(HOST)
    with pytest.raises(Later, match="refused"):
        parse("starttls:127.0.0.1:1").read(HOST)


@pytest.mark.parametrize("server", ["no-such-host.invalid", "x" * 300, "a..b"])
def test_a_name_without_an_address_is_told(server):
    with pytest.raises((ForUser, Later), match=r"has no address|cannot be looked up|no host name"):
        parse(f"starttls:{server}:25").read(HOST)
