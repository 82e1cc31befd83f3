"""Power cuts while a server takes mail: every 250 is accounted for, in a mailbox and in the queue. POWER_CUTS=300 makes it a long evening."""

from __future__ import annotations

import os
import random
import threading
from pathlib import Path

import pytest

from tests.journeys.durable.witness import Witness
from tests.lab.mailserver import MailServer
from tests.lab.program import wait_until
from tests.mailsrv.store.power import Disk, NoLoop

ROUNDS = int(os.environ.get("POWER_CUTS", "4"))
FRESH = 40  # rounds on one disk
SENDERS = 6


def test_every_250_survives_power_cuts(tmp_path: Path) -> None:
    rng = random.Random(os.environ.get("POWER_SEED", "1"))
    rounds = ROUNDS
    try:
        while rounds > 0:
            folder = tmp_path / f"{rounds}"
            folder.mkdir()
            with Disk(folder) as disk:
                one_disk(disk, folder, min(rounds, FRESH), rng)
            rounds -= FRESH
    except NoLoop as reason:
        pytest.skip(f"no power cuts here: {reason}")


def one_disk(disk: Disk, folder: Path, rounds: int, rng: random.Random) -> None:
    """One server's life: load, cut, mount, start, audit, and again."""
    server = MailServer(
        folder / "server", state={"directory": str(disk.directory / "state")}, queue={"next_hop": "127.0.0.1:9"}
    )
    witness = Witness(server)
    try:
        for _ in range(rounds):
            server.start()
            witness.audit()
            witness.unseal()
            cut_under_load(disk, server, witness, rng.randint(1, 60))
        server.start()
        witness.audit()
        assert len(witness.sure) >= rounds
    finally:
        server.kill()


def cut_under_load(disk: Disk, server: MailServer, witness: Witness, until: int) -> None:
    """What counts is what was said before the cut began: an fsync that runs at that moment may still return 0."""
    before = len(witness.sure)
    crew = [threading.Thread(target=witness.work) for _ in range(SENDERS)]
    for one in crew:
        one.start()
    wait_until(lambda: len(witness.sure) >= before + until, "enough mail to be taken", 60)
    witness.seal()
    disk.cut()
    for one in crew:
        one.join(60)
        assert not one.is_alive()
    server.kill()
    disk.restore()
