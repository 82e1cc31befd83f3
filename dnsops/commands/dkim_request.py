"""What `mailsrv dkim`'s options and the configuration ask for, opened: targets, state, resolver, log.

Options alone are enough (`--domain`, `--provider`), and so is the configuration; with both, the options name the domains and
the configuration what they leave out. `--selector` with `--key` is for the key of another server.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnsops.base import files
from dnsops.base.errors import ForUser, Misused
from dnsops.base.log import Log
from dnsops.commands import request
from dnsops.dkim.public import record_of_pem
from dnsops.dkim.ring import Selector
from dnsops.reconcile import asked
from dnsops.reconcile.dkim import reconcile
from dnsops.reconcile.dkim_target import Outcome, Target
from dnsops.reconcile.dkim_world import outside
from dnsops.records import names
from dnsops.records.txt.dkim import DkimKey, owner
from dnsops.resolve.settings import Settings as ResolverSettings
from dnsops.resolve.settings import configured
from dnsops.rollover.dkim_look import Policy

if TYPE_CHECKING:
    from dnsops.base.settings.model import Settings

LARGEST_KEY = 65536


@dataclass(frozen=True)
class Request:
    """Everything a run needs that is known before it looks."""

    targets: list[Target]
    state: Path
    log: Log
    resolver: ResolverSettings | None = None


def from_options(options: dict[str, Any], rotate: bool = False) -> Request:
    """The request of one command line. rotate: with new keys, whatever the age of the old."""
    settings = request.settings_at(options["config_file"])
    state = request.state_of(options, settings)
    log = Log(json_lines=request.log_format(settings))
    targets = _targets(options, settings, rotate)
    return Request(targets, state, log, configured(settings.resolver) if settings else None)


async def reconcile_once(asked_for: Request, dry_run: bool) -> list[Outcome]:
    """One run under the state's lock, so that no two runs ever work on the same keys. A dry run needs no lock."""
    with nullcontext() if dry_run else request.locked(asked_for.state, "dkim"):
        async with outside(asked_for.state, asked_for.log, asked_for.resolver) as world:
            return await reconcile(asked_for.targets, world, dry_run)


def _targets(options: dict[str, Any], settings: Settings | None, rotate: bool) -> list[Target]:
    domains = [request.domain_name(text) for text in options["domains"]]
    if not domains and settings is None:
        advice = "add --domain example.org, or write a configuration and name it with --config"
        raise Misused("no domain is named", "", advice)
    given = _given(options, domains, rotate)
    dns = settings.dns if settings else None
    spec = request.provider_of(options, dns)
    doors = request.doors_of(dns, options, Path())
    base = Target(
        "",
        policy=replace(_policy(settings), rotate=rotate, leaked=rotate and options["leaked"]),
        ttl=asked.ttl(request.ttl_of(options, dns)),
        provider=(lambda: doors.provider(spec)) if spec else None,
        given=given,
    )
    named = domains or list(settings.signing_domains if settings else ())
    return [replace(base, domain=name) for name in dict.fromkeys(named)]


def _policy(settings: Settings | None) -> Policy:
    if settings is None:
        return Policy()
    wish = settings.dkim
    return Policy(
        algorithms=wish.algorithms,
        every=wish.rotate_every,
        hold=wish.hold,
        revoked=wish.revoked,
        publish_retired=wish.publish_retired_keys,
    )


def _given(options: dict[str, Any], domains: list[str], rotate: bool) -> tuple[Selector, ...]:
    """Selectors of another server, each with its key."""
    selectors, keys = options["selectors"], options["keys"]
    if not selectors and not keys:
        return ()
    if len(selectors) != len(keys) or len(domains) != 1:
        raise Misused("a selector needs its key, and both a domain", "--selector", "add --domain NAME --key pem:PATH")
    if rotate:
        raise Misused("only keys of our own are rotated", "--selector", "rotate it where it is made")
    return tuple(_selector(name, spec, domains[0]) for name, spec in zip(selectors, keys, strict=True))


def _selector(name: str, spec: str, domain: str) -> Selector:
    path = Path(spec.removeprefix("pem:"))
    try:
        pem = files.read_bounded(path, LARGEST_KEY)
        at = names.canonical(owner(name, domain), "--selector").removesuffix(f"._domainkey.{domain}")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "too large"
        raise ForUser(f"cannot be read ({reason})", str(path), "name the file of the selector's key") from None
    text = record_of_pem(pem, str(path))
    return Selector(at, DkimKey.parse(text).kind, text)
