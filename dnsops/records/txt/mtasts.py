"""MTA-STS: the TXT record that announces a policy, and the policy itself; each is read and written here. Pure.

    _mta-sts.example.org. TXT "v=STSv1; id=20260302T1200;"          Announcement.parse, str
    https://mta-sts.example.org/.well-known/mta-sts.txt              Sts.parse, str

Standard: RFC 8461 3.1 (the record), 3.2 (the policy), 4.1 (which hosts a pattern means).
Limits: 64 KiB a policy, 255 patterns, 1000 lines; max_age up to 31557600 seconds, more is read as that.
Fails by: `ForUser`, with the line that is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from dnsops.base.errors import ForUser
from dnsops.records import names

LARGEST = 65536  # bytes
MOST_LINES, MOST_PATTERNS = 1000, 255
LONGEST_AGE = 31557600  # seconds: a year
LONGEST_RECORD = 4096
OWNER, HOST, PATH = "_mta-sts", "mta-sts", "/.well-known/mta-sts.txt"

_KEY = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}"
_RECORD = re.compile(r"v=STSv1(?:[ \t]*;[ \t]*[^;\s=]+=[^;\s=]+)+(?:[ \t]*;[ \t]*)?")
_EXTENSION = re.compile(rf"{_KEY}=[!-:<>-~]+")
_ID = re.compile(r"id=([A-Za-z0-9]{1,32})")
_LINE = re.compile(rf"({_KEY}):[ \t]*(\S(?:.*\S)?)[ \t]*")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_PATTERN = re.compile(r"(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+")


class Mode(Enum):
    """RFC 8461 5: what a sender does when a host does not keep to the policy; the value is the word in the file."""

    ENFORCE = "enforce"
    TESTING = "testing"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Announcement:
    """`v=STSv1; id=...;`. The id changes whenever the policy does."""

    id: str

    def __post_init__(self) -> None:
        if not _ID.fullmatch(f"id={self.id}"):
            raise ForUser(f"not an id of an MTA-STS policy: {self.id[:40]!r}", "", "write 1 to 32 letters and digits")

    @classmethod
    def parse(cls, text: str) -> Announcement:
        """RFC 8461 3.1: version first, then the id and what else there may be; of two ids the first counts."""
        if len(text) > LONGEST_RECORD or not _RECORD.fullmatch(text):
            raise ForUser(f"not an MTA-STS record: {text[:80]!r}", "", "write v=STSv1; id=20260302T1200;")
        fields = [field.strip(" \t") for field in text.split(";")[1:] if field.strip(" \t")]
        ids = [found[1] for field in fields if (found := _ID.fullmatch(field))]
        odd = [f for f in fields if not _EXTENSION.fullmatch(f) or (f.startswith("id=") and not _ID.fullmatch(f))]
        if not ids or odd:
            raise ForUser(f"not an MTA-STS record: {text[:80]!r}", "", "write v=STSv1; id=20260302T1200;")
        return cls(ids[0])

    def __str__(self) -> str:
        return f"v=STSv1; id={self.id};"


def announced(texts: Iterable[str]) -> Announcement | None:
    """What a domain's TXT records announce: exactly one must begin as RFC 8461 3.1 says, and be right; else nothing."""
    ours = [text for text in texts if re.match(r"v=STSv1[ \t]*;", text)]
    if len(ours) != 1:
        return None
    try:
        return Announcement.parse(ours[0])
    except ForUser:
        return None


@dataclass(frozen=True, slots=True)
class Sts:
    """A policy. mx: patterns in lower case. max_age: seconds that it may be kept."""

    mode: Mode
    mx: tuple[str, ...]
    max_age: int

    @classmethod
    def parse(cls, data: bytes) -> Sts:
        """RFC 8461 3.2. Lines end with LF or CRLF; unknown keys are passed over; of a doubled key the first counts."""
        found: dict[str, list[str]] = {}
        for number, line in enumerate(_lines(data), 1):
            parts = _LINE.fullmatch(line)
            if parts is None or _CONTROL.search(line):
                raise ForUser(f"not KEY: VALUE: {line[:80]!r}", f"line {number}")
            found.setdefault(parts[1], []).append(parts[2])
        if found.get("version", [""])[0] != "STSv1":
            raise ForUser("its version is not STSv1", "version")
        mode, max_age = _mode(found.get("mode", [""])[0]), _age(found.get("max_age", [""])[0])
        patterns = tuple(dict.fromkeys(_pattern(text) for text in found.get("mx", [])))
        if mode is not Mode.NONE and not patterns:
            raise ForUser("it names no mail host", "mx", "write a line such as mx: mx1.example.org")
        if len(patterns) > MOST_PATTERNS:
            raise ForUser(f"more than {MOST_PATTERNS} mail hosts", "mx")
        return cls(mode, patterns, max_age)

    def __str__(self) -> str:
        """The file, lines ending with CRLF."""
        return "".join(f"{line}\r\n" for line in self.lines)

    @property
    def lines(self) -> tuple[str, ...]:
        """As TLS reports quote it (RFC 8460 4.4)."""
        mx = [f"mx: {pattern}" for pattern in self.mx]
        return ("version: STSv1", f"mode: {self.mode.value}", *mx, f"max_age: {self.max_age}")

    def covers(self, host: str) -> bool:
        """Whether a pattern means this host; `*.` stands for one label (RFC 8461 4.1)."""
        host = host.lower()
        _, _, parent = host.partition(".")
        return host in self.mx or f"*.{parent}" in self.mx


def _lines(data: bytes) -> list[str]:
    if len(data) > LARGEST:
        raise ForUser(f"larger than {LARGEST} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise ForUser("it is not UTF-8 text") from None
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    if len(lines) > MOST_LINES:
        raise ForUser(f"more than {MOST_LINES} lines")
    return [line.removesuffix("\r") for line in lines]


def _mode(text: str) -> Mode:
    try:
        return Mode(text)
    except ValueError:
        raise ForUser(f"not a mode: {text[:40]!r}", "mode", "write enforce, testing or none") from None


def _age(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", text):
        raise ForUser(f"not a number of seconds: {text[:40]!r}", "max_age", "write one such as 604800")
    return min(int(text), LONGEST_AGE)


def _pattern(text: str) -> str:
    """A host's name, or `*.` and the rest of one; nothing else is a pattern."""
    if not _PATTERN.fullmatch(text):
        raise ForUser(f"not a mail host: {text[:80]!r}", "mx", "write mx1.example.org or *.example.org")
    return names.canonical(text, "mx")
