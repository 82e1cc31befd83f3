"""ENVELOPE: the ten fields a mailbox list shows, as IMAP text. Pure.

Standard: RFC 9051 7.5.2 (fetch ENVELOPE): NIL for a field that is absent, "" for one that is empty; Sender and Reply-To
are From's when they name nobody; groups as RFC 9051 shows them. Several fields of one name are one list, as they are read.
Limits: `limits.ADDRESSES` for each list. Of short lists the latest MOST_KEPT are remembered: most mail is from and to whom mail
was from and to a moment ago.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from mailsrv.message import limits
from mailsrv.message.addresses import Address, addresses, shown
from mailsrv.message.header import Header
from mailsrv.message.imaptext import NIL, nstring, string

LISTS = (b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc")
MOST_KEPT = 2048
SHORT = 256  # bytes of a list that is kept


class People(NamedTuple):
    """A list of addresses. text: as ENVELOPE has it, or b"" for nobody.  shown: for SORT and SEARCH, in lower case."""

    addresses: tuple[Address, ...]
    text: bytes
    shown: str


Lists = dict[bytes, People]


def lists(header: Header) -> Lists:
    """The address lists of a header, by field name."""
    return {name: _list(header, name) for name in LISTS if name in header.fields}


def people(value: bytes) -> People:
    """A list, by the unfolded value of its field."""
    return _kept(value) if len(value) <= SHORT else _read(value)


def _list(header: Header, name: bytes) -> People:
    if len(header.fields[name]) == 1:
        return people(header.first(name) or b"")
    return people(b", ".join(header.every(name)))


def _read(value: bytes) -> People:
    found = addresses(value)
    return People(tuple(found), _text(found), shown(found).lower())


_kept = lru_cache(MOST_KEPT)(_read)


def envelope(header: Header, known: Lists | None = None) -> bytes:
    """The envelope structure; `known`: what `lists` gave for that header."""
    known = lists(header) if known is None else known
    author = _of(known, b"from")
    return b"(%b %b %b %b %b %b %b %b %b %b)" % (
        nstring(header.first(b"date")),
        nstring(header.first(b"subject")),
        author,
        _of(known, b"sender", author),
        _of(known, b"reply-to", author),
        _of(known, b"to"),
        _of(known, b"cc"),
        _of(known, b"bcc"),
        nstring(header.first(b"in-reply-to")),
        nstring(header.first(b"message-id")),
    )


def _of(known: Lists, name: bytes, instead: bytes = NIL) -> bytes:
    return (known[name].text or instead) if name in known else instead


def _text(found: list[Address]) -> bytes:
    return b"(%b)" % b"".join([_address(one) for one in found[: limits.ADDRESSES]]) if found else b""


def _address(address: Address) -> bytes:
    name, route, mailbox, host = address
    if name is None and route is None and mailbox is not None and host is not None:
        return b"(NIL NIL %b %b)" % (string(mailbox), string(host))
    return b"(%b %b %b %b)" % (nstring(name), nstring(route), nstring(mailbox), nstring(host))
