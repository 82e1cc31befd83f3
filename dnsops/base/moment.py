"""A moment on two clocks: the wall's, for people, and the one nobody can set, for waiting.

CLOCK_BOOTTIME counts seconds since this machine's boot, through suspend, and no administrator or NTP server can turn
it. A reboot begins a new count, so what had to be waited for is waited for again: late, never early.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Moment:
    """`wall`: aware UTC time. `boot`: which boot of the machine. `up`: seconds of CLOCK_BOOTTIME."""

    wall: datetime
    boot: str
    up: float

    def after(self, earlier: Moment) -> timedelta | None:
        """How long ago `earlier` was; None when it lies in another boot and nobody can tell for sure."""
        if earlier.boot != self.boot or earlier.up > self.up:
            return None
        return timedelta(seconds=self.up - earlier.up)

    def as_json(self) -> dict[str, str | float]:
        return {"wall": self.wall.isoformat(), "boot": self.boot, "up": round(self.up, 3)}

    @classmethod
    def from_json(cls, data: dict[str, str | float]) -> Moment:
        """The inverse of `as_json`; KeyError, TypeError or ValueError when it is not that."""
        wall = datetime.fromisoformat(str(data["wall"]))
        if wall.tzinfo is None:
            raise ValueError("a wall time without its zone")
        return cls(wall, str(data["boot"]), float(data["up"]))
