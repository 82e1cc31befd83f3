"""Name servers and Cloudflare's API on loopback, for the providers' tests. No namespace is needed for these."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.dnsops.providers import places
from tests.dnsops.providers.places import NameServer, Place
from tests.lab.cloudflare_api import CloudflareApi, many_zones
from tests.lab.network import Unavailable, search_path


@pytest.fixture(scope="session")
def knot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NameServer]:
    with running("knotd", places.knot, tmp_path_factory.mktemp("knot")) as server:
        yield server


@pytest.fixture(scope="session")
def bind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NameServer]:
    with running("named", places.bind, tmp_path_factory.mktemp("bind")) as server:
        yield server


@pytest.fixture(scope="session")
def bind_signing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NameServer]:
    with running("named", places.bind_signing, tmp_path_factory.mktemp("bind_signing")) as server:
        yield server


@pytest.fixture(scope="session")
def api_session() -> Iterator[CloudflareApi]:
    with CloudflareApi(many_zones()) as api:
        yield api


@pytest.fixture
def api(api_session: CloudflareApi) -> CloudflareApi:
    """Cloudflare's API with 60 empty zones."""
    for zone in ("example.org", "notexample.org"):
        for entry in list(api_session.records(zone)):
            api_session.erase(zone, entry.id)
    api_session.reset()
    return api_session


@pytest.fixture(params=["memory", "zonefile", "cloudflare", "octodns", "knot", "bind", "bind_signing"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Every provider, one after another."""
    match request.param:
        case "memory":
            return places.memory()
        case "zonefile":
            return places.zonefile(tmp_path / "example.org.zone")
        case "cloudflare":
            return places.cloudflare(request.getfixturevalue("api"))
        case "octodns":
            return places.octodns(request.getfixturevalue("api"), tmp_path)
    server: NameServer = request.getfixturevalue(request.param)
    return server.place


@contextmanager
def running(program: str, make: Callable[[Path], NameServer], folder: Path) -> Iterator[NameServer]:
    """A server, started and stopped; skipped when not installed, but not in CI."""
    if shutil.which(program, path=search_path()) is None:
        _without(f"{program} is not installed")
    server = make(folder)
    try:
        server.program.start(server.answers)
    except Unavailable as reason:
        _without(str(reason))
    try:
        yield server
    finally:
        server.program.stop()


def _without(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI=true, and {reason}", pytrace=False)
    pytest.skip(reason)
