"""TSIG keys: read from BIND's key files or from the one-line form of `nsupdate -y`. Pure.

    key "mailsrv" { algorithm hmac-sha256; secret "3kd...=="; };        hmac-sha256:mailsrv:3kd...==

Standard: RFC 8945 6 (algorithms); named.conf's key statement with all its kinds of comment.
Fails by: `Misconfigured`, which never repeats the text: it may hold the secret.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import NoReturn

from dnsops.base.errors import ForUser, Misconfigured
from dnsops.base.secrets import Secret
from dnsops.records.names import canonical

LONGEST = 65536
USUAL = "hmac-sha256"
ALGORITHMS = {
    "hmac-md5": "hmac-md5.sig-alg.reg.int",
    "hmac-md5.sig-alg.reg.int": "hmac-md5.sig-alg.reg.int",
    **{
        name: name
        for name in (
            "hmac-sha1",
            "hmac-sha224",
            "hmac-sha256",
            "hmac-sha256-128",
            "hmac-sha384",
            "hmac-sha384-192",
            "hmac-sha512",
            "hmac-sha512-256",
        )
    },
}
_COMMENT = re.compile(r'("[^"\n]*")|/\*.*?\*/|//[^\n]*|#[^\n]*', re.DOTALL)
_KEY = re.compile(r'\bkey\s+"?([^\s"{};]+)"?\s*\{([^{}]*)\}\s*;?')
_CLAUSE = re.compile(r'(\w+)\s+"?([^\s"{};]+)"?\s*;')


@dataclass(frozen=True, slots=True)
class Key:
    """A shared secret and its name. algorithm: as it is named on the wire."""

    name: str
    algorithm: str
    secret: Secret


def parse(text: str, where: str) -> Key:
    """A key file's text, or the one-line form, `where` being the file or variable that it came from."""
    if len(text) > LONGEST:
        raise Misconfigured(f"a TSIG key file has no more than {LONGEST} characters", where)
    plain = _COMMENT.sub(lambda found: found[1] or " ", text).strip()
    if "{" not in plain:
        return _line(plain, where)
    keys = _KEY.findall(plain)
    if len(keys) != 1:
        raise Misconfigured(
            f"{len(keys)} TSIG keys are in it", where, "keep exactly one: the key that may change the zone"
        )
    name, body = keys[0]
    clauses = {clause.lower(): value for clause, value in _CLAUSE.findall(body)}
    if "secret" not in clauses:
        raise Misconfigured("the TSIG key has no secret", where, 'write: key "NAME" { algorithm ...; secret "..."; };')
    return _key(clauses.get("algorithm", USUAL), name, clauses["secret"], where)


def _line(text: str, where: str) -> Key:
    parts = text.split(":")
    if len(parts) == 2:
        parts.insert(0, USUAL)
    if len(parts) != 3 or len(text.split()) != 1:
        _no_key(where)
    return _key(parts[0], parts[1], parts[2], where)


def _key(algorithm: str, name: str, secret: str, where: str) -> Key:
    wire_name = ALGORITHMS.get(algorithm.lower().removesuffix("."))
    if wire_name is None:
        known = ", ".join(sorted(set(ALGORITHMS) - {"hmac-md5.sig-alg.reg.int"}))
        raise Misconfigured("the TSIG key's algorithm is not known", where, f"use one of {known}")
    try:
        raw = base64.b64decode(secret, validate=True)
    except binascii.Error:
        raw = b""
    if not raw:
        raise Misconfigured(
            "the TSIG key's secret is not base64", where, "copy it again: tsig-keygen writes a whole file"
        )
    try:
        return Key(canonical(name), wire_name, Secret(secret))
    except ForUser:
        _no_key(where)


def _no_key(where: str) -> NoReturn:
    raise Misconfigured("this is no TSIG key", where, 'write: key "NAME" { algorithm hmac-sha256; secret "..."; };')
