"""Passwords made here, and the lines that a configuration or the register keeps of them.

Standards: RFC 9106 (argon2), RFC 7677 (SCRAM-SHA-256). Fails by: `Misused` for a scheme that is not made here.
"""

from __future__ import annotations

import base64
import hashlib
import secrets

from dnsops.base.errors import Misused
from mailsrv.directory import slow
from mailsrv.directory.keys import HASHES, SALT, Keys

APP_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that looks like something else
APP_LENGTH = 24  # of 31 characters: 118 bits
SCRAM = "SCRAM-SHA-256"


def hashed(scheme: str, password: str) -> str:
    """The line that a configuration or the register keeps."""
    if scheme == "ARGON2ID":
        return slow.argon2id(password.encode())
    if scheme in HASHES:
        return str(Keys.derive(HASHES[scheme], password.encode(), secrets.token_bytes(SALT)))
    raise Misused(f"no hash is made as {scheme}", "--scheme", f"write ARGON2ID, {', '.join(HASHES)}")


def salted(password: str) -> str:
    """For a password that was made here: one of that many bits needs no slow hash."""
    salt = secrets.token_bytes(16)
    return "{SSHA512}" + base64.b64encode(hashlib.sha512(password.encode() + salt).digest() + salt).decode()


def made() -> str:
    """A password that nobody guesses and everybody can type."""
    letters = "".join(secrets.choice(APP_ALPHABET) for _ in range(APP_LENGTH))
    return "-".join(letters[at : at + 6] for at in range(0, APP_LENGTH, 6))
