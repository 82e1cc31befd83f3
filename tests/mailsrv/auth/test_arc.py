"""The ARC chain: the ARC test suite, chains of our own, and hostile ones."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from mailsrv.auth.verdicts import Result
from tests.mailsrv.auth.examples import chain_of, world

DATA = Path(os.environ.get("MAILSRV_DATA", "") or Path(__file__).parents[4] / "shared" / "data")
SUITE = DATA / "arc-validation-tests.yml"
WORDS = {"Pass": Result.PASS, "Fail": Result.FAIL, "": Result.FAIL, None: Result.NONE, "None": Result.NONE}


def read() -> Iterator[Any]:
    if not SUITE.exists():
        yield pytest.param({}, {}, marks=pytest.mark.skip(reason=f"no ARC test suite: {SUITE.name} (MAILSRV_DATA)"))
        return
    for group in yaml.safe_load_all(SUITE.read_text()):
        for name, test in group["tests"].items():
            yield pytest.param(test, group["txt-records"], id=name)


@pytest.mark.parametrize("test, keys", list(read()))
def test_the_arc_test_suite(test: dict[str, Any], keys: dict[str, str]) -> None:
    """cv "" there: a seal says that the chain has failed already, which no verifier judges again; for us it has failed."""
    content = test["message"].replace("\n", "\r\n").encode()
    arc = chain_of(content, world(keys), datetime(2026, 1, 1, tzinfo=UTC))
    assert arc.result is WORDS[test["cv"]], arc.why
