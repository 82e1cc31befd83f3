"""Passwords at the command line: asked for, made, hashed. They come from the terminal or stdin, never from an argument.

Fails by: `Misused` for what no client could send, and for a scheme that is not made here.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import sys

import click

from dnsops.base.errors import Misused
from mailsrv.directory import hashes, slow
from mailsrv.directory.keys import HASHES, SALT, BadHash, Keys
from mailsrv.directory.prep import LONGEST, prepared

APP_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that looks like something else
APP_LENGTH = 24  # of 31 characters: 118 bits
LONGEST_HASH = 1024
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


def asked() -> str:
    """From the terminal, twice; else the first line of stdin."""
    password = prepared(_typed("Password"))
    if not password or len(password.encode()) > LONGEST:
        raise Misused("not a password that clients can send", "", f"1 to {LONGEST} octets, no control characters")
    return password


def asked_hash() -> str:
    """A hash that another server made."""
    line = _typed("Hash")
    try:
        hashes.read(line)
    except BadHash as error:
        raise Misused(f"not a hash that is read here: {error}", "", "the formats of Dovecot and Stalwart are") from None
    return line


def _typed(what: str) -> str:
    if sys.stdin.isatty():
        text: str = click.prompt(what, hide_input=True, confirmation_prompt=what == "Password")
    else:
        text = sys.stdin.readline(max(LONGEST, LONGEST_HASH) + 2).rstrip("\r\n")
    return text
