"""What the journeys share: certificates, a mail host that shows one, a person's shell, ways into the zone, rehearsed scenes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.mailhost import MailHost
from tests.journeys.rehearsed import Scene
from tests.journeys.shell import OWNER, Shell
from tests.lab.cloudflare_api import CloudflareApi
from tests.lab.dnstree import DnsTree
from tests.lab.mx import Mx
from tests.lab.network import PRIMARY
from tests.lab.pki import Pki

QUICK = 60  # name servers hand out a sixtieth of what Cloudflare is told: two TTLs of 60 s are two seconds


@pytest.fixture
def mail_host(mx: Mx, pki: Pki) -> MailHost:
    return MailHost(mx, pki)


@pytest.fixture
def shell(tmp_path: Path, pki: Pki, dnstree: DnsTree) -> Shell:
    """A machine of one's own, without a token."""
    return Shell(tmp_path, {})


@pytest.fixture
def cloudflare(cloudflare_api: CloudflareApi, shell: Shell) -> Iterator[CloudflareApi]:
    """Cloudflare with short TTLs and no record at the mail host's port; the shell has its token."""
    shell.environ["CLOUDFLARE_API_TOKEN"] = _quick(cloudflare_api).token
    yield cloudflare_api
    assert shell.leaks(*cloudflare_api.grants) == []


@pytest.fixture
def rfc2136(clean_zone: DnsTree) -> tuple[str, ...]:
    """Words that let a command write through RFC 2136, into a zone without a record at the mail host's port."""
    clean_zone.replace(OWNER, "TLSA")
    return ("--provider", f"rfc2136:{PRIMARY}", "--tsig-key", str(clean_zone.tsig_file))


# scenes: reached once for all tests of a file, then begun again from their copy


@pytest.fixture(scope="module")
def stage(
    cloudflare_session: CloudflareApi, dnstree: DnsTree, pki: Pki, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[CloudflareApi, DnsTree, MailHost, Path]]:
    """All that a scene is made of."""
    cloudflare_session.reset()
    with Mx() as mx:
        yield _quick(cloudflare_session), dnstree, MailHost(mx, pki), tmp_path_factory.mktemp("stage")
    dnstree.restore()
    cloudflare_session.reset()


@pytest.fixture(scope="module")
def rehearsed_publishing(stage: tuple[CloudflareApi, DnsTree, MailHost, Path]) -> Scene:
    return Scene.publishing(*stage)


@pytest.fixture(scope="module")
def rehearsed_pruning(stage: tuple[CloudflareApi, DnsTree, MailHost, Path]) -> Scene:
    return Scene.pruning(*stage)


@pytest.fixture
def publishing(rehearsed_publishing: Scene) -> Iterator[Scene]:
    """The new key is served, and its record is missing."""
    yield from _played(rehearsed_publishing)


@pytest.fixture
def pruning(rehearsed_pruning: Scene) -> Iterator[Scene]:
    """Both keys' records are ripe, and the old one is to go."""
    yield from _played(rehearsed_pruning)


def _played(scene: Scene) -> Iterator[Scene]:
    scene.again()
    yield scene
    assert scene.shell.leaks(*scene.api.grants) == []


def _quick(api: CloudflareApi) -> CloudflareApi:
    api.ttl(QUICK)
    for stale in api.records("example.org", type="TLSA", name=OWNER):
        api.erase("example.org", stale.id)
    api.log.clear()
    return api
