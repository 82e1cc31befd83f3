"""Check, show and explain the configuration.

`check` tells every error at once, each with file, line, key and what to write, and exits 78; it also tries to read each
secret. `show` prints what is in effect. `migrate` brings an old form up to date. `schema` and `example` need no file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from dnsops.base import settings
from dnsops.base.errors import Exit, Misconfigured, Misused
from dnsops.base.output import DEFAULT_CONFIG, config_option, json_option, print_json, print_table
from dnsops.records import names

if TYPE_CHECKING:
    from dnsops.base.settings import Line, Settings


@click.group()
def config() -> None:
    """Check, show and explain the configuration."""


@config.command()
@config_option
@json_option
def check(config_file: str | None, as_json: bool) -> int:
    """Say whether the configuration is right; 78 and every error when it is not."""
    file = _named(config_file)
    errors = _errors(file)
    if as_json:
        print_json({"file": file, "ok": not errors, "errors": [_as_json(error) for error in errors]})
    elif errors:
        click.echo("\n".join(map(str, errors)), err=True)
    else:
        click.echo(f"{file}: ok")
    return Exit.CONFIG if errors else Exit.OK


@config.command()
@config_option
@json_option
def show(config_file: str | None, as_json: bool) -> None:
    """Print every setting in effect, defaults marked, secrets as <secret>."""
    lines = settings.show(_load(_named(config_file)))
    if as_json:
        print_json({"settings": {line.key: line.value for line in lines}, "defaults": _defaults(lines)})
        return
    print_table(
        "",
        ("setting", "value", ""),
        [(line.key, _text(line.value), "default" if line.default else "") for line in lines],
    )


@config.command()
@config_option
@json_option
@click.option("--write", is_flag=True, help="Do it; the file as it was is kept beside, as FILE.version-N.")
def migrate(config_file: str | None, as_json: bool, write: bool) -> int:
    """Show what brings the file to the newest version, as a diff; --write does it. 2: there is something to do.

    Comments, order and everything else stay as they are, and so do mode and owner. An old file is read as it was meant
    without this, too.
    """
    from dnsops.commands.config_migrate import looked_at, written

    file = _named(config_file)
    move = looked_at(file)
    kept = written(move) if write and move.told else ""
    if as_json:
        fields = {"file": file, "version": move.version, "newest": move.newest, "changes": list(move.told)}
        print_json({**fields, "diff": move.diff, "written": bool(kept), "kept": kept})
    elif not move.told:
        click.echo(f"{file}: version {move.version} is the newest")
    else:
        click.echo(move.diff, nl=False)
        click.echo(f"{file}: written; as it was: {kept}" if kept else "nothing is written: add --write")
    return Exit.PENDING if move.told and not kept else Exit.OK


@config.command()
@json_option
def schema(as_json: bool) -> None:
    """Print the JSON Schema of the file, for editors and programs."""
    print_json(settings.schema())  # with or without --json: a schema is JSON


@config.command()
@json_option
def example(as_json: bool) -> None:
    """Print a commented file to start with."""
    text = settings.example()
    if as_json:
        print_json({"example": text})
    else:
        click.echo(text, nl=False)


def _named(config_file: str | None) -> str:
    if config_file is None:
        raise Misused(
            "no configuration named, and none at the usual place",
            DEFAULT_CONFIG,
            f"say --config FILE, or `mailsrv config example > {DEFAULT_CONFIG}`",
        )
    return config_file


def _load(file: str) -> Settings:
    return settings.load(file, names.host)


def _errors(file: str) -> list[Misconfigured]:
    try:
        return settings.unread_secrets(_load(file))
    except settings.Flaws as flaws:
        return list(flaws.flaws)


def _as_json(error: Misconfigured) -> dict[str, str]:
    return {"error": error.what, "where": error.where, "advice": error.advice}


def _defaults(lines: Iterable[Line]) -> list[str]:
    return [line.key for line in lines if line.default]


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)
