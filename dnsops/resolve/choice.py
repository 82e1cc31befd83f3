"""Which resolver: libunbound where it is installed, else the AD bit of a resolver on loopback; MAILSRV_RESOLVER decides.

    async with resolver() as ask_me: ...

Fails by: `Misconfigured` when opened, for what the settings name and is not there.
"""

from __future__ import annotations

from dnsops.resolve import libunbound
from dnsops.resolve.adbit import AdBit
from dnsops.resolve.settings import Settings, from_env
from dnsops.resolve.validator import Validator


def resolver(settings: Settings | None = None) -> Validator | AdBit:
    """To be opened with `async with`. What reads answers is loaded now: a server's sessions would wait for it a tenth of a second."""
    from dnsops.resolve import reading  # noqa: F401

    settings = settings or from_env()
    if settings.engine == "libunbound" or (settings.engine == "" and libunbound.load() is not None):
        return Validator(settings)
    return AdBit()
