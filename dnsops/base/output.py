"""What every command shares: where output goes, and how a person and a program each get theirs.

`--json` prints one JSON document; without it tables and sentences, coloured only on a terminal. rich is imported when
there is a table to draw, never for `--help`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import IO, Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

DEFAULT_CONFIG = "/etc/mailsrv/mailsrv.yml"


def json_option(command: Command) -> Command:
    """`--json`: one JSON document on stdout."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON document instead of tables.")(command)


def config_option(command: Command) -> Command:
    """`--config FILE`: passes `config_file`, None when neither given nor there."""

    def present(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
        if value is None and os.path.exists(DEFAULT_CONFIG):  # noqa: PTH110
            return DEFAULT_CONFIG
        return value

    return click.option(
        "--config",
        "config_file",
        envvar="MAILSRV_CONFIG",
        metavar="FILE",
        callback=present,
        help=f"The configuration.  [env MAILSRV_CONFIG; {DEFAULT_CONFIG}]",
    )(command)


def print_json(document: object) -> None:
    """One document, keys in their order, a line end at its end."""
    click.echo(json.dumps(document, indent=2, default=str))


def print_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], stream: IO[str] | None = None
) -> None:
    """A table for people; plain aligned text when stdout is no terminal. Cells are text: markup in them is not obeyed."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    out = stream or sys.stdout
    table = Table(title=title or None, box=SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console(file=out, width=None if out.isatty() else 200, highlight=False, soft_wrap=False).print(table)
