"""How a wish is made: one record with its sentence, at the house's TTL. Pure. Fails by: `ForUser` for a name or rdata that is none."""

from __future__ import annotations

from dnsops.records import names, rdata
from dnsops.records.rdata import Rdata, Record
from dnsops.records.txt import tlsrpt
from dnsops.wanted.door import Family, Keeper, Wish
from dnsops.wanted.house import House


def wish(
    house: House,
    name: str,
    data: Rdata,
    why: str,
    standard: str = "",
    keeper: Keeper = Keeper.ZONE,
    family: Family = Family.NONE,
    alone: bool = False,
) -> Wish:
    """A record of any type."""
    record = Record(names.canonical(name), data.type, house.ttl, data)
    return Wish(record, why, standard, keeper, family, alone)


def text(
    house: House, name: str, content: str, why: str, standard: str, family: Family, keeper: Keeper = Keeper.ZONE
) -> Wish:
    """A TXT record of any length."""
    return wish(house, name, rdata.txt(content), why, standard, keeper, family)


def alias(house: House, name: str, why: str, standard: str = "") -> Wish:
    """A CNAME to the host. The union makes addresses of it where other data stands at the name."""
    return wish(house, name, rdata.parse("CNAME", house.target), why, standard, alone=True)


def mailto(address: str) -> str:
    """The URI of an address, its domain in A-labels (RFC 6068 2)."""
    local, _, domain = address.rpartition("@")
    return tlsrpt.mailto(f"{local}@{names.canonical(domain)}")
