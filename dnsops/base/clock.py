"""Reading the clocks. Pure rooms get the `Moment`; only the edges call `now`."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

from dnsops.base.moment import Moment

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def now() -> Moment:
    """This moment."""
    try:
        boot = BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        boot = "unknown"
    return Moment(datetime.now(UTC), boot, time.clock_gettime(time.CLOCK_BOOTTIME))
