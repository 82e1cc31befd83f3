"""A CAA record's value, as strictly as internet.nl reads it. Pure.

    flags       0 or 128
    issue issuewild issuevmc issuemail   RFC 8659 4.2; validationmethods= (not in issuemail) of METHODS or ca-...
    iodef       mailto:ADDRESS or https://HOST
    contactemail, contactphone           an address; a global number of RFC 3966
    auth path policy                     reserved: wrong; every other tag too

Fails by: `wrong` says why, "" for what is right. Limits: LONGEST characters of a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

LONGEST = 65535
METHODS = frozenset(("http-01", "dns-01", "tls-alpn-01", "email-reply-00", "tkauth-01", "onion-csr-01", "bp-nodeid-00"))
RESERVED = frozenset(("auth", "path", "policy"))

_RECORD = re.compile(r'([0-9]{1,3}) ([A-Za-z0-9]+) "?((?:[^"\\]|\\[0-9]{3}|\\[^0-9])*+)"?\Z', re.DOTALL)
_ESCAPE = re.compile(r"\\([0-9]{3}|.)", re.DOTALL)
_NAME = r"[A-Za-z0-9](?:-*[A-Za-z0-9])*+"
_PARAMETER = rf"({_NAME})[ \t]*=[ \t]*([!-:<-~]*+)"
_ISSUER = re.compile(rf"[ \t]*(?:{_NAME}(?:\.{_NAME})*+[ \t]*)?")
_ONE = re.compile(rf"{_PARAMETER}[ \t]*")
_METHODS = re.compile(r"(?:[A-Za-z0-9-]+(?:,[A-Za-z0-9-]+)*+)?\Z")
_ADDRESS = re.compile(
    r"[^@\s\x00-\x1f\"(),:;<>\[\]\\]+@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,}\Z"
)
_HTTPS = re.compile(r"https://[^/?#\s]+(?:[/?#]\S*)?\Z", re.IGNORECASE)
_PHONE = re.compile(
    r"\+[0-9().-]*[0-9][0-9().-]*"
    r"(?:;(?:[A-Za-z0-9-]+(?:=(?:[]\[/:&+$A-Za-z0-9_.!~*'()-]|%[0-9A-Fa-f]{2})+)?))*\Z"
)


@dataclass(frozen=True, slots=True)
class Caa:
    """A record as it came."""

    flags: int
    tag: str
    value: str


def parse(text: str) -> Caa | None:
    """`0 issue "letsencrypt.org"`; None for what is no CAA rdata."""
    found = _RECORD.match(text) if len(text) <= LONGEST else None
    if found is None:
        return None
    value = _ESCAPE.sub(lambda one: chr(int(one[1]) & 255) if len(one[1]) == 3 else one[1], found[3])
    return Caa(int(found[1]), found[2], value)


def wrong(record: Caa) -> str:
    """Why the site counts the record as wrong; "" when it does not."""
    if record.flags not in (0, 128):
        return f"flags {record.flags} are reserved"
    tag = record.tag.lower()
    if tag in RESERVED:
        return f"{record.tag} is a reserved property"
    reader = _READERS.get(tag)
    if reader is None:
        return f"{record.tag} is not a known property"
    return "" if reader(record.value) else f"{record.tag}: not a value of it: {record.value[:80]!r}"


def issues(text: str, methods: bool = True) -> bool:
    """Whether it is a value of issue. methods: validationmethods= is looked at."""
    found = _parameters(text)
    if found is None:
        return False
    value = found.get("validationmethods")
    if value is None or not methods:
        return True
    return bool(_METHODS.match(value)) and all(
        method in METHODS or method.startswith("ca-") for method in value.split(",") if method
    )


def _parameters(text: str) -> dict[str, str] | None:
    """[issuer] [; parameters]: None when it is not that."""
    issuer = _ISSUER.match(text)
    place = issuer.end() if issuer else 0
    found: dict[str, str] = {}
    if place == len(text):
        return found
    if text[place] != ";":
        return None
    place = _blank(text, place + 1)
    while place < len(text):
        one = _ONE.match(text, place)
        if one is None:
            return None
        found[one[1]] = one[2]
        place = one.end()
        if place == len(text):
            return found
        if text[place] != ";" or _blank(text, place + 1) == len(text):
            return None  # no semicolon stands at the end
        place = _blank(text, place + 1)
    return found


def _blank(text: str, place: int) -> int:
    return len(text) - len(text[place:].lstrip(" \t"))


def _iodef(text: str) -> bool:
    if text[:7].lower() == "mailto:":
        return bool(_ADDRESS.match(text[7:].partition("?")[0]))
    return bool(_HTTPS.match(text))


_READERS: dict[str, Callable[[str], bool]] = {
    "issue": issues,
    "issuewild": issues,
    "issuevmc": issues,
    "issuemail": lambda text: issues(text, methods=False),
    "iodef": _iodef,
    "contactemail": lambda text: bool(_ADDRESS.match(text)),
    "contactphone": lambda text: bool(_PHONE.match(text)),
}
