"""The whole house's configuration, declared once in `model`: loaded, shown, and explained from that declaration.

`load(path) -> Settings` tells all errors at once, each as FILE:LINE: KEY: WHAT - ADVICE. Secrets are references that are
read when revealed, so a command needs only those that it uses. pydantic is imported by the functions, not by this page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dnsops.base.settings.load import Flaws, load, references, unread_secrets
from dnsops.base.settings.show import Line, example, schema, show
from dnsops.base.settings.tree import Reference

if TYPE_CHECKING:
    from dnsops.base.settings.model import Settings

__all__ = [
    "Flaws",
    "Line",
    "Reference",
    "Settings",
    "example",
    "load",
    "references",
    "schema",
    "show",
    "unread_secrets",
]


def __getattr__(name: str) -> object:
    """`Settings` at run time, for who constructs one; costs the import of pydantic."""
    if name == "Settings":
        from dnsops.base.settings.model import Settings

        return Settings
    raise AttributeError(name)
