"""mbox, as mboxrd writes it: one file a mailbox, "From " lines between messages, ">From " for lines that would look like one.

    for one in read(path): ...                    Kept or Unfit, in order; path is a file, or a directory of *.mbox
    writer = Writer(root); writer.add(kept, 7); writer.close()

Flags are Status, X-Status and X-Keywords, which we write before all other fields and take away again only there; elsewhere, as
mutt, Dovecot and Thunderbird leave them, they are read and stay. Reads mboxo, too.
Standards: RFC 4155. Limits: LARGEST octets a message, LINE a line. Fails by: OSError; a single message is `Unfit`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from dnsops.base import files
from mailsrv.archive.kept import LARGEST, Kept, Numbers, Unfit, crlf, escaped, lf, unescaped
from mailsrv.imap.grammar.cursor import Unreadable

SUFFIX = ".mbox"
LINE = 1 << 20
HEADER = 256 << 10  # octets in which a header's flags are looked for
_BORDER = re.compile(
    rb"From (?P<sender>\S*) +(?:\w{3} )?(?P<month>\w{3}) +(?P<day>\d{1,2}) (?P<time>\d{1,2}:\d\d(?::\d\d)?)(?: [A-Z]{1,5}| [+-]\d{4})? (?P<year>\d{4})\b"
)
_QUOTED = re.compile(rb"^>+From ")
_PLAIN = re.compile(rb"^>*From ", re.MULTILINE)
_FLAGS = re.compile(
    rb"^(Status|X-Status|X-Keywords|X-Mozilla-Status|X-Mozilla-Keys): ?([^\r\n]*)\r?\n", re.IGNORECASE | re.MULTILINE
)
_OURS = frozenset({b"status", b"x-status", b"x-keywords"})
_MOZILLA = {1: "\\Seen", 2: "\\Answered", 4: "\\Flagged", 8: "\\Deleted"}
_SEEN = {"R": "\\Seen"}
_MARKS = {"A": "\\Answered", "F": "\\Flagged", "T": "\\Draft", "D": "\\Deleted"}
_MONTHS = (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec")


def is_mbox(path: Path) -> bool:
    """Whether it begins like one; what cannot be read does not."""
    if not path.is_file() or path.is_symlink():
        return False
    try:
        with path.open("rb") as file:
            return file.read(5) == b"From "
    except OSError:
        return False


def read(path: Path, mailbox: str = "INBOX") -> Iterator[Kept | Unfit]:
    """Of one file into `mailbox`; of a directory each file into the mailbox of its name."""
    if path.is_file():
        yield from _file(path, mailbox)
        return
    for file in sorted(path.iterdir()):
        if is_mbox(file):
            yield from _file(file, _name(file))


def _name(file: Path) -> str:
    name = file.name.removesuffix(SUFFIX)
    try:
        return unescaped(name)
    except Unreadable:
        return name


def _file(path: Path, mailbox: str) -> Iterator[Kept | Unfit]:
    with path.open("rb") as file:
        for start, border, content in _messages(file):
            where = f"{path}, octet {start}"
            if content is None:
                yield Unfit(where, f"larger than {LARGEST >> 20} MiB", mailbox)
            else:
                flags, content = _unflagged(content)
                yield Kept(mailbox, crlf(content), _moment(border), flags, where)


def _messages(file: IO[bytes]) -> Iterator[tuple[int, bytes, bytes | None]]:
    """Where each begins, its border line, its lines; None when there are too many."""
    start, border, lines, size = 0, b"", list[bytes](), 0
    blank, whole, at = True, True, 0
    while line := file.readline(LINE):
        if blank and whole and _BORDER.match(line):
            if border:
                yield start, border, _joined(lines, size)
            start, border, lines, size = at, line, [], 0
        elif border:
            line = line[1:] if whole and _QUOTED.match(line) else line
            size += len(line)
            if size <= LARGEST:
                lines.append(line)
        blank, whole = line in (b"\n", b"\r\n"), line.endswith(b"\n")
        at = file.tell()
    if border:
        yield start, border, _joined(lines, size)


def _joined(lines: list[bytes], size: int) -> bytes | None:
    """Without the blank line that stands before the next border."""
    if size > LARGEST:
        return None
    return b"".join(lines[:-1] if lines and lines[-1] in (b"\n", b"\r\n") else lines)


def _unflagged(content: bytes) -> tuple[frozenset[str], bytes]:
    """The flags, and the message without the fields that were put before it for them.

    Other programs write these fields anywhere in the header: there they are read, and stay.
    """
    first: dict[bytes, bytes] = {}
    at = 0
    while (field := _FLAGS.match(content, at)) and field[1].lower() in _OURS - set(first):
        first[field[1].lower()] = field[2]
        at = field.end()
    if at:
        return _meant(first), content[at:]
    header = re.split(rb"\r?\n\r?\n", content[:HEADER], maxsplit=1)[0] + b"\n"
    return _meant({field[1].lower(): field[2] for field in _FLAGS.finditer(header)}), content


def _meant(fields: dict[bytes, bytes]) -> frozenset[str]:
    """What Status, X-Status, X-Keywords (mutt, Dovecot) and X-Mozilla-Status, -Keys (Thunderbird) say."""
    texts = {name: text.decode("utf-8", "replace").strip() for name, text in fields.items()}
    found = {_SEEN[letter] for letter in texts.get(b"status", "") if letter in _SEEN}
    found |= {_MARKS[letter] for letter in texts.get(b"x-status", "") if letter in _MARKS}
    found |= {*texts.get(b"x-keywords", "").split(), *texts.get(b"x-mozilla-keys", "").split()}
    try:
        bits = int(texts.get(b"x-mozilla-status", "0"), 16)
    except ValueError:
        bits = 0
    return frozenset(found | {flag for bit, flag in _MOZILLA.items() if bits & bit})


def _moment(border: bytes) -> datetime:
    """Of delivery, in UTC; a border without a day of the calendar gives the epoch."""
    found = _BORDER.match(border)
    try:
        if not found or found["month"].lower() not in _MONTHS:
            raise ValueError
        month = _MONTHS.index(found["month"].lower()) + 1
        hour, minute, second = (int(part) for part in (*found["time"].split(b":"), b"0")[:3])
        return datetime(int(found["year"]), month, int(found["day"]), hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)


class Writer:
    """A directory of new mboxes. `root` is there already, and empty."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._open: dict[str, IO[bytes]] = {}

    def folder(self, mailbox: str, numbers: Numbers | None = None) -> Path:
        """The file of a mailbox, made when it is first asked for; an mbox has no place for numbers."""
        path = self._root / (escaped(mailbox) + SUFFIX)
        if mailbox not in self._open:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            self._open[mailbox] = os.fdopen(handle, "wb")
        return path

    def add(self, kept: Kept, unique: int) -> None:
        """One message more."""
        self.folder(kept.mailbox)
        content = lf(kept.content)
        content = _flagged(kept.flags) + (kept.content if content is None else content)
        border = f"From MAILER-DAEMON {kept.received.astimezone(UTC):%a %b %e %H:%M:%S %Y}\n".encode()
        end = b"\n" if content.endswith(b"\n") else b"\n\n"
        self._open[kept.mailbox].write(border + _PLAIN.sub(lambda found: b">" + found[0], content) + end)

    def close(self) -> None:
        """Everything is on disk when this returns."""
        for file in self._open.values():
            file.flush()
            os.fsync(file.fileno())
            file.close()
        files.sync_directory(self._root)


def _flagged(flags: frozenset[str]) -> bytes:
    """The fields that tell the flags; Status is always there, so that what follows is never taken for ours."""
    status = ("R" if "\\Seen" in flags else "") + "O"
    marks = "".join(letter for letter, flag in _MARKS.items() if flag in flags)
    words = " ".join(sorted(flags - {"\\Seen", *_MARKS.values()}))
    lines = [f"Status: {status}", f"X-Status: {marks}", f"X-Keywords: {words}"]
    return "".join(f"{line.rstrip()}\n" for line in lines).encode()
