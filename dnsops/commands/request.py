"""What the options and the configuration ask for, opened: targets, state, resolver, log.

Options alone are enough (DESIGN 2: the drop-in for cron); the configuration alone is, too; with both, the options name the
targets and the configuration what they leave out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnsops.base import files
from dnsops.base.errors import ForUser, Later, Misconfigured, Misused
from dnsops.base.log import Log
from dnsops.base.places import state_directory
from dnsops.base.secrets import Secret
from dnsops.certs.generations import Generations
from dnsops.certs.newkey import KeyType
from dnsops.certs.sources import door as sources
from dnsops.providers import choose
from dnsops.providers.door import Provider
from dnsops.reconcile import asked
from dnsops.reconcile.asked import Doors, Wish
from dnsops.reconcile.looking import look_at
from dnsops.reconcile.outside import outside
from dnsops.reconcile.target import DEFAULT_TTL, Outcome, Place, Source, Target
from dnsops.reconcile.tlsa import reconcile
from dnsops.reconcile.world import World
from dnsops.records import names
from dnsops.resolve.answer import Resolver, Security
from dnsops.resolve.settings import Settings as ResolverSettings
from dnsops.resolve.settings import configured

if TYPE_CHECKING:
    from dnsops.base.settings.model import Dns, Settings
    from dnsops.base.settings.model import Target as TargetSettings

OVERRIDING = ("ports", "sources", "upcoming", "provider", "ttl", "forms", "addresses", "reload")  # options


@dataclass(frozen=True)
class Request:
    """Everything a run needs that is known before it looks. domains: their MX hosts become targets like `template`'s."""

    targets: list[Target]
    state: Path
    log: Log
    resolver: ResolverSettings | None = None
    domains: tuple[str, ...] = ()
    template: Wish = field(default_factory=lambda: Wish(()))
    doors: Doors | None = None


def from_options(options: dict[str, Any], need_source: bool = True, writing: bool = True) -> Request:
    """The request of one command line. writing: a credential that is missing is said now, not in the night it is needed."""
    request = _request(options, need_source)
    for provider in {id(target.provider): target.provider for target in request.targets if target.provider}.values():
        try:
            provider()
        except Misconfigured:
            if writing:
                raise
    return request


def _request(options: dict[str, Any], need_source: bool) -> Request:
    settings = settings_at(options["config_file"])
    state = state_of(options, settings)
    log = Log(json_lines=log_format(settings))
    resolver = configured(settings.resolver) if settings else None
    certs = Path(options.get("certs") or state / "certs")
    if not options["hosts"] and not options["domains"]:
        if settings is None:
            raise Misused(
                "no host is named", "", "add --host mx1.example.org, or write a configuration and name it with --config"
            )
        return Request(_configured(settings, settings.targets, options, certs), state, log, resolver)
    hosts = [asked.host(host) for host in options["hosts"]]
    known = [target for target in settings.targets if target.host in hosts] if settings else []
    others = [host for host in hosts if host not in {target.host for target in known}]
    key_type = settings.acme.key_type if settings else "p256"
    doors = doors_of(settings.dns if settings else None, options, certs, key_type)
    wish = _wish(options, settings, others)
    targets = asked.targets(wish, doors, need_source) if others else []
    if options["domains"] and need_source and not wish.sources:
        raise Misused("no source is named", "", "add --source pem:PATH; `mailsrv cert sources` lists all kinds")
    if settings and known:
        targets = [*_configured(settings, known, options, certs), *targets]
    return Request(targets, state, log, resolver, tuple(options["domains"]), wish, doors)


async def reconcile_once(request: Request, dry_run: bool) -> list[Outcome]:
    """One run under the state's lock, so that no two runs ever work on the same ledgers. A dry run needs no lock."""
    with nullcontext() if dry_run else locked(request.state, "tlsa"):
        async with outside(request.state, request.log, request.resolver) as world:
            return await reconcile(await _all_targets(request, world), world, dry_run)


@contextmanager
def locked(state: Path, name: str) -> Iterator[None]:
    """A lock of a state directory, or a sentence about why it cannot be had."""
    with ExitStack() as held:
        try:
            held.enter_context(files.lock(state / f"{name}.lock"))
            files.hand_over(state, state / f"{name}.lock")
        except OSError as error:
            advice = "name a directory that we may write with --state"
            raise ForUser(f"cannot be used ({error.strerror})", str(state), advice) from None
        yield


async def look(request: Request) -> list[Place]:
    """Only look."""
    async with outside(request.state, request.log, request.resolver) as world:
        eyes = replace(world.eyes, unsettled=lambda place: True)
        return await look_at(await _all_targets(request, world), eyes)


async def _all_targets(request: Request, world: World) -> list[Target]:
    """The named hosts, and the MX hosts of the named domains that the source is for."""
    lists = [request.targets]
    for domain in request.domains:
        hosts = await _mx_hosts(domain_name(domain), world.eyes.resolver)
        refusals = {host: await asyncio.to_thread(_uncovered, host, request) for host in hosts}
        fitting = [host for host in hosts if not refusals[host]]
        if not fitting:
            told = "; ".join(dict.fromkeys(refusals.values()))
            raise ForUser(f"no source is for any of its MX hosts: {told}", domain, "name the source that is")
        if request.doors:
            wish = replace(request.template, hosts=tuple(fitting))
            lists.append(asked.targets(wish, request.doors, bool(wish.sources)))
    return asked.combined(lists)


def domain_name(text: str) -> str:
    """A domain of the command line in the one spelling."""
    try:
        return names.canonical(text)
    except ForUser as error:
        raise Misused(error.what, "--domain", "write a domain such as example.org") from None


async def _mx_hosts(domain: str, resolver: Resolver) -> tuple[str, ...]:
    answer = await resolver.ask(domain, "MX")
    if answer.security in (Security.BOGUS, Security.FAILED):
        raise Later(f"{domain} MX: {answer.security.value} ({answer.why})")
    hosts = sorted({str(item).split()[1].rstrip(".") for item in answer.items if item.type == "MX"} - {""})
    if not hosts:
        raise ForUser("there is no MX record", domain, "name the host itself with --host")
    return tuple(hosts)


def _uncovered(host: str, request: Request) -> str:
    """Why no source has a certificate for the host: a backup MX elsewhere is somebody else's. "" when one has."""
    why = ""
    for spec in request.template.sources if request.doors else ():
        try:
            request.doors.source(spec).read(host)  # type: ignore[union-attr]
            return ""
        except ForUser as error:
            why = f"{error.where}: {error.what}" if error.where else error.what
    return why


def settings_at(path: str | None) -> Settings | None:
    """The configuration, where there is one."""
    if path is None:
        return None
    from dnsops.base.settings import load

    return load(Path(path), names.host)


def state_of(options: dict[str, Any], settings: Settings | None) -> Path:
    """The state directory."""
    return (
        Path(options["state"]) if options["state"] else state_directory(settings.state.directory if settings else None)
    )


def log_format(settings: Settings | None) -> bool | None:
    """Whether the log is JSON; None lets it look whether a terminal reads it."""
    return None if settings is None or settings.log.format == "auto" else settings.log.format == "json"


def _wish(options: dict[str, Any], settings: Settings | None, hosts: Sequence[str]) -> Wish:
    dns = settings.dns if settings else None
    return Wish(
        hosts=tuple(hosts),
        ports=tuple(options["ports"]) or ("25",),
        sources=tuple(options["sources"]),
        next=tuple(options["upcoming"]),
        provider=provider_of(options, dns),
        ttl=ttl_of(options, dns),
        forms=tuple(options["forms"]) or ("3 1 1",),
        addresses=tuple(options["addresses"]),
        reload=asked.command(options["reload"] or ""),
        allow_insecure=options["allow_insecure"],
        probe=not options["no_probe"],
        adopt=options["adopt"],
    )


def _configured(
    settings: Settings, targets: Sequence[TargetSettings], options: dict[str, Any], certs: Path
) -> list[Target]:
    """Targets of the configuration, with what the options add. One zone has one writer, however many targets it has."""
    holders = [settings.dns, *(target.dns for target in targets)]
    doors = {id(dns): doors_of(dns, options, certs, settings.acme.key_type) for dns in holders}
    lists = []
    for target in targets:
        door = replace(doors[id(target.dns or settings.dns)], source=_source(certs, target.credential))
        try:
            lists.append(asked.targets(_wish_of(target, settings, options), door))
        except Misused as error:
            if any(options[name] for name in OVERRIDING):
                raise
            raise Misconfigured(error.what, f"tlsa.targets: {target.host}: {error.where}", error.advice) from None
    return asked.combined(lists)


def _wish_of(target: TargetSettings, settings: Settings, options: dict[str, Any]) -> Wish:
    dns = target.dns or settings.dns
    return Wish(
        hosts=(target.host,),
        ports=tuple(options["ports"]) or tuple(map(str, target.ports)),
        sources=tuple(options["sources"]) or target.sources,
        next=tuple(options["upcoming"]) or target.next_sources,
        provider=provider_of(options, dns),
        ttl=ttl_of(options, dns, target.ttl),
        forms=tuple(options["forms"]) or target.forms,
        addresses=tuple(options["addresses"]) or target.addresses,
        reload=asked.command(options["reload"]) if options["reload"] else target.reload,
        allow_insecure=options["allow_insecure"] or settings.tlsa.allow_insecure,
        probe=target.probe and not options["no_probe"],
        adopt=options["adopt"],
    )


def provider_of(options: dict[str, Any], dns: Dns | None) -> str:
    """Who holds the zone, as a spec; "" when nobody was named."""
    return options["provider"] or (spec_of(dns) if dns else "")


def ttl_of(options: dict[str, Any], dns: Dns | None, own: int | None = None) -> int:
    """The TTL of new records. own: what the configuration says about one target."""
    return options["ttl"] if options["ttl"] is not None else (own or (dns.ttl if dns else DEFAULT_TTL))


def spec_of(dns: Dns) -> str:
    """The provider of the configuration as the spec that the command line would have."""
    match dns.provider:
        case "rfc2136":
            host, _, port = (dns.server or "").partition("#")
            return f"rfc2136:[{host}]:{port or 53}" if ":" in host else f"rfc2136:{host}:{port or 53}"
        case "zonefile":
            return f"zonefile:{dns.path}"
        case "octodns":
            return f"octodns:{dns.config}#{dns.name}"
    return dns.provider


def doors_of(dns: Dns | None, options: dict[str, Any], certs: Path, key_type: KeyType = "p256") -> Doors:
    """How specs become things here; one zone has one writer. key_type: of keys of our own that are made."""
    key_file = options["tsig_key"] or (dns.key_file if dns else None)

    @cache
    def provider(spec: str) -> Provider:
        return choose.parse(spec, token=dns.token if dns else None, key_file=Path(key_file) if key_file else None)

    return Doors(_source(certs), provider, lambda: Generations(certs, key_type=key_type))


def _source(certs: Path, credential: Secret | None = None) -> Callable[[str], Source]:
    """How a spec becomes a source here."""

    def source(spec: str) -> Source:
        own = spec.strip() == "mailsrv:"
        place = sources.parse(f"mailsrv:{certs}" if own else spec)
        return _with_credential(place, credential) if credential else place

    return source


def _with_credential(place: sources.Place, credential: Secret) -> Source:
    """A source that asks a management API, with what the configuration has for it."""
    from dnsops.certs.sources.stalwart_api import Credentials, StalwartApi

    return replace(place, credentials=Credentials.of(credential)) if isinstance(place, StalwartApi) else place
