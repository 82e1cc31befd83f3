"""The options that checks share, and what they become: domains, configuration, history, forms of the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dnsops.base.errors import Misused
from dnsops.base.output import config_option, json_option

if TYPE_CHECKING:
    from checks.history import History
    from dnsops.base.settings import Settings

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)


@dataclass(frozen=True)
class Forms:
    """How a run is told. html, junit: files to write beside.  strict: our column decides, too.  whole: nothing left out."""

    as_json: bool = False
    nagios: bool = False
    html: Path | None = None
    junit: Path | None = None
    whole: bool = False
    strict: bool = False


def _with(*options: Callable[..., Any]) -> Callable[..., Any]:
    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _named(word: str) -> list[str]:
    """The variables that stand in for an option: ours, and what a lab of domains under test calls it."""
    return [f"MAILSRV_CHECK_{word}", f"LAB_{word}"]


# What all checks of a domain may be told about the world; passes the fields of `checks.probe.opening.Options`.
world_options = _with(
    click.option(
        "--resolver",
        default="",
        envvar=_named("RESOLVER"),
        metavar="ADDRESS",
        help="A validating resolver on this machine to ask.",
    ),
    click.option(
        "--ca", "trust", type=FILE, envvar=_named("CA"), help="Certificates to trust beside the system's, PEM."
    ),
    click.option("--suffixes", type=FILE, help="A public suffix list instead of the one brought along."),
    click.option(
        "--whois", default="", envvar=_named("WHOIS"), metavar="HOST:PORT", help="Who tells routes as RISwhois does."
    ),
    click.option(
        "--routinator",
        default="",
        envvar=_named("ROUTINATOR"),
        metavar="URL",
        help="Who tells whether a route is valid.",
    ),
    click.option("--selector", "selectors", multiple=True, metavar="NAME", help="A DKIM selector to look at, too."),
    click.option("--blocklist", "blocklists", multiple=True, metavar="ZONE", help="A DNS blocklist to ask."),
    click.option("--local", is_flag=True, help="Addresses that are not global count as the Internet's."),
)

# How the result is told; passes the fields of `Forms` and `config_file`.
form_options = _with(
    click.option("--html", type=NEW_FILE, metavar="FILE", help="Also write one HTML page that needs nothing else."),
    click.option("--junit", type=NEW_FILE, metavar="FILE", help="Also write JUnit XML, for CI."),
    click.option("--nagios", is_flag=True, help="One line and figures, and a monitoring plugin's exit status."),
    click.option("--strict", is_flag=True, help="Exit 1 also for what only our column calls failed."),
    click.option("--details", "whole", is_flag=True, help="Also what is good, and the evidence."),
    json_option,
    config_option,
)

# The same, and whether it is remembered: `state` and `no_history`, too.
telling_options = _with(
    form_options,
    click.option("--no-history", is_flag=True, help="Neither remember this run nor compare it with earlier ones."),
    click.option("--state", metavar="DIR", help="Where the history is.  [/var/lib/mailsrv or the user's own]"),
)


def forms(options: dict[str, Any]) -> Forms:
    """What of the options is about telling, taken out of them."""
    told = Forms(**{name: options.pop(name) for name in Forms.__dataclass_fields__})
    if told.as_json and told.nagios:
        raise Misused("--json and --nagios are both for stdout", "check", "choose one of them")
    return told


def settings_at(config_file: str | None) -> Settings | None:
    """The configuration, where there is one."""
    if config_file is None:
        return None
    from dnsops.base import settings
    from dnsops.records import names

    return settings.load(config_file, names.host)


def domains(given: Sequence[str], settings: Settings | None, kind: str) -> list[str]:
    """Those that are named, else our own; none, when the configuration is of a host without."""
    from checks.run import domain_of

    wanted = list(dict.fromkeys(map(domain_of, given))) or list(settings.domains if settings else ())
    if not wanted and settings is None:
        raise Misused("no domain to check", kind, f"write `mailsrv check {kind} example.org`")
    return wanted


def history(settings: Settings | None, state: str | None, no_history: bool) -> History | None:
    """Where runs are remembered, unless nobody wants that."""
    if no_history:
        return None
    from checks.history import FILE as NAME
    from checks.history import History
    from dnsops.base.places import state_directory

    folder = Path(state) if state else state_directory(settings.state.directory if settings else None)
    return History(folder / NAME)
