"""Stalwart's configuration up to 0.15, as TOML or as NixOS renders its settings in JSON, nested or with dotted keys. Pure.

    flat = settings(text)                     {"directory.memory.principals.0.name": "jane", ...}
    plan = planned(flat, resolve, hashed)

resolve(kind, name): what `%{file:PATH}%` and `%{env:NAME}%` stand for; hashed: argon2id of a plain password.
Taken: in-memory principals with their secrets, addresses, catch-alls, groups and lists; DKIM keys; certificates; the host's name.
Limits: LARGEST characters, MOST settings. Fails by: `ForUser` for what is neither TOML nor JSON; what resolve raises is told.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from dnsops.base.errors import Deliberate, ForUser
from dnsops.base.secrets import Secret
from mailsrv.directory.address import folded, parse
from mailsrv.moving.foreign import Pair, Person, Plan, Signing

LARGEST = 4 << 20
MOST = 200_000
Flat = dict[str, str]
Resolve = Callable[[str, str], str]
_MACRO = re.compile(r"%\{(file|env|cfg):([^}]*)\}%")
_PEOPLE = ("individual", "admin", "superuser")
_GROUPS = ("group", "list", "mailing-list")
_ALGORITHMS = ("rsa-sha256", "ed25519-sha256")
_TAKEN = ("directory", "signature", "certificate")
_OTHERWISE = {
    "server": "`listeners`, `limits` and `tls` are set anew; see `mailsrv config example`",
    "acme": "certificates are issued by `mailsrv cert issue`",
    "store": "mail comes over by `mailsrv move imap`",
    "storage": "mail comes over by `mailsrv move imap`",
    "queue": "`queue` and `transport` are set anew",
    "session": "`limits`, `inbound` and `auth` are set anew",
    "auth": "`inbound` and `mailsrv dkim` do this",
}


def settings(text: str) -> Flat:
    """Every setting by its whole key; lists count from 0."""
    if len(text) > LARGEST:
        raise ForUser(f"larger than {LARGEST >> 20} MiB")
    try:
        document = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
        flat = dict(_flat("", document))
    except (ValueError, RecursionError) as error:
        raise ForUser(f"neither TOML nor JSON: {str(error)[:120] or type(error).__name__}") from None
    return flat


def _flat(key: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        children: Iterable[tuple[object, object]] = value.items()
    elif isinstance(value, list):
        children = enumerate(value)
    else:
        if value is not None:
            yield key, str(value).lower() if isinstance(value, bool) else str(value)
        return
    for name, child in children:
        yield from _flat(f"{key}.{name}" if key else str(name), child)


def planned(flat: Flat, resolve: Resolve, hashed: Callable[[str], str], readable: Callable[[str], str]) -> Plan:
    """What would be taken. readable: why a line is no stored password that is read here, or ""."""
    if len(flat) > MOST:
        raise ForUser(f"more than {MOST} settings")
    plan = Plan()
    reading = _Reading(flat, resolve, hashed, readable, plan)
    plan.hostname = reading.text("server.hostname", "lookup.default.hostname")
    reading.people()
    reading.signing()
    reading.pairs()
    for family in sorted({key.partition(".")[0] for key in flat} - set(_TAKEN)):
        plan.leave(family, _OTHERWISE.get(family, "has no counterpart that could be filled from it"))
    return plan


@dataclass
class _Reading:
    """One configuration being read."""

    flat: Flat
    resolve: Resolve
    hashed: Callable[[str], str]
    readable: Callable[[str], str]
    plan: Plan

    def text(self, *keys: str) -> str:
        """The first of these that is set, its macros resolved; "" when it cannot be, which is told."""
        for key in keys:
            if key in self.flat:
                try:
                    return _MACRO.sub(self._macro, self.flat[key])
                except Deliberate as error:
                    self.plan.leave(key, str(error))
                    return ""
        return ""

    def _macro(self, found: re.Match[str]) -> str:
        if found[1] == "cfg":
            return self.flat.get(found[2], "")
        return self.resolve(found[1], found[2])

    def texts(self, key: str) -> list[str]:
        """A list, or a single value."""
        many = [self.text(each) for each in self.below(key, deep=False)]
        return [one for one in ([self.text(key)] if key in self.flat else many) if one]

    def below(self, key: str, deep: bool = True) -> list[str]:
        """Names of what stands directly under a key, in order; numbers by size. not deep: whole keys of plain values."""
        if not deep:
            found = [each for each in self.flat if each.startswith(key + ".") and each[len(key) + 1 :].isdecimal()]
            return sorted(found, key=lambda each: int(each.rpartition(".")[2]))
        names = {each[len(key) + 1 :].partition(".")[0] for each in self.flat if each.startswith(key + ".")}
        return sorted(names, key=lambda name: (not name.isdecimal(), len(name) if name.isdecimal() else 0, name))

    def named(self, family: str, *last: str) -> list[str]:
        """Names within a family, which may have full stops: what stands before one of these last words."""
        found: dict[str, None] = {}
        for key in self.flat:
            for word in last:
                if key.startswith(f"{family}.") and key.endswith(f".{word}") and len(key) > len(family) + len(word) + 2:
                    found[key[len(family) + 1 : -len(word) - 1]] = None
        return list(found)

    def directories(self) -> list[str]:
        """Those that say their type, and those that hold principals."""
        inside = [
            key[10:].partition(".principals.")[0]
            for key in self.flat
            if key.startswith("directory.") and ".principals." in key
        ]
        return list(
            dict.fromkeys([*inside, *(name for name in self.named("directory", "type") if ".principals." not in name)])
        )

    # accounts

    def people(self) -> None:
        members: dict[str, list[str]] = {}
        groups: dict[str, list[str]] = {}
        for directory in self.directories():
            kind = self.text(f"directory.{directory}.type")
            principals = self.below(f"directory.{directory}.principals")
            if kind not in ("memory", "") or (not principals and kind != "memory"):
                self.plan.leave(
                    f"directory.{directory}", f"its accounts are in {kind or 'another place'}, not in this file"
                )
            for one in principals:
                self._principal(f"directory.{directory}.principals.{one}", members, groups)
        for name, addresses in groups.items():
            who = tuple(dict.fromkeys(members.get(folded(name), ())))
            for address in addresses if who else ():
                self.plan.aliases[address] = who
            if not who or not addresses:
                self.plan.leave(f"group {name}", "it has no address" if who else "it has no members")
        domains = [folded(a.rpartition("@")[2]) for p in self.plan.people for a in p.addresses]
        domains += [a.rpartition("@")[2] for a in self.plan.aliases] + list(self.plan.catch_all)
        self.plan.domains = list(dict.fromkeys(domains))

    def _principal(self, key: str, members: dict[str, list[str]], groups: dict[str, list[str]]) -> None:
        name, kind = self.text(f"{key}.name"), self.text(f"{key}.class", f"{key}.type") or "individual"
        addresses = self.texts(f"{key}.email") + self.texts(f"{key}.emails")
        if not name:
            self.plan.leave(key, "it has no name")
        elif kind in _GROUPS:
            groups[name] = [text for text in addresses if parse(text)]
            for member in self.texts(f"{key}.members") + self.texts(f"{key}.external-members"):
                members.setdefault(folded(name), []).append(member)
        elif kind in _PEOPLE:
            self._person(key, name, addresses)
            for group in self.texts(f"{key}.member-of"):
                members.setdefault(folded(group), []).append(name)
        else:
            self.plan.leave(f"{key} ({name})", f"a principal of the kind {kind} has no mail here")

    def _person(self, key: str, name: str, addresses: list[str]) -> None:
        own = [text for text in addresses if parse(text)]
        own = own or ([name] if parse(name) else [])
        secrets = [line for secret in (f"{key}.secret", f"{key}.secrets") for line in self.texts(secret)]
        lines = [
            (label, line)
            for line in secrets
            if (found := self._secret(f"{key} ({name})", line))
            for label, line in [found]
        ]
        main = next((line for label, line in lines if not label), None)
        for text in addresses:
            if text.startswith("@") and parse(f"x{text}"):
                self.plan.catch_all[folded(text[1:])] = name
            elif not parse(text):
                self.plan.leave(f"{key} ({name})", f"not a mail address: {text[:80]!r}")
        if not own or main is None:
            why = "it has no password that is read here" if own else "it has no address"
            self.plan.leave(f"{key} ({name})", why)
            self.plan.catch_all = {domain: to for domain, to in self.plan.catch_all.items() if to != name}
            return
        further = [(label or f"password {n}", line) for n, (label, line) in enumerate(lines, 1) if line is not main]
        quota = self.text(f"{key}.quota")
        size = int(quota) if quota.isascii() and quota.isdecimal() and len(quota) < 19 else 0
        apps = tuple((label, Secret(line)) for label, line in further)
        self.plan.people.append(Person(name, tuple(dict.fromkeys(own)), Secret(main), apps, quota=size))

    def _secret(self, where: str, line: str) -> tuple[str, str] | None:
        """The label of an app password, and the stored line; a plain password is hashed."""
        label = ""
        if line.startswith("$app$"):
            _, _, label, line = (*line.split("$", 3), "", "")[:4]
        if line.startswith("otpauth:"):
            self.plan.leave(where, "its one-time passwords are not taken: there are none here")
            return None
        if line.upper().startswith(("{PLAIN}", "{CLEAR}", "{CLEARTEXT}")):
            return label, self.hashed(line.partition("}")[2])
        if not line.startswith(("$", "{", "_")):
            return label, self.hashed(line)
        if why := self.readable(line):
            self.plan.leave(where, f"a password that cannot be kept: {why}")
            return None
        return label, line

    # keys

    def signing(self) -> None:
        for name in self.named("signature", "private-key", "domain"):
            key = f"signature.{name}"
            pem, domain, selector = (self.text(f"{key}.{part}") for part in ("private-key", "domain", "selector"))
            algorithm = self.text(f"{key}.algorithm") or _ALGORITHMS[0]
            if algorithm not in _ALGORITHMS:
                self.plan.leave(key, f"no key signs by {algorithm} here")
            elif not (pem and domain and selector):
                self.plan.leave(key, "its key, domain or selector is missing")
            else:
                self.plan.signing.append(Signing(folded(domain), folded(selector), Secret(pem)))

    def pairs(self) -> None:
        for name in self.named("certificate", "cert", "private-key"):
            key = f"certificate.{name}"
            chain, secret = self.text(f"{key}.cert"), self.text(f"{key}.private-key")
            if chain and secret:
                self.plan.pairs.append(Pair(name, chain, Secret(secret)))
            else:
                self.plan.leave(key, "its chain or its key is missing")
        default = [one for one in self.plan.pairs if self.flat.get(f"certificate.{one.name}.default") == "true"]
        self.plan.pairs = default + [one for one in self.plan.pairs if one not in default]
