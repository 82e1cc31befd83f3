"""The fields DKIM-Signature, ARC-Message-Signature and ARC-Seal: what they say, each tag checked. Pure.

Standards: RFC 6376 3.5 and 6.1.1, RFC 8617 4.1 (the fields of ARC), RFC 8616 (names in UTF-8), RFC 8301 (rsa-sha1 is history).
Limits: LONGEST octets; numbers of 12 digits; names as the DNS has them.
Fails by: `Malformed`, with what is wrong; `Said` tells what a field claims even then.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from dnsops.base.errors import ForUser
from dnsops.base.printable import printable
from dnsops.records import names
from dnsops.records.txt import tags
from dnsops.records.txt.dkim import owner
from dnsops.records.txt.tags import Malformed

LONGEST = 64 << 10  # z= may hold a copy of the header
SHOWN = 8  # characters of b= that tell signatures apart (RFC 6008 4)
MOST_SHOWN = 255  # of a claim that may be anything
MOST_KEPT = 4096  # names whose spelling is known, and mailers whose tags are
SHORT = 1024  # characters of tags that are kept
ALGORITHMS = {"rsa-sha256": "rsa", "ed25519-sha256": "ed25519"}
HISTORIC = "rsa-sha1"
HASH_BYTES = 32
INSTANCES = 50  # RFC 8617 4.2.1
_NUMBER = re.compile(r"[0-9]{1,12}\Z")
_LENGTH = re.compile(r"[0-9]{1,76}\Z")
_INSTANCE = re.compile(r"[0-9]{1,2}\Z")
_FORMS = {"simple": False, "relaxed": True}


@dataclass(frozen=True, slots=True)
class Said:
    """What a signature claims of itself, right or wrong, fit for a line of ours."""

    domain: str = ""
    selector: str = ""
    identity: str = ""
    algorithm: str = ""
    b: str = ""


class Signature(NamedTuple):
    """One signature. domain, selector: d=, s= as A-labels in lower case.  identity: i=, "@" + d when it has none.

    fields: h=, lower case.  relaxed_header, relaxed_body: its c=.  signed, expires: t=, x=, seconds since 1970.
    partial: it has l=.  instance, chain: i= and cv= of ARC's fields, 0 and "" of others.
    """

    algorithm: str
    octets: bytes
    body_hash: bytes
    domain: str
    selector: str
    identity: str = ""
    fields: tuple[bytes, ...] = ()
    relaxed_header: bool = False
    relaxed_body: bool = False
    signed: int | None = None
    expires: int | None = None
    partial: bool = False
    instance: int = 0
    chain: str = ""

    @property
    def key_name(self) -> str:
        return owner(self.selector, self.domain)

    @property
    def kind(self) -> str:
        """The key's k= that it needs; "" for history's."""
        return ALGORITHMS.get(self.algorithm, "")


def tag_list(value: bytes) -> dict[str, str]:
    """The tags of a field. Raises `Malformed`."""
    return tags.parse(value, LONGEST)


def said(found: Mapping[str, str]) -> Said:
    """What can be told of a signature that may be malformed."""
    domain, selector, identity, algorithm = (_shown(found.get(name, "")) for name in ("d", "s", "i", "a"))
    return Said(domain, selector, identity, algorithm, first_of_b(found))


def first_of_b(found: Mapping[str, str]) -> str:
    """The first characters of b=, to tell signatures apart."""
    return _shown(found.get("b", "")[: 4 * SHOWN])[:SHOWN]


def _shown(value: str) -> str:
    plain = tags.compact(value[:MOST_SHOWN])
    return plain if plain.isprintable() else printable(plain)


def dkim(found: Mapping[str, str]) -> Signature:
    """A DKIM-Signature (RFC 6376 3.5). Raises `Malformed`."""
    _needs(found, "v", "a", "b", "bh", "d", "h", "s")
    if found["v"] != "1":
        raise Malformed("v= is not 1")
    made = _of_message(found, 0)
    if b"from" not in made.fields:
        raise Malformed("h= does not have From")  # RFC 6376 5.4
    return made


def arc_message(found: Mapping[str, str]) -> Signature:
    """An ARC-Message-Signature (RFC 8617 4.1.2). Raises `Malformed`."""
    _needs(found, "i", "a", "b", "bh", "d", "h", "s")
    made = _of_message({"c": "relaxed/relaxed", **found}, _instance(found))  # the default that sealers rely on
    if b"arc-seal" in made.fields:
        raise Malformed("h= of an ARC-Message-Signature has ARC-Seal")
    return made


def arc_seal(found: Mapping[str, str]) -> Signature:
    """An ARC-Seal (RFC 8617 4.1.3): relaxed, and without h=. Raises `Malformed`."""
    _needs(found, "i", "a", "b", "cv", "d", "s")
    if "h" in found:
        raise Malformed("an ARC-Seal with h=")
    if found["cv"] not in ("none", "pass", "fail"):
        raise Malformed("cv= is none of none, pass, fail")
    domain, selector = _key_place(found["d"], found["s"])
    return Signature(
        _algorithm(found["a"]), _octets(found, "b"), b"", domain, selector, relaxed_header=True,
        signed=_number(found, "t"), instance=_instance(found), chain=found["cv"],
    )  # fmt: skip


def _of_message(found: Mapping[str, str], instance: int) -> Signature:
    """What both kinds of signatures of a message have; `instance` is 0 for DKIM's own."""
    who = _Signer(
        found["a"], found.get("c", "simple/simple"), found["d"], found["s"], found["h"],
        None if instance else found.get("i"), found.get("q", "dns/txt"),
    )  # fmt: skip
    frame = _kept_frame(who) if sum(map(len, filter(None, who))) <= SHORT else _frame(who)
    signed, expires = _number(found, "t"), _number(found, "x")
    if signed is not None and expires is not None and expires <= signed:
        raise Malformed("x= is not after t=")
    if "l" in found and not _LENGTH.match(found["l"]):
        raise Malformed("l= is not a number")
    body_hash = _octets(found, "bh")
    if len(body_hash) != HASH_BYTES and frame.algorithm != HISTORIC:
        raise Malformed(f"bh= has not {HASH_BYTES} octets")
    return Signature(
        frame.algorithm, _octets(found, "b"), body_hash, frame.domain, frame.selector, "" if instance else frame.identity,
        frame.fields, frame.relaxed_header, frame.relaxed_body, signed, expires, "l" in found, instance,
    )  # fmt: skip


class _Signer(NamedTuple):
    """The tags that are the same in all signatures of a mailer."""

    a: str
    c: str
    d: str
    s: str
    h: str
    i: str | None
    q: str


def _frame(who: _Signer) -> Signature:
    """What they come to; b= and bh= are empty. Raises `Malformed`."""
    domain, selector = _key_place(who.d, who.s)
    identity = f"@{domain}" if who.i is None else _identity(who.i, domain)
    relaxed_header, relaxed_body = _canonicalization(who.c)
    if "dns/txt" not in tags.words(who.q):
        raise Malformed("q= does not have dns/txt")
    return Signature(
        _algorithm(who.a), b"", b"", domain, selector, identity, _fields(who.h), relaxed_header, relaxed_body
    )


_kept_frame = lru_cache(MOST_KEPT)(_frame)


def _needs(found: Mapping[str, str], *wanted: str) -> None:
    for name in wanted:
        if name not in found:
            raise Malformed(f"it has no {name}=")


def _algorithm(algorithm: str) -> str:
    if algorithm not in ALGORITHMS and algorithm != HISTORIC:
        raise Malformed("a= is an algorithm that nobody knows")
    return algorithm


def _octets(found: Mapping[str, str], name: str) -> bytes:
    plain = tags.compact(found[name])
    try:
        octets = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Malformed(f"{name}= is not base64") from None
    if not octets:
        raise Malformed(f"{name}= is empty")
    return octets


def _key_place(d: str, s: str) -> tuple[str, str]:
    """Domain and selector; the two together may be too long for a name."""
    domain, selector = _name(d, "d"), _name(s, "s")
    _name(owner(selector, domain), "s")
    return domain, selector


def _name(text: str, tag: str) -> str:
    name = _canonical(text) if len(text) <= MOST_SHOWN else None
    if name is None:
        raise Malformed(f"{tag}= is no domain name")
    return name


@lru_cache(MOST_KEPT)
def _canonical(text: str) -> str | None:
    """The few names that most mail has, in their one spelling; None for what is none."""
    try:
        return names.canonical(text)
    except ForUser:
        return None


def _identity(i: str, domain: str) -> str:
    """i=: LOCAL@DOMAIN, where DOMAIN is d= or below it."""
    local, at, host = tags.compact(i).rpartition("@")
    if not at or not names.under(_name(host, "i"), domain):
        raise Malformed("i= is not of the domain d=")
    return f"{local}@{_name(host, 'i')}"


def _canonicalization(c: str) -> tuple[bool, bool]:
    """c=: whether header and body are relaxed; RFC 6376 3.5: simple where nothing is said."""
    header, slash, body = c.partition("/")
    if header not in _FORMS or (body if slash else "simple") not in _FORMS:
        raise Malformed("c= is a form that nobody knows")
    return _FORMS[header], _FORMS[body] if slash else False


def _fields(h: str) -> tuple[bytes, ...]:
    names_ = tags.compact(h.lower())
    if not names_.isascii():
        raise Malformed("h= is no list of field names")
    return tuple(names_.encode().split(b":"))


def _number(found: Mapping[str, str], name: str) -> int | None:
    if name not in found:
        return None
    if not _NUMBER.match(found[name]):
        raise Malformed(f"{name}= is not a number")
    return int(found[name])


def _instance(found: Mapping[str, str]) -> int:
    if not _INSTANCE.match(found["i"]) or not 1 <= int(found["i"]) <= INSTANCES:
        raise Malformed(f"i= is not a number from 1 to {INSTANCES}")
    return int(found["i"])
