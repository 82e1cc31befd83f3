"""DMARC's policy record: `v=DMARC1; p=reject; rua=mailto:dmarc@example.org`, read and written. Pure.

Standard: RFC 9989 4.7 and 4.8. Records written for RFC 7489 are read too: pct, rf, ri are kept and mean nothing,
`!10m` behind a URI is read as the size it was. All but the beginning is forgiven: what is wrong counts as absent, except
that p, sp and np which are there and say nothing that is known spoil the record (4.10.1).
Limits: LONGEST octets, MOST_TAGS tags, MOST_URIS addresses of a list.
Fails by: `ForUser` for what is no such record at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dnsops.base.errors import ForUser

LONGEST = 8192
MOST_TAGS = 64
MOST_URIS = 100
REQUESTS = ("none", "quarantine", "reject")

_BEGINNING = re.compile(r"[vV][ \t]*=[ \t]*DMARC1[ \t]*(?:;|\Z)")  # v= in any case, its value exactly so
_TAG = re.compile(r"([A-Za-z]++)[ \t]*+=[ \t]*+([ -:<-~]*+)\Z")
_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*:[^\s,!;]+)(?:!([0-9]{1,12})([kKmMgGtT]?))?\Z")
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_KNOWN = ("p", "sp", "np", "adkim", "aspf", "rua", "ruf", "fo", "psd", "t")


@dataclass(frozen=True, slots=True)
class Uri:
    """Where a report goes. size: the most octets it may have, None for no limit (RFC 7489 6.2; RFC 9989 has none)."""

    text: str
    size: int | None = None

    def __str__(self) -> str:
        return self.text if self.size is None else f"{self.text}!{self.size}"

    @property
    def mailbox(self) -> str:
        """The mail address of a `mailto:`, else ""."""
        scheme, _, rest = self.text.partition(":")
        address = _unescaped(rest.partition("?")[0]) if scheme.lower() == "mailto" else ""
        local, _, domain = address.rpartition("@")
        return address if local and domain and address.isprintable() and " " not in address else ""


@dataclass(frozen=True, slots=True)
class Policy:
    """A record. p, sp, np: one of REQUESTS, "" when absent.  psd: y, n or u.  fo: its options.

    spoilt: p, sp or np stands there and says nothing known.  others: tags that mean nothing here, kept for writing.
    """

    p: str = ""
    sp: str = ""
    np: str = ""
    adkim: str = "r"
    aspf: str = "r"
    rua: tuple[Uri, ...] = ()
    ruf: tuple[Uri, ...] = ()
    fo: tuple[str, ...] = ("0",)
    psd: str = "u"
    testing: bool = False
    spoilt: bool = False
    others: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Policy:
        """The record's tags; those that stand twice count as wrong."""
        if not is_policy(text):
            raise ForUser(f"not a DMARC record: {text[:40]!r}", "", "it begins with v=DMARC1 and a semicolon")
        tags, others = _tags(text)
        requests = {name: tags[name].lower() for name in ("p", "sp", "np") if name in tags}
        return cls(
            **{name: request for name, request in requests.items() if request in REQUESTS},
            adkim=_one_of("rs", tags.get("adkim"), "r"),
            aspf=_one_of("rs", tags.get("aspf"), "r"),
            rua=_uris(tags.get("rua", "")),
            ruf=_uris(tags.get("ruf", "")),
            fo=_options(tags.get("fo", "0")),
            psd=_one_of("ynu", tags.get("psd"), "u"),
            testing=tags.get("t", "").lower() == "y",
            spoilt=any(request not in REQUESTS for request in requests.values()),
            others=others,
        )

    def __str__(self) -> str:
        default, written = Policy(), ["v=DMARC1"]
        for name in _KNOWN:
            value = self.testing if name == "t" else getattr(self, name)
            if value != (default.testing if name == "t" else getattr(default, name)):
                written.append(f"{name}={_written(value)}")
        return "; ".join([*written, *(f"{name}={value}" for name, value in self.others)])

    @property
    def applies(self) -> bool:
        """Whether DMARC is done for it at all (RFC 9989 4.10.1): p, sp and np are right, or reports are wanted."""
        return (bool(self.p) and not self.spoilt) or bool(self.rua)

    def request(self, below: bool, there: bool) -> str:
        """What is asked for: of the record's own domain, or of one `below` it that is `there` or not. One of REQUESTS."""
        if not self.p or self.spoilt:
            return "none"
        if not below:
            return self.p
        return (self.np if not there else "") or self.sp or self.p


def is_policy(text: str) -> bool:
    """Whether a TXT record is meant as a DMARC record, and short enough to be read."""
    return _BEGINNING.match(text[:64]) is not None and len(text) <= LONGEST


def _tags(text: str) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    """Tags by their names in lower case; and those that mean nothing here."""
    known: dict[str, str] = {}
    others: list[tuple[str, str]] = []
    for part in text.split(";", MOST_TAGS)[1:MOST_TAGS]:
        found = _TAG.match(part.strip(" \t"))
        if found is None:
            continue
        name, value = found[1].lower(), found[2]
        if name in _KNOWN:
            known[name] = "" if name in known else value  # which of two? none
        else:
            others.append((found[1], value))
    return known, tuple(others)


def _one_of(letters: str, value: str | None, default: str) -> str:
    return value.lower() if value and len(value) == 1 and value.lower() in letters else default


def _options(value: str) -> tuple[str, ...]:
    options = tuple(option.strip().lower() for option in value.split(":", 8))
    return options if all(option in ("0", "1", "d", "s") for option in options) else ("0",)


def _uris(value: str) -> tuple[Uri, ...]:
    return tuple(uri for part in value.split(",", MOST_URIS)[:MOST_URIS] if (uri := _uri(part.strip())) is not None)


def _uri(text: str) -> Uri | None:
    found = _URI.match(text)
    if found is None:
        return None
    uri = Uri(found[1], int(found[2]) * _UNITS[found[3].lower()] if found[2] else None)
    return uri if uri.mailbox or not text.lower().startswith("mailto:") else None


def _unescaped(text: str) -> str:
    """RFC 3986 2.1."""
    return _PERCENT.sub(lambda found: bytes.fromhex(found[1].decode()), text.encode()).decode(errors="replace")


def _written(value: object) -> str:
    match value:
        case bool():
            return "y" if value else "n"
        case tuple() if value and isinstance(value[0], Uri):
            return ",".join(map(str, value))
        case tuple():
            return ":".join(map(str, value))
    return str(value)
