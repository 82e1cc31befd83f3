"""Passwords at the command line: asked for here, made and hashed by `mailsrv.directory.making`.

They come from the terminal or stdin, never from an argument.
Fails by: `Misused` for what no client could send, and for a scheme that is not made here.
"""

from __future__ import annotations

import sys

import click

from dnsops.base.errors import Misused
from mailsrv.directory import hashes
from mailsrv.directory.keys import BadHash
from mailsrv.directory.making import SCRAM, hashed, made, salted
from mailsrv.directory.prep import LONGEST, prepared

LONGEST_HASH = 1024

__all__ = ["SCRAM", "asked", "asked_hash", "hashed", "made", "salted"]


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
