"""Encrypting to age recipients, and opening with an identity: the door to pyrage (rage, the age format in Rust).

    seal = Seal.of(recipients, secret)      seal.close(data) -> an age file
    Opener.of(path).open(data)              what was in it

Each piece and each list is an age file of its own (age-encryption.org/v1) that `age -d -i IDENTITY` opens. A server that holds only
the recipients cannot open them: who breaks in reads the mail that is there, and no older backup. age does not say who encrypted.
Limits: LARGEST octets of an identity's file. Fails by: `ForUser`; `Damaged` from `open`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dnsops.base.errors import ForUser, Misconfigured
from dnsops.base.files import read_bounded
from mailsrv.backup.place import Damaged

LARGEST = 1 << 16
PURPOSE = b"mailsrv-backup: names of pieces\n"


@dataclass(frozen=True)
class Seal:
    """For whom. key: hexadecimal, of the pieces' digests; other recipients, other names, so that all is encrypted to them."""

    recipients: tuple[Any, ...]
    key: str

    @classmethod
    def of(cls, recipients: Sequence[str], secret: bytes) -> Seal:
        whom = "\n".join(sorted(recipients)).encode()
        key = hmac.new(secret, PURPOSE + whom, hashlib.sha256).hexdigest()
        return cls(tuple(map(_recipient, recipients)), key)

    def close(self, data: bytes) -> bytes:
        sealed: bytes = _pyrage().encrypt(data, list(self.recipients))
        return sealed


def named(key: str, data: bytes) -> str:
    """The name of a piece: a digest that tells those who do not have the key nothing about what is in it."""
    if not key:
        return hashlib.sha256(data).hexdigest()
    return hmac.new(bytes.fromhex(key), data, hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Opener:
    """The identities of a file."""

    where: str
    identities: tuple[Any, ...]

    @classmethod
    def of(cls, path: Path) -> Opener:
        """A file as `age-keygen` writes it, or an SSH private key without a passphrase."""
        try:
            data = read_bounded(path, LARGEST)
        except OSError as error:
            raise ForUser(f"the identity cannot be read ({error.strerror})", str(path)) from None
        except ValueError:
            data = b""
        found = tuple(_identities(data))
        if not found:
            raise ForUser("there is no age identity in this file", str(path), "name what `age-keygen` wrote")
        return cls(str(path), found)

    def open(self, data: bytes) -> bytes:
        pyrage = _pyrage()
        try:
            opened: bytes = pyrage.decrypt(data, list(self.identities))
        except pyrage.DecryptError as error:
            if "matching key" in str(error):
                advice = "name the identity of one of its recipients"
                raise ForUser("this identity does not open it", self.where, advice) from None
            raise Damaged(f"it is no whole age file ({error})") from None
        return opened


def _recipient(text: str) -> Any:
    pyrage = _pyrage()
    try:
        return (pyrage.ssh if text.startswith("ssh-") else pyrage.x25519).Recipient.from_str(text)
    except pyrage.RecipientError:
        raise Misconfigured(f"not an age recipient: {text[:80]}", "backup.recipients", "write age1...") from None


def _identities(data: bytes) -> list[Any]:
    pyrage = _pyrage()
    try:
        if data.startswith(b"-----BEGIN"):
            return [pyrage.ssh.Identity.from_buffer(data)]
        lines = [line.strip() for line in data.decode("ascii", "replace").splitlines()]
        return [pyrage.x25519.Identity.from_str(line) for line in lines if line.startswith("AGE-SECRET-KEY-1")]
    except pyrage.IdentityError:
        return []


def _pyrage() -> Any:
    try:
        import pyrage
    except ImportError:
        raise ForUser("encrypted backups need pyrage", "", "pip install 'mailsrv[age]'") from None
    return pyrage
