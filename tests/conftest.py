"""The lab as session fixtures; each layer starts once, when the first test asks for it, and stops with the session.

    lab -> rspamd, spamassassin, clamav;  dnstree -> opinion
    lab -> dnstree -> pki -> pebble, cloudflare_api;  dnstree -> bind
       └─> mx, postfix (sender), receiver            clean_zone: example.org as it was, around one test

Outside the lab's namespace, or with a program missing, a layer's tests skip with the reason; with CI=true they fail.
An exception inside one of the lab's own servers fails the session; one that nobody expected, in any log, fails the test.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from tests.lab import bugs

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tests.lab.acme import Pebble
    from tests.lab.bind import Bind
    from tests.lab.cloudflare_api import CloudflareApi
    from tests.lab.dnstree import DnsTree
    from tests.lab.mx import Mx
    from tests.lab.pki import Pki
    from tests.lab.postfix import Sender
    from tests.lab.scanners import ClamAv, Opinion, Rspamd, SpamAssassin

T = TypeVar("T")
TIMES: dict[str, float] = {}

bugs.listen()


@pytest.fixture(autouse=True)
def nothing_unhandled(request: pytest.FixtureRequest) -> Iterator[None]:
    """An exception that nobody expected, in any server's log, fails the test in which it came to light."""
    bugs.news()
    yield
    found = bugs.news()
    if request.node.get_closest_marker("faults") is None:
        assert found == [], "\n".join(found[:10])


@pytest.fixture(scope="session")
def lab() -> Iterator[Path]:
    """The namespace with its addresses; gives the lab's directory."""
    from tests.lab.network import private_network

    with layer("network", private_network()) as directory:
        yield directory


@pytest.fixture(scope="session")
def dnstree(lab: Path) -> Iterator[DnsTree]:
    """The signed tree and the validating resolver."""
    from tests.lab.dnstree import DnsTree

    with layer("signed tree, secondary, resolver", DnsTree(lab)) as tree:
        yield tree


@pytest.fixture
def clean_zone(dnstree: DnsTree) -> Iterator[DnsTree]:
    """The tree, for a test that changes example.org: afterwards it is as before."""
    yield dnstree
    dnstree.restore()


@pytest.fixture(scope="session")
def bind(dnstree: DnsTree, lab: Path) -> Iterator[Bind]:
    """A BIND that signs inline and takes updates, with zones whose DNSSEC is about to break."""
    from tests.lab.bind import Bind

    with layer("BIND", Bind(lab, dnstree)) as server:
        yield server


@pytest.fixture(scope="session")
def pki(lab: Path) -> Iterator[Pki]:
    """The lab's certificate authority; this process and its children trust it."""
    from tests.lab.pki import Pki

    with layer("certificate authority", Pki(lab)) as pki:
        yield pki


@pytest.fixture(scope="session")
def pebble(dnstree: DnsTree, pki: Pki, lab: Path) -> Iterator[Pebble]:
    """The ACME server."""
    from tests.lab.acme import Pebble

    with layer("pebble", Pebble(lab, pki)) as server:
        yield server


@pytest.fixture(scope="session")
def cloudflare_session(dnstree: DnsTree, pki: Pki) -> Iterator[CloudflareApi]:
    """https://api.cloudflare.com, writing into the tree; the account has 61 zones, on several pages."""
    from tests.lab.cloudflare_api import CloudflareApi, many_zones
    from tests.lab.network import CLOUDFLARE

    api = CloudflareApi([*many_zones(), "nsec.org"], dnstree, CLOUDFLARE, 443, pki.api)
    with layer("Cloudflare API", api) as started:
        yield started


@pytest.fixture
def cloudflare_api(cloudflare_session: CloudflareApi, clean_zone: DnsTree) -> Iterator[CloudflareApi]:
    """The API as after its start, around one test."""
    cloudflare_session.reset()
    yield cloudflare_session
    cloudflare_session.reset()


@pytest.fixture(scope="session")
def postfix(dnstree: DnsTree, lab: Path) -> Iterator[Sender]:
    """A Postfix that sends by DANE."""
    from tests.lab.postfix import Sender

    with layer("Postfix, sending", Sender(lab)) as sender:
        yield sender


@pytest.fixture(scope="session")
def rspamd(lab: Path) -> Iterator[Rspamd]:
    """rspamd without modules: it knows GTUBE."""
    from tests.lab.scanners import Rspamd

    with layer("rspamd", Rspamd(lab)) as scanner:
        yield scanner


@pytest.fixture(scope="session")
def opinion(dnstree: DnsTree, lab: Path) -> Iterator[Opinion]:
    """rspamd with SPF, DKIM, DMARC and ARC."""
    from tests.lab.scanners import Opinion

    with layer("rspamd, authenticating", Opinion(lab)) as scanner:
        yield scanner


@pytest.fixture(scope="session")
def spamassassin(lab: Path) -> Iterator[SpamAssassin]:
    """SpamAssassin's spamd with its local rules."""
    from tests.lab.scanners import SpamAssassin

    with layer("SpamAssassin", SpamAssassin(lab)) as scanner:
        yield scanner


@pytest.fixture(scope="session")
def clamav(lab: Path) -> Iterator[ClamAv]:
    """clamd with one signature of the lab's."""
    from tests.lab.scanners import ClamAv

    with layer("ClamAV", ClamAv(lab)) as scanner:
        yield scanner


@pytest.fixture
def mx(lab: Path) -> Iterator[Mx]:
    """Light receivers: `mx.listen(address, 25, credentials)`."""
    from tests.lab.mx import Mx

    with Mx() as servers:
        yield servers


@contextmanager
def layer(name: str, started: AbstractContextManager[T]) -> Iterator[T]:
    """Start a layer, note how long it took; where it cannot be had: skip, or fail in CI."""
    from tests.lab.network import Unavailable

    begin = time.monotonic()
    with ExitStack() as stack:
        try:
            value = stack.enter_context(started)
        except Unavailable as reason:
            without(name, str(reason))
        TIMES[name] = time.monotonic() - begin
        yield value


def without(name: str, reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(f"the lab lacks its layer {name!r}, and CI=true: {reason}", pytrace=False)
    pytest.skip(f"lab, {name}: {reason}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "lab" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.lab)


def pytest_sessionfinish(session: pytest.Session) -> None:
    from tests.lab.crashes import CRASHES

    if CRASHES and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    from tests.lab import agreement, matrix
    from tests.lab.crashes import CRASHES

    for title, lines in (("TLS between mail servers", matrix.lines()), ("a second opinion", agreement.lines())):
        for number, line in enumerate(lines):
            if number == 0:
                terminalreporter.section(title)
            terminalreporter.write_line(line)
    if TIMES:
        terminalreporter.section("lab")
    for name, seconds in TIMES.items():
        terminalreporter.write_line(f"{seconds:6.2f} s  {name}")
    for crash in CRASHES:
        terminalreporter.write_line(f"EXCEPTION in a server of the lab (the session fails): {crash}", red=True)
