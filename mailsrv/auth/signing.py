"""DKIM-Signature fields for a message that leaves: one hash of its body, a signature by each key. Pure.

Standards: RFC 6376 5, RFC 8463 (RSA and Ed25519 side by side), RFC 8058 4 (List-Unsubscribe is signed). relaxed/relaxed.
Every field that a reader sees is named once more than it is there, so that none can be added (RFC 6376 8.15).
Limits: MOST_OF_A_NAME fields of one name are signed, the lowest first. The message is never altered. Never fails.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from mailsrv.auth.canonical import Fields, body_hash, relaxed_field
from mailsrv.auth.keys import Signer

NAME, ARC_NAME = b"DKIM-Signature", b"ARC-Message-Signature"
SIGNED = (
    b"from", b"to", b"cc", b"subject", b"date", b"message-id", b"reply-to", b"in-reply-to", b"references",
    b"mime-version", b"content-type", b"content-transfer-encoding",
)  # fmt: skip
# over-signed where they are; where they are not a list that adds them must not break what it passes on
SIGNED_WHERE_PRESENT = (
    b"sender", b"list-id", b"list-help", b"list-unsubscribe", b"list-unsubscribe-post", b"list-subscribe", b"list-post",
    b"list-owner", b"list-archive",
)  # fmt: skip
MOST_OF_A_NAME = 100
WIDTH = 78


def sign(content: bytes, signers: Sequence[Signer], now: datetime) -> bytes:
    """The fields to be put above `content`, each with its line end, in the order of `signers`; b"" without any."""
    if not signers:
        return b""
    fields = Fields(content)
    covered = _covered(content, fields, signed_names(fields))
    values = (covered.signature(NAME, ("v", "1"), signer, now) for signer in signers)
    return b"".join(b"%b:%b\r\n" % (NAME, value) for value in values)


def sign_for_chain(content: bytes, fields: Fields, instance: int, signer: Signer, now: datetime) -> bytes:
    """The value of an ARC-Message-Signature (RFC 8617 4.1.2), which covers the signatures of DKIM too."""
    dkim = [b"dkim-signature"] * min(len(fields.named(b"dkim-signature")), MOST_OF_A_NAME)
    covered = _covered(content, fields, [*signed_names(fields), *dkim])
    return covered.signature(ARC_NAME, ("i", str(instance)), signer, now)


@dataclass(frozen=True, slots=True)
class _Covered:
    """What a signature covers: the names in its h=, these fields in their form, the body's hash in base64."""

    names: str
    header: bytes
    body: str

    def signature(self, name: bytes, first: tuple[str, str], signer: Signer, now: datetime) -> bytes:
        """The value of a signature's field."""
        unsigned = tag_lines(
            name,
            [
                first,
                ("a", signer.algorithm),
                ("c", "relaxed/relaxed"),
                ("d", signer.domain),
                ("s", signer.selector),
                ("t", str(int(now.timestamp()))),
                ("h", self.names),
                ("bh", self.body),
            ],
        )
        return completed(name, unsigned, self.header, signer)


def _covered(content: bytes, fields: Fields, names: Sequence[bytes]) -> _Covered:
    header = fields.chosen(names, relaxed=True)
    body = base64.b64encode(body_hash(content, fields.body, relaxed=True)).decode()
    return _Covered(b":".join(names).decode(), header, body)


def signed_names(fields: Fields) -> list[bytes]:
    """What stands in h=."""
    wanted = chain(SIGNED, (name for name in SIGNED_WHERE_PRESENT if fields.named(name)))
    return [name for name in wanted for _ in range(min(len(fields.named(name)), MOST_OF_A_NAME) + 1)]


def completed(name: bytes, unsigned: bytes, before: bytes, signer: Signer) -> bytes:
    """A field's value with its signature: over the forms of the fields `before` it, and its own with an empty b=."""
    own = relaxed_field(name, unsigned).removesuffix(b"\r\n")
    octets = base64.b64encode(signer.signature(hashlib.sha256(before + own).digest())).decode()
    lines = [octets[start : start + WIDTH - 4] for start in range(0, len(octets), WIDTH - 4)]
    return unsigned + "\r\n\t".join(lines).encode()


def tag_lines(name: bytes, tags: Iterable[tuple[str, str]]) -> bytes:
    """Tags as the value of that field, folded, ended by an empty b= on a line of its own."""
    text, column = "", len(name) + 1
    for piece in _pieces(tags):
        if column + len(piece) > WIDTH:
            piece, column = f"\r\n\t{piece.lstrip()}", 0
        text += piece
        column += len(piece)
    return (text + "\r\n\tb=").encode()


def _pieces(tags: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Where a line may be folded: between tags, and between the names of a list."""
    for name, value in tags:
        first, *others = value.split(":") if name == "h" else [value]
        pieces = [f" {name}={first}", *others]
        yield from (f"{piece}:" for piece in pieces[:-1])
        yield f"{pieces[-1]};"
