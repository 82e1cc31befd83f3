"""Text from elsewhere made fit for a line of ours. Pure."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with control and format characters, and every separator but the blank, written as escapes."""
    if text.isprintable():  # nearly all is
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
