"""DKIM: make keys, publish their records, sign when the world knows them, and rotate them without a gap.

Every run looks first and decides then; `reconcile` is safe to run as often as anyone likes, from cron or a timer.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from dnsops.base.output import print_json, print_table
from dnsops.commands import reconciling
from dnsops.commands.reconciling import DRY_RUN, EVERY, PROVIDER, TSIG_KEY

if TYPE_CHECKING:
    from dnsops.reconcile.dkim_target import Outcome

asking = reconciling.asking(  # what is to be kept true, and how
    click.option("--domain", "domains", multiple=True, metavar="NAME", help="A domain; may be given several times."),
    click.option(
        "--selector", "selectors", multiple=True, metavar="NAME", help="A selector of another server, with --key."
    ),
    click.option(
        "--key",
        "keys",
        multiple=True,
        metavar="pem:PATH",
        help="The selector's key: published and checked, never changed.",
    ),
    PROVIDER,
    TSIG_KEY,
    click.option("--ttl", type=int, metavar="SECONDS", help="TTL of new records.  [300]"),
    click.option("--state", metavar="DIR", help="Where keys and ledgers are.  [/var/lib/mailsrv or the user's own]"),
)


@click.group(no_args_is_help=True)
def dkim() -> None:
    """DKIM keys: published before they sign, kept until the last mail that they signed has arrived.

    \b
    Without a configuration, for cron or a timer:
      CLOUDFLARE_API_TOKEN=... mailsrv dkim reconcile --provider cloudflare --domain example.org
    """


@dkim.command()
@asking
def show(**options: Any) -> None:
    """The selectors, who shows their records, and the records as lines of a zone file.

    \b
    Exit: 0 all that sign are shown everywhere · 1 not so, or there are no keys · 75 the DNS cannot be trusted now
    """
    from dnsops.base import clock
    from dnsops.commands import dkim_request, dkim_show
    from dnsops.reconcile import dkim_report

    asked = dkim_request.from_options(options)
    outcomes = asyncio.run(dkim_request.reconcile_once(asked, dry_run=True))
    if options["as_json"]:
        document = dkim_report.document(outcomes, True, clock.now().wall)
        print_json(document | {"status": int(dkim_show.status(outcomes))})
    else:
        for target, outcome in zip(asked.targets, outcomes, strict=True):
            _show(outcome, target.ttl)
    raise SystemExit(dkim_show.status(outcomes))


@dkim.command()
@asking
@DRY_RUN
def reconcile(dry_run: bool, **options: Any) -> None:
    """Make keys when they are due, publish them, sign when everybody knows them, retire the old: one safe step at a time.

    \b
    Exit: 0 in sync, or a step was taken · 1 a person should look · 2 a dry run would change something
          75 the DNS cannot be trusted now, or another run is at it: nothing was touched
    """
    _reconcile(options, dry_run)


@dkim.command()
@asking
def plan(**options: Any) -> None:
    """What `reconcile` would do now. The same as `reconcile --dry-run`."""
    _reconcile(options, dry_run=True)


@dkim.command()
@asking
@click.option("--wait", is_flag=True, help="Stay until the new keys sign.")
@click.option(
    "--leaked", is_flag=True, help="Somebody else has the old keys: their records go as soon as the new ones sign."
)
@EVERY
def rotate(wait: bool, leaked: bool, every: float, **options: Any) -> None:
    """Make new keys now, whatever the age of those that sign; they take over when everybody can know them."""
    from dnsops.commands import dkim_rotating

    dkim_rotating.rotate(options | {"leaked": leaked}, wait, every)


def _reconcile(options: dict[str, Any], dry_run: bool) -> None:
    from dnsops.commands import dkim_request
    from dnsops.reconcile import dkim_report

    asked = dkim_request.from_options(options)
    outcomes = asyncio.run(dkim_request.reconcile_once(asked, dry_run))
    reconciling.end(dkim_report, "domain", outcomes, dry_run, options["as_json"])


def _show(outcome: Outcome, ttl: int) -> None:
    from dnsops.commands import dkim_show

    if not outcome.ring.generations and not outcome.error:
        click.echo(f"{outcome.domain} has no keys yet: `mailsrv dkim reconcile --domain {outcome.domain}` makes them")
        return
    print_table(outcome.domain, ("selector", "algorithm", "what it does", "shown"), dkim_show.rows(outcome))
    click.echo("; in the zone there must be")
    for line in dkim_show.lines(outcome, ttl):
        click.echo(line)
    for name in dkim_show.superfluous(outcome):
        click.echo(f"; not needed any more: {name}. TXT")
    reconciling.say_findings(outcome)
