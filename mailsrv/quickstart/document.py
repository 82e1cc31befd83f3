"""The configuration as text: short, in the order of the documentation, nothing that is the default anyway. Pure.

Standards: YAML 1.2, as `dnsops.base.settings.tree` reads it. Fails by: nothing; what comes in was read by `answers`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dnsops.base.settings.acme import LETS_ENCRYPT
from dnsops.base.settings.show import inline
from mailsrv.quickstart.answers import Answers, Kept

HEAD = "# Written by `mailsrv quickstart {domain}`. `mailsrv config example` explains every setting there is.\n"


@dataclass(frozen=True, slots=True)
class Proof:
    """What stands for the first account's password: its hash, and the keys for SCRAM."""

    password_hash: str
    scram_keys: str


@dataclass(frozen=True, slots=True)
class Tag:
    """A value that is written as it is: `!file PATH`."""

    text: str


def text(answers: Answers, proof: Proof, token_file: str, kinds: tuple[str, ...]) -> str:
    """The whole file. token_file: where we keep a token.  kinds: the names of all listeners but management's."""
    sections = {key: value for key, value in _sections(answers, proof, token_file, kinds) if value}
    return HEAD.format(domain=answers.domain) + "".join(_lines(sections, 0))


def _sections(answers: Answers, proof: Proof, token_file: str, kinds: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    yield "hostname", answers.hostname
    yield "domains", [answers.domain]
    yield "dns", _dns(answers, token_file)
    yield "acme", _acme(answers)
    yield "records", {"addresses": list(answers.addresses)}
    yield "accounts", [_account(answers, proof)]
    yield "state", {"directory": answers.state} if answers.state else {}
    if answers.bind:
        addresses = list(answers.addresses)
        yield "listeners", {kind: {"bind": addresses} for kind in kinds}
        yield "queue", {"bind": _one_of_each(addresses)}


def _dns(answers: Answers, token_file: str) -> dict[str, Any]:
    """The provider's section; the secret by its place."""
    place = answers.provider.partition(":")[2]
    kept, name = answers.credential.kept, answers.credential.name
    found: dict[str, Any] = {"provider": answers.kind}
    if answers.kind == "cloudflare":
        path = {Kept.FILE: name, Kept.OURS: token_file}.get(kept)
        found |= {"token": Tag(f"!file {path}")} if path else {}
    elif answers.kind == "rfc2136":
        found |= {"server": _server(place)} | ({"key_file": name} if name else {})
    elif answers.kind == "zonefile":
        found |= {"path": place}
    else:
        config, _, section = place.partition("#")
        found |= {"config": config} | ({"name": section} if section else {})
    return found


def _server(place: str) -> str:
    """HOST:PORT of a spec as HOST#PORT of the configuration."""
    if place.startswith("["):
        host, _, port = place[1:].partition("]")
        return host + (f"#{port.removeprefix(':')}" if port.startswith(":") else "")
    host, colon, port = place.partition(":")
    return f"{host}#{port}" if colon and ":" not in port else place


def _acme(answers: Answers) -> dict[str, Any]:
    found: dict[str, Any] = {"contact": answers.contact}
    if answers.directory != LETS_ENCRYPT:
        found["directory"] = answers.directory
    if answers.roots:
        found["roots"] = answers.roots
    return found


def _account(answers: Answers, proof: Proof) -> dict[str, Any]:
    return {
        "name": answers.account,
        "password_hash": proof.password_hash,
        "scram_keys": proof.scram_keys,
        "addresses": [answers.address],
    }


def _one_of_each(addresses: list[str]) -> list[str]:
    """An address of each family, as `queue.bind` takes them."""
    first = {":" in one: one for one in reversed(addresses)}
    return [first[family] for family in sorted(first)]


def _lines(values: dict[str, Any], indent: int) -> Iterator[str]:
    """Blocks for sections and for lists of sections, one line for all else."""
    margin = " " * indent
    for key, value in values.items():
        if isinstance(value, dict):
            yield f"{margin}{key}:\n"
            yield from _lines(value, indent + 2)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            yield f"{margin}{key}:\n"
            for item in value:
                first, *rest = _lines(item, indent + 4)
                yield f"{margin}  - {first.lstrip()}"
                yield from rest
        else:
            yield f"{margin}{key}: {value.text if isinstance(value, Tag) else inline(value)}\n"
