"""ENVELOPE: the ten fields a mailbox list shows, as IMAP text. Pure.

Standard: RFC 9051 7.5.2 (fetch ENVELOPE): NIL for a field that is absent, "" for one that is empty; Sender and Reply-To
are From's when they name nobody; groups as RFC 9051 shows them. Several fields of one name are one list, as they are read.
Limits: `limits.ADDRESSES` for each list.
"""

from __future__ import annotations

from mailsrv.message import limits
from mailsrv.message.addresses import Address, addresses
from mailsrv.message.header import Header
from mailsrv.message.imaptext import NIL, nstring, string

LISTS = (b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc")
Lists = dict[bytes, list[Address]]


def lists(header: Header) -> Lists:
    """The address lists of a header, by field name."""
    return {name: _list(header, name) for name in LISTS if name in header.fields}


def _list(header: Header, name: bytes) -> list[Address]:
    values = header.every(name)
    return addresses(values[0] if len(values) == 1 else b", ".join(values))


def envelope(header: Header, people: Lists | None = None) -> bytes:
    """The envelope structure; `people`: what `lists` gave for that header."""
    known = lists(header) if people is None else people
    author = _text(known.get(b"from"))
    return b"(%b %b %b %b %b %b %b %b %b %b)" % (
        nstring(header.first(b"date")),
        nstring(header.first(b"subject")),
        author,
        _text(known.get(b"sender"), author),
        _text(known.get(b"reply-to"), author),
        _text(known.get(b"to")),
        _text(known.get(b"cc")),
        _text(known.get(b"bcc")),
        nstring(header.first(b"in-reply-to")),
        nstring(header.first(b"message-id")),
    )


def _text(found: list[Address] | None, instead: bytes = NIL) -> bytes:
    if not found:
        return instead
    return b"(%b)" % b"".join([_address(one) for one in found[: limits.ADDRESSES]])


def _address(address: Address) -> bytes:
    name, route, mailbox, host = address
    if name is None and route is None and mailbox is not None and host is not None:
        return b"(NIL NIL %b %b)" % (string(mailbox), string(host))
    return b"(%b %b %b %b)" % (nstring(name), nstring(route), nstring(mailbox), nstring(host))
