"""From a domain and a token to a mail server: configuration, keys, records, certificate."""

from __future__ import annotations

import click


@click.command()
@click.argument("domain")
def quickstart(domain: str) -> None:
    """From a domain and a token to a mail server."""
