"""Records in the form of Cloudflare's API, both ways. Pure.

Three forms, by type: `content` alone (A, TXT ...), `content` beside `priority` (MX), `data` as an object (TLSA, SRV ...).
Numbers come back as floats, `data` may be missing, SRV's and URI's priority may stand outside of it, names have no final
dot. TTL 1 means automatic: the name servers then say 300. What is written is quoted and cut as on the wire.
Standards: Cloudflare API v4, DNS records; RFC 1035 5.1 for the texts.
Fails by: `ForUser` for a record that has no such form, `ValueError` for an object that is no record. Somebody's record
whose data cannot be read is shown by its content.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from dnsops.base.errors import ForUser
from dnsops.providers.door import Held, Mark
from dnsops.records.rdata import Generic, Rdata, Record, parse, txt, wire
from dnsops.records.tlsa import Tlsa

Json: TypeAlias = dict[str, object]

AUTOMATIC, AUTOMATIC_TTL = 1, 300
SHORTEST_TTL, LONGEST_TTL = 60, 86400
LONGEST_COMMENT = 100
MARK = "mailsrv"  # the first word of our records' comments

# The fields of `data` in presentation order, each with its kind.
NUMBER, HEX, WORD, QUOTED, HOST, REST = "number", "hex", "word", "quoted", "host", "rest"
DATA: dict[str, tuple[tuple[str, str], ...]] = {
    "TLSA": (("usage", NUMBER), ("selector", NUMBER), ("matching_type", NUMBER), ("certificate", HEX)),
    "SMIMEA": (("usage", NUMBER), ("selector", NUMBER), ("matching_type", NUMBER), ("certificate", HEX)),
    "SSHFP": (("algorithm", NUMBER), ("type", NUMBER), ("fingerprint", HEX)),
    "DS": (("key_tag", NUMBER), ("algorithm", NUMBER), ("digest_type", NUMBER), ("digest", HEX)),
    "CAA": (("flags", NUMBER), ("tag", WORD), ("value", QUOTED)),
    "SRV": (("priority", NUMBER), ("weight", NUMBER), ("port", NUMBER), ("target", HOST)),
    "URI": (("priority", NUMBER), ("weight", NUMBER), ("target", QUOTED)),
    "HTTPS": (("priority", NUMBER), ("target", HOST), ("value", REST)),
    "SVCB": (("priority", NUMBER), ("target", HOST), ("value", REST)),
}
HOSTS = ("CNAME", "NS", "PTR")
PLAIN = ("A", "AAAA", "TXT")
OUTSIDE = ("SRV", "URI")  # their priority also stands beside `data`


@dataclass(frozen=True, slots=True)
class Shown:
    """A record as the API shows it. ttl: as it is kept there, 1 for automatic; held.record has what is served."""

    id: str
    held: Held
    ttl: int
    proxied: bool


def shown(item: Json) -> Shown:
    """An object of the API, with who it belongs to."""
    comment = item.get("comment")
    words = comment.split() if isinstance(comment, str) else []
    mark = Mark.OURS if words[:1] == [MARK] else Mark.FOREIGN
    proxied = item.get("proxied") is True
    return Shown(_text(item, "id"), Held(from_api(item), mark, proxied), _number(item, "ttl"), proxied)


def to_api(record: Record) -> Json:
    """A record -> the fields of a request, without a comment."""
    fields: Json = {"name": record.name, "type": record.type, "ttl": record.ttl}
    text = str(record.data)
    if record.type in PLAIN:
        return fields | {"content": text}
    if record.type in HOSTS:
        return fields | {"content": _host(text)}
    if record.type == "MX":
        priority, host = text.split()
        return fields | {"content": _host(host), "priority": int(priority)}
    if record.type not in DATA:
        raise ForUser(f"{record.type} records are not written through Cloudflare", record.name)
    data = _split(record.type, text, record.data)
    outside: Json = {"priority": data["priority"]} if record.type in OUTSIDE else {}
    return fields | outside | {"data": data}


def from_api(item: Json) -> Record:
    """An object of the API -> the record that its name servers answer with."""
    kind, ttl = _text(item, "type").upper(), _number(item, "ttl")
    name = _text(item, "name").removesuffix(".").lower()
    try:
        data = _data(kind, item)
    except (ForUser, ValueError):  # somebody else's record that we cannot read does not stop our own work
        data = Generic(kind, str(item.get("content", "")))
    return Record(name, kind, AUTOMATIC_TTL if ttl == AUTOMATIC else ttl, data)


def ttl_flaw(record: Record) -> str | None:
    """Why Cloudflare would not take this TTL, or we would not know it."""
    if record.ttl == AUTOMATIC and record.type == "TLSA":
        return "TTL 1 (automatic) is no known time, and a key's rollover waits for twice the TTL"
    if record.ttl != AUTOMATIC and not SHORTEST_TTL <= record.ttl <= LONGEST_TTL:
        return f"TTL {record.ttl} is not possible at Cloudflare"
    return None


def comment_for(record: Record) -> str:
    """Our mark, and what the record is for."""
    return f"{MARK} {record.type.lower()}"[:LONGEST_COMMENT]


def _data(kind: str, item: Json) -> Rdata:
    content = item.get("content")
    text = content if isinstance(content, str) else ""
    if kind == "TXT":
        return parse("TXT", text) if text.startswith('"') else txt(text)
    if kind in HOSTS:
        return parse(kind, _dotted(text))
    if kind == "MX":
        return parse("MX", f"{_number(item, 'priority')} {_dotted(text)}")
    if kind in DATA:
        return _structured(kind, item, text)
    return parse(kind, text)


def _structured(kind: str, item: Json, content: str) -> Rdata:
    data = item.get("data")
    if not isinstance(data, dict):
        if kind == "SRV" and len(content.split()) == 3:
            content = f"{_number(item, 'priority')} {content}"
        return parse(kind, content)
    given: Json = {"priority": item.get("priority")} | data
    if kind == "TLSA":
        digits = bytes.fromhex("".join(_text(given, "certificate").split()))
        return Tlsa(_number(given, "usage"), _number(given, "selector"), _number(given, "matching_type"), digits)
    return parse(kind, " ".join(_presented(form, given, field) for field, form in DATA[kind]))


def _presented(form: str, given: Json, field: str) -> str:
    if form == NUMBER:
        return str(_number(given, field))
    text = _text(given, field)
    if form == QUOTED:
        return _quoted(text.encode())
    return _dotted(text) if form == HOST else text


def _split(kind: str, text: str, data: Rdata) -> Json:
    """Presentation text -> the fields of `data`."""
    words = text.split(None, len(DATA[kind]) - 1)
    words += [""] * (len(DATA[kind]) - len(words))  # SVCB without parameters
    fields = zip(DATA[kind], words, strict=True)
    return {field: _field(form, word, data) for (field, form), word in fields}


def _field(form: str, word: str, data: Rdata) -> int | str:
    match form:
        case "number":
            return int(word)
        case "hex":
            return "".join(word.split()).lower()
        case "host":
            return _host(word)
        case "quoted":
            return _raw(data)
    return word


def _raw(data: Rdata) -> str:
    """The quoted field's characters, taken from the wire, where nothing is escaped (RFC 8659 4.1, RFC 7553 4.5)."""
    rdata = wire(data)
    value = rdata[2 + rdata[1] :] if data.type == "CAA" else rdata[4:]
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise ForUser(f"{data.type} {data}: Cloudflare takes UTF-8 only") from None


def _quoted(raw: bytes) -> str:
    """A character string as presentation text."""
    return '"' + "".join(_escaped(byte) for byte in raw) + '"'


def _escaped(byte: int) -> str:
    character = chr(byte)
    if character in '"\\':
        return "\\" + character
    return character if 0x20 <= byte < 0x7F else f"\\{byte:03d}"


def _host(text: str) -> str:
    return text if text == "." else text.removesuffix(".")


def _dotted(text: str) -> str:
    return text.removesuffix(".") + "."


def _number(item: Json, field: str) -> int:
    value = item.get(field)
    if isinstance(value, str) and value.isdigit() and value.isascii() and len(value) < 11:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1 or abs(value) > 2**32:
        raise ValueError(f"{field} is not a number")
    return int(value)


def _text(item: Json, field: str) -> str:
    value = item.get(field)
    if not isinstance(value, str):
        raise ValueError(f"{field} is not a text")  # noqa: TRY004 (one kind of failure for every malformed object)
    return value
