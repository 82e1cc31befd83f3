"""What a check means, the standard behind it, and how to mend it.

`--json`: {"id", "title", "category", "level", "points", "meaning", "standard", "mend"}, or an array of them without ID.
Exit status: 0, 64 for an ID that is none.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from textwrap import fill
from typing import TYPE_CHECKING

import click

from dnsops.base.errors import Misused
from dnsops.base.output import json_option, print_json, print_table

if TYPE_CHECKING:
    from checks.catalogue import Subtest

WIDEST = 100


@click.command(name="explain")
@click.argument("name", required=False, metavar="[ID]")
@json_option
def explain(name: str | None, as_json: bool) -> None:
    """What the check ID means, its standard, and how to mend it. Without ID: which there are."""
    known: dict[str, Subtest] = {}
    for subtest in _all():
        known.setdefault(subtest.id, subtest)
    if name is None:
        _list(list(known.values()), as_json)
        return
    if name not in known:
        from difflib import get_close_matches

        close = get_close_matches(name, list(known), n=1)
        advice = f"did you mean {close[0]}?" if close else "`mailsrv check explain` lists them"
        raise Misused(f"no such check: {name[:80]!r}", "explain", advice)
    if as_json:
        print_json(document(known[name]))
    else:
        click.echo(_text(known[name]))


def _all() -> Iterator[Subtest]:
    """Every check there is: first internet.nl's in their order, then whatever else the rooms of the catalogue hold."""
    from checks import catalogue

    yield from catalogue.EVERYTHING
    for room in iter_modules(catalogue.__path__):
        held = vars(import_module(f"{catalogue.__name__}.{room.name}")).values()
        rows = (value for value in held if isinstance(value, tuple))
        yield from (one for row in rows for one in row if isinstance(one, catalogue.Subtest))


def document(subtest: Subtest) -> dict[str, object]:
    """What --json prints."""
    return {
        "id": subtest.id,
        "title": subtest.title,
        "category": subtest.category,
        "level": subtest.level.value,
        "points": subtest.max_points,
        "meaning": subtest.meaning,
        "standard": subtest.standard,
        "mend": subtest.mend,
    }


def _list(known: list[Subtest], as_json: bool) -> None:
    if as_json:
        print_json([document(subtest) for subtest in known])
        return
    rows = [(one.id, one.category, one.level.value, "" if one.max_points is None else str(one.max_points), one.title) for one in known]  # fmt: skip
    print_table("", ("ID", "Category", "Level", "Points", "What"), rows)


def _text(subtest: Subtest) -> str:
    from checks.report import words

    width = min(shutil.get_terminal_size((WIDEST, 24)).columns, WIDEST)
    points = "no points of its own" if subtest.max_points is None else f"up to {subtest.max_points} points"
    level = f"{subtest.level.value}, {points}"
    parts = [
        f"{subtest.title} ({subtest.id})\n{words.category(subtest.category)}: {level}",
        fill(subtest.meaning, width),
        fill(f"Standard: {subtest.standard}", width),
        fill(f"To mend it: {subtest.mend}", width, break_long_words=False, break_on_hyphens=False),
    ]
    return "\n\n".join(parts)
