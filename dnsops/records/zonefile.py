"""Zone files (master files): read into records, and edited line by line, so that all else stays as its author wrote it.

Standards: RFC 1035 5 (the format), RFC 2308 4 ($TTL), RFC 1982 3 (serial numbers). rdata is read by dnspython.
`edited` proves its own work: it reads the new text again and refuses to hand it out when it says anything but wanted.
Fails by: `ForUser` with FILE:LINE. $INCLUDE and $GENERATE are refused: a record could hide there from every edit.
Limits: LARGEST characters, MOST statements.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from dnsops.base.errors import ForUser
from dnsops.records.rdata import Rdata, Record, parse
from dnsops.records.statements import Statement, Word, statements

LARGEST = 16 << 20
MOST = 200_000
MARK = "mailsrv"  # the comment at the end of our lines
CLASSES = ("IN", "CH", "HS", "CS")
REFUSED = {
    "$INCLUDE": "write the included records into this file",
    "$GENERATE": "write the generated records out",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A record and the statement that it stands in. ours: the line ends with our mark. inherits: it names no owner."""

    record: Record
    statement: Statement
    inherits: bool

    @property
    def ours(self) -> bool:
        return self.statement.comment.split()[:1] == [MARK]


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone file: its text, its apex, and its entries in the file's order."""

    where: str
    text: str
    apex: str
    entries: tuple[Entry, ...]


def read(text: str, where: str = "") -> Zone:
    """Zone-file text -> zone. The apex is the SOA's owner, or the first $ORIGIN where there is no SOA."""
    if len(text) > LARGEST:
        raise ForUser(f"larger than {LARGEST} characters", where)
    reader = _Reader(where)
    for number, statement in enumerate(statements(text, where)):
        if number >= MOST:
            raise ForUser(f"more than {MOST} records and directives", where)
        reader.take(statement)
    return Zone(where, text, reader.apex(), tuple(reader.entries))


def edited(zone: Zone, add: Collection[Record], remove: Collection[Record], today: date) -> str:
    """The file's text afterwards; the same text when nothing changes. `add` replaces our own line of another TTL."""
    gone = {_key(record) for record in remove}
    new = {_key(record): record for record in add if _key(record) not in gone}
    there = {_key(entry.record): entry for entry in zone.entries}
    stale = {key for key, entry in there.items() if key in new and entry.ours and entry.record.ttl != new[key].ttl}
    fresh = [record for key, record in new.items() if key not in there or key in stale]
    dropped = [entry for entry in zone.entries if _key(entry.record) in gone | stale]
    if not dropped and not fresh:
        return zone.text
    text = _rewritten(zone, dropped, fresh, today)
    _prove(zone, text, dropped, fresh)
    return text


def line(record: Record) -> str:
    """One of our lines: everything absolute and explicit, so that it means the same wherever it stands."""
    return f"{record.name}. {record.ttl} IN {record.type} {record.data} ; {MARK}"


def next_serial(serial: int, today: date) -> int:
    """The SOA serial after a change: YYYYMMDDnn moves to today, a counter moves by one. Always ahead (RFC 1982 3.2)."""
    counted = (serial + 1) % 2**32 or 1
    dated = int(f"{today:%Y%m%d}01")
    return dated if _is_dated(serial) and dated > counted else counted


def _is_dated(serial: int) -> bool:
    year, month, day = serial // 1_000_000, serial // 10_000 % 100, serial // 100 % 100
    return 1990 <= year <= 2100 and 1 <= month <= 12 and 1 <= day <= 31


def _key(record: Record) -> tuple[str, str, Rdata]:
    return record.name, record.type, record.data


def _rewritten(zone: Zone, dropped: list[Entry], fresh: Iterable[Record], today: date) -> str:
    """The pieces of the old text that stay, in their order, then our new lines."""
    newline = "\r\n" if "\r\n" in zone.text else "\n"
    doomed = {entry.statement.start for entry in dropped}
    changes = [(entry.statement.start, entry.statement.end, "") for entry in dropped]
    changes += _owners(zone, doomed)
    changes += [_serial_change(entry, today) for entry in zone.entries if entry.record.type == "SOA"][:1]
    text = _spliced(zone.text, changes)
    if text and not text.endswith("\n"):
        text += newline
    return text + "".join(line(record) + newline for record in fresh)


def _prove(zone: Zone, text: str, dropped: list[Entry], fresh: Iterable[Record]) -> None:
    """The new text, read again, must say what was wanted: an inherited owner or TTL may have changed its meaning."""
    wanted = [entry.record for entry in zone.entries if entry not in dropped] + list(fresh)
    found = [entry.record for entry in read(text, zone.where).entries]
    if _facts(wanted) != _facts(found):
        raise ForUser(
            "this change would alter other records, which take their TTL or name from a line that goes",
            zone.where,
            "give the zone a $TTL line, and each record its name",
        )


def _facts(records: Iterable[Record]) -> set[tuple[str, str, int, str]]:
    """What the records say, but for the serial."""
    return {(r.name, r.type, r.ttl, _but_serial(r)) for r in records}


def _but_serial(record: Record) -> str:
    words = str(record.data).split()
    return " ".join(words[:2] + words[3:]) if record.type == "SOA" else str(record.data)


def _owners(zone: Zone, doomed: set[int]) -> list[tuple[int, int, str]]:
    """A line without an owner, left behind by the line that named it, gets the owner written out."""
    changes, orphaned = [], False
    for entry in zone.entries:
        start = entry.statement.start
        if start in doomed:
            orphaned = orphaned or not entry.inherits
            continue
        if entry.inherits and orphaned:
            changes.append((start, start, f"{entry.record.name}."))
        orphaned = False
    return changes


def _serial_change(entry: Entry, today: date) -> tuple[int, int, str]:
    serial = _serial(entry)
    return serial.start, serial.end, str(next_serial(int(serial.text), today))


def _serial(entry: Entry) -> Word:
    """The third word of the SOA's rdata."""
    return entry.statement.words[-5]


def _spliced(text: str, changes: Iterable[tuple[int, int, str]]) -> str:
    pieces, position = [], 0
    for start, end, new in sorted(changes):
        pieces += [text[position:start], new]
        position = end
    return "".join(pieces) + text[position:]


class _Reader:
    """Takes statement after statement; keeps what later ones inherit."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.entries: list[Entry] = []
        self.origin: str | None = None
        self.first_origin: str | None = None
        self.owner: str | None = None
        self.ttl: int | None = None
        self.last_ttl: int | None = None

    def take(self, statement: Statement) -> None:
        at = f"{self.where}:{statement.line}"
        first = statement.words[0].text
        if first.startswith("$") and not statement.indented:
            self._directive(first.upper(), [word.text for word in statement.words[1:]], at)
        else:
            self.entries.append(self._entry(statement, at))

    def apex(self) -> str:
        owners = [entry.record.name for entry in self.entries if entry.record.type == "SOA"]
        if len(set(owners)) > 1:
            raise ForUser(f"it has the SOA records of {' and '.join(owners)}", self.where, "keep one zone in one file")
        apex = owners[0] if owners else self.first_origin
        if apex is None:
            raise ForUser(
                "neither an $ORIGIN nor a SOA says which zone it is", self.where, "begin it with $ORIGIN example.org."
            )
        return apex

    def _directive(self, name: str, values: list[str], at: str) -> None:
        if name in REFUSED:
            raise ForUser(f"{name} is not edited", at, REFUSED[name])
        if name not in ("$ORIGIN", "$TTL") or len(values) != 1:
            raise ForUser(f"not a directive: {name} {' '.join(values)[:60]}", at)
        if name == "$TTL":
            self.ttl = _ttl(values[0], at)
            return
        self.origin = self._absolute(values[0], at)
        self.first_origin = self.origin if self.first_origin is None else self.first_origin

    def _entry(self, statement: Statement, at: str) -> Entry:
        words = [word.text for word in statement.words]
        if not statement.indented:
            self.owner = self._absolute(words.pop(0), at)
        if self.owner is None:
            raise ForUser("the first record names no owner", at)
        ttl = _leading_ttl(words, at)
        if not words:
            raise ForUser("a record without a type", at)
        kind = words.pop(0).upper()
        try:
            data = parse(kind, " ".join(words), self.origin or "")
        except ForUser as error:
            raise ForUser(error.what, at, error.advice) from None
        record = Record(self.owner, kind, self._settled(ttl, data, at), data)
        return Entry(record, statement, statement.indented)

    def _settled(self, ttl: int | None, data: Rdata, at: str) -> int:
        """RFC 2308 4: the record's own, else $TTL; RFC 1035 5.1: else the last one stated; else the SOA's minimum."""
        if ttl is not None:
            self.last_ttl = ttl
        chosen = next((one for one in (ttl, self.ttl, self.last_ttl) if one is not None), None)
        if chosen is None and data.type == "SOA":
            chosen = self.last_ttl = int(str(data).split()[-1])
        if chosen is None:
            raise ForUser("a record without a TTL, and no $TTL before it", at, "begin the file with $TTL 3600")
        return chosen

    def _absolute(self, text: str, at: str) -> str:
        """A name of the file, relative or absolute, in our spelling."""
        import dns.exception
        import dns.name

        try:
            relative = dns.name.from_text(text, None)
            if not relative.is_absolute() and self.origin is None:
                raise ForUser(
                    f"{text} is relative, but no $ORIGIN stands before it", at, "begin it with $ORIGIN example.org."
                )
            name = relative.derelativize(dns.name.from_text(f"{self.origin or ''}."))
        except (dns.exception.DNSException, ValueError) as error:
            raise ForUser(f"not a name: {text[:80]!r} ({error})", at) from None
        return name.to_text(omit_final_dot=True).lower() if name != dns.name.root else ""


def _leading_ttl(words: list[str], at: str) -> int | None:
    """Takes class and TTL, in either order, off the front of the words; the TTL, if any (RFC 1035 5.1)."""
    ttl = None
    for _ in range(2):
        if words and words[0].upper() in CLASSES:
            if words.pop(0).upper() != "IN":
                raise ForUser("only class IN is edited", at)
        elif words and words[0][:1].isdigit() and ttl is None:
            ttl = _ttl(words.pop(0), at)
    return ttl


def _ttl(text: str, at: str) -> int:
    """Seconds, or BIND's 1h30m."""
    import dns.ttl

    try:
        return dns.ttl.from_text(text)
    except dns.ttl.BadTTL:
        raise ForUser(f"not a TTL: {text[:40]!r}", at, "write seconds, such as 3600") from None
