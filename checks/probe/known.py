"""What was seen lately of mail hosts, so that a run over many domains looks at each once.

    seen = await known.host("mx.example.org", look)       # look() now, or what it gave within KEPT seconds

Limits: MOST hosts, the oldest go first. Fails by: as `look` does.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from checks.facts import Lookup, MailHost, Question
from checks.probe.lately import Lately

KEPT = 200.0  # seconds, as the site does
MOST = 300


@dataclass(frozen=True, slots=True)
class Seen:
    """A host, and what was asked about it."""

    host: MailHost
    pages: Mapping[Question, Lookup]


class Known:
    """Hosts seen lately. `clock`: seconds that only grow."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._hosts = Lately[Seen](KEPT, MOST, clock)

    async def host(self, name: str, look: Callable[[], Coroutine[Any, Any, Seen]]) -> Seen:
        """Who gives up waiting takes nobody else's answer along."""
        return await self._hosts.get(name, look)
