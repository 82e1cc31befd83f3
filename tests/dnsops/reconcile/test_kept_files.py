"""What the stories keep on disk belongs to whoever owns the state, whoever ran them: root by hand, then the timer as its user."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dnsops.base.log import Log
from dnsops.plan.ownership import Ledger as ZoneLedger
from dnsops.plan.saved import Kind, Saved
from dnsops.reconcile import certificate_world, dkim_world, ledgers, zone_files
from dnsops.rollover.certificate_journal import Journal
from dnsops.rollover.dkim_ledger import Ledger as DkimLedger
from dnsops.rollover.ledger import Ledger as TlsaLedger

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LOG = Log(quiet=True)
NOBODY = 65534
STORES: dict[str, Callable[[Path], object]] = {
    "tlsa": lambda state: ledgers.Ledgers(state / "tlsa", LOG).save(TlsaLedger("_25._tcp.mx1.example.org")),
    "dkim": lambda state: dkim_world.Ledgers(state / "dkim", LOG).save(DkimLedger("example.org")),
    "zone": lambda state: zone_files.Ledgers(state / "dns").save(ZoneLedger("example.org")),
    "way back": lambda state: zone_files.WaysBack(state / "dns").keep(Saved(Kind.UNDO, NOON.isoformat(), ()), NOON),
    "certificate": lambda state: certificate_world.Journals(state / "acme", LOG).save(Journal("mx1.example.org")),
}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
@pytest.mark.parametrize("store", STORES)
def test_what_root_keeps_is_for_the_owner_of_the_state(tmp_path: Path, store: str) -> None:
    os.chown(tmp_path, NOBODY, NOBODY)
    STORES[store](tmp_path)
    assert {(path.stat().st_uid, path.stat().st_gid) for path in tmp_path.rglob("*")} == {(NOBODY, NOBODY)}


@pytest.mark.parametrize("store", STORES)
def test_it_is_for_nobody_else(tmp_path: Path, store: str) -> None:
    STORES[store](tmp_path / "state")
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").rglob("*")}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
