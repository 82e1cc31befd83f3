"""The password hashes that are slow by intent: argon2, the crypt(3) family, bcrypt, PBKDF2, scrypt in their $ forms.

Standards: RFC 9106 (argon2), the PHC string format, crypt(5). New hashes are argon2id of 19 MiB, two passes, one lane: about
40 ms of one core, so that many may log in at once on a small machine.
Fails by: `BadHash`. A check never raises: what a library refuses does not match. Limits: see mailsrv.directory.hashes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from mailsrv.directory.keys import BadHash

if TYPE_CHECKING:
    from argon2 import PasswordHasher

Check: TypeAlias = Callable[[bytes], bool]
Read: TypeAlias = tuple[str, Check, bool]  # scheme, check, good

PASSES, MEMORY, LANES = 2, 19456, 1
MOST_PASSES, MOST_MEMORY, MOST_LANES = 20, 1 << 20, 16
MOST_ROUNDS = 1_000_000
MOST_COST = 14
MOST_LN = 18
BCRYPT_READS = 72  # octets; what is longer would be cut


def argon2id(password: bytes) -> str:
    """A new hash of a password, with a salt of its own."""
    return _hasher().hash(password)


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY, parallelism=LANES)


def rounds(text: str) -> int:
    """A count of rounds within its bounds."""
    if not 1 <= int(text) <= MOST_ROUNDS:
        raise BadHash(f"{int(text)} rounds; at most {MOST_ROUNDS} are taken")
    return int(text)


def _argon2(line: str) -> Read:
    found = re.fullmatch(
        r"\$argon2(id|i|d)\$v=19\$m=(\d{1,8}),t=(\d{1,4}),p=(\d{1,3})\$[A-Za-z0-9+/]{10,100}={0,2}\$([A-Za-z0-9+/]{10,200})={0,2}",
        line,
    )
    if not found:
        raise BadHash("not an argon2 hash: it is $argon2id$v=19$m=...,t=...,p=...$SALT$HASH")
    memory, passes, lanes = int(found[2]), int(found[3]), int(found[4])
    if memory > MOST_MEMORY or passes > MOST_PASSES or lanes > MOST_LANES:
        raise BadHash(f"argon2 of more than m={MOST_MEMORY},t={MOST_PASSES},p={MOST_LANES}")
    line = re.sub(r"=+(?=\$|$)", "", line)
    heavy = memory * passes >= MEMORY * PASSES
    return f"ARGON2{found[1].upper()}", lambda given: _argon2_check(line, given), heavy and found[1] == "id"


def _argon2_check(line: str, given: bytes) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return _hasher().verify(line, given)
    except (VerificationError, InvalidHashError):
        return False


def _crypt(scheme: str, name: str, form: str) -> Callable[[str], Read]:
    """One of crypt(3)'s, checked by libpass."""

    def reader(line: str) -> Read:
        found = re.fullmatch(form, line)
        if not found:
            raise BadHash(f"not a {scheme} hash, as crypt(5) writes it")
        cost = found.groupdict().get("rounds")
        if cost:
            rounds(cost)
        return scheme, lambda given: _crypt_check(name, line, given), False

    return reader


def _crypt_check(name: str, line: str, given: bytes) -> bool:
    import passlib.hash

    try:
        return bool(getattr(passlib.hash, name).verify(given, line))
    except (ValueError, TypeError):
        return False


def _bcrypt(line: str) -> Read:
    found = re.fullmatch(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}", line)
    if not found:
        raise BadHash("not a bcrypt hash: it is $2b$COST$ and 53 characters")
    if not 4 <= int(found[1]) <= MOST_COST:
        raise BadHash(f"bcrypt of cost {int(found[1])}; 4 to {MOST_COST} are taken")
    check = _crypt_check
    return "BLF-CRYPT", lambda given: len(given) <= BCRYPT_READS and check("bcrypt", line, given), False


def _pbkdf2(line: str) -> Read:
    """As Rust's password-hash writes it (i=, l=), and as passlib does (a count, base64 with dots)."""
    found = re.fullmatch(
        r"\$pbkdf2(?:-(sha1|sha256|sha512))?\$(?:i=)?(\d{1,8})(?:,l=\d{1,3})?\$([A-Za-z0-9+/.]{1,120})=*\$([A-Za-z0-9+/.]{16,120})=*",
        line,
    )
    if not found:
        raise BadHash("not a PBKDF2 hash: it is $pbkdf2-sha256$i=ROUNDS$SALT$HASH")
    count, salt, digest = rounds(found[2]), _unpadded(found[3]), _unpadded(found[4])
    name = found[1] or "sha1"
    made = hashlib.pbkdf2_hmac
    return (
        "PBKDF2",
        lambda given: hmac.compare_digest(made(name, given, salt, count, len(digest)), digest),
        False,
    )


def _scrypt(line: str) -> Read:
    found = re.fullmatch(
        r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{1,120})=*\$([A-Za-z0-9+/]{16,120})=*", line
    )
    if not found:
        raise BadHash("not a scrypt hash: it is $scrypt$ln=...,r=...,p=...$SALT$HASH")
    ln, r, p = int(found[1]), int(found[2]), int(found[3])
    if not (1 <= ln <= MOST_LN and 1 <= r <= 16 and 1 <= p <= 16):
        raise BadHash(f"scrypt of more than ln={MOST_LN},r=16,p=16")
    salt, digest = _unpadded(found[4]), _unpadded(found[5])
    memory = 256 * r * (1 << ln) + (1 << 20)

    def check(given: bytes) -> bool:
        made = hashlib.scrypt(given, salt=salt, n=1 << ln, r=r, p=p, maxmem=memory, dklen=len(digest))
        return hmac.compare_digest(made, digest)

    return "SCRYPT", check, False


def _unpadded(text: str) -> bytes:
    text = text.replace(".", "+")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise BadHash("its salt or digest is not base64") from None


_SHA_CRYPT = r"(?:rounds=(?P<rounds>\d{1,9})\$)?[./0-9A-Za-z]{0,16}\$[./0-9A-Za-z]"
PREFIXES: dict[str, Callable[[str], Read]] = {
    "$argon2": _argon2,
    "$6$": _crypt("SHA512-CRYPT", "sha512_crypt", rf"\$6\${_SHA_CRYPT}{{86}}"),
    "$5$": _crypt("SHA256-CRYPT", "sha256_crypt", rf"\$5\${_SHA_CRYPT}{{43}}"),
    "$1$": _crypt("MD5-CRYPT", "md5_crypt", r"\$1\$[./0-9A-Za-z]{0,8}\$[./0-9A-Za-z]{22}"),
    "$2a$": _bcrypt,
    "$2b$": _bcrypt,
    "$2y$": _bcrypt,
    "$pbkdf2": _pbkdf2,
    "$scrypt$": _scrypt,
}
