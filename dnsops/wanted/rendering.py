"""All that is wanted, as text for people and programs: a zone file with its reasons, rows of a table, a JSON document. Pure.

JSON:  {"schema": 1, "hostname", "domains", "records": [{"name", "type", "ttl", "content", "why", "standard", "keeper"}],
        "expected": [{"name", "type", "content", "why", "advice", "standard"}], "findings": [{"what", "advice", "trouble"}]}

`content` is presentation text (RFC 1035 5.1), names absolute with their dots; `name` has none. `keeper` is the name of a `Keeper`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from dnsops.base.printable import printable
from dnsops.records import names
from dnsops.wanted.door import Expectation, Finding, Keeper, Wanted, Wish
from dnsops.wanted.house import House

SCHEMA_VERSION = 1
COLUMNS = ("type", "name", "content", "why")


def of_domain(found: Wanted, domain: str, house: House) -> Wanted:
    """Only what stands at a domain and below it; the reverse names too, where the host is there."""
    at_home = names.under(house.hostname, domain)
    wishes = tuple(wish for wish in found.wishes if names.under(wish.record.name, domain))
    expectations = tuple(
        one for one in found.expectations if names.under(one.name, domain) or (one.type == "PTR" and at_home)
    )
    return replace(found, wishes=wishes, expectations=expectations)


def zone_text(found: Wanted) -> str:
    """Lines for a zone file, each record under its reason; what others must write, and what is odd, as comments."""
    lines: list[str] = []
    for wish in found.wishes:
        lines += [f"; {_plain(_reason(wish.why, wish.standard))}", str(wish.record)]
    for one in found.expectations:
        lines += [
            f"; expected, not ours to write: {_plain(f'{one.name}. {one.type} {one.text}')}",
            f";   {_advice(one)}",
        ]
    lines += [f"; note: {_plain(str(finding))}" for finding in found.findings]
    return "".join(f"{line}\n" for line in lines)


def rows(found: Wanted) -> list[tuple[str, str, str, str]]:
    """COLUMNS, for a table; expectations after the wishes."""
    wished = [(w.record.type, w.record.name, _short(w), _kept(w)) for w in found.wishes]
    expected = [(one.type, one.name, one.text, f"not ours to write: {one.why}") for one in found.expectations]
    return [*wished, *expected]


def document(found: Wanted, house: House) -> dict[str, Any]:
    """See the module."""
    return {
        "schema": SCHEMA_VERSION,
        "hostname": house.hostname,
        "domains": list(house.domains),
        "records": [_wish(wish) for wish in found.wishes],
        "expected": [_expectation(one) for one in found.expectations],
        "findings": [_finding(finding) for finding in found.findings],
    }


def notes(found: Wanted) -> Iterator[str]:
    """The findings, a line each."""
    for finding in found.findings:
        yield _plain(str(finding))


def _wish(wish: Wish) -> dict[str, Any]:
    record = wish.record
    return {
        "name": record.name,
        "type": record.type,
        "ttl": record.ttl,
        "content": str(record.data),
        "why": wish.why,
        "standard": wish.standard,
        "keeper": wish.keeper.name.lower(),
    }


def _expectation(one: Expectation) -> dict[str, Any]:
    return {
        "name": one.name,
        "type": one.type,
        "content": one.text,
        "why": one.why,
        "advice": one.advice,
        "standard": one.standard,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {"what": finding.what, "advice": finding.advice, "trouble": finding.trouble}


def _kept(wish: Wish) -> str:
    own = "" if wish.keeper is Keeper.ZONE else f" ({wish.keeper.value})"
    return _reason(wish.why, wish.standard) + own


def _short(wish: Wish) -> str:
    """Its text without the borders of its strings, which only a zone file needs."""
    content = str(wish.record.data)
    return content.replace('" "', "").strip('"') if wish.record.type == "TXT" else content


def _reason(why: str, standard: str) -> str:
    return f"{why} ({standard})" if standard else why


def _advice(one: Expectation) -> str:
    return _plain(f"{_reason(one.why, one.standard)}: {one.advice}")


def _plain(text: str) -> str:
    """A comment is one line."""
    return printable(text)
