"""Organizational domains by the public suffix list, as RFC 7489 3.2 had them: for comparison with the tree walk, and for checks.

The list is the one that the library publicsuffixlist brings along, whatever its age, unless a file is given; it is read at the
first question. Fails by: `ForUser` for a file that is no list. For mail a domain that is a public suffix is its own organization.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from dnsops.base.errors import ForUser
from mailsrv.auth.treewalk import Finder

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

LARGEST = 4 << 20  # octets of a list; the whole one has 0.3 million


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


def by_list(path: Path | None = None) -> Finder:
    """The organizational domain by a list: the file's, or the library's own. A public suffix itself has none: "".

    No rule for a top-level domain means that the rule is the last label: `a.b.test` -> `b.test`. `ForUser` for what is no list.
    """
    suffixes = _list() if path is None else _read(str(path))

    def organization(domain: str) -> str:
        found: str | None = suffixes.privatesuffix(domain)
        return found or ""

    return organization


@cache
def _read(path: str) -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    from dnsops.base import files

    try:
        text = files.read_bounded(Path(path), LARGEST).decode("utf-8")
        return PublicSuffixList(text.splitlines())
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise ForUser(
            f"not a public suffix list: {why}", path, "one suffix a line, as publicsuffix.org has it"
        ) from None
