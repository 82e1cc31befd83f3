"""What is taken over from another server: accounts, addresses, DKIM keys, certificates; and what is not, with the reason. Values.

`draft(plan)` is the configuration of ours that says the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from dnsops.base.secrets import Secret


@dataclass(frozen=True)
class Person:
    """An account. hash: as the other server kept it, or made here of a plain one; apps: further passwords, by name."""

    name: str
    addresses: tuple[str, ...]
    hash: Secret
    apps: tuple[tuple[str, Secret], ...] = ()
    enabled: bool = True
    quota: int = 0


@dataclass(frozen=True)
class Signing:
    """A DKIM key that the world knows under its selector."""

    domain: str
    selector: str
    pem: Secret


@dataclass(frozen=True)
class Pair:
    """A certificate chain and its key, in PEM."""

    name: str
    chain: str
    key: Secret


@dataclass(frozen=True)
class Left:
    """What is not taken, and why."""

    where: str
    why: str


@dataclass
class Plan:
    """All of it."""

    hostname: str = ""
    domains: list[str] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    aliases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    catch_all: dict[str, str] = field(default_factory=dict)
    signing: list[Signing] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)

    def leave(self, where: str, why: str) -> None:
        self.left.append(Left(where, why))


def draft(plan: Plan, where: dict[str, str], people: bool) -> str:
    """mailsrv.yml. where: further settings by key, such as tls; people: with the accounts and aliases, and their hashes."""
    lines = ["# What another server was, in the words of mailsrv. `mailsrv config check` tells what is missing."]
    lines.append(f"hostname: {_text(plan.hostname or 'mail.example.org')}")
    lines.append(f"domains: {_text(plan.domains)}")
    lines += [f"{key}: {value}" for key, value in where.items()]
    if people and plan.people:
        lines.append("accounts:")
        lines += [line for person in plan.people for line in _person(person)]
    if people and plan.aliases:
        lines.append("aliases:")
        lines += [f"  - {{address: {_text(one)}, to: {_text(list(to))}}}" for one, to in plan.aliases.items()]
    if plan.catch_all:
        lines.append(f"catch_all: {_text(plan.catch_all)}")
    return "\n".join(lines) + "\n"


def size(octets: int) -> str:
    """In the largest unit that is exact, and in KiB or more where the number would be too long; never less than it was."""
    for power, unit in ((4, "TiB"), (3, "GiB"), (2, "MiB"), (1, "KiB")):
        if octets % (1 << 10 * power) == 0:
            return f"{octets >> 10 * power} {unit}"
    count, units = octets, ["B", "KiB", "MiB", "GiB", "TiB"]
    while count >= 1_000_000_000 and len(units) > 1:
        count, units = -(-count // 1024), units[1:]
    return f"{min(count, 999_999_999)} {units[0]}"


def _person(one: Person) -> list[str]:
    lines = [f"  - name: {_text(one.name)}", f"    addresses: {_text(list(one.addresses))}"]
    lines.append(f"    password_hash: {_text(one.hash.reveal())}")
    if one.apps:
        lines.append("    app_passwords:")
        lines += [f"      - {{name: {_text(n)}, password_hash: {_text(line.reveal())}}}" for n, line in one.apps]
    if one.quota:
        lines.append(f"    quota: {_text(size(one.quota))}")
    if not one.enabled:
        lines.append("    enabled: false")
    return lines


def _text(value: object) -> str:
    """JSON is YAML."""
    return json.dumps(value, ensure_ascii=False)
