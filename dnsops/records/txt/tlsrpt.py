"""The TLS reporting record: where reports about encryption shall go; read and written.

    TlsRpt.parse("v=TLSRPTv1; rua=mailto:tls@example.org")     str(TlsRpt(("mailto:tls@example.org",)))
    found(texts) -> TlsRpt | None                              of all TXT records of `_smtp._tls.DOMAIN`

Standard: RFC 8460 3 (ABNF, extensions, more than one record).
Limits: `LONGEST` characters, `MOST` destinations; those after them are left out. Fails by: `ForUser`, with what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from dnsops.base.errors import ForUser
from dnsops.records import names

VERSION = "v=TLSRPTv1"
LONGEST = 4096  # characters of a record
MOST = 10  # destinations
_FIELD = re.compile(
    r"([A-Za-z0-9][A-Za-z0-9_.-]{0,31})=([\x21-\x3a\x3c-\x7e](?:[\x20-\x3a\x3c-\x7e]*[\x21-\x3a\x3c-\x7e])?)"
)
_URI = re.compile(r"[a-z][a-z0-9+.-]*:[\x21-\x2b\x2d-\x3a\x3c-\x7e]+", re.IGNORECASE)
_UNSAFE = re.compile(rb"[^A-Za-z0-9@+._~-]")
_SCHEMES = ("mailto", "https")


@dataclass(frozen=True, slots=True)
class TlsRpt:
    """The record. rua: URIs of the schemes mailto and https, in their order, commas and semicolons percent-encoded."""

    rua: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> TlsRpt:
        """The text of one record, its strings joined. Fields that nobody knows yet are passed over."""
        if len(text) > LONGEST:
            raise ForUser(f"a TLS reporting record longer than {LONGEST} characters")
        version, *fields = [field.strip(" \t") for field in text.split(";")]
        if version != VERSION:
            raise ForUser("not a TLS reporting record", "", f"it begins with {VERSION};")
        if fields and not fields[-1]:
            fields.pop()
        ruas = [rua for field in fields if (rua := _rua(field)) is not None]
        if len(ruas) != 1:
            raise ForUser("a TLS reporting record names its destinations once", "", "write rua=mailto:ADDRESS")
        uris = tuple(uri.strip(" \t") for uri in ruas[0].split(","))[:MOST]
        for uri in uris:
            if not _URI.fullmatch(uri):
                raise ForUser(f"not a URI: {uri[:80]!r}", "rua", "write mailto:ADDRESS or https://HOST/PATH")
        return cls(uris)

    def __str__(self) -> str:
        return f"{VERSION}; rua={','.join(self.rua)}"

    @property
    def usable(self) -> tuple[str, ...]:
        """The destinations of a scheme that RFC 8460 knows."""
        return tuple(uri for uri in self.rua if uri.partition(":")[0].lower() in _SCHEMES)


def mailto(address: str) -> str:
    """The URI of an address (RFC 6068), safe inside a list of URIs."""
    return "mailto:" + _UNSAFE.sub(lambda found: b"%%%02X" % found[0][0], address.encode()).decode("ascii")


def owner(domain: str) -> str:
    """The name where the record of a domain, or of a mail host, stands."""
    return names.canonical(f"_smtp._tls.{names.canonical(domain)}")


def ours(texts: Iterable[str]) -> list[str]:
    """Those of all TXT records of a name that say that they are such records; others are no part of it (RFC 8460 3)."""
    return [text for text in texts if text.partition(";")[0].strip(" \t") == VERSION]


def found(texts: Iterable[str]) -> TlsRpt | None:
    """The record among all TXT records of a name; several, or one that cannot be read, is none (RFC 8460 3)."""
    some = ours(texts)
    if len(some) != 1:
        return None
    try:
        return TlsRpt.parse(some[0])
    except ForUser:
        return None


def _rua(field: str) -> str | None:
    """The value of a rua field; None for another field."""
    parts = _FIELD.fullmatch(field)
    if parts is None:
        raise ForUser(f"not a field: {field[:80]!r}", "", "write NAME=VALUE, parted by semicolons")
    return parts[2] if parts[1] == "rua" else None
