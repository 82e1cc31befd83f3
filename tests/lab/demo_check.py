"""The demo's last promise: the domain that it just built has 100 %, as `mailsrv check mail` sees it from outside.

What the domain is owed by others stands in the lab: a second name server with an IPv6 address, reverse names, routing data.
Fails by: what `mailsrv` is run by says of an exit status that is not 0.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.lab.dnstree import DnsTree
from tests.lab.network import LOCAL_RESOLVER, MX, MX6, SECONDARY6
from tests.lab.routes import Routes

OPTIONS = ("--strict", "--local", "--no-history", "--resolver", LOCAL_RESOLVER)


def named(tree: DnsTree, host: str) -> DnsTree:
    """Before the tree starts: the reverse names of the mail host, which are its provider's to give."""
    tree.reverse = {MX: host, MX6: host}
    return tree


def completed(tree: DnsTree, domain: str) -> None:
    """The second name server is to be had over IPv6, too."""
    tree.replace(f"ns2.{domain}", "AAAA", SECONDARY6)


def hundred(mailsrv: Callable[..., str], domain: str, roots: Path) -> list[str]:
    """The scoreboard of the report: total and categories. roots: of the authority, PEM; the policy's web host has them, too."""
    with Routes() as routes:
        words = ("check", "mail", domain, *OPTIONS, "--ca", str(roots), *routes.options)
        told = mailsrv(*words)
    head, table, *_ = told.split("\n\n")
    return [*head.splitlines(), *table.splitlines()]
