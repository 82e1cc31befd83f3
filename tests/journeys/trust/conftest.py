"""A house that judges: `mailsrv serve` as mx1.example.org with keys of its own, strangers with a DNS of theirs, and where mail goes on to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.journeys.trust.house import House, strangers
from tests.lab.cloudflare_api import CloudflareApi
from tests.lab.dnstree import DnsTree
from tests.lab.mx import Mx
from tests.lab.pki import Pki


@pytest.fixture(scope="module")
def around(
    cloudflare_session: CloudflareApi, dnstree: DnsTree, pki: Pki
) -> Iterator[tuple[CloudflareApi, DnsTree, Pki, Mx]]:
    cloudflare_session.reset()
    cloudflare_session.ttl(60)
    with ExitStack() as undo, Mx() as mx:
        undo.callback(cloudflare_session.reset)
        for zone in strangers(dnstree, mx):
            undo.callback(dnstree.restore, zone)
        yield cloudflare_session, dnstree, pki, mx


@pytest.fixture(scope="module")
def house(around: tuple[CloudflareApi, DnsTree, Pki, Mx], tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("trust"), *around) as house:
        yield house
