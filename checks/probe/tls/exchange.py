"""A ServerKeyExchange: which group, which public value, signed how. Pure.

Standards: RFC 5246 7.4.3 (Diffie-Hellman), RFC 8422 5.4 (curves), RFC 5246 7.4.1.4.1 (hash and signature).
Fails by: `Unreadable`.
"""

from __future__ import annotations

from dataclasses import dataclass

from checks.facts import Key, Version
from checks.probe.tls.groups import NAMES, curve_size, finite_name
from checks.probe.tls.octets import Octets, Unreadable
from checks.probe.tls.suites import name_of

_EXPLICIT, _NAMED = (1, 2), 3  # RFC 4492 5.4: curve types
_SHA1, _MD5_SHA1 = 2, 0


@dataclass(frozen=True, slots=True)
class Exchange:
    """key: as the facts have it.  group: its number, 0 for a finite-field one.  hashed: number of the hash signed with; 2 is
    SHA-1, 3 SHA-224, 0 the pair of MD5 and SHA-1 that RSA has below TLS 1.2, None when nothing is signed."""

    key: Key
    group: int = 0
    hashed: int | None = None


def read_exchange(data: bytes, suite: int, version: int) -> Exchange | None:
    """None for a suite without ephemeral keys (RSA, and RSA_EXPORT whose message is another)."""
    name, octets = name_of(suite), Octets(data)
    if "_ECDHE_" in name or "_ECDH_anon" in name:
        key, group = _curve(octets, name)
    elif "_DHE_" in name or "_DH_anon" in name:
        key, group = _finite(octets, name), 0
    else:
        return None
    return Exchange(key, group, None if "_anon" in name else _hash(octets, name, version))


def _curve(octets: Octets, suite: str) -> tuple[Key, int]:
    kind = octets.number(1)
    if kind in _EXPLICIT:  # RFC 8422 5.4 forbids it: whatever the curve is, it has no name; nor is it read further
        octets.rest()
        return Key(suite, "explicit", 0), 0
    if kind != _NAMED:
        raise Unreadable(f"a curve of kind {kind}")
    group = octets.number(2)
    octets.field(1)
    return Key(suite, NAMES.get(group) or f"group {group}", curve_size(group)), group


def _finite(octets: Octets, suite: str) -> Key:
    p, g = (int.from_bytes(octets.field(2), "big") for _ in range(2))
    octets.field(2)
    return Key(suite, finite_name(p, g), p.bit_length(), p, g)


def _hash(octets: Octets, suite: str, version: int) -> int | None:
    """Below TLS 1.2 the kind of key decides (RFC 4346 7.4.3, RFC 4492 5.4)."""
    if version < Version.TLS12:
        return _MD5_SHA1 if "_RSA_" in suite else _SHA1
    return _hash_of_scheme(octets.number(2)) if octets.left >= 2 else None


def _hash_of_scheme(scheme: int) -> int:
    """The hash in the upper octet; RSA-PSS and EdDSA (8) have one of their own, none of them weak."""
    return scheme >> 8
