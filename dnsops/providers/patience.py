"""How long one operation keeps trying: a bounded number of tries, each pause short, their sum bounded.

Fails by: `Later` when patience would have to be longer; its `after` is what the other side asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from dnsops.base.errors import Later

GAPS = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds between tries when nobody says how long
LONGEST_PAUSE = 30.0
LONGEST_SUM = 60.0
USUAL_LATER = 60.0


class Patience:
    """For one operation. `sleep` is time.sleep, or a test's own."""

    def __init__(self, sleep: Callable[[float], None], gaps: tuple[float, ...] = GAPS) -> None:
        self._sleep, self._gaps, self._left = sleep, list(gaps), LONGEST_SUM

    def rest(self, reason: str, asked: float | None = None) -> None:
        """Pause before the next try; `asked` is how long the other side wants us to wait."""
        if not self._gaps:
            raise Later(reason, timedelta(seconds=max(asked or 0, USUAL_LATER)))
        gap = self._gaps.pop(0)
        pause = gap if asked is None else max(asked, gap)
        if pause > min(LONGEST_PAUSE, self._left):
            raise Later(reason, timedelta(seconds=max(pause, 1)))
        self._left -= pause
        self._sleep(pause)
