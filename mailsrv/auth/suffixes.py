"""Organizational domains by the public suffix list, as RFC 7489 3.2 had them: for comparison with the tree walk only.

The list is the one that the library publicsuffixlist brings along, whatever its age; it is read at the first question.
Fails by: nothing; a domain that is itself a public suffix is its own organizational domain.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from mailsrv.auth.treewalk import Finder

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList


def finder(setting: str) -> Finder | None:
    """What `inbound.organizational` means: "psl" this list, "tree" the tree walk."""
    return organizational if setting == "psl" else None


def organizational(domain: str) -> str:
    """`a.b.example.co.uk` -> `example.co.uk`. Names as A-labels, in lower case."""
    found: str | None = _list().privatesuffix(domain)
    return found or domain


@cache
def _list() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
