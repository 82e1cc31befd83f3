"""Which algorithms of DNSSEC are good, old or no longer believed: a table for keys and one for digests. Pure.

Standards: RFC 8624 3.1 and 3.3 (what must and must not be used), RFC 8080 (EdDSA), RFC 5933 (GOST).
"""

from __future__ import annotations

from enum import Enum

from dnsops.records.dnssec import Ds, Key

SHORTEST_RSA = 2048


class Strength(Enum):
    """What resolvers make of it."""

    GOOD = "is fine"
    OLD = "is too old: resolvers stop believing it, one after another"
    DEAD = "is not believed: the zone counts as unsigned"
    UNKNOWN = "is not known here"


ALGORITHMS = {
    1: ("RSAMD5", Strength.DEAD),
    3: ("DSA", Strength.DEAD),
    5: ("RSASHA1", Strength.OLD),
    6: ("DSA-NSEC3-SHA1", Strength.DEAD),
    7: ("RSASHA1-NSEC3-SHA1", Strength.OLD),
    8: ("RSASHA256", Strength.GOOD),
    10: ("RSASHA512", Strength.GOOD),
    12: ("ECC-GOST", Strength.DEAD),
    13: ("ECDSAP256SHA256", Strength.GOOD),
    14: ("ECDSAP384SHA384", Strength.GOOD),
    15: ("ED25519", Strength.GOOD),
    16: ("ED448", Strength.GOOD),
}
DIGESTS = {
    1: ("SHA-1", Strength.OLD),
    2: ("SHA-256", Strength.GOOD),
    3: ("GOST R 34.11-94", Strength.DEAD),
    4: ("SHA-384", Strength.GOOD),
}


def of_key(key: Key) -> tuple[str, Strength]:
    """A key's algorithm in a word, and what it is worth; an RSA key that is short is old whatever hashes for it."""
    name, strength = ALGORITHMS.get(key.algorithm, (f"algorithm {key.algorithm}", Strength.UNKNOWN))
    if key.bits is not None and key.bits < SHORTEST_RSA and strength is Strength.GOOD:
        return f"{name} of {key.bits} bits", Strength.OLD
    return name, strength


def of_ds(ds: Ds) -> tuple[str, Strength]:
    """The digest of a DS in a word, and what it is worth."""
    return DIGESTS.get(ds.kind, (f"digest {ds.kind}", Strength.UNKNOWN))


def believed(ds: Ds) -> bool:
    """Whether resolvers act on this DS: an algorithm and a digest that they know (RFC 4035 5.2)."""
    worth = {of_ds(ds)[1], ALGORITHMS.get(ds.algorithm, ("", Strength.UNKNOWN))[1]}
    return not worth & {Strength.DEAD, Strength.UNKNOWN}
