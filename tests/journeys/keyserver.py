"""A mail server that serves our own keys: what `current` holds when it is told to reload, and not before.

    with KeyServer(mx, state) as server:
        shell.here("tlsa", "roll", HOST, ..., "--reload", server.command)

The command writes a line into a FIFO, waits for nothing and exits 0, as `systemctl reload --no-block` does.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Self

from dnsops.certs.chain import from_pem
from tests.journeys.shell import HOST
from tests.lab.mx import Mx
from tests.lab.network import MX, MX6
from tests.lab.pki import Credentials


class KeyServer:
    """Port 25 of mx1.example.org, IPv4 and IPv6; another port when one is given."""

    def __init__(self, mx: Mx, state: Path, fifo: Path) -> None:
        self.mx, self.current, self.fifo = mx, state / "certs" / HOST / "current", fifo
        self.reloads = 0
        os.mkfifo(fifo)

    @property
    def command(self) -> str:
        return f"sh -c 'echo reload > {self.fifo}'"

    @property
    def spki(self) -> bytes:
        """The key that is served."""
        return from_pem(self.serving.chain, "").spki

    def __enter__(self) -> Self:
        self.serving = self._read()
        for address in (MX, MX6):
            self.mx.listen(address, 25, self.serving)
        self._handle = os.open(self.fifo, os.O_RDWR)
        self._thread = threading.Thread(target=self._obey, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.write(self._handle, b"stop\n")
        self._thread.join()
        os.close(self._handle)

    def reload(self) -> None:
        self.serving = self._read()
        for address in (MX, MX6):
            self.mx.switch((address, 25), self.serving)

    def _obey(self) -> None:
        while os.read(self._handle, 64) != b"stop\n":
            self.reloads += 1
            self.reload()

    def _read(self) -> Credentials:
        pair = self.current.resolve()
        return Credentials((pair / "key.pem").read_bytes(), (pair / "chain.pem").read_bytes())
