"""What `mailsrv cert issue`'s options and the configuration ask for, opened: the host, its names, its ports, who issues.

Options alone are enough (`cert issue mx1.example.org --provider ...`), and so is the configuration; with both, the options
say what differs. Fails by: `Misused` for options, `ForUser` when there is nothing to do for a reason that is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnsops.acme.door import Authority, Kind, Solver
from dnsops.base.clock import now
from dnsops.base.errors import ForUser, Misused
from dnsops.base.log import Log
from dnsops.certs.generations import Generation, Generations
from dnsops.certs.installing.door import install
from dnsops.commands import request
from dnsops.reconcile import asked, certificate_names
from dnsops.reconcile.certificate import reconcile
from dnsops.reconcile.certificate_target import Outcome, Target, Turn
from dnsops.reconcile.certificate_turn import take_turn
from dnsops.reconcile.certificate_world import Journals, World
from dnsops.reconcile.outside import outside, run
from dnsops.reconcile.target import Target as Port
from dnsops.resolve.settings import Settings as ResolverSettings
from dnsops.resolve.settings import configured
from dnsops.rollover.certificate import Policy

if TYPE_CHECKING:
    from dnsops.base.settings.acme import Acme
    from dnsops.base.settings.model import Settings

PORTS = ("25", "465", "993")


@dataclass(frozen=True)
class Request:
    """Everything a run needs that is known before it looks. ports: where the key is served, for its turn.

    all_ports: each of them shall have TLSA records; else those count that have some.
    """

    target: Target
    ports: list[Port]
    all_ports: bool
    acme: Acme
    keys: Generations
    state: Path
    log: Log
    resolver: ResolverSettings | None = None


def from_options(options: dict[str, Any], host: str | None, names: Sequence[str], force: bool) -> Request:
    """The request of one command line."""
    settings = request.settings_at(options["config_file"])
    if host is None:
        host = _ours(settings)
    state = request.state_of(options, settings)
    acme = _acme(options, settings)
    certs = Path(options["certs"] or state / "certs")
    keys = Generations(certs, key_type=acme.key_type)
    ports, of_settings = _ports(options, host, settings)
    words = asked.command(options["install"] or "") or next((port.reload for port in ports if port.reload), ())
    target = Target(
        asked.host(host, "HOST"),
        _names(host, names, settings),
        Policy(acme.renew_before, force),
        _challenge(acme, options, settings),
        next((port.provider for port in ports if port.provider), None),
        acme.profile or "",
        acme.preferred_chain or "",
        words,
    )
    told = [replace(port, reload=words, keys=keys) for port in ports]
    log = Log(json_lines=request.log_format(settings))
    return Request(
        target, told, of_settings, acme, keys, state, log, configured(settings.resolver) if settings else None
    )


async def issue_once(asked_for: Request, dry_run: bool) -> list[Outcome]:
    """One run under a lock of its own, so that no two runs ever order at once. A dry run needs no lock."""
    with nullcontext() if dry_run else request.locked(asked_for.state, "certificate"):
        async with outside(asked_for.state, asked_for.log, asked_for.resolver) as tlsa:
            world = _world(asked_for, tlsa.eyes.resolver)
            return await reconcile([asked_for.target], world, dry_run)


def _world(asked_for: Request, resolver: Any) -> World:
    target, state = asked_for.target, asked_for.state

    @cache
    def authority() -> Authority:
        from dnsops.acme.opening import open_authority

        return open_authority(asked_for.acme, state, asked_for.log, asked_for.resolver)

    def solver(of: Target) -> Solver:
        from dnsops.acme.opening import solver_for

        given = asked_for.acme.model_copy(update={"challenge": of.challenge})
        return solver_for(given, state, asked_for.log, of.provider() if of.provider else None, asked_for.resolver)

    async def turn(of: Target) -> Turn:
        with request.locked(state, "tlsa"):
            async with outside(state, asked_for.log, asked_for.resolver) as tlsa:
                tlsa = replace(tlsa, run=lambda words: _tell(words, target, asked_for.keys))
                return await take_turn(of.host, asked_for.ports, asked_for.keys, tlsa, asked_for.all_ports)

    return World(
        resolver,
        asked_for.keys,
        Journals(state / "acme", asked_for.log),
        authority,
        solver,
        turn,
        lambda words, pair: install(words, pair, _run),
        lambda: now().wall,
        asked_for.log,
    )


async def _tell(words: Sequence[str], target: Target, keys: Generations) -> str:
    """What the story of TLSA calls a reload: the pair is current by now."""
    pair = keys.current(target.host)
    return await install(words, pair, _run) if pair else await run(words)


async def _run(words: Sequence[str], environ: Mapping[str, str]) -> str:
    return await run(words, environ=environ)


def install_now(host: str, words: Sequence[str], keys: Generations) -> Generation:
    """Of `cert install`: tell a server of the current pair."""
    import asyncio

    pair = keys.current(asked.host(host, "HOST"))
    if pair is None:
        raise ForUser("there is no current pair", str(keys.directory), f"have one issued: `mailsrv cert issue {host}`")
    problem = asyncio.run(install(words, pair, _run))
    if problem:
        raise ForUser(problem, " ".join(words))
    return pair


def _ours(settings: Settings | None) -> str:
    """The host of the configuration, when its certificate is for us to issue."""
    if settings is None:
        raise Misused(
            "no host is named", "", "write `mailsrv cert issue mx1.example.org`, or name a configuration with --config"
        )
    if settings.tls.certificate is not None:
        raise NotOurs(f"the certificate of {settings.hostname} is {settings.tls.certificate}, somebody else's to renew")
    if not settings.acme.issue:
        raise NotOurs(f"acme.issue is false: the certificate of {settings.hostname} is somebody else's to renew")
    mine = [target for target in settings.targets if target.host == settings.hostname]
    if mine and not any("mailsrv:" in target.sources for target in mine):
        raise NotOurs(f"tlsa.targets takes the certificate of {settings.hostname} from {mine[0].sources[0]}")
    return settings.hostname


class NotOurs(ForUser):
    """There is nothing to issue, and that is as wanted."""


def _acme(options: dict[str, Any], settings: Settings | None) -> Acme:
    from dnsops.base.settings.acme import Acme, overridden

    words = ("directory", "contact", "roots", "challenge", "key_type", "profile")
    return overridden(settings.acme if settings else Acme(), {word: options[word] for word in words})


def _names(host: str, names: Sequence[str], settings: Settings | None) -> tuple[str, ...]:
    """Those of the command line, besides the host; without any those of the configuration, for its own host."""
    own = settings is not None and asked.host(host, "HOST") == settings.hostname
    if settings is not None and own and not names:
        return certificate_names.wanted(settings)
    return certificate_names.ordered([asked.host(host, "HOST"), *names])


def _challenge(acme: Acme, options: dict[str, Any], settings: Settings | None) -> Kind:
    if acme.challenge != "auto":
        return acme.challenge
    return "dns-01" if request.provider_of(options, settings.dns if settings else None) else "http-01"


def _ports(options: dict[str, Any], host: str, settings: Settings | None) -> tuple[list[Port], bool]:
    """The host's ports that show our key, and whether the configuration names them."""
    known = settings is not None and any(target.host == asked.host(host, "HOST") for target in settings.targets)
    words = {
        "hosts": (host,),
        "domains": (),
        "ports": options["ports"] or (() if known else PORTS),
        "sources": () if known else ("mailsrv:",),
        "upcoming": (),
        "forms": (),
        "addresses": (),
        "reload": "",
        "ttl": None,
        "allow_insecure": False,
        "adopt": False,
    }
    return request.from_options(options | words, writing=False).targets, known
