"""The records of our domains: what they should be, what is there, and making it so."""

from __future__ import annotations

import click

from dnsops.commands.dns_dnssec import dnssec
from dnsops.commands.dns_records import records


@click.group()
def dns() -> None:
    """The records of our domains: what they should be, what is there, and making it so."""


dns.add_command(records)
dns.add_command(dnssec)
