"""Keys made for a test run, and signatures that no honest signer makes."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from functools import cache
from types import SimpleNamespace

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from dnsops.resolve.memory import MemoryDns
from mailsrv.auth import dkim
from mailsrv.auth.canonical import Fields, body_hash
from mailsrv.auth.keys import Signer
from tests.mailsrv.auth.examples import world

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MAIL = (
    b"From: Joe <joe@a.example>\r\nTo: suzie@b.example\r\nSubject: dinner\r\nDate: Mon, 2 Mar 2026 12:00:00 +0100\r\n"
    b"Message-ID: <1@a.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nHi.\r\n\r\nWe lost  the game.\t\r\n\r\n"
)


@cache
def private(bits: int = 2048, exponent: int = 65537) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(exponent, bits)


@cache
def pem(kind: str = "rsa", bits: int = 2048) -> bytes:
    key = private(bits) if kind == "rsa" else Ed25519PrivateKey.generate()
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


@cache
def signer(kind: str = "rsa", domain: str = "a.example") -> Signer:
    return Signer.load(domain, kind, pem(kind))


def published(*signers: Signer) -> MemoryDns:
    return world({f"{one.selector}._domainkey.{one.domain}": str(one.record) for one in signers})


def signed_by_hand(
    content: bytes, key: Signer, changes: dict[str, str | None] | None = None, name: str = "DKIM-Signature"
) -> bytes:
    """`content` under a signature whose tags are as usual but for `changes` (None: left out), and whose b= is right."""
    made: dict[str, str | None] = {
        "v": "1", "a": key.algorithm, "c": "relaxed/relaxed", "d": key.domain, "s": key.selector, "h": "from:to:subject",
    }  # fmt: skip
    made |= changes or {}
    header, _, body = (made["c"] or "simple").partition("/")
    fields = Fields(content)
    hashed = body_hash(content, fields.body, body == "relaxed")
    made.setdefault("bh", base64.b64encode(hashed).decode())
    text = "; ".join(f"{tag}={value}" for tag, value in made.items() if value is not None)
    whole = Fields(f"{name}: {text}; b=\r\n".encode() + content)
    digest = hashlib.sha256()
    names = (made["h"] or "").replace(" ", "").lower().encode().split(b":")
    digest.update(whole.chosen(names, header == "relaxed"))
    digest.update(whole.unsigned(0, header == "relaxed"))
    b = base64.b64encode(key.signature(digest.digest())).decode()
    return f"{name}: {text}; b={b}\r\n".encode() + content


def tried(content: bytes) -> int:
    """How many signatures would be looked at."""
    return len(dkim.examine(content))


class _Verify:
    def __init__(self, key: bytes, encoder: object) -> None:
        self.key = Ed25519PublicKey.from_public_bytes(base64.b64decode(key))

    def verify(self, digest: bytes, octets: bytes) -> bytes:
        self.key.verify(octets, digest)
        return digest


class _Sign:
    def __init__(self, seed: bytes, encoder: object) -> None:
        self.key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(seed))

    def sign(self, digest: bytes) -> SimpleNamespace:
        return SimpleNamespace(signature=self.key.sign(digest))


# as much of the library PyNaCl as dkimpy uses
nacl = SimpleNamespace(
    signing=SimpleNamespace(VerifyKey=_Verify, SigningKey=_Sign),
    encoding=SimpleNamespace(Base64Encoder=None),
    exceptions=SimpleNamespace(BadSignatureError=InvalidSignature, ValueError=ValueError),
)
