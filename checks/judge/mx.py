"""What a domain's MX records mean: which hosts to look at, or why none. Pure.

    no_mx                    no usable MX; addresses do not stand in for it here
    null_mx                  `0 .` alone (RFC 7505), and the domain has an address
    null_mx_without_a_aaaa   the same, and it has none
    null_mx_with_other_mx    `0 .` beside others: contradictory, and the others are not looked at
    has_mx                   the hosts, by name, the first MOST_HOSTS

internet.nl also means to tell `no_null_mx` (no MX, but an address and SPF `-all`) and never does; `hint` has it for the strict
column. Standards: RFC 5321 5.1, RFC 7505. Fails by: nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from checks.facts.domain import Facts
from checks.facts.looked import Lookup

MOST_HOSTS = 10


class MxState(Enum):
    """The site's words."""

    HAS_MX = "has_mx"
    NO_MX = "no_mx"
    NULL_MX = "null_mx"
    NULL_MX_WITH_OTHER = "null_mx_with_other_mx"
    NULL_MX_WITHOUT_ADDRESS = "null_mx_without_a_aaaa"


@dataclass(frozen=True, slots=True)
class Mx:
    """hosts: to be looked at, by name; empty unless state is HAS_MX.  left_out: how many more there are."""

    state: MxState
    hosts: tuple[str, ...] = ()
    left_out: int = 0


def mx_of(mx: Lookup, a: Lookup, aaaa: Lookup) -> Mx:
    """mx, a, aaaa: plain look-ups of the domain."""
    records = [_split(record) for record in mx.records]
    hosts = []
    for preference, host in records:
        if host == "." and preference == 0:
            return Mx(_null(len(records), bool(a.records or aaaa.records)))
        if host != "localhost":
            hosts.append(host)
    if not hosts:
        return Mx(MxState.NO_MX)
    ordered = sorted(set(hosts))
    return Mx(MxState.HAS_MX, tuple(ordered[:MOST_HOSTS]), len(ordered[MOST_HOSTS:]))


def of(facts: Facts) -> Mx:
    """The same of what is in the book."""
    return mx_of(*(facts.looked(facts.domain, type_name) for type_name in ("MX", "A", "AAAA")))


def hint(facts: Facts, spf: str) -> str:
    """What the site means to say and does not: a domain that sends nothing and has an address lacks a null MX."""
    addressed = any(facts.looked(facts.domain, type_name).records for type_name in ("A", "AAAA"))
    if of(facts).state is MxState.NO_MX and addressed and spf.lower().split() == ["v=spf1", "-all"]:
        return "it sends nothing (SPF -all) and has an address: senders try that address; say `MX 0 .` (RFC 7505)"
    return ""


def _null(records: int, addressed: bool) -> MxState:
    if records > 1:
        return MxState.NULL_MX_WITH_OTHER
    return MxState.NULL_MX if addressed else MxState.NULL_MX_WITHOUT_ADDRESS


def _split(record: str) -> tuple[int, str]:
    """`10 mx.example.org.` -> 10, mx.example.org"""
    preference, _, host = record.partition(" ")
    name = host.strip().lower()
    return int(preference) if preference.isdigit() else -1, name if name == "." else name.removesuffix(".")
