"""The records of our domains: what they should be, what is there, and making it so."""

from __future__ import annotations

import click


@click.group()
def dns() -> None:
    """The records of our domains: what they should be, what is there, and making it so."""
