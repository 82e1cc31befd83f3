"""What `mailsrv dns plan`, `apply` and `verify` work on: the configuration's wishes, its provider, and the world for a run.

Fails by: `Misused` without a configuration, `Misconfigured` when nobody holds the zones - with what works without.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnsops.base.errors import ForUser, Misconfigured, Misused
from dnsops.base.log import Log
from dnsops.commands import request
from dnsops.plan.safety import Limits
from dnsops.providers.door import Provider
from dnsops.reconcile.wanted import gather
from dnsops.reconcile.zone_files import Ledgers
from dnsops.reconcile.zone_looking import zones_of
from dnsops.reconcile.zone_world import PATIENCE, World, outside
from dnsops.records.names import under
from dnsops.resolve.settings import Settings as ResolverSettings
from dnsops.resolve.settings import configured
from dnsops.wanted.door import Wanted, Wish
from dnsops.wanted.house import House
from dnsops.wanted.merge import merge_of
from dnsops.wanted.union import wanted

if TYPE_CHECKING:
    from dnsops.base.settings.model import Settings

WITHOUT = "add `dns: {provider: ...}`; without it, `mailsrv dns records` prints the records and `mailsrv dns verify` checks them"


@dataclass(frozen=True)
class Request:
    """One command line. domains: whose zones alone are meant; none: all."""

    settings: Settings
    state: Path
    file: str
    domains: tuple[str, ...] = ()
    patience: float = PATIENCE

    @cached_property
    def provider(self) -> Provider:
        """Who holds the zones."""
        dns = self.settings.dns
        if dns is None:
            raise Misconfigured("it does not say who holds the zones", f"{self.file}: dns", WITHOUT)
        return request.doors_of(dns, {"tsig_key": None}, Path()).provider(request.spec_of(dns))

    @cached_property
    def house(self) -> House:
        return gather(self.settings, self.state)

    @cached_property
    def zones(self) -> dict[str, str]:
        """The zone of our host, each domain and each parked name; "" where the provider holds none. Asks the provider."""
        names = [self.settings.hostname, *self.settings.domains, *self.settings.records.parked]
        return zones_of(names, self.provider)

    @cached_property
    def found(self) -> Wanted:
        """What is wanted in the zones that we may write; all else is expected of others."""
        zones = tuple(dict.fromkeys(zone for zone in self.zones.values() if zone))
        return wanted(replace(self.house, zones=zones))

    @property
    def wishes(self) -> tuple[Wish, ...]:
        """Those of the domains that are meant: a zone's records are looked at all together, or not at all."""
        meant = self._meant
        return tuple(wish for wish in self.found.wishes if any(under(wish.record.name, zone) for zone in meant))

    @property
    def others(self) -> list[str]:
        """Zones in which something of ours may stand though nothing is wished there any more."""
        known = set(self.zones.values())
        kept = [zone for zone in Ledgers(self.state / "dns").zones() if zone not in known and not self.domains]
        return [zone for zone in kept if self._is_held(zone)]

    @property
    def applied(self) -> list[str]:
        """Zones to which a person once said yes. Asks nobody."""
        return Ledgers(self.state / "dns").zones() if self.settings.dns else []

    @property
    def _meant(self) -> Iterable[str]:
        if not self.domains:
            return [zone for zone in self.zones.values() if zone]
        unknown = [domain for domain in self.domains if not self.zones.get(domain)]
        if unknown:
            known = ", ".join(name for name, zone in self.zones.items() if zone)
            raise Misused(f"{unknown[0]} is not among the configuration's domains", "--domain", f"known are: {known}")
        return [self.zones[domain] for domain in self.domains]

    def _is_held(self, zone: str) -> bool:
        try:
            return self.provider.zone_of(zone) == zone
        except ForUser:
            return False

    @property
    def resolver(self) -> ResolverSettings | None:
        return configured(self.settings.resolver)

    def world(self) -> World:
        """For one run: what it opens belongs to one event loop."""
        records = self.settings.records
        return outside(
            self.provider,
            self.state,
            Log(json_lines=request.log_format(self.settings)),
            self.resolver,
            Limits(records.most_removed, records.most_removed_percent),
            merge_of(self.house),
            self.patience,
        )


def from_options(options: dict[str, Any]) -> Request:
    """The request of one command line."""
    file = options["config_file"]
    settings = request.settings_at(file)
    if settings is None:
        raise Misused("there is no configuration", "", "write one (`mailsrv config example`), or name it with --config")
    domains = tuple(request.domain_name(text) for text in options.get("domains") or ())
    state = request.state_of(options, settings)
    return Request(settings, state, str(file), domains, options.get("wait", PATIENCE))
