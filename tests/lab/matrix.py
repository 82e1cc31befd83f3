"""What was tried between two mail servers and what came of it, for the table at the end of a test run."""

from __future__ import annotations

from collections.abc import Iterator

Row = tuple[str, str, str, str, str, str]
HEAD: Row = ("from", "to", "the DNS and the web say", "came to", "policy", "trust")
ROWS: list[Row] = []


def lines() -> Iterator[str]:
    """The table, column by column aligned; nothing when nothing was tried."""
    widths = [max(map(len, column)) for column in zip(HEAD, *ROWS, strict=True)]
    for row in (HEAD, *ROWS) if ROWS else ():
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
