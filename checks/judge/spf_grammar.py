"""SPF as internet.nl reads it, oddities included: an ordered-choice grammar that never goes back. Pure.

It follows RFC 7208 12 with these differences (reference internet.nl 5.3):
    tabs count as blanks; a term is the first alternative that fits, and what is left over spoils the record (`accept=x` reads as `a`)
    a domain-spec takes everything up to the blank, prefix lengths too; it ends in a label that begins like a top label, or in a macro
    the value of an unknown modifier is held to the same
Our own grammar is dnsops.records.txt.spf. Limits: LONGEST characters.
Fails by: None for what does not parse.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

LONGEST = 65535

_VERSION = re.compile(r"v=spf1", re.IGNORECASE)
_QUALIFIER = r"[-+?~]?"
_MACRO = r"%\{[slodiphcrtv](?:[0-9]+)?r?[-.+,/_=]*\}|%%|%_|%-"
_STRING = re.compile(rf"(?:{_MACRO}|[!-$&-~])*+", re.IGNORECASE)
_EXPAND = re.compile(_MACRO, re.IGNORECASE)
_TOP_LABEL = re.compile(r"[0-9]*+[A-Za-z]|[A-Za-z0-9]++-")
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9][0-9]|[0-9])"
_IP4 = re.compile(rf"{_QUALIFIER}ip4:(?:{_OCTET}\.){{3}}{_OCTET}(?:/(?:3[0-2]|[12][0-9]|[0-9]))?", re.IGNORECASE)
_IP6 = re.compile(rf"{_QUALIFIER}ip6:([^ ]*)", re.IGNORECASE)
_LENGTHS = re.compile(r"(?:/(?:3[0-2]|[12][0-9]|[0-9]))?+(?://(?:12[0-8]|1[01][0-9]|[1-9][0-9]|[0-9]))?+")
_ALL = re.compile(rf"{_QUALIFIER}all", re.IGNORECASE)
_INCLUDE = re.compile(rf"{_QUALIFIER}include:", re.IGNORECASE)
_EXISTS = re.compile(rf"{_QUALIFIER}exists:", re.IGNORECASE)
_A = re.compile(rf"{_QUALIFIER}a", re.IGNORECASE)
_MX = re.compile(rf"{_QUALIFIER}mx", re.IGNORECASE)
_PTR = re.compile(rf"{_QUALIFIER}ptr", re.IGNORECASE)
_MODIFIER = re.compile(r"(?:redirect|exp|[A-Za-z][A-Za-z0-9_.-]*)=", re.IGNORECASE)

Reader = Callable[[str, int], int | None]  # (text, place) -> where the term ends, None when it is another


def terms(record: str) -> list[str] | None:
    """The terms in lower case; None when it does not parse.

    record: at most LONGEST characters, in the escaped form of TXT records.
    """
    text = record.expandtabs()[:LONGEST]
    version = _VERSION.match(text)
    if version is None or len(record) > LONGEST:
        return None
    found, place = [], version.end()
    while (start := _after_blanks(text, place)) > place and (end := _term(text, start)) is not None:
        found.append(text[start:end].lower())
        place = end
    return found if _after_blanks(text, place) == len(text) else None


def _after_blanks(text: str, place: int) -> int:
    while place < len(text) and text[place] == " ":
        place += 1
    return place


def _term(text: str, place: int) -> int | None:
    """Where the first alternative that fits ends."""
    return next((end for reader in _READERS if (end := reader(text, place)) is not None), None)


def _simple(pattern: re.Pattern[str]) -> Reader:
    def read(text: str, place: int) -> int | None:
        found = pattern.match(text, place)
        return found.end() if found else None

    return read


def _with_domain(pattern: re.Pattern[str]) -> Reader:
    """What must be followed by a domain-spec."""

    def read(text: str, place: int) -> int | None:
        found = pattern.match(text, place)
        return _domain(text, found.end()) if found else None

    return read


def _with_choice(pattern: re.Pattern[str], lengths: bool) -> Reader:
    """What may be followed by `:` and a domain-spec, and by prefix lengths."""

    def read(text: str, place: int) -> int | None:
        found = pattern.match(text, place)
        if found is None:
            return None
        end = found.end()
        if text[end : end + 1] == ":":
            end = _domain(text, end + 1) or end
        behind = _LENGTHS.match(text, end) if lengths else None
        return behind.end() if behind else end

    return read


def _ip6(text: str, place: int) -> int | None:
    found = _IP6.match(text, place)
    if found is None:
        return None
    try:
        ipaddress.IPv6Network(found[1], strict=False)
    except ValueError:
        return None
    return found.end()


def _domain(text: str, place: int) -> int | None:
    """The end of a domain-spec that ends as one should."""
    found = _STRING.match(text, place)
    if found is None or not found[0]:
        return None
    labels = found[0].removesuffix(".").split(".")
    ends = _TOP_LABEL.match(labels[-1]) or _EXPAND.match(labels[-1])
    return found.end() if ends else None


_READERS: tuple[Reader, ...] = (
    _simple(_ALL),
    _with_domain(_INCLUDE),
    _with_choice(_A, lengths=True),
    _with_choice(_MX, lengths=True),
    _with_choice(_PTR, lengths=False),
    _simple(_IP4),
    _ip6,
    _with_domain(_EXISTS),
    _with_domain(_MODIFIER),
)
