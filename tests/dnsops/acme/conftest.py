"""An authority with renewal information and profiles, in front of pebble."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import layer
from tests.lab.acme import Pebble
from tests.lab.ari import Ari
from tests.lab.pki import Pki


@pytest.fixture(scope="session")
def ari_session(pebble: Pebble, pki: Pki) -> Iterator[Ari]:
    with layer("renewal information", Ari(pki)) as front:
        yield front


@pytest.fixture
def front(ari_session: Ari) -> Iterator[Ari]:
    ari_session.reset()
    yield ari_session
    ari_session.reset()
