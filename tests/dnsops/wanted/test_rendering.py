"""The same records as a zone file, a table, JSON and octoDNS's YAML; octoDNS itself says that it would change nothing."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import jsonschema
import pytest

from dnsops.records import names, zonefile
from dnsops.records.rdata import Record
from dnsops.wanted.house import House
from dnsops.wanted.octodns_form import documents
from dnsops.wanted.rendering import COLUMNS, document, of_domain, rows, zone_text
from dnsops.wanted.union import wanted
from tests.dnsops.wanted.houses import RSA, house, random_house

RECORD = {
    "type": "object",
    "required": ["name", "type", "ttl", "content", "why", "standard", "keeper"],
    "properties": {
        "name": {"type": "string"}, "type": {"type": "string"}, "ttl": {"type": "integer"}, "content": {"type": "string"},
        "why": {"type": "string", "minLength": 1}, "standard": {"type": "string"}, "keeper": {"enum": ["zone", "tlsa", "dkim", "acme"]},
    },
    "additionalProperties": False,
}  # fmt: skip
EXPECTED = {
    "type": "object",
    "required": ["name", "type", "content", "why", "advice", "standard"],
    "additionalProperties": {"type": "string"},
}
FINDING = {
    "type": "object",
    "required": ["what", "advice", "trouble"],
    "properties": {"what": {"type": "string"}, "advice": {"type": "string"}, "trouble": {"type": "boolean"}},
    "additionalProperties": False,
}
SCHEMA = {
    "type": "object",
    "required": ["schema", "hostname", "domains", "records", "expected", "findings"],
    "properties": {
        "schema": {"const": 1},
        "hostname": {"type": "string"},
        "domains": {"type": "array", "items": {"type": "string"}},
        "records": {"type": "array", "items": RECORD},
        "expected": {"type": "array", "items": EXPECTED},
        "findings": {"type": "array", "items": FINDING},
    },
    "additionalProperties": False,
}


def keys(records: list[Record]) -> set[tuple[str, str, int, str]]:
    return {(one.name, one.type, one.ttl, str(one.data)) for one in records}


@pytest.mark.parametrize("seed", range(40))
def test_our_own_reader_reads_the_zone_file_back(seed: int) -> None:
    found = wanted(random_house(seed))
    read = zonefile.read("$ORIGIN .\n" + zone_text(found)) if found.wishes else None
    assert keys([entry.record for entry in read.entries] if read else []) == keys([w.record for w in found.wishes])


def test_each_record_of_the_zone_file_stands_under_its_reason() -> None:
    lines = zone_text(wanted(house())).splitlines()
    for above, line in pairwise(lines):
        assert line.startswith(";") or above.startswith("; ")
    place = lines.index("example.org. 300 IN MX 10 mx1.example.org.")
    assert lines[place - 1] == "; its mail comes to our host (RFC 5321 5.1)"
    assert "; expected, not ours to write: 25.2.0.192.in-addr.arpa. PTR mx1.example.org." in lines


def test_long_texts_are_cut_into_strings_that_fit() -> None:
    """RFC 1035 3.3: 255 octets each."""
    line = next(line for line in zone_text(wanted(house())).splitlines() if line.startswith(RSA.name))
    assert line.count('"') == 4
    assert len(line.partition('"')[2].partition('"')[0]) == 255


def test_the_table_shows_texts_whole() -> None:
    found = rows(wanted(house()))
    assert all(len(row) == len(COLUMNS) for row in found)
    assert ("TXT", f"{RSA.name}._domainkey.example.org", RSA.text) in {row[:3] for row in found}
    assert any(row[0] == "DS" and row[3].startswith("not ours to write") for row in found)


@pytest.mark.parametrize("seed", range(20))
def test_the_document_is_as_it_is_described(seed: int) -> None:
    chosen = random_house(seed)
    jsonschema.validate(json.loads(json.dumps(document(wanted(chosen), chosen))), SCHEMA)


def test_one_domain_alone() -> None:
    both = house(domains=("example.org", "example.net"))
    found = of_domain(wanted(both), "example.net", both)
    assert {w.record.name.endswith("example.net") for w in found.wishes} == {True}
    assert {one.type for one in found.expectations} == {"DS"}
    assert {one.type for one in of_domain(wanted(both), "example.org", both).expectations} == {"DS", "PTR"}


HOUSES = [
    house({"parked": ["www.example.org"], "bimi": {"location": "https://example.org/l.svg"}, "web_services": ["jmap"]})
]
HOUSES += [random_house(seed) for seed in range(12)]


@pytest.mark.parametrize("chosen", HOUSES, ids=range(len(HOUSES)))
def test_octodns_reads_its_form_and_would_change_nothing(chosen: House, tmp_path: Path) -> None:
    """Its YamlProvider with every check on, against the same records in its own objects."""
    from octodns.provider.yaml import YamlProvider
    from octodns.record import Record as Theirs
    from octodns.zone import Zone

    found = wanted(chosen)
    for apex, text in documents(found, chosen.places).items():
        (tmp_path / f"{apex}.yaml").write_text(text, encoding="utf-8")
        provider = YamlProvider("ours", str(tmp_path), enforce_order=True, escaped_semicolons=True)
        zone = Zone(f"{apex}.", [])
        provider.populate(zone, lenient=False)
        wished = [w.record for w in found.wishes if names.longest_suffix(w.record.name, list(chosen.places)) == apex]
        desired = Zone(f"{apex}.", [])
        for name, kind in sorted({(one.name, one.type) for one in wished}):
            values = [_theirs(one) for one in wished if (one.name, one.type) == (name, kind)]
            data = {
                "type": kind,
                "ttl": chosen.ttl,
                **({"value": values[0]} if kind == "CNAME" else {"values": values}),
            }
            desired.add_record(Theirs.new(desired, name.removesuffix(apex).removesuffix("."), data, source=provider))
        assert zone.changes(desired, provider) == []
        assert len(zone.records) == len({(one.name, one.type) for one in wished})


def _theirs(record: Record) -> object:
    """One value, made from presentation text by octoDNS's own reader of it."""
    from octodns.record import Record as Theirs

    text = str(record.data)
    if record.type == "TXT":
        return text.replace('" "', "").strip('"').replace(";", "\\;")
    if record.type in ("A", "AAAA", "CNAME"):
        return text
    kind = Theirs.registered_types()[record.type]
    return kind._value_type.from_rdata_text(text)
