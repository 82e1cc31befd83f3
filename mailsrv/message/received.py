"""The trace a delivery leaves at the head of a message: Received, Return-Path, Delivered-To; and what traces say of loops. Pure.

Standards: RFC 5321 4.4, RFC 3848 and 6531 (the names after `with`), RFC 8314 4.3 (`tls`), RFC 2033 (LMTP).
What a peer said about itself is written only as far as it is a plain word: nothing it sends can end a field or a comment.
Limits: `limits.HEADER` when reading; 255 bytes of each word when writing.
"""

from __future__ import annotations

import re
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from mailsrv.message import dates
from mailsrv.message.header import Header, header, without

_LONGEST = 255
_UNFIT = re.compile(r"[^\w.:\-\[\]=+@!#$%&'*/?^`{|}~]", re.ASCII)
_SUITE = re.compile(
    r"(?P<exchange>(?:ECDHE|DHE)-(?:RSA|ECDSA|DSS)-|)(?P<cipher>AES(?:128|256)|CAMELLIA(?:128|256)|CHACHA20-POLY1305)(?P<mode>-GCM|-CCM8|-CCM|)(?:-(?P<hash>SHA(?:256|384)?))?\Z"
)


class With(Enum):
    """How it came, in the words of the IANA registry."""

    SMTP = "SMTP"
    ESMTP = "ESMTP"
    UTF8SMTP = "UTF8SMTP"
    LMTP = "LMTP"


class Arrival(NamedTuple):
    """What the session knows. `host`: ours; `helo`: what the client called itself; `name`: its address's name, proven or "".

    address: "" hides the client (a submission tells strangers where our users are). recipient: only when there is one alone.
    cipher: as OpenSSL names it. id: what our log calls the message.
    """

    host: str
    id: str
    when: datetime
    helo: str = ""
    address: str = ""
    name: str = ""
    protocol: With = With.ESMTP
    tls: str = ""
    cipher: str = ""
    authenticated: bool = False
    recipient: str = ""


def received(arrival: Arrival) -> bytes:
    """The Received field, folded, with its line end."""
    whom = f"\r\n\tfor <{_path(arrival.recipient)}>" if arrival.recipient else ""
    return (
        f"Received: from {_peer(arrival.helo, arrival.address, arrival.name)}\r\n"
        f"\tby {_word(arrival.host)} with {_with(arrival)} id {_word(arrival.id)}{_tls(arrival)}{whom};\r\n"
        f"\t{dates.written(arrival.when)}\r\n"
    ).encode()


@lru_cache(1024)
def _peer(helo: str, address: str, name: str) -> str:
    """TCP-info (RFC 5321 4.4): the name we found and the address literal, in a comment."""
    helo = _word(helo) or "unknown"
    if not address:
        return helo
    literal = f"[IPv6:{_word(address)}]" if ":" in address else f"[{_word(address)}]"
    return f"{helo} ({_word(name)} {literal})" if name else f"{helo} ({literal})"


def _with(arrival: Arrival) -> str:
    """RFC 3848: S for TLS, A for AUTH; only extended protocols have them."""
    if arrival.protocol is With.SMTP:
        return "SMTP"
    return str(arrival.protocol.value) + ("S" if arrival.tls else "") + ("A" if arrival.authenticated else "")


def _tls(arrival: Arrival) -> str:
    suite = suite_name(arrival.cipher) if arrival.tls else ""
    version = f" ({_word(arrival.tls)})" if arrival.tls else ""
    return f"\r\n\ttls {suite}{version}" if suite else version


@lru_cache(256)
def suite_name(cipher: str) -> str:
    """The IANA name of OpenSSL's cipher name; "" when there is none that we know."""
    if re.fullmatch(r"TLS_[A-Z0-9_]{1,80}", cipher):
        return cipher
    found = _SUITE.match(cipher)
    if found is None:
        return ""
    exchange = found["exchange"].replace("-", "_").strip("_") or "RSA"
    name = re.sub(r"(AES|CAMELLIA)(\d)", r"\1_\2", found["cipher"]).replace("-", "_")
    poly = name.startswith("CHACHA")
    mode = "" if poly else found["mode"].replace("-", "_").replace("CCM8", "CCM_8") or "_CBC"
    digest = found["hash"] or ("SHA256" if poly else "")
    return f"TLS_{exchange}_WITH_{name}{mode}" + (f"_{digest}" if digest else "")


def return_path(sender: str) -> bytes:
    """Where bounces go (RFC 5321 4.4); "" for the null sender."""
    return f"Return-Path: <{_path(sender)}>\r\n".encode()


def delivered_to(address: str) -> bytes:
    return f"Delivered-To: {_path(address)}\r\n".encode()


def hops(content: bytes) -> int:
    """How many servers have had it already (RFC 5321 6.3). Ours stand at the top, so what is read first is enough."""
    return len(header(content).fields.get(b"received", ()))


def was_delivered_to(content: bytes | Header, address: str) -> bool:
    """Whether a Delivered-To names this address: the message has gone in a circle."""
    head = content if isinstance(content, Header) else header(content)
    return _path(address).lower().encode() in {value.lower() for value in head.every(b"delivered-to")}


def without_return_path(content: bytes) -> bytes:
    """Without the Return-Path fields a message arrives with: final delivery writes its own (RFC 5321 4.4)."""
    return without(content, lambda field: field.name == b"return-path")


def _word(text: str) -> str:
    return _UNFIT.sub("_", text[:_LONGEST])


@lru_cache(4096)
def _path(address: str) -> str:
    """An address as it stands between angle brackets: one line, and no bracket that is not quoted."""
    unfit = "" if address.startswith('"') else "<>"
    return "".join(c for c in address[: 4 * _LONGEST] if c.isprintable() and c not in unfit)
