"""Several zones of one provider at a time: each read whole and once, a few beside each other. Also whether we may write there.

    found = read_zones(provider, ["example.org", "example.net"])      # name -> its records, or why it could not be read

A call to an API takes a fifth of a second, and 50 domains are 50 of them: one after another that is ten seconds.
Fails by values: what a person must do about one zone, or a `Later`, stands in that zone's place.
Limits: AT_ONCE threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from dnsops.base.errors import Deliberate, ForUser
from dnsops.providers.door import Access, Checked, Grade, Held, Provider

AT_ONCE = 8


def read_zones(provider: Provider, zones: Iterable[str]) -> dict[str, tuple[Held, ...] | Deliberate]:
    """Everything in each zone, in the order asked for."""
    names = list(dict.fromkeys(zones))

    def read(name: str) -> tuple[Held, ...] | Deliberate:
        try:
            return provider.read(name, below=True)
        except Deliberate as error:
            return error

    if len(names) < 2:
        return {name: read(name) for name in names}
    with ThreadPoolExecutor(min(AT_ONCE, len(names)), "zones") as pool:
        return dict(zip(names, pool.map(read, names), strict=True))


def check(provider: Provider, zones: Sequence[str]) -> tuple[Access, ...]:
    """What we may do in these zones, as far as it can be found out without writing."""
    if isinstance(provider, Checked):
        return provider.check(zones)
    return tuple(_readable(provider, zone) for zone in zones)


def _readable(provider: Provider, zone: str) -> Access:
    try:
        provider.read(zone, "SOA")
    except ForUser as error:
        return Access(zone, Grade.LACKING, error.what, error.advice)
    return Access(zone, Grade.UNKNOWN, "it can be read")
