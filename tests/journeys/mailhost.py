"""mx1.example.org at port 25, IPv4 and IPv6, and the certificates that it may show."""

from __future__ import annotations

from dataclasses import dataclass

from tests.journeys.shell import HOST
from tests.lab.mx import Mx
from tests.lab.network import MX, MX6
from tests.lab.pki import Credentials, Pki


@dataclass
class MailHost:
    """mx1.example.org at port 25, IPv4 and IPv6, and the certificates that it may show."""

    mx: Mx
    pki: Pki

    def __post_init__(self) -> None:
        self._issued: dict[str, Credentials] = {}
        for address in (MX, MX6):
            self.mx.listen(address, 25, self.issue("old"))

    def issue(self, name: str, *hosts: str) -> Credentials:
        """The certificate of that name; the first who asks says for which hosts."""
        if name not in self._issued:
            self._issued[name] = self.pki.issue(hosts or [HOST])
        return self._issued[name]

    def serve(self, name: str, addresses: tuple[str, ...] = (MX, MX6)) -> None:
        for address in addresses:
            self.mx.switch((address, 25), self.issue(name))
