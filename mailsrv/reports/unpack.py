"""The report in a mail, unpacked: gzip, zip with one file, or plain; a bomb costs ten megabytes and no more. Pure.

    mail ── scan ── parts that may hold a report ── transfer encoding off ── gzip | zip | plain ── "<" is DMARC, "{" is TLS

What a part is called decides whether we look, what its first bytes are decides how. Nothing is written anywhere, so a path
in a zip leads nowhere; it is refused all the same, and so is an archive in an archive.
Standards: RFC 9990 3.5.2 and RFC 8460 5.3 (how reports travel), RFC 1952 (gzip), RFC 6713 (its media type).
Limits: `limits.ATTACHMENTS` looked into, `ENCODED`, `PACKED`, `INFLATED` bytes of each. Fails by: `Unreadable`.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from mailsrv.message import transfer
from mailsrv.message.parameters import disposition, get
from mailsrv.message.scan import Part, scan
from mailsrv.reports import limits
from mailsrv.reports.limits import Unreadable

_TYPES = (b"XML", b"GZIP", b"X-GZIP", b"ZIP", b"X-ZIP", b"X-ZIP-COMPRESSED", b"JSON", b"TLSRPT+GZIP", b"TLSRPT+JSON")
_NAME = re.compile(rb"\.(?:xml|json|gz|gzip|zip)\s*\Z", re.IGNORECASE)
_ARCHIVES = (b"\x1f\x8b", b"PK\x03\x04", b"PK\x05\x06")
_BEGINNING = re.compile(rb"(?:\xef\xbb\xbf)?\s*+([<{])")
MEMBERS = 8  # of one gzip file

# the end of a zip's directory, one entry of it, and what stands before the file itself (APPNOTE 4.3)
_END = struct.Struct("<4s4H2LH")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_FILE = struct.Struct("<4s5H3L2H")
_ENCRYPTED = 0x1


class Kind(Enum):
    """What a report is about."""

    DMARC = "who sent mail as a domain"
    TLS = "whether mail to a domain was encrypted"


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The bytes of a report."""

    kind: Kind
    data: bytes


def unpack(content: bytes) -> Unpacked:
    """The report that a whole message carries; the first part that is one."""
    why = Unreadable("the mail has no attachment that could be a report")
    for number, part in enumerate(_candidates(content)):
        if number == limits.ATTACHMENTS:
            break
        try:
            return opened(_attachment(content, part))
        except Unreadable as unreadable:
            why = unreadable
    raise why


def opened(data: bytes) -> Unpacked:
    """The report in one attachment or file, however it is packed."""
    if len(data) > limits.PACKED:
        raise Unreadable("the attachment is too large")
    if data.startswith(_ARCHIVES[0]):
        data = gunzipped(data)
    elif data.startswith(_ARCHIVES[1:]):
        data = unzipped(data)
    if data.startswith(_ARCHIVES):
        raise Unreadable("the attachment is an archive in an archive")
    begins = _BEGINNING.match(data)
    if begins is None:
        raise Unreadable("the attachment is neither XML nor JSON")
    return Unpacked(Kind.DMARC if begins[1] == b"<" else Kind.TLS, data)


def _candidates(content: bytes) -> Iterator[Part]:
    return (part for part in scan(content).leaves() if _may_be(part))


def _may_be(part: Part) -> bool:
    if part.media.type in (b"APPLICATION", b"TEXT") and part.media.subtype in _TYPES:
        return True
    word = disposition(part.header.first(b"content-disposition"))
    names = (get(word[1], b"FILENAME") if word else b"", part.media.get(b"NAME"))
    return any(_NAME.search(name) for name in names)


def _attachment(content: bytes, part: Part) -> bytes:
    if part.size > limits.ENCODED:
        raise Unreadable("the attachment is too large")
    data = transfer.decoded(part.encoding, content[part.body : part.end])
    if not data:
        raise Unreadable("the attachment is empty, or in an encoding that nobody knows")
    return data


def gunzipped(data: bytes) -> bytes:
    """RFC 1952; several members one after the other are one file (2.2)."""
    whole = b""
    for _ in range(MEMBERS):
        inflating = zlib.decompressobj(wbits=31)
        whole += _inflated(inflating, data, limits.INFLATED - len(whole))
        data = inflating.unused_data.lstrip(b"\0")  # some pad
        if not data.startswith(_ARCHIVES[0]):
            return whole
    raise Unreadable("the attachment has too many pieces")


def unzipped(data: bytes) -> bytes:
    """A zip file with one file in it."""
    at = data.rfind(b"PK\x05\x06", max(0, len(data) - 65536 - _END.size))
    try:
        _, disk, first_disk, here, entries, _, start, _ = _END.unpack_from(data, at)
        if at < 0 or (disk, first_disk, here, entries) != (0, 0, 1, 1):
            raise Unreadable("the zip file holds more than the report")
        (mark, _, _, flags, method, _, _, checksum, packed, size, name, _, _, _, _, _, place) = _ENTRY.unpack_from(
            data, start
        )
        begun, *_, name_here, extra_here = _FILE.unpack_from(data, place)
    except struct.error:
        raise Unreadable("the zip file is damaged") from None
    if (mark, begun) != (b"PK\x01\x02", b"PK\x03\x04"):
        raise Unreadable("the zip file is damaged")
    if flags & _ENCRYPTED:
        raise Unreadable("the zip file is encrypted")
    _check_name(data[start + _ENTRY.size : start + _ENTRY.size + name])
    begin = place + _FILE.size + name_here + extra_here
    whole = _unpacked(method, data[begin : begin + packed])
    if len(whole) != size or zlib.crc32(whole) != checksum:
        raise Unreadable("the zip file is damaged")
    return whole


def _check_name(name: bytes) -> None:
    if b"/" in name or b"\\" in name or name.startswith(b".."):
        raise Unreadable("the zip file names a path")


def _unpacked(method: int, packed: bytes) -> bytes:
    match method:
        case 0:
            return packed
        case 8:
            return _inflated(zlib.decompressobj(wbits=-15), packed, limits.INFLATED)
    raise Unreadable("the zip file is packed in a way that nobody uses")


def _inflated(inflating: zlib._Decompress, data: bytes, room: int) -> bytes:
    """Never more than `room` and a byte, however much there is."""
    try:
        whole = inflating.decompress(data, room + 1)
    except zlib.error:
        raise Unreadable("the attachment is damaged") from None
    if len(whole) > room:
        raise Unreadable(f"the report is larger than {limits.INFLATED >> 20} MiB when it is unpacked")
    if not inflating.eof:
        raise Unreadable("the attachment is cut off")
    return whole
