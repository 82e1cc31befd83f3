"""A healthy zone's facts, for tests that spoil one thing in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dnsops.dnssec.facts import Cover, Facts, View
from dnsops.records.dnssec import Ds, Key, Signature
from dnsops.resolve.answer import Security, Server

NOW = datetime(2026, 11, 26, tzinfo=UTC)
APEX = "example.org"
KEY = Key(257, 3, 13, b"k" * 64)
OTHER = Key(257, 3, 13, b"o" * 64)
NS1, NS2 = Server("ns1.example.org", "192.0.2.1"), Server("ns2.example.org", "192.0.2.2")
PARENT = Server("a.org", "192.0.2.9")


def ds(key: Key = KEY, kind: int = 2) -> Ds:
    return Ds(key.tag, key.algorithm, kind, key.digest(APEX, kind) or b"g" * 32)


def cover(kind: str = "SOA", days: float = 10, key: Key = KEY, life: float = 14, name: str = APEX) -> Cover:
    """Signed so that it ends in so many days."""
    ends = NOW + timedelta(days=days)
    begins = ends - timedelta(days=life)
    one = Signature(6, key.algorithm, 2, 300, int(ends.timestamp()), int(begins.timestamp()), key.tag)
    return Cover((name, kind), True, 300, (one,))


def view(server: Server = NS1, key: Key = KEY, **fields: object) -> View:
    base: dict[str, object] = {
        "serial": 7,
        "keys": frozenset({key}),
        "covers": (cover("SOA", key=key), cover("DNSKEY", key=key)),
    }
    return View(server, **(base | fields))  # type: ignore[arg-type]


def facts(*views: View, delegation: frozenset[Ds] | None = None, **fields: object) -> Facts:
    base: dict[str, object] = {
        "security": Security.SECURE,
        "views": views or (view(), view(NS2)),
        "parents": ((PARENT, frozenset({ds()}) if delegation is None else delegation),),
    }
    return Facts(APEX, **(base | fields))  # type: ignore[arg-type]
