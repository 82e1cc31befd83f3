"""What the deployment's journeys share: two hosts, bare at first, and the zones that they may write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import layer
from tests.lab.acme import Pebble
from tests.lab.cloudflare_api import CloudflareApi
from tests.lab.dnstree import DnsTree
from tests.lab.hosts_site import DOMAINS, Site
from tests.lab.pki import Pki

QUICK = 60  # what Cloudflare is told as a TTL of five minutes is five seconds here


@pytest.fixture(scope="package")
def site(lab: Path, dnstree: DnsTree, pki: Pki, pebble: Pebble, cloudflare_session: CloudflareApi) -> Iterator[Site]:
    """Two hosts, and nothing on them."""
    cloudflare_session.reset()
    cloudflare_session.ttl(QUICK)
    with layer("two hosts", Site(lab, dnstree, pki, cloudflare_session, pebble.url)) as hosts:
        yield hosts
    for zone in DOMAINS:
        dnstree.restore(zone)
    cloudflare_session.reset()
