"""The records of our domains: what they should be, what is there, and making it so."""

from __future__ import annotations

import click

from dnsops.commands.dns_apply import apply
from dnsops.commands.dns_dnssec import dnssec
from dnsops.commands.dns_plan import plan
from dnsops.commands.dns_records import records
from dnsops.commands.dns_verify import verify


@click.group()
def dns() -> None:
    """The records of our domains: what they should be, what is there, and making it so."""


for command in (records, plan, apply, verify, dnssec):
    dns.add_command(command)
