"""Accounts of a Dovecot passwd-file, and aliases of Postfix: virtual maps and /etc/aliases, as texts.

    people = passwd_file(text)                        user:{SCHEME}hash:uid:gid:gecos:home:shell:extra
    pairs = virtual(text)                             address or @domain, and where its mail goes
    pairs = aliases(text, "example.org")              name: targets, of one domain
    plan = planned(people, pairs, hashed, readable)

Standards: passwd-file of Dovecot 2.3, virtual(5), aliases(5). Limits: LARGEST characters. A line that is none is told, and left.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from dnsops.base.errors import ForUser
from dnsops.base.secrets import Secret
from mailsrv.directory.address import folded, parse
from mailsrv.moving.foreign import Person, Plan

LARGEST = 64 << 20
_PLAIN = ("{PLAIN}", "{CLEAR}", "{CLEARTEXT}")
_QUOTA = re.compile(r"(?:^|\s)userdb_quota_rule=\*:(?:bytes|storage)=(\d{1,12})([KMGT]?)")


@dataclass(frozen=True)
class User:
    """A line of a passwd-file."""

    name: str
    password: str
    extra: str = ""


def passwd_file(text: str) -> list[User]:
    """Its users, in order."""
    found = []
    for line in _lines(text):
        name, _, rest = line.partition(":")
        password, *others = _fields(rest)
        found.append(User(name, password, ":".join(others[5:])))
    return found


def _fields(rest: str) -> list[str]:
    """A {SCHEME} has no colon that parts fields; nor have its hashes."""
    return rest.split(":")


def virtual(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """virtual(5): a key, white space, targets parted by commas; a line that begins with white space goes on."""
    return [
        (key, _targets(rest.replace(" ", ",")))
        for key, _, rest in (line.strip().replace("\t", " ").partition(" ") for line in _joined(text))
    ]


def aliases(text: str, domain: str) -> list[tuple[str, tuple[str, ...]]]:
    """aliases(5): name: targets; names without a domain are of this one."""
    found = []
    for line in _joined(text):
        name, _, rest = line.partition(":")
        found.append((_at(name.strip().strip('"'), domain), tuple(_at(one, domain) for one in _targets(rest))))
    return found


def _at(name: str, domain: str) -> str:
    return name if "@" in name or name.startswith(("/", "|", ":", '"')) else f"{name}@{domain}"


def _targets(text: str) -> tuple[str, ...]:
    return tuple(one for part in text.split(",") if (one := part.strip()))


def _joined(text: str) -> list[str]:
    """A line that begins with white space goes on with the one before."""
    joined: list[str] = []
    for line in _lines(text):
        if line[:1].isspace() and joined:
            joined[-1] += " " + line.strip()
        else:
            joined.append(line)
    return joined


def _lines(text: str) -> Iterator[str]:
    if len(text) > LARGEST:
        raise ForUser(f"larger than {LARGEST >> 20} MiB")
    return (line.rstrip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))


def planned(
    users: Iterable[User],
    maps: Iterable[tuple[str, tuple[str, ...]]],
    domain: str,
    hashed: Callable[[str], str],
    readable: Callable[[str], str],
) -> Plan:
    """What would be taken. domain: of users whose names have none."""
    plan = Plan()
    for user in users:
        _person(plan, user, domain, hashed, readable)
    names = {address: one.name for one in plan.people for address in one.addresses}
    for key, targets in maps:
        _alias(plan, key, targets, names)
    addresses = [*names, *plan.aliases]
    plan.domains = list(dict.fromkeys([*(folded(one.rpartition("@")[2]) for one in addresses), *plan.catch_all]))
    return plan


def _person(plan: Plan, user: User, domain: str, hashed: Callable[[str], str], readable: Callable[[str], str]) -> None:
    address = user.name if "@" in user.name else f"{user.name}@{domain}" if domain else ""
    line = user.password
    if not parse(address):
        plan.leave(user.name[:80], "its name is no address" if domain else "it has no domain: say --domain")
    elif not line:
        plan.leave(user.name, "it has no password")
    elif line.upper().startswith(_PLAIN) or not line.startswith(("{", "$")):
        _add(plan, user, address, hashed(line.partition("}")[2] if line.startswith("{") else line))
    elif why := readable(line):
        plan.leave(user.name, f"a password that cannot be kept: {why}")
    else:
        _add(plan, user, address, line)


def _add(plan: Plan, user: User, address: str, line: str) -> None:
    if any(folded(one.name) == folded(user.name) or address in one.addresses for one in plan.people):
        return plan.leave(user.name, "there is one of that name already")
    found = _QUOTA.search(user.extra)
    quota = int(found[1]) << (10 * " KMGT".index(found[2] or " ")) if found else 0
    enabled = "nologin" not in user.extra.split()
    return plan.people.append(Person(user.name, (address,), Secret(line), enabled=enabled, quota=quota))


def _alias(plan: Plan, key: str, targets: tuple[str, ...], names: dict[str, str]) -> None:
    strange = [one for one in targets if not parse(one)]
    domain = key[1:] if key.startswith("@") else ""
    if strange or not targets:
        plan.leave(key[:80], f"{strange[0][:80]} is no address that mail can go to" if strange else "it goes nowhere")
    elif domain and len(targets) == 1 and parse(f"x@{domain}"):
        plan.catch_all[folded(domain)] = names.get(targets[0], targets[0])
    elif domain or not parse(key):
        plan.leave(key[:80], "no address" if not domain else "a catch-all goes to one address here")
    elif not (key in names and targets == (key,)):
        plan.aliases[key] = tuple(names.get(one, one) for one in targets)
