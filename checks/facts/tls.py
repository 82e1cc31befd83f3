"""What STARTTLS at one address of a mail host showed, as values. Pure.

Two clients look: the *site's*, which offers what internet.nl's scanner offers (its few groups decide what is "reachable"), and a
*wide* one that offers whatever our library can speak. Fields say which; `wide_*` are for the strict column only.
Standards: RFC 3207 (STARTTLS), RFC 5246 and 8446 (TLS), RFC 5746 (renegotiation), RFC 7627 (EMS), RFC 7919 (ffdhe groups).
Names: cipher suites as IANA has them (TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256); groups as IANA has them (secp256r1, x25519,
ffdhe3072, brainpoolP256r1), "" for a finite-field group that has no name. Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from checks.facts.looked import Evidence


class Version(IntEnum):
    """As on the wire, so that they sort; SSL 2 is 2."""

    SSL2 = 0x0002
    SSL3 = 0x0300
    TLS10 = 0x0301
    TLS11 = 0x0302
    TLS12 = 0x0303
    TLS13 = 0x0304


@dataclass(frozen=True, slots=True)
class Key:
    """An ephemeral key that a server sent for one suite. size: bits, None when the site's scanner does not see it (X25519,
    X448).  p, g: of a finite-field group."""

    suite: str
    group: str
    size: int | None = None
    p: int = 0
    g: int = 0

    @property
    def finite(self) -> bool:
        return bool(self.p) or self.group.startswith("ffdhe")


@dataclass(frozen=True, slots=True)
class Order:
    """One question of order: what was offered, what the server chose ("" when the handshake failed).

    The last one offered is the better one; before it all accepted phase-out suites, those with ChaCha20 behind the others.
    """

    offered: tuple[str, ...]
    chosen: str = ""

    @property
    def wanted(self) -> str:
        return self.offered[-1]


@dataclass(frozen=True, slots=True)
class Hashes:
    """Signature hashes of the key exchange, at TLS 1.2 or the highest version below it that is spoken.

    sha1, sha224: a handshake that offered only these worked, and the server signed with it. asked: False with TLS 1.3 only.
    """

    asked: bool = True
    sha1: bool = False
    sha224: bool = False


@dataclass(frozen=True, slots=True)
class Tls:
    """All of one host. When it is not `reachable` the rest means nothing, but for `offered`, `why` and `wide_groups`.

    address: the one looked at (IPv4 before IPv6).  reachable: the site's client made a handshake at some version and none of
    its jobs broke.  late: the time budget was over before it was known.  offered: STARTTLS stands in the EHLO reply.
    suites: accepted suites at the versions probed for them (the highest below 1.3; at 1.3 only those tried).
    compression: DEFLATE negotiated.  secure_renegotiation: RFC 5746, None without an answer.  client_renegotiations: of 11.
    ems: at TLS 1.2, None without it.  chain: DER as sent, the host's own first.  roots: which of them are in the root store.
    trusted: the chain verifies against the root store, and the name too.  name_matches: a SAN is the host's name.
    wide_versions, wide_suites, wide_groups: what the wide client found.  wide_chains: other chains (RSA beside ECDSA).
    early_data: the server takes 0-RTT.
    """

    host: str
    address: str = ""
    reachable: bool = False
    why: str = ""
    late: bool = False
    offered: bool | None = None
    banner: str = ""
    versions: frozenset[Version] = frozenset()
    suites: Mapping[Version, tuple[str, ...]] = field(default_factory=dict)
    order: tuple[Order, ...] = ()
    keys: tuple[Key, ...] = ()
    hashes: Hashes = field(default=Hashes(asked=False))
    compression: bool = False
    secure_renegotiation: bool | None = None
    client_renegotiations: int = 0
    ems: bool | None = None
    chain: tuple[bytes, ...] = ()
    roots: tuple[bool, ...] = ()
    trusted: bool = False
    trust_why: str = ""
    name_matches: bool = False
    early_data: bool | None = None
    wide_versions: frozenset[Version] = frozenset()
    wide_suites: Mapping[Version, tuple[str, ...]] = field(default_factory=dict)
    wide_groups: frozenset[str] = frozenset()
    wide_chains: tuple[tuple[bytes, ...], ...] = ()
    evidence: Evidence = field(default=Evidence())

    @property
    def below_13(self) -> Version | None:
        """The highest version below TLS 1.3 that is spoken."""
        return max((version for version in self.versions if version < Version.TLS13), default=None)
