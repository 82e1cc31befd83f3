"""What a packet of our own libunbound says about one question, read with a few look-ups in its octets. Pure.

    read(packet, "mx1.example.org", TLSA)  ->  the same `Reading` (but for its data) and extended errors as by `reading`, or None

Standards: RFC 1035 4.1 (messages, compression), RFC 6891 6.1.2 (OPT), RFC 8914 2, and those of `reading`.
It reads what answers usually look like, a twentieth of the work of building every record as an object. For all else - odd
names, other classes, a second CNAME or SOA of one name, what is malformed - it gives None, and `reading` has the word.
Limits: RECORDS of a packet, HOPS of a compressed name, MOST_ALIASES. Fails by: None; nothing is raised.
"""

from __future__ import annotations

from struct import Struct
from struct import error as TooShort  # noqa: N812 - what it means here
from typing import NamedTuple

RECORDS = 400
HOPS = 20
MOST_ALIASES = 16
LONGEST_NAME = 254  # octets of its text with a dot after each label: 255 on the wire (RFC 1035 3.1)
LONGEST_TTL = 0x7FFFFFFF  # RFC 2181 8: what is more counts as 0
IN, CNAME, SOA, SIG, OPT, RRSIG = 1, 5, 6, 24, 41, 46
EDE = 15
OPCODE = 0x7800
# octets that stand in the text of a name as they are
_PLAIN = bytes(sorted(set(range(0x21, 0x7F)) - set(b'"().;\\@$')))
_HEADER, _FIXED, _PAIR, _LAST = Struct("!HHHHHH"), Struct("!HHIH"), Struct("!HH"), Struct("!I")

Name = bytes  # in lower case, a dot after each label; the root is b""


class Record(NamedTuple):
    """One record. start, end: of its rdata in the packet."""

    owner: Name
    type: int
    ttl: int
    start: int
    end: int


class Signed(NamedTuple):
    """As much of an RRSIG as tells a zone and a wildcard (RFC 4034 3.1)."""

    covers: int
    labels: int
    signer: Name


class Seen(NamedTuple):
    """What `reading.Reading` says too, and the codes of extended errors."""

    canonical: str
    ttl: int = 0
    wildcard: str = ""
    zone: str | None = None
    ede: tuple[int, ...] = ()


class Odd(Exception):
    """Not as answers usually look."""


def read(packet: bytes, name: str, code: int) -> Seen | None:
    """What it says about (name, type). `name` as `names.asked` gives it."""
    if code in (SIG, RRSIG):
        return None
    try:
        return _Packet(packet).answer(_asked(name), code)
    except (Odd, IndexError, TooShort):
        return None


class _Packet:
    """The records of a packet, by section."""

    def __init__(self, packet: bytes) -> None:
        self.packet = packet
        self._names: dict[int, tuple[Name, int]] = {}  # by where they stand; nearly all are the same few
        _, flags, questions, answers, authority, additional = _HEADER.unpack_from(packet)
        if flags & OPCODE or questions + answers + authority + additional > RECORDS:
            raise Odd
        position = _HEADER.size
        for _ in range(questions):
            position = self._name(position)[1] + _PAIR.size
        self.answers, position = self._records(position, answers)
        self.authority, position = self._records(position, authority)
        self.additional, position = self._records(position, additional)

    def answer(self, owner: Name, code: int) -> Seen:
        """The RRset that answers, behind its aliases, or the SOA that says there is none."""
        ede = self._extended()
        owner = self._end_of_aliases(owner, code)
        ttls = [record.ttl for record in self.answers if record.type == code and record.owner == owner]
        if not ttls:
            return self._negative(owner, ede)
        signed = self._signed(owner, code)
        if signed is None or not _under(owner, signed.signer):
            return Seen(_text(owner), min(ttls), "", None, ede)
        return Seen(_text(owner), min(ttls), _wildcard(owner, signed.labels), _text(signed.signer), ede)

    # parts of an answer

    def _end_of_aliases(self, owner: Name, code: int) -> Name:
        aliases = {} if code == CNAME else self._singles(self.answers, CNAME)
        for _ in range(MOST_ALIASES):
            if owner not in aliases:
                break
            record = aliases[owner]
            owner = self._last_name(record.start, record.end)
        return owner

    def _negative(self, owner: Name, ede: tuple[int, ...]) -> Seen:
        """RFC 2308 5."""
        for zone, record in self._singles(self.authority, SOA).items():
            if _under(owner, zone):
                numbers = self._name(self._name(record.start)[1])[1]
                if numbers + 20 != record.end:
                    raise Odd
                (minimum,) = _LAST.unpack_from(self.packet, numbers + 16)
                return Seen(_text(owner), min(record.ttl, minimum), "", _text(zone), ede)
        return Seen(_text(owner), 0, "", None, ede)

    def _signed(self, owner: Name, code: int) -> Signed | None:
        """The first signature of an RRset."""
        for record in self.answers:
            if record.type == RRSIG and record.owner == owner:
                signed = self._signature(record)
                if signed.covers == code:
                    return signed
        return None

    def _signature(self, record: Record) -> Signed:
        signer, end = self._name(record.start + 18)
        if end > record.end:
            raise Odd
        covers, _ = _PAIR.unpack_from(self.packet, record.start)
        return Signed(covers, self.packet[record.start + 3], signer)

    def _extended(self) -> tuple[int, ...]:
        """The codes in the OPT record's options."""
        options = [record for record in self.additional if record.type == OPT]
        if len(options) > 1 or (options and options[0].owner):
            raise Odd
        return tuple(self._codes(options[0].start, options[0].end)) if options else ()

    def _codes(self, position: int, end: int) -> list[int]:
        codes = []
        while position < end:
            option, length = _PAIR.unpack_from(self.packet, position)
            start, position = position + _PAIR.size, position + _PAIR.size + length
            if position > end or (option == EDE and length < 2):
                raise Odd
            if option == EDE:
                codes.append(self.packet[start] << 8 | self.packet[start + 1])
        return codes

    def _singles(self, records: list[Record], code: int) -> dict[Name, Record]:
        """Records of a type of which a name has one."""
        found = {record.owner: record for record in records if record.type == code}
        if len(found) != sum(record.type == code for record in records):
            raise Odd
        return found

    # octets

    def _records(self, position: int, count: int) -> tuple[list[Record], int]:
        found = []
        for _ in range(count):
            owner, position = self._name(position)
            code, kind, ttl, length = _FIXED.unpack_from(self.packet, position)
            start = position + _FIXED.size
            position = start + length
            if position > len(self.packet) or (kind != IN and code != OPT):
                raise Odd
            found.append(Record(owner, code, ttl if ttl <= LONGEST_TTL else 0, start, position))
        return found, position

    def _last_name(self, start: int, end: int) -> Name:
        """A name that is all of an rdata."""
        name, stop = self._name(start)
        if stop != end:
            raise Odd
        return name

    def _name(self, position: int) -> tuple[Name, int]:
        """The name that stands there, and where what follows it begins."""
        known = self._names.get(position)
        if known is None:
            known = self._names[position] = self._spelled(position)
        return known

    def _spelled(self, position: int) -> tuple[Name, int]:
        packet, after, lowest = self.packet, 0, position
        labels: list[bytes] = []
        for _ in range(HOPS + 128):
            length = packet[position]
            if length >= 0xC0:  # RFC 1035 4.1.4: the rest stands further up
                after = after or position + 2
                position = (length & 0x3F) << 8 | packet[position + 1]
                if position >= lowest:
                    raise Odd
                lowest = position
            elif length == 0:
                name = b"".join(labels).lower()
                if len(name) > LONGEST_NAME or position >= len(packet):
                    raise Odd
                return name, after or position + 1
            elif length > 63:
                raise Odd
            else:
                label = packet[position + 1 : position + 1 + length]
                if len(label) != length or label.translate(None, _PLAIN):
                    raise Odd
                labels.append(label + b".")
                position += 1 + length
        raise Odd


def _asked(name: str) -> Name:
    """As the packet has it."""
    if not name:
        return b""
    labels = name.encode("ascii", "replace").lower().split(b".")
    if any(label.translate(None, _PLAIN) or not label for label in labels):
        raise Odd
    return b".".join(labels) + b"."


def _text(name: Name) -> str:
    return name[:-1].decode("ascii")


def _under(name: Name, zone: Name) -> bool:
    """Whether the name is that of the zone or below it."""
    return not zone or name == zone or name.endswith(b"." + zone)


def _wildcard(owner: Name, kept: int) -> str:
    """The wildcard that made an RRset, by its signature's labels (RFC 4034 3.1.3), or ""."""
    labels = owner.split(b".")[:-1]
    if kept >= len(labels) - owner.startswith(b"*."):
        return ""
    rest = labels[len(labels) - kept :]
    return b".".join([b"*", *rest]).decode("ascii")
