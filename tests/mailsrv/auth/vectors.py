"""The DNS of the SPF vectors (openspf.org's suite for RFC 7208), as answers of a resolver like ours."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from dnsops.base.errors import ForUser
from dnsops.records import names, rdata
from dnsops.records.rdata import Generic, Rdata
from dnsops.resolve.answer import Answer, Security, failed

DATA = Path(os.environ.get("MAILSRV_DATA", "") or Path(__file__).parents[4] / "shared" / "data")
FILE = DATA / "spf-rfc7208-tests.yml"


@dataclass
class Zone:
    """`zonedata` of one part of the suite. Names that our resolver would not ask for fail here as they do there."""

    data: dict[str, list[Any]]
    asked: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.data = {name.lower().rstrip("."): records for name, records in self.data.items()}

    async def ask(self, name: str, type_name: str) -> Answer:
        self.asked.append((name, type_name))
        try:
            canonical = names.asked(name)
        except ForUser as error:
            return failed(name, type_name, str(error))
        for _ in range(8):
            records = self.data.get(canonical)
            if records is None:
                return Answer(name, type_name, Security.INSECURE, "NXDOMAIN")
            alias = next((one["CNAME"] for one in records if isinstance(one, dict) and "CNAME" in one), None)
            if alias is None:
                return self._answer(name, type_name, records)
            canonical = alias.lower().rstrip(".")
        return failed(name, type_name, "too many aliases")

    def _answer(self, name: str, type_name: str, records: list[Any]) -> Answer:
        items: set[Rdata] = set()
        txt = any(isinstance(one, dict) and "TXT" in one for one in records)
        for one in records:
            if one == "TIMEOUT":
                if not items:
                    return failed(name, type_name, "no answer")
                continue
            ((kind, value),) = one.items()
            # the suite's own rule: an SPF record stands as TXT too, unless a TXT record says otherwise
            kind = "TXT" if kind == "SPF" and not txt else kind
            if kind == type_name and value != "NONE":
                items.add(_rdata(kind, value))
        return Answer(name, type_name, Security.INSECURE, items=frozenset(items), ttl=300)


def _rdata(kind: str, value: Any) -> Rdata:
    if kind == "TXT":
        pieces = value if isinstance(value, list) else [value]
        return rdata.txt("".join(pieces).encode("latin-1"))
    if kind == "MX":
        preference, host = value
        return Generic("MX", f"{preference} {host.lower().rstrip('.')}.")
    return Generic("PTR", f"{value}.") if kind == "PTR" else rdata.parse(kind, value)


def cases() -> list[tuple[str, dict[str, Any], dict[str, list[Any]]]]:
    """(name, case, zone) of the whole suite; none without the file."""
    if not FILE.exists():
        return []
    parts = yaml.safe_load_all(FILE.read_text(encoding="utf-8"))
    return [(name, case, part["zonedata"]) for part in parts for name, case in part["tests"].items()]


def records() -> list[str]:
    """Every SPF record of the suite."""
    found = []
    for _, _, zone in cases():
        for entries in zone.values():
            for one in entries:
                if isinstance(one, dict):
                    for kind, value in one.items():
                        text = "".join(value) if isinstance(value, list) and kind in ("TXT", "SPF") else value
                        if kind in ("TXT", "SPF") and str(text).lower().startswith("v=spf1"):
                            found.append(str(text))
    return sorted(set(found))
