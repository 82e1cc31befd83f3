"""Power cuts under load: what was acknowledged is on disk. POWER_CUTS=300 makes it a long evening."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.mailsrv.store.ledger import Ledger, audit, read, start
from tests.mailsrv.store.power import Disk, NoLoop


@pytest.mark.parametrize("seed", range(int(os.environ.get("POWER_CUTS", "4"))))
async def test_acknowledged_survives_a_power_cut(tmp_path: Path, seed: int) -> None:
    try:
        with Disk(tmp_path) as disk:
            ledger = cut_under_load(disk, random.Random(seed))
            assert ledger.ok
            await audit(disk.directory / "store", ledger)
    except NoLoop as reason:
        pytest.skip(f"no power cuts here: {reason}")


def cut_under_load(disk: Disk, rng: random.Random) -> Ledger:
    """A child accepts until the power goes; after that it can only say `later`, and is killed.

    What counts is what it had said before: the kernel cuts no faster than it can, and an fsync that runs at that moment
    may still return 0, which no disk without power does.
    """
    child = start(disk.directory / "store", 100_000, rng.choice([1, 5, 20]))
    ledger = read(child, until=rng.randint(1, 200))
    disk.cut()
    assert child.stdout is not None
    assert any(line.startswith("later") for line in child.stdout)
    child.kill()
    child.wait()
    child.stdout.close()
    disk.restore()
    return ledger
