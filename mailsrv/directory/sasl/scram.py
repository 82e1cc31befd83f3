"""SCRAM-SHA-256, SCRAM-SHA-1 and their -PLUS forms: both sides prove that they know the password, which never travels.

    C: n,,n=user,r=NONCE      S: r=NONCE+OURS,s=SALT,i=ITERATIONS      C: c=BINDING,r=...,p=PROOF      S: v=SIGNATURE    C: (empty)

Standards: RFC 5802, RFC 7677; channel bindings tls-exporter (RFC 9266), tls-server-end-point and tls-unique (RFC 5929).
A name that nobody has is asked for the same things, and fails at the end. Limits: nonces of 8 to 256 octets, names of 254.
Fails by: `Failed`; after it the client is told nothing more. Extensions (m=) are refused, as the RFC wants.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass

from mailsrv.directory.keys import Keys
from mailsrv.directory.sasl import gs2
from mailsrv.directory.sasl.door import (
    AskAct,
    AskKeys,
    AskProved,
    Binding,
    Challenge,
    Done,
    Failed,
    Mechanism,
    Why,
    as_account,
    as_bytes,
)

_NONCE = rb"([\x21-\x2b\x2d-\x7e]{8,256})"
_FIRST = re.compile(rb"n=([^,\0]{1,765}),r=" + _NONCE + rb"(?:,[A-Za-z]=[^,\0]{1,256}){0,8}")
_FINAL = re.compile(
    rb"c=([A-Za-z0-9+/=]{4,1024}),r=([\x21-\x2b\x2d-\x7e]{8,600})(?:,[A-Za-z]=[^,\0]{1,256}){0,8},p=([A-Za-z0-9+/=]{4,128})"
)


@dataclass(frozen=True, slots=True)
class Form:
    """Which SCRAM: its hash, whether the channel is bound (-PLUS), and whether -PLUS is on offer here."""

    hash: str
    plus: bool = False
    plus_offered: bool = False


@dataclass(frozen=True, slots=True)
class First:
    """The client's first message, read."""

    header: gs2.Header
    name: str
    nonce: bytes
    bare: bytes


def scram(initial: bytes | None, form: Form, nonce: bytes, binding: Binding | None = None) -> Mechanism:
    """nonce: ours, printable and fresh for each exchange."""
    first = read_first(as_bytes((yield Challenge())) if initial is None else initial)
    if first is None:
        return Failed(Why.MALFORMED)
    bound = bound_data(first.header, form, binding or Binding())
    if bound is None:
        return Failed(Why.BINDING, first.name)
    keys = yield AskKeys(first.name, form.hash)
    if not isinstance(keys, Keys):
        return Failed(Why.CREDENTIALS, first.name)
    challenge = b"r=%s%s,s=%s,i=%d" % (first.nonce, nonce, base64.b64encode(keys.salt), keys.iterations)
    final = as_bytes((yield Challenge(challenge)))
    signature = proved(final, first, bound, challenge, keys)
    if isinstance(signature, Why):
        return Failed(signature, first.name)
    return (yield from _ending(first, signature))


def _ending(first: First, signature: bytes) -> Mechanism:
    account = as_account((yield AskProved(first.name)))
    if account is None:
        return Failed(Why.CREDENTIALS, first.name)
    if first.header.authzid and (yield AskAct(account, first.header.authzid)) is not True:
        return Failed(Why.AUTHZID, first.name)
    answer = yield Challenge(b"v=" + base64.b64encode(signature))
    return Failed(Why.MALFORMED, first.name) if answer else Done(account)


def read_first(data: bytes) -> First | None:
    """client-first-message."""
    headed = gs2.read(data)
    if headed is None:
        return None
    header, bare = headed
    found = _FIRST.fullmatch(bare)
    name = gs2.saslname(found[1]) if found else None
    return First(header, name, found[2], bare) if found and name else None


def bound_data(header: gs2.Header, form: Form, binding: Binding) -> bytes | None:
    """What the client's c= must hold; None when its flag and the mechanism do not fit (RFC 5802 6)."""
    if form.plus:
        data = binding.data(header.kind) if header.flag == "p" else None
        return None if data is None else header.raw + data
    # `y`: the client could bind and believes that we cannot; if we said we can, someone in between took that away
    if header.flag == "p" or (header.flag == "y" and form.plus_offered):
        return None
    return header.raw


def proved(final: bytes, first: First, bound: bytes, challenge: bytes, keys: Keys) -> bytes | Why:
    """The server's signature when client-final-message proves the password, else why not."""
    found = _FINAL.fullmatch(final)
    if not found:
        return Why.MALFORMED
    try:
        claimed, proof = base64.b64decode(found[1], validate=True), base64.b64decode(found[3], validate=True)
    except (binascii.Error, ValueError):
        return Why.MALFORMED
    nonce = challenge[2:].partition(b",")[0]
    if not hmac.compare_digest(found[2], nonce):
        return Why.MALFORMED
    if not hmac.compare_digest(claimed, bound):
        return Why.BINDING
    said = b",".join((first.bare, challenge, final.rpartition(b",p=")[0]))
    return hmac.digest(keys.server, said, keys.hash) if _knows(keys, said, proof) else Why.CREDENTIALS


def _knows(keys: Keys, said: bytes, proof: bytes) -> bool:
    """RFC 5802 3: ClientProof XOR ClientSignature is the ClientKey, whose hash we keep."""
    signature = hmac.digest(keys.stored, said, keys.hash)
    client = bytes(a ^ b for a, b in zip(proof, signature, strict=False))
    same = hmac.compare_digest(hashlib.new(keys.hash, client).digest(), keys.stored)
    return same and len(proof) == len(signature)
