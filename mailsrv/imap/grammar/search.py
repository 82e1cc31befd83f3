"""Search keys (RFC 9051 6.4.4 and the extensions in the table), nested at most DEPTH deep and KEYS in all. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from mailsrv.imap.grammar.cursor import UINT63, Cursor, Unreadable
from mailsrv.imap.grammar.dates import read_date
from mailsrv.imap.grammar.flags import SEEN, SYSTEM
from mailsrv.imap.grammar.sets import Numbers, read_numbers
from mailsrv.imap.limits import DEPTH, KEYS


@dataclass(frozen=True, slots=True)
class Every:
    """ALL"""


@dataclass(frozen=True, slots=True)
class Flag:
    """SEEN, UNSEEN, KEYWORD x, UNKEYWORD x"""

    name: str
    there: bool = True


@dataclass(frozen=True, slots=True)
class Recent:
    """RECENT, OLD, and NEW (recent and unseen); rev1 only in meaning."""

    there: bool = True


@dataclass(frozen=True, slots=True)
class Words:
    """SUBJECT, FROM, TO, CC, BODY, TEXT: in the indexed text. `field` as the store names it, "" for everything."""

    field: str
    words: str


@dataclass(frozen=True, slots=True)
class Header:
    """HEADER name words; BCC. Empty words: the field is there."""

    name: str
    words: str


@dataclass(frozen=True, slots=True)
class Size:
    """LARGER, SMALLER"""

    larger: bool
    octets: int


@dataclass(frozen=True, slots=True)
class Day:
    """BEFORE, ON, SINCE of `what`: received, sent or saved."""

    what: str
    when: str
    day: date


@dataclass(frozen=True, slots=True)
class Within:
    """OLDER, YOUNGER (RFC 5032), in seconds before now."""

    younger: bool
    seconds: int


@dataclass(frozen=True, slots=True)
class Among:
    """Sequence numbers, or UIDs."""

    numbers: Numbers
    uid: bool


@dataclass(frozen=True, slots=True)
class ModSeq:
    """MODSEQ n (RFC 7162 3.1.5)"""

    least: int


@dataclass(frozen=True, slots=True)
class Identity:
    """EMAILID, THREADID (RFC 8474)"""

    thread: bool
    id: str


@dataclass(frozen=True, slots=True)
class Not:
    key: Key


@dataclass(frozen=True, slots=True)
class Or:
    left: Key
    right: Key


@dataclass(frozen=True, slots=True)
class And:
    keys: tuple[Key, ...]


Key = Every | Flag | Recent | Words | Header | Size | Day | Within | Among | ModSeq | Identity | Not | Or | And


class Reading:
    """One search programme being read: the cursor, and how much was used of the limits."""

    __slots__ = ("count", "cursor", "depth")

    def __init__(self, cursor: Cursor) -> None:
        self.cursor, self.depth, self.count = cursor, 0, 0


def read_keys(cursor: Cursor) -> Key:
    """One or more keys, all of which must hold, up to the end of the command or list."""
    return conjunction(Reading(cursor))


def conjunction(reading: Reading) -> Key:
    cursor = reading.cursor
    keys = [key(reading)]
    while cursor.stands(b" ") and cursor.data[cursor.at :].strip(b" "):
        cursor.space()
        keys.append(key(reading))
    return keys[0] if len(keys) == 1 else And(tuple(keys))


def key(reading: Reading) -> Key:
    """One key, however deep."""
    reading.count += 1
    reading.depth += 1
    if reading.depth > DEPTH or reading.count > KEYS:
        raise Unreadable("the search is nested too deeply, or has too many keys")
    found = one(reading)
    reading.depth -= 1
    return found


def one(reading: Reading) -> Key:
    cursor = reading.cursor
    if cursor.skip(b"("):
        inner = conjunction(reading)
        cursor.expect(b")")
        return inner
    if cursor.data[cursor.at : cursor.at + 1] in DIGIT_STAR_DOLLAR:
        return Among(read_numbers(cursor), uid=False)
    name = cursor.word()
    reader = READERS.get(name)
    if reader is None:
        raise Unreadable("there is no such search key")
    return reader(reading)


DIGIT_STAR_DOLLAR = tuple(bytes([c]) for c in b"0123456789*$")
Reader = Callable[[Reading], Key]


def fixed(found: Key) -> Reader:
    return lambda reading: found


def argument(reading: Reading) -> str:
    reading.cursor.space()
    return reading.cursor.text()


def words(field: str) -> Reader:
    return lambda reading: Words(field, argument(reading))


def keyword(there: bool) -> Reader:
    def read(reading: Reading) -> Key:
        reading.cursor.space()
        return Flag(reading.cursor.atom().decode("ascii"), there)

    return read


def octets(larger: bool) -> Reader:
    def read(reading: Reading) -> Key:
        reading.cursor.space()
        return Size(larger, reading.cursor.number(UINT63))

    return read


def day(what: str, when: str) -> Reader:
    def read(reading: Reading) -> Key:
        reading.cursor.space()
        return Day(what, when, read_date(reading.cursor))

    return read


def within(younger: bool) -> Reader:
    def read(reading: Reading) -> Key:
        reading.cursor.space()
        return Within(younger, reading.cursor.number())

    return read


def identity(thread: bool) -> Reader:
    def read(reading: Reading) -> Key:
        reading.cursor.space()
        return Identity(thread, reading.cursor.atom().decode("ascii"))

    return read


def header(reading: Reading) -> Key:
    name = argument(reading)
    return Header(name, argument(reading))


def uid(reading: Reading) -> Key:
    reading.cursor.space()
    return Among(read_numbers(reading.cursor), uid=True)


def negation(reading: Reading) -> Key:
    reading.cursor.space()
    return Not(key(reading))


def either(reading: Reading) -> Key:
    reading.cursor.space()
    left = key(reading)
    reading.cursor.space()
    return Or(left, key(reading))


def modseq(reading: Reading) -> Key:
    """MODSEQ ["/flags/\\Seen" shared] n; which flag changed is not kept, so any change counts (RFC 7162 3.1.5 allows it)."""
    reading.cursor.space()
    if reading.cursor.stands(b'"'):
        reading.cursor.quoted()
        reading.cursor.space()
        reading.cursor.atom()
        reading.cursor.space()
    return ModSeq(reading.cursor.number(UINT63))


READERS: dict[str, Reader] = {
    "ALL": fixed(Every()),
    "SAVEDATESUPPORTED": fixed(Every()),
    "SEEN": fixed(Flag(SEEN)),
    "UNSEEN": fixed(Flag(SEEN, there=False)),
    "RECENT": fixed(Recent()),
    "OLD": fixed(Recent(there=False)),
    "NEW": fixed(And((Recent(), Flag(SEEN, there=False)))),
    "KEYWORD": keyword(there=True),
    "UNKEYWORD": keyword(there=False),
    "SUBJECT": words("subject"),
    "FROM": words("sender"),
    "TO": words("to"),
    "CC": words("cc"),
    "BODY": words("text"),
    "TEXT": words(""),
    "BCC": lambda reading: Header("bcc", argument(reading)),
    "HEADER": header,
    "LARGER": octets(larger=True),
    "SMALLER": octets(larger=False),
    "OLDER": within(younger=False),
    "YOUNGER": within(younger=True),
    "EMAILID": identity(thread=False),
    "THREADID": identity(thread=True),
    "MODSEQ": modseq,
    "UID": uid,
    "NOT": negation,
    "OR": either,
}
for _system in SYSTEM.values():
    if _system != SEEN:
        READERS[_system[1:].upper()] = fixed(Flag(_system))
        READERS["UN" + _system[1:].upper()] = fixed(Flag(_system, there=False))
for _prefix, _what in (("", "received"), ("SENT", "sent"), ("SAVED", "saved")):
    for _when in ("BEFORE", "ON", "SINCE"):
        READERS[_prefix + _when] = day(_what, _when)
