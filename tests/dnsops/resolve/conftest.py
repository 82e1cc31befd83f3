"""Stub servers stand on loopback; in the lab's namespace that is up only once the lab's network is."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def loopback(request: pytest.FixtureRequest) -> None:
    if os.environ.get("MAILSRV_LAB") == "inside":
        request.getfixturevalue("lab")
