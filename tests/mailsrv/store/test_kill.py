"""kill -9 at random moments: what was acknowledged is there afterwards, whole and once."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.mailsrv.store.ledger import audit, read, start


@pytest.mark.parametrize("seed", range(5))
async def test_acknowledged_survives_kill(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    child = start(tmp_path / "store", 100_000, rng.choice([1, 5, 20]))
    ledger = read(child, until=rng.randint(1, 300))
    child.kill()
    assert child.stdout is not None
    for line in child.stdout:  # said before it died
        ledger.note(line)
    child.wait()
    child.stdout.close()
    assert ledger.ok
    assert not ledger.later
    await audit(tmp_path / "store", ledger)
