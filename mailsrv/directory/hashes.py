"""Stored passwords: every form that Dovecot and Stalwart write, read once and checked as often as one logs in.

    {ARGON2ID} $argon2id$     argon2-cffi          {SSHA} {SSHA256} {SSHA512} {SMD5}     salted, base64 or hex
    {SHA512-CRYPT} $6$ $5$ $1$  libpass            {SHA} {SHA256} {SHA512} {PLAIN-MD5}   unsalted
    {BLF-CRYPT} $2b$          libpass, bcrypt      {PBKDF2} $pbkdf2-sha256$ $scrypt$     hashlib
    {CRYPT}                   whatever its $ says  {PLAIN}   {SCRAM-SHA-256}

Marks may carry Dovecot's encodings: {SSHA.HEX}, {SHA256.B64}. Fails by: `BadHash`, a sentence for the configuration.
Limits on what a stored line may cost to check: argon2 1 GiB and 20 passes, rounds 1 000 000, bcrypt cost 14, scrypt 2^18.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from mailsrv.directory import slow
from mailsrv.directory.keys import HASHES, BadHash, Keys, read_keys

Check: TypeAlias = Callable[[bytes], bool]
LONGEST_LINE = 1024


@dataclass(frozen=True)
class Stored:
    """A stored password. `good`: no better form is wanted; `keys`: of SCRAM."""

    scheme: str
    check: Check = field(repr=False, compare=False)
    good: bool = False
    keys: Keys | None = field(default=None, repr=False)


def read(line: str) -> Stored:
    """The stored password of a line of the configuration or the database."""
    line = line.strip()
    if len(line) > LONGEST_LINE:
        raise BadHash(f"a stored password longer than {LONGEST_LINE} characters")
    if not line.startswith("{"):
        return by_prefix(line)
    mark, brace, rest = line[1:].partition("}")
    scheme, _, encoding = mark.upper().partition(".")
    if not brace or scheme not in SCHEMES or encoding not in ("", "HEX", "B64", "BASE64"):
        raise BadHash(f"the scheme {{{mark[:20]}}} is not known - known are {', '.join(sorted(SCHEMES))}")
    return SCHEMES[scheme](scheme, rest, encoding)


def by_prefix(line: str) -> Stored:
    """The form that a $ prefix tells."""
    for start, reader in PREFIXES.items():
        if line.startswith(start):
            return reader(line)
    kind = "$".join(line.split("$")[:2]) + "$" if line.startswith("$") else "what has no mark"
    raise BadHash(f"{kind[:20]} is not read - known are {', '.join(PREFIXES)} and marks such as {{SSHA512}}")


def plain(password: bytes) -> Stored:
    """A password that the configuration holds itself."""
    return Stored("PLAIN", lambda given: hmac.compare_digest(_even(given), _even(password)), good=True)


def _even(text: bytes) -> bytes:
    """Of one length, whatever the length: a comparison then takes the same time."""
    return hashlib.sha256(text).digest()


def _plain(scheme: str, rest: str, encoding: str) -> Stored:
    if not rest:
        raise BadHash("an empty password")
    return plain(_decoded(rest, encoding) if encoding else rest.encode())


def _prefixed(scheme: str, rest: str, encoding: str) -> Stored:
    """A mark before a $ form, which must agree with it."""
    stored = by_prefix(_decoded(rest, encoding).decode("ascii", "replace") if encoding else rest)
    if scheme != "CRYPT" and stored.scheme not in _SAME.get(scheme, (scheme,)):
        raise BadHash(f"{{{scheme}}} stands before what is {stored.scheme}")
    return stored


_SAME = {"BCRYPT": ("BLF-CRYPT",), "ARGON2I": ("ARGON2I", "ARGON2ID"), "ARGON2ID": ("ARGON2I", "ARGON2ID")}


def _digest(hash_name: str, salted: bool) -> Callable[[str, str, str], Stored]:
    size = hashlib.new(hash_name, usedforsecurity=False).digest_size

    def reader(scheme: str, rest: str, encoding: str) -> Stored:
        # Dovecot: what is twice as long as the digest, and hexadecimal, is not base64
        as_hex = encoding == "HEX" or (not encoding and re.fullmatch(rf"[0-9a-fA-F]{{{2 * size}}}", rest))
        data = _decoded(rest, "HEX" if as_hex else "B64")
        digest, salt = data[:size], data[size:]
        if len(digest) < size or bool(salt) != salted or len(salt) > 64:
            raise BadHash(f"{{{scheme}}} is {size} octets of digest" + (" and a salt" if salted else ""))
        return Stored(scheme, lambda given: _same(hashlib.new(hash_name, given + salt, usedforsecurity=False), digest))

    return reader


def _same(made: hashlib._Hash, digest: bytes) -> bool:
    return hmac.compare_digest(made.digest(), digest)


def _md5(scheme: str, rest: str, encoding: str) -> Stored:
    """{MD5} is md5crypt to Dovecot and a plain digest to Stalwart."""
    return by_prefix(rest) if rest.startswith("$1$") else _digest("md5", salted=False)(scheme, rest, encoding)


def _pbkdf2(scheme: str, rest: str, encoding: str) -> Stored:
    """Dovecot: $1$SALT$ROUNDS$HEX of SHA-1, the salt as it stands there."""
    if rest.startswith("$pbkdf2"):
        return by_prefix(rest)
    found = re.fullmatch(r"\$1\$([^$]{1,64})\$([0-9]{1,8})\$([0-9a-fA-F]{16,128})", rest)
    if not found:
        raise BadHash("{PBKDF2} is $1$SALT$ROUNDS$HEX")
    salt, rounds, digest = found[1].encode(), slow.rounds(found[2]), bytes.fromhex(found[3])
    return Stored(
        scheme, lambda p: hmac.compare_digest(hashlib.pbkdf2_hmac("sha1", p, salt, rounds, len(digest)), digest)
    )


def _scram(scheme: str, rest: str, encoding: str) -> Stored:
    keys = read_keys(scheme, rest)
    return Stored(scheme, keys.matches, good=True, keys=keys)


def _scrypt(scheme: str, rest: str, encoding: str) -> Stored:
    return by_prefix(rest)


def _decoded(text: str, encoding: str) -> bytes:
    try:
        return bytes.fromhex(text) if encoding == "HEX" else base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadHash(f"not {'hexadecimal' if encoding == 'HEX' else 'base64'} behind its mark") from None


def _sha(scheme: str, rest: str, encoding: str) -> Stored:
    return _DIGESTS[scheme](scheme, rest, encoding)


_DIGESTS = {
    **{
        name: _digest(hash_name, salted=True)
        for name, hash_name in (("SSHA", "sha1"), ("SSHA256", "sha256"), ("SSHA512", "sha512"), ("SMD5", "md5"))
    },
    **{
        name: _digest(hash_name, salted=False)
        for name, hash_name in (
            ("SHA", "sha1"),
            ("SHA1", "sha1"),
            ("SHA256", "sha256"),
            ("SHA512", "sha512"),
            ("PLAIN-MD5", "md5"),
            ("LDAP-MD5", "md5"),
        )
    },
}
SCHEMES: dict[str, Callable[[str, str, str], Stored]] = {
    **dict.fromkeys(("ARGON2ID", "ARGON2I", "SHA512-CRYPT", "SHA256-CRYPT", "MD5-CRYPT"), _prefixed),
    **dict.fromkeys(("BLF-CRYPT", "BCRYPT", "CRYPT"), _prefixed),
    **dict.fromkeys(("PLAIN", "CLEAR", "CLEARTEXT"), _plain),
    **dict.fromkeys(HASHES, _scram),
    **dict.fromkeys(_DIGESTS, _sha),
    "MD5": _md5,
    "PBKDF2": _pbkdf2,
    "SCRYPT": _scrypt,
}


def _read_slow(reader: Callable[[str], slow.Read]) -> Callable[[str], Stored]:
    def read_it(line: str) -> Stored:
        return Stored(*reader(line))

    return read_it


PREFIXES: dict[str, Callable[[str], Stored]] = {start: _read_slow(reader) for start, reader in slow.PREFIXES.items()}
