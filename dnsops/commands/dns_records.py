"""`mailsrv dns records`: every record that our host and domains should have, with its reason, in the form that somebody needs.

Asks nobody: it reads the configuration, and the keys and the account on this machine. Exit: 0, or 1 and why it cannot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dnsops.base.output import config_option, json_option, print_json, print_table

if TYPE_CHECKING:
    from dnsops.wanted.door import Wanted
    from dnsops.wanted.house import House

FORMS = ("zone", "table", "json", "octodns")


@click.command()
@config_option
@json_option
@click.option("--domain", metavar="NAME", help="Only what stands at this domain and below it.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMS),
    default="zone",
    help="A zone file, a table, JSON, octoDNS's YAML.  [zone]",
)
@click.option("--state", metavar="DIR", help="Where keys and ledgers are.  [/var/lib/mailsrv or the user's own]")
def records(form: str, as_json: bool, domain: str | None, **options: Any) -> None:
    """Every record that our host and domains should have, each with its reason. Asks nobody, changes nothing.

    \b
    What others must write (reverse names, DS, records in zones that are not ours) stands at the end, or in `expected`.
    """
    found, house = _found(options, domain)
    match "json" if as_json else form:
        case "json":
            _json(found, house)
        case "table":
            _table(found)
        case "octodns":
            _octodns(found, house)
        case _:
            _zone(found)


def _found(options: dict[str, Any], domain: str | None) -> tuple[Wanted, House]:
    from dnsops.base.errors import Misused
    from dnsops.commands import request
    from dnsops.reconcile.wanted import gather
    from dnsops.wanted.rendering import of_domain
    from dnsops.wanted.union import wanted

    settings = request.settings_at(options["config_file"])
    if settings is None:
        raise Misused("there is no configuration", "", "write one (`mailsrv config example`), or name it with --config")
    house = gather(settings, request.state_of(options, settings))
    found = wanted(house)
    if domain is None:
        return found, house
    only = of_domain(found, request.domain_name(domain), house)
    if not only.wishes and not only.expectations:
        known = ", ".join(house.places)
        raise Misused(f"no domain of ours: {domain}", "--domain", f"write one of: {known}")
    return only, house


def _zone(found: Wanted) -> None:
    from dnsops.wanted.rendering import zone_text

    click.echo(zone_text(found), nl=False)


def _table(found: Wanted) -> None:
    from dnsops.wanted.rendering import COLUMNS, notes, rows

    print_table("", COLUMNS, rows(found))
    for note in notes(found):
        click.echo(f"note: {note}")


def _json(found: Wanted, house: House) -> None:
    from dnsops.wanted.rendering import document

    print_json(document(found, house))


def _octodns(found: Wanted, house: House) -> None:
    from dnsops.wanted.octodns_form import documents
    from dnsops.wanted.rendering import notes

    for zone, text in sorted(documents(found, house.places).items()):
        click.echo(f"# {zone}.yaml\n{text}", nl=False)
    for note in notes(found):
        click.echo(f"# note: {note}")
