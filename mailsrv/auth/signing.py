"""DKIM-Signature fields for a message that leaves: one hash of its body, a signature by each key. Pure.

Standards: RFC 6376 5, RFC 8463 (RSA and Ed25519 side by side), RFC 8058 4 (List-Unsubscribe is signed). relaxed/relaxed.
Every field that a reader sees is named once more than it is there, so that none can be added (RFC 6376 8.15).
Limits: MOST_OF_A_NAME fields of one name are signed, the lowest first. The message is never altered. Never fails.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain

from mailsrv.auth.canonical import Fields, body_hash, relaxed_field
from mailsrv.auth.keys import Signer

NAME = b"DKIM-Signature"
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
    names, hashed = signed_names(fields), body_hash(content, fields.body, relaxed=True)
    header = b"".join([fields.form(place, relaxed=True) for place in fields.chosen(names)])
    return b"".join(
        b"%b:%b\r\n" % (NAME, completed(NAME, _value(signer, now, names, hashed, ("v", "1")), header, signer))
        for signer in signers
    )


def sign_for_chain(content: bytes, fields: Fields, instance: int, signer: Signer, now: datetime) -> bytes:
    """The value of an ARC-Message-Signature (RFC 8617 4.1.2), which covers the signatures of DKIM too."""
    dkim = [b"dkim-signature"] * min(len(fields.named(b"dkim-signature")), MOST_OF_A_NAME)
    names, hashed = [*signed_names(fields), *dkim], body_hash(content, fields.body, relaxed=True)
    header = b"".join([fields.form(place, relaxed=True) for place in fields.chosen(names)])
    unsigned = _value(signer, now, names, hashed, ("i", str(instance)))
    return completed(b"ARC-Message-Signature", unsigned, header, signer)


def signed_names(fields: Fields) -> list[bytes]:
    """What stands in h=."""
    wanted = chain(SIGNED, (name for name in SIGNED_WHERE_PRESENT if fields.named(name)))
    return [name for name in wanted for _ in range(min(len(fields.named(name)), MOST_OF_A_NAME) + 1)]


def completed(name: bytes, unsigned: bytes, before: bytes, signer: Signer) -> bytes:
    """A field's value with its signature: over the forms of the fields `before` it, and its own with an empty b=."""
    own = relaxed_field(name, unsigned).removesuffix(b"\r\n")
    octets = base64.b64encode(signer.signature(hashlib.sha256(before + own).digest())).decode()
    width = WIDTH - 8
    lines = [octets[start : start + width] for start in range(0, len(octets), width)]
    return unsigned + "\r\n\t".join(lines).encode()


def tag_lines(tags: Iterable[tuple[str, str]]) -> bytes:
    """Tags as a field's value, folded, ended by an empty b= on a line of its own."""
    lines, line = [], " " * WIDTH
    for piece in _pieces(tags):
        if len(line) + len(piece) > WIDTH:
            lines.append(line)
            line = "\t" + piece.lstrip()
        else:
            line += piece
    return ("\r\n".join([*lines[1:], line]).replace("\t", " ", 1) + "\r\n\tb=").encode()


def _pieces(tags: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Where a line may be folded: between tags, and between the names of a list."""
    for name, value in tags:
        first, *others = value.split(":") if name == "h" else [value]
        pieces = [f" {name}={first}", *others]
        yield from (f"{piece}:" for piece in pieces[:-1])
        yield f"{pieces[-1]};"


def _value(signer: Signer, now: datetime, names: Sequence[bytes], hashed: bytes, first: tuple[str, str]) -> bytes:
    return tag_lines(
        [
            first,
            ("a", signer.algorithm),
            ("c", "relaxed/relaxed"),
            ("d", signer.domain),
            ("s", signer.selector),
            ("t", str(int(now.timestamp()))),
            ("h", b":".join(names).decode()),
            ("bh", base64.b64encode(hashed).decode()),
        ]
    )
