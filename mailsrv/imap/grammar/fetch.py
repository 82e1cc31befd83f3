"""What FETCH may ask for (RFC 9051 6.4.5; RFC 3516, 7162, 8474, 8514, 8970). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from mailsrv.imap.grammar.cursor import UINT32, UINT63, Cursor, Unreadable
from mailsrv.imap.limits import FIELDS, ITEMS


class Item(Enum):
    """Items without arguments, as they are written."""

    UID = "UID"
    FLAGS = "FLAGS"
    INTERNALDATE = "INTERNALDATE"
    SIZE = "RFC822.SIZE"
    ENVELOPE = "ENVELOPE"
    BODYSTRUCTURE = "BODYSTRUCTURE"
    BODY = "BODY"
    MODSEQ = "MODSEQ"
    PREVIEW = "PREVIEW"
    SAVEDATE = "SAVEDATE"
    EMAILID = "EMAILID"
    THREADID = "THREADID"


class Text(Enum):
    """What of a part."""

    ALL = ""
    HEADER = "HEADER"
    FIELDS = "HEADER.FIELDS"
    FIELDS_NOT = "HEADER.FIELDS.NOT"
    TEXT = "TEXT"
    MIME = "MIME"


@dataclass(frozen=True, slots=True)
class Section:
    """BODY[1.2.HEADER.FIELDS (TO CC)], BINARY[3]: `part` "1.2", "" for the whole message."""

    part: str = ""
    text: Text = Text.ALL
    fields: tuple[bytes, ...] = ()


class Form(Enum):
    """How the octets are wanted."""

    BODY = "as they are"
    BINARY = "decoded"
    SIZE = "how many there are, decoded"


@dataclass(frozen=True, slots=True)
class Octets:
    """An item that needs the message's octets. `label` is what the answer calls it, `partial` the first octet and how many."""

    label: bytes
    section: Section = Section()
    form: Form = Form.BODY
    partial: tuple[int, int] | None = None
    peek: bool = False

    @property
    def whole(self) -> bool:
        """Whether it is about the message as it stands, so that nobody needs to know its parts."""
        return self.form is Form.BODY and self.section == Section()


@dataclass(frozen=True, slots=True)
class Wanted:
    """All that one FETCH asks for."""

    items: tuple[Item | Octets, ...]
    changed_since: int | None = None
    vanished: bool = False


MACROS = {
    "ALL": (Item.FLAGS, Item.INTERNALDATE, Item.SIZE, Item.ENVELOPE),
    "FAST": (Item.FLAGS, Item.INTERNALDATE, Item.SIZE),
    "FULL": (Item.FLAGS, Item.INTERNALDATE, Item.SIZE, Item.ENVELOPE, Item.BODY),
}
SIMPLE = {item.value: item for item in Item}
OLD = {  # rev1 only; clients still use them
    "RFC822": Octets(b"RFC822"),
    "RFC822.HEADER": Octets(b"RFC822.HEADER", Section(text=Text.HEADER), peek=True),
    "RFC822.TEXT": Octets(b"RFC822.TEXT", Section(text=Text.TEXT)),
}
WITH_SECTION = {
    "BODY": (Form.BODY, False),
    "BODY.PEEK": (Form.BODY, True),
    "BINARY": (Form.BINARY, False),
    "BINARY.PEEK": (Form.BINARY, True),
    "BINARY.SIZE": (Form.SIZE, True),
}
NAME = re.compile(rb"[A-Za-z0-9.]+")
PART = re.compile(rb"[1-9][0-9]{0,8}(?:\.[1-9][0-9]{0,8})*(?=[\].])")
TEXTS = re.compile(rb"HEADER\.FIELDS\.NOT|HEADER\.FIELDS|HEADER|TEXT|MIME", re.IGNORECASE)


def read_wanted(cursor: Cursor) -> Wanted:
    """Items, then modifiers in parentheses."""
    items = read_items(cursor)
    wanted = Wanted(items)
    if cursor.skip(b" ("):
        wanted = read_modifiers(cursor, items)
    return wanted


def read_items(cursor: Cursor) -> tuple[Item | Octets, ...]:
    if cursor.stands(b"("):
        return tuple(dict.fromkeys(cursor.listed(read_item, ITEMS)))
    at = cursor.at
    macro = MACROS.get(cursor.take(NAME, "what to fetch").decode("ascii").upper())
    if macro:
        return macro
    cursor.at = at
    return (read_item(cursor),)


def read_item(cursor: Cursor) -> Item | Octets:
    name = cursor.take(NAME, "what to fetch").decode("ascii").upper()
    if name in WITH_SECTION and cursor.stands(b"["):
        return read_octets(cursor, *WITH_SECTION[name])
    if name == "PREVIEW" and cursor.skip(b" (LAZY)"):
        return Item.PREVIEW
    found = SIMPLE.get(name) or OLD.get(name)
    if found is None:
        raise Unreadable("there is nothing of that name to fetch")
    return found


def read_octets(cursor: Cursor, form: Form, peek: bool) -> Octets:
    section = read_section(cursor)
    if form is not Form.BODY and section.text is not Text.ALL:
        raise Unreadable("BINARY takes a part's number only")
    partial = read_partial(cursor) if form is not Form.SIZE else None
    return Octets(label(form, section, partial), section, form, partial, peek)


def read_section(cursor: Cursor) -> Section:
    cursor.expect(b"[")
    part = ""
    if not cursor.stands(b"]") and PART.match(cursor.data, cursor.at):
        part = cursor.take(PART, "a part's number").decode("ascii")
        if cursor.skip(b"]"):
            return Section(part)
        cursor.expect(b".")
    if cursor.skip(b"]"):
        return Section(part)
    section = read_section_text(cursor, part)
    cursor.expect(b"]")
    return section


def read_section_text(cursor: Cursor, part: str) -> Section:
    text = Text(cursor.take(TEXTS, "HEADER, TEXT or MIME").decode("ascii").upper())
    if text is Text.MIME and not part:
        raise Unreadable("MIME belongs to a part")
    if text not in (Text.FIELDS, Text.FIELDS_NOT):
        return Section(part, text)
    cursor.space()
    return Section(part, text, cursor.listed(read_field, FIELDS))


FIELD = re.compile(rb"[!-9;-~]{1,200}\Z")


def read_field(cursor: Cursor) -> bytes:
    name = cursor.astring()
    if FIELD.match(name) is None:
        raise Unreadable("this is no header field's name")
    return name


def read_partial(cursor: Cursor) -> tuple[int, int] | None:
    if not cursor.skip(b"<"):
        return None
    first = cursor.number(UINT63)
    cursor.expect(b".")
    count = cursor.number(UINT32)
    if not count:
        raise Unreadable("a count of zero")
    cursor.expect(b">")
    return first, count


def label(form: Form, section: Section, partial: tuple[int, int] | None) -> bytes:
    """What the answer calls it (RFC 9051 7.5.2): without PEEK, with the first octet only."""
    words = [word for word in (section.part, section.text.value) if word]
    name = ".".join(words).encode("ascii")
    if section.fields:
        name += b" (" + b" ".join(map(field_written, section.fields)) + b")"
    kind = {Form.BODY: b"BODY", Form.BINARY: b"BINARY", Form.SIZE: b"BINARY.SIZE"}[form]
    return b"%b[%b]" % (kind, name) + (b"<%d>" % partial[0] if partial else b"")


def field_written(name: bytes) -> bytes:
    """As an astring: what an atom cannot hold is quoted."""
    if re.fullmatch(rb"[A-Za-z0-9_.-]+", name):
        return name
    return b'"' + re.sub(rb'(["\\])', rb"\\\1", name) + b'"'


def read_modifiers(cursor: Cursor, items: tuple[Item | Octets, ...]) -> Wanted:
    """(CHANGEDSINCE n [VANISHED]); the parenthesis is open (RFC 7162 3.1.4.1, 3.2.6)."""
    since, vanished = None, False
    while True:
        match cursor.word():
            case "CHANGEDSINCE":
                cursor.space()
                since = cursor.number(UINT63)
            case "VANISHED":
                vanished = True
            case _:
                raise Unreadable("there is no such modifier")
        if cursor.skip(b")"):
            return Wanted(items, since, vanished)
        cursor.space()
