"""What Cloudflare's API accepts as a DNS record, and how it shows one. Pure: JSON objects in, `Entry` values out.

After Cloudflare's API documentation (v4, DNS records); error numbers marked (?) come from clients' issue trackers only.
Fails by: `Refusal`, the API's error as status, code, message and error_chain.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import dns.exception
import dns.name
import dns.rdata

AUTOMATIC_TTL = 300
SHORTEST_TTL, LONGEST_TTL = 60, 86400
LONGEST_COMMENT = 100  # (?) on the Free plan
LONGEST_TXT = 4096
PROXIABLE = ("A", "AAAA", "CNAME")
BYTE, WORD = 255, 65535

Json = dict[str, Any]
_ids = itertools.count(1)

# The fields of `data`, in presentation order: the largest number, or what kind of text.
DATA: dict[str, dict[str, int | str]] = {
    "TLSA": {"usage": BYTE, "selector": BYTE, "matching_type": BYTE, "certificate": "hex"},
    "SMIMEA": {"usage": BYTE, "selector": BYTE, "matching_type": BYTE, "certificate": "hex"},
    "SSHFP": {"algorithm": BYTE, "type": BYTE, "fingerprint": "hex"},
    "DS": {"key_tag": WORD, "algorithm": BYTE, "digest_type": BYTE, "digest": "hex"},
    "CAA": {"flags": BYTE, "tag": "word", "value": "quoted"},
    "SRV": {"priority": WORD, "weight": WORD, "port": WORD, "target": "host"},
    "URI": {"priority": WORD, "weight": WORD, "target": "quoted"},
    "HTTPS": {"priority": WORD, "target": "host", "value": "rest"},
    "SVCB": {"priority": WORD, "target": "host", "value": "rest"},
}
HOSTS = ("CNAME", "NS", "PTR")
TYPES = frozenset({"A", "AAAA", "MX", "TXT", *HOSTS, *DATA})
DIGEST_LENGTH = {1: 64, 2: 128}  # RFC 6698 2.1.3, in hexadecimal digits


class Refusal(Exception):
    """An answer of the API that is no success."""

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        chain: list[Json] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(status, code, message)
        self.status, self.code, self.message = status, code, message
        self.chain, self.headers = chain or [], headers or {}

    @property
    def body(self) -> Json:
        error: Json = {"code": self.code, "message": self.message}
        if self.chain:
            error["error_chain"] = self.chain
        return {"success": False, "errors": [error], "messages": [], "result": None}


def invalid(message: str, code: int = 9005) -> Refusal:
    return Refusal(400, 1004, "DNS Validation Error", [{"code": code, "message": message}])


NO_RECORD = Refusal(404, 81044, "Record does not exist.")  # (?)


@dataclass(frozen=True)
class Entry:
    """One record as Cloudflare keeps it. `rdata` is what its name servers would answer."""

    id: str
    name: str
    type: str
    content: str
    ttl: int
    rdata: dns.rdata.Rdata
    data: Json | None = None
    priority: int | None = None
    comment: str | None = None
    proxied: bool = False
    settings: Json = field(default_factory=dict)
    created_on: str = ""
    modified_on: str = ""

    @property
    def served_ttl(self) -> int:
        return AUTOMATIC_TTL if self.ttl == 1 else self.ttl

    @property
    def shown(self) -> Json:
        """The record object of the API."""
        shown: Json = {name: getattr(self, name) for name in ("id", "name", "type", "content", "ttl", "proxied")}
        shown |= {"proxiable": self.type in PROXIABLE, "settings": self.settings, "meta": {}, "tags": []}
        shown |= {"comment": self.comment, "created_on": self.created_on, "modified_on": self.modified_on}
        if self.comment:
            shown["comment_modified_on"] = self.modified_on
        return shown | {name: getattr(self, name) for name in ("data", "priority") if getattr(self, name) is not None}


def entry(zone: str, body: Any, previous: Entry | None = None) -> Entry:
    """A request's record object -> the record, in place of `previous` when that is given."""
    if not isinstance(body, dict):
        raise Refusal(400, 9207, "Request body is invalid.")
    kind = body.get("type")
    if kind not in TYPES:
        raise invalid("Invalid DNS record type", 9004)
    now = timestamp()
    return Entry(
        id=previous.id if previous else f"{next(_ids):032x}",
        name=owner(zone, body.get("name")),
        type=kind,
        ttl=_ttl(body.get("ttl", 1)),
        comment=_comment(body),
        proxied=_proxied(kind, body.get("proxied", False)),
        settings=body.get("settings") or {},
        created_on=previous.created_on if previous else now,
        modified_on=now,
        **_rdata(kind, body),
    )


def patched(zone: str, previous: Entry, body: Json) -> Entry:
    """PATCH: what the request does not name stays as it is."""
    base = previous.shown
    if body.get("type", previous.type) != previous.type:
        base = {name: value for name, value in base.items() if name not in ("data", "content", "priority")}
    if "content" in body and "data" not in body:
        base.pop("data", None)
    if isinstance(body.get("data"), dict):
        body = {**body, "data": {**(base.get("data") or {}), **body["data"]}}
    return entry(zone, {**base, **body}, previous)


def check_conflicts(others: Iterable[Entry], new: Entry) -> None:
    """Records that may not stand beside each other."""
    for other in others:
        if other.id == new.id or other.name != new.name:
            continue
        if other.rdata == new.rdata and other.type == new.type:
            raise Refusal(400, 81058, "An identical record already exists.")
        if "CNAME" not in (other.type, new.type):
            continue
        if {other.type, new.type} <= set(PROXIABLE):
            raise Refusal(400, 81053, "An A, AAAA, or CNAME record with that host already exists.")
        raise Refusal(400, 81054, "A CNAME record with that host already exists.")  # (?)


def matches(shown: Json, query: Mapping[str, str]) -> bool:
    """The filters of "list DNS records"; case does not matter."""
    verdicts = [
        test(str(shown.get(name) or "").lower(), wanted.lower())
        for key, wanted in query.items()
        for name, _, operator in [key.partition(".")]
        if name in ("name", "content", "comment") and (test := FILTERS.get(operator))
    ]
    if "type" in query:
        verdicts.append(shown["type"] == query["type"].upper())
    if "proxied" in query:
        verdicts.append(shown["proxied"] == (query["proxied"] == "true"))
    return not verdicts or (any if query.get("match") == "any" else all)(verdicts)


FILTERS: dict[str, Callable[[str, str], bool]] = {
    "": str.__eq__,
    "exact": str.__eq__,
    "contains": str.__contains__,
    "startswith": str.startswith,
    "endswith": str.endswith,
    "present": lambda value, _: bool(value),
    "absent": lambda value, _: not value,
}


def owner(zone: str, name: Any) -> str:
    """An owner name, absolute; a name that is not in the zone is taken as relative to it."""
    if not isinstance(name, str) or not name:
        raise invalid("DNS name is invalid.", 9000)
    absolute = name.rstrip(".").lower()
    if absolute == "@":
        return zone
    if absolute != zone and not absolute.endswith("." + zone):
        absolute = f"{absolute}.{zone}"
    try:
        dns.name.from_text(absolute)
    except dns.exception.DNSException:
        raise invalid("DNS name is invalid.", 9000) from None
    return absolute


def stored(zone: str, name: str, ttl: int, rdata: dns.rdata.Rdata) -> Entry:
    """A record that stood in the zone before the API knew it."""
    kind, text = rdata.rdtype.name, rdata.to_text(chunksize=0)
    body: Json = {"type": kind, "name": name, "ttl": max(ttl, SHORTEST_TTL), "content": text}
    if kind == "MX":
        priority, body["content"] = text.split()
        body["priority"] = int(priority)
    return entry(zone, body)


def identifier(text: str) -> str:
    """32 hexadecimal digits that stand for something."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def timestamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _ttl(ttl: Any) -> int:
    whole = isinstance(ttl, int | float) and not isinstance(ttl, bool) and ttl == int(ttl)
    if not whole or (ttl != 1 and not SHORTEST_TTL <= ttl <= LONGEST_TTL):
        raise Refusal(400, 9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.")  # (?)
    return int(ttl)


def _comment(body: Json) -> str | None:
    comment = body.get("comment")
    if comment and len(comment) > LONGEST_COMMENT:
        raise Refusal(400, 9207, "Comment is too long (100 characters on the Free plan).")  # (?)
    if body.get("tags"):
        raise Refusal(400, 9300, "DNS record has too many tags (0 on the Free plan).")  # (?)
    return comment


def _proxied(kind: str, proxied: Any) -> bool:
    if proxied and kind not in PROXIABLE:
        raise Refusal(400, 9004, "This record type cannot be proxied.")
    return bool(proxied)


def _rdata(kind: str, body: Json) -> Json:
    """The fields that depend on the type: content, rdata, and data or priority where the type has them."""
    shown = _structured(kind, body) if kind in DATA else _plain(kind, body)
    text = shown.pop("text")
    try:
        shown["rdata"] = dns.rdata.from_text("IN", kind, text, origin=dns.name.root, relativize=False)
    except (dns.exception.DNSException, ValueError) as error:
        raise invalid(f"Content for {kind} record is invalid. {error}") from None
    return shown


def _plain(kind: str, body: Json) -> Json:
    content = body.get("content")
    if not isinstance(content, str) or not content:
        raise invalid(f"Content for {kind} record is invalid.")
    if kind in HOSTS:
        return {"content": content.rstrip("."), "text": content.rstrip(".") + "."}
    if kind == "MX":
        if "priority" not in body:
            raise invalid("MX records must have a priority.")
        priority, host = _number(body["priority"], WORD, "priority"), content.rstrip(".")
        return {"content": host, "priority": priority, "text": f"{priority} {host}."}
    if kind == "TXT":
        return {"content": content, "text": _strings(content)}
    return {"content": content, "text": content}


def _strings(content: str) -> str:
    """TXT as given when quoted, otherwise cut into character strings of 255 bytes (RFC 1035 3.3.14)."""
    if len(content) > LONGEST_TXT:
        raise invalid("Content for TXT record is too long.")
    if content.startswith('"'):
        return content
    raw = content.encode()
    pieces = [raw[start : start + 255] for start in range(0, len(raw), 255)]
    return " ".join('"' + "".join(_escaped(byte) for byte in piece) + '"' for piece in pieces)


def _escaped(byte: int) -> str:
    character = chr(byte)
    if character in '"\\':
        return "\\" + character
    return character if 0x20 <= byte < 0x7F else f"\\{byte:03d}"


def _structured(kind: str, body: Json) -> Json:
    given = body.get("data")
    if not isinstance(given, dict):
        given = _from_content(kind, body.get("content"))
    given = {"priority": body["priority"], **given} if "priority" in body else given
    data = {name: _checked(kind, name, form, given) for name, form in DATA[kind].items()}
    if kind in ("TLSA", "SMIMEA"):
        _check_digest(data)
    text = " ".join(_presented(form, data[name]) for name, form in DATA[kind].items()).rstrip()
    shown: Json = {"data": data, "content": text, "text": text}
    if kind == "SRV":
        shown |= {"priority": data["priority"], "content": f"{data['weight']} {data['port']} {data['target']}"}
    return shown


def _from_content(kind: str, content: Any) -> Json:
    if not isinstance(content, str) or not content:
        raise invalid("DNS record is missing data.")
    parts = content.split(None, len(DATA[kind]) - 1)
    named = zip(DATA[kind].items(), parts, strict=False)
    return {
        name: int(part) if isinstance(form, int) and part.isdigit() else part.strip('"') for (name, form), part in named
    }


def _checked(kind: str, name: str, form: int | str, given: Json) -> int | str:
    if name not in given:
        raise invalid(f"data field {name} is required for {kind}.")
    value = given[name]
    if isinstance(form, int):
        return _number(value, form, name)
    if not isinstance(value, str):
        raise invalid(f"{name} is invalid.")
    if form == "hex":
        digits = re.sub(r"\s", "", value).lower()
        if not re.fullmatch("(?:[0-9a-f]{2})+", digits):
            raise invalid(f"{name} is invalid.")
        return digits
    if form == "rest":
        return " ".join(value.split())
    return (value.rstrip(".") or ".") if form == "host" else value


def _check_digest(data: Json) -> None:
    digits = len(data["certificate"])
    if DIGEST_LENGTH.get(data["matching_type"], digits) != digits:
        raise invalid("certificate is invalid.")


def _presented(form: int | str, value: int | str) -> str:
    text = str(value)
    if form == "quoted":
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return text.rstrip(".") + "." if form == "host" else text


def _number(value: Any, largest: int, what: str) -> int:
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value == int(value)
    if not whole or not 0 <= value <= largest:
        raise invalid(f"{what} is invalid.")
    return int(value)
