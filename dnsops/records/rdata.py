"""Rdata of every type, records and RRsets, as values that compare exactly.

`parse(type, text)` reads presentation text into the most exact value we have: `Tlsa` for TLSA, `Generic` otherwise.
A `Generic` holds dnspython's canonical presentation text, so two spellings of one rdata are equal.
`wire` and `from_wire` cross to bytes and back; `txt` cuts a text into character strings and `strings` gives them back.
Standards: RFC 1035 3.3.14 and 5, RFC 2181 5 (RRsets), RFC 3597. Fails by: `ForUser`, with the text that is no rdata.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from dnsops.base.errors import ForUser
from dnsops.records import plain
from dnsops.records.tlsa import Tlsa

LONGEST_TEXT = 65535 * 4
LONGEST_STRING = 255  # RFC 1035 3.3: a character string's length is one byte


class Rdata(Protocol):
    """What every rdata value offers: its type's name, equality, a hash, and its presentation text by `str`."""

    @property
    def type(self) -> str: ...

    def __hash__(self) -> int: ...

    def __str__(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Generic:
    """Rdata as canonical presentation text: names absolute and lower case, TXT strings quoted."""

    type: str
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Record:
    """One resource record. `name` canonical (see names), `ttl` in seconds."""

    name: str
    type: str
    ttl: int
    data: Rdata

    def __str__(self) -> str:
        return f"{self.name}. {self.ttl} IN {self.type} {self.data}"


def parse(type_name: str, text: str, origin: str = "") -> Rdata:
    """Presentation text -> value. Names in it that end without a dot are relative to `origin`, else taken as absolute."""
    type_name = type_name.upper()
    if type_name == "TLSA":
        return Tlsa.parse(_known(text))
    if len(text) > LONGEST_TEXT:
        raise ForUser(f"{type_name} rdata longer than {LONGEST_TEXT} characters")
    import dns.exception
    import dns.name
    import dns.rdata

    try:
        root = dns.name.from_text(origin + ".") if origin else dns.name.root
        data = dns.rdata.from_text("IN", type_name, text, origin=root, relativize=False)
        # RFC 4034 6.2: the canonical form has its names in lower case
        return _value(type_name, data.to_digestable())
    except (dns.exception.DNSException, ValueError) as error:
        raise ForUser(f"not {type_name} rdata: {text[:80]!r} ({error})") from None


def from_wire(type_name: str, data: bytes) -> Rdata:
    """Rdata bytes without compression -> value."""
    if type_name.upper() == "TLSA":
        if len(data) < 3:
            raise ForUser("a TLSA record of fewer than three bytes")
        return Tlsa(data[0], data[1], data[2], data[3:])
    if (text := plain.text(type_name.upper(), data)) is not None:
        return Generic(type_name.upper(), text)
    import dns.exception
    import dns.rdata
    import dns.rdatatype

    try:
        code = dns.rdatatype.from_text(type_name)
        read = dns.rdata.from_wire("IN", code, data, 0, len(data))
        return _value(type_name.upper(), read.to_digestable())
    except (dns.exception.DNSException, ValueError) as error:
        raise ForUser(f"malformed {type_name} rdata ({error})") from None


def wire(data: Rdata) -> bytes:
    """Rdata bytes without compression, in canonical form (RFC 4034 6.2)."""
    if isinstance(data, Tlsa):
        return bytes((data.usage, data.selector, data.matching)) + data.data
    import dns.exception
    import dns.name
    import dns.rdata

    try:
        return dns.rdata.from_text("IN", data.type, str(data), origin=dns.name.root, relativize=False).to_digestable()
    except (dns.exception.DNSException, ValueError) as error:  # an empty key has no presentation form
        raise ForUser(f"malformed {data.type} rdata ({error})") from None


def txt(text: str | bytes) -> Rdata:
    """A TXT record of any length, cut into character strings of 255 bytes."""
    raw = text.encode() if isinstance(text, str) else text
    pieces = [raw[start : start + LONGEST_STRING] for start in range(0, len(raw), LONGEST_STRING)] or [b""]
    return from_wire("TXT", b"".join(bytes((len(piece),)) + piece for piece in pieces))


def strings(data: Rdata) -> tuple[bytes, ...]:
    """The character strings of a TXT record."""
    raw, found = wire(data), []
    while raw:
        end = raw[0] + 1
        found.append(raw[1:end])
        raw = raw[end:]
    return tuple(found)


def _value(type_name: str, canonical: bytes) -> Generic:
    import dns.rdata

    data = dns.rdata.from_wire("IN", type_name, canonical, 0, len(canonical))
    return Generic(type_name, data.to_text(chunksize=0))


def _known(text: str) -> str:
    """A TLSA record in the form of unknown types (RFC 3597 5: `\\# 35 030101ab...`) as `3 1 1 ab...`."""
    words = text.split()
    if words[:1] != ["\\#"]:
        return text
    try:
        length, data = int(words[1]), bytes.fromhex("".join(words[2:]))
    except (ValueError, IndexError):
        length, data = -1, b""
    if length != len(data) or length < 3:
        raise ForUser(f"not a TLSA record: {text[:80]!r}", "", "write: 3 1 1 and 64 hex digits")
    return f"{data[0]} {data[1]} {data[2]} {data[3:].hex()}"
