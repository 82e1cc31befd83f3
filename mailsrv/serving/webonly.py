"""The web alone, for who serves mail with Stalwart, Postfix or anything else: policy and set-up of our domains, nothing more.

    WebOnly(settings, load, state, log, certificate, doors).serve()          until SIGTERM; SIGHUP reloads

It opens no mail store and knows no accounts. What the documents say of ports is what `listeners` says, open here or not.
Fails by: `ForUser` while opening. Afterwards only a signal ends it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dnsops.base.errors import Deliberate
from dnsops.base.log import Log
from mailsrv.serving.notify import notify, reloading
from mailsrv.serving.showing import Shown, showing
from mailsrv.serving.signals import Signals, loop

if TYPE_CHECKING:
    from dnsops.base.settings import Settings
    from mailsrv.serving.certificate import Certificate
    from mailsrv.serving.sockets import Door

LOOK = 1.0  # seconds between two looks at the certificate


@dataclass(frozen=True)
class WebOnly:
    """load: reads the configuration again."""

    settings: Settings
    load: Callable[[], Settings]
    state: Path
    log: Log
    certificate: Certificate
    doors: tuple[Door, ...]

    def serve(self) -> int:
        """The exit status."""
        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(self._serve())
        notify("STOPPING=1")
        return 0

    async def _serve(self) -> None:
        signals = Signals()
        async with showing(self.settings, self.certificate, self.state, self.log, self.doors) as shown:
            self.log("serve.ready", listening=[f"{door.kind} {door.address} {door.port}" for door in self.doors])
            notify("READY=1")
            while not signals.stop.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK):
                        await signals.any.wait()
                signals.any.clear()
                notify("WATCHDOG=1")
                await self._look(shown, signals)
            self.log("serve.draining")

    async def _look(self, shown: Shown, signals: Signals) -> None:
        anew = signals.reload.is_set()
        if anew:
            signals.reload.clear()
            await self._reload(shown)
        self.certificate.look(anew)

    async def _reload(self, shown: Shown) -> None:
        reloading()
        try:
            shown.use(await asyncio.to_thread(self.load))
            self.log("serve.reloaded")
        except Deliberate as error:
            self.log("serve.not_reloaded", why=str(error))
        notify("READY=1")
