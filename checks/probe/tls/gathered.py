"""What has been gathered so far at one address, until it becomes the fact `Tls`. Pure.

Fails by: nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from checks.facts import Evidence, Hashes, Key, Order, Tls, Version


@dataclass
class Gathered:
    """A `Tls` in the making: fields as there. refused: versions that the site's client did not get, without the
    server's saying that it is the version.  clear_chains: as sent up to TLS 1.2.  broken: a job of the site's scanner that broke, "" for none."""

    host: str
    address: str
    reachable: bool = False
    why: str = ""
    broken: str = ""
    late: bool = False
    versions: set[Version] = field(default_factory=set)
    refused: set[Version] = field(default_factory=set)
    suites: dict[Version, tuple[str, ...]] = field(default_factory=dict)
    keys: list[Key] = field(default_factory=list)
    order: list[Order] = field(default_factory=list)
    hashes: Hashes = field(default=Hashes(asked=False))
    compression: bool = False
    secure_renegotiation: bool | None = None
    client_renegotiations: int = 0
    ems: bool | None = None
    chain: tuple[bytes, ...] = ()
    clear_chains: list[tuple[bytes, ...]] = field(default_factory=list)
    roots: tuple[bool, ...] = ()
    trust_why: str = ""
    name_matches: bool = False
    early_data: bool | None = None
    wide_versions: set[Version] = field(default_factory=set)
    wide_suites: dict[Version, tuple[str, ...]] = field(default_factory=dict)
    wide_groups: set[str] = field(default_factory=set)
    wide_chains: tuple[tuple[bytes, ...], ...] = ()
    lines: list[str] = field(default_factory=list)

    @property
    def below_13(self) -> Version | None:
        """The highest version below TLS 1.3 that the site's client speaks with it."""
        return max((version for version in self.versions if version < Version.TLS13), default=None)

    def say(self, line: str) -> None:
        """A line of evidence; the caller has made it harmless."""
        self.lines.append(line)

    def facts(self, banner: str, offered: bool | None, evidence: Evidence) -> Tls:
        return Tls(
            host=self.host,
            address=self.address,
            reachable=self.reachable,
            why=self.why or self.broken,
            late=self.late and not self.reachable,
            offered=offered,
            banner=banner,
            versions=frozenset(self.versions),
            suites=dict(self.suites),
            order=tuple(self.order),
            keys=tuple(self.keys),
            hashes=self.hashes,
            compression=self.compression,
            secure_renegotiation=self.secure_renegotiation,
            client_renegotiations=self.client_renegotiations,
            ems=self.ems,
            chain=self.chain,
            roots=self.roots,
            trusted=bool(self.chain) and not self.trust_why,
            trust_why=self.trust_why,
            name_matches=self.name_matches,
            early_data=self.early_data,
            wide_versions=frozenset(self.wide_versions),
            wide_suites=dict(self.wide_suites),
            wide_groups=frozenset(self.wide_groups),
            wide_chains=self.wide_chains,
            evidence=evidence,
        )
