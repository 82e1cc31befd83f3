"""DMARC records as internet.nl reads them, stricter than the standard: an ordered-choice grammar. Pure.

    v=DMARC1 (upper case) ;  p= first, if at all  ; the others in any order, each at most once  ;  an end of `;` is free
    blanks stand around `=` and `;`; an unknown tag, or one without a p= before it, spoils the record

RFC 9989 4.7 says otherwise of order and unknown tags; our own reading is dnsops.records.txt.dmarc.
Limits: LONGEST characters. Fails by: None for what does not parse.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

LONGEST = 65535

_REQUEST = r"none|quarantine|reject"
_BEGINNING = re.compile(r"[vV] *= *DMARC1 *; *")
_P = re.compile(rf"p *= *({_REQUEST})", re.IGNORECASE)
_SEPARATOR = re.compile(r" *; *")
_END = re.compile(r"(?: *; *)?\Z")
_KEYWORDS = r"[A-Za-z0-9-]*[A-Za-z0-9](?![A-Za-z0-9-])"
_URI = r"[^ ,;]+"
_VALUES = {
    "sp": _REQUEST,
    "np": _REQUEST,
    "psd": "[ynu]",
    "t": "[yn]",
    "rua": rf"{_URI}(?: *, *{_URI})*",
    "ruf": rf"{_URI}(?: *, *{_URI})*",
    "adkim": "[rs]",
    "aspf": "[rs]",
    "ri": "[0-9]+",
    "fo": "[01ds](?: *: *[01ds])*",
    "rf": rf"{_KEYWORDS}(?: *:{_KEYWORDS})*",
    "pct": "[0-9]{1,3}(?![0-9])",
}
_TAGS = {name: re.compile(rf"{name} *= *({value})", re.IGNORECASE) for name, value in _VALUES.items()}
_AUTHORITY = re.compile(r"[^:/?#]*://([^/?#]*)")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def tags(record: str) -> Mapping[str, str] | None:
    """Tag -> value, blanks inside removed; None when it does not parse."""
    text = record.expandtabs()
    start = _BEGINNING.match(text)
    if start is None or len(record) > LONGEST:
        return None
    found: dict[str, str] = {}
    place = start.end()
    if first := _P.match(text, place):
        found["p"], place = first[1].lower(), first.end()
    while (behind := _next(text, place, found)) is not None:
        place = behind
    return found if _END.match(text, place) else None


def _next(text: str, place: int, found: dict[str, str]) -> int | None:
    """The end of one more tag, which is put among the found; None when there is none."""
    separator = _SEPARATOR.match(text, place)
    if separator is None:
        return None
    for name, pattern in _TAGS.items():
        tag = pattern.match(text, separator.end()) if name not in found else None
        if tag and (name not in ("rua", "ruf") or all(map(_is_uri, uris(tag[1])))):
            found[name] = tag[1].replace(" ", "")
            return tag.end()
    return None


def uris(value: str) -> list[str]:
    """The addresses of rua= or ruf=."""
    return [uri.strip(" ") for uri in value.split(",")]


def _is_uri(uri: str) -> bool:
    """With a scheme; at most one `!`, and behind that a digit."""
    address, *sizes = uri.split("!")
    if len(sizes) > 1 or (sizes and not sizes[0][:1].isdigit()):
        return False
    return bool(_SCHEME.match(address)) and _brackets_close(address)


def _brackets_close(address: str) -> bool:
    """An IPv6 address behind `//` has both brackets (RFC 3986 3.2.2)."""
    authority = _AUTHORITY.match(address)
    return authority is None or ("[" in authority[1]) == ("]" in authority[1])
