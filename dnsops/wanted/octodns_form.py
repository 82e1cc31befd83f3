"""All that is wanted as octoDNS's zone files (YAML), one for each zone, for people who keep their zones there. Pure.

    documents(found, ("example.org",)) -> {"example.org": "---\\n\\"\\":\\n- ..."}      to be saved as example.org.yaml

The form is octoDNS's YamlProvider's: names relative to the zone, keys in natural order, `\\;` for a semicolon in TXT (its
escaped_semicolons, which is the default before version 2). Scalars are written as JSON, which YAML reads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping

from dnsops.records import names
from dnsops.records.rdata import Rdata
from dnsops.records.tlsa import Tlsa
from dnsops.records.txt.caa import Caa
from dnsops.records.txt.texts import text_of
from dnsops.wanted.door import Wanted, Wish

Value = str | Mapping[str, str | int]


def documents(found: Wanted, zones: Iterable[str]) -> dict[str, str]:
    """The text for each zone in which something is wished. zones: those that the wishes lie in."""
    parted: dict[str, list[Wish]] = {}
    known = list(zones)
    for wish in found.wishes:
        zone = names.longest_suffix(wish.record.name, known)
        if zone is not None:
            parted.setdefault(zone, []).append(wish)
    return {zone: _document(zone, wishes) for zone, wishes in parted.items()}


def _document(zone: str, wishes: list[Wish]) -> str:
    sets: dict[str, dict[str, list[Wish]]] = {}
    for wish in wishes:
        relative = wish.record.name.removesuffix(zone).removesuffix(".")
        sets.setdefault(relative, {}).setdefault(wish.record.type, []).append(wish)
    lines = ["---"]
    for name in sorted(sets, key=_natural):
        lines.append(f"{json.dumps(name)}:")
        for kind in sorted(sets[name]):
            lines += _rrset(kind, sets[name][kind])
    return "".join(f"{line}\n" for line in lines)


def _rrset(kind: str, wishes: list[Wish]) -> list[str]:
    """`- ttl, type, value(s)`, each reason as a comment."""
    lines = [f"# {wish.why}" for wish in wishes]
    values = [_VALUES[kind](wish.record.data) for wish in wishes]
    lines += [f"- ttl: {wishes[0].record.ttl}", f"  type: {kind}"]
    if kind == "CNAME":
        return [*lines, f"  value: {json.dumps(values[0])}"]
    return [*lines, "  values:", *(line for value in values for line in _value(value))]


def _value(value: Value) -> list[str]:
    if isinstance(value, str):
        return [f"  - {json.dumps(value)}"]
    first, *rest = (f"{key}: {json.dumps(value[key])}" for key in sorted(value))
    return [f"  - {first}", *(f"    {line}" for line in rest)]


def _natural(name: str) -> list[str | int]:
    """Digits count as numbers: `_25._tcp` stands before `_465._tcp`."""
    return [int(part) if part.isdigit() else part for part in re.split(r"([0-9]+)", name)]


def _plain(data: Rdata) -> Value:
    return str(data)


def _txt(data: Rdata) -> Value:
    return text_of(data).replace(";", "\\;")


def _mx(data: Rdata) -> Value:
    preference, exchange = str(data).split()
    return {"exchange": exchange, "preference": int(preference)}


def _srv(data: Rdata) -> Value:
    priority, weight, port, target = str(data).split()
    return {"port": int(port), "priority": int(priority), "target": target, "weight": int(weight)}


def _caa(data: Rdata) -> Value:
    caa = Caa.parse(str(data))
    return {"flags": caa.flags, "tag": caa.tag, "value": caa.value}


def _tlsa(data: Rdata) -> Value:
    record = data if isinstance(data, Tlsa) else Tlsa.parse(str(data))
    return {
        "certificate_association_data": record.data.hex(),
        "certificate_usage": record.usage,
        "matching_type": record.matching,
        "selector": record.selector,
    }


_VALUES: dict[str, Callable[[Rdata], Value]] = {
    "A": _plain,
    "AAAA": _plain,
    "CAA": _caa,
    "CNAME": _plain,
    "MX": _mx,
    "SRV": _srv,
    "TLSA": _tlsa,
    "TXT": _txt,
}
