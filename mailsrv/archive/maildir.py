"""Maildir: one file a message, folders as Maildir++ has them (.Work.Plans) or as plain directories (Work/Plans).

    for one in read(root): ...                    Kept or Unfit, each folder by date
    writer = Writer(root); writer.add(kept, "name"); writer.close()

The date is the file's, the flags are in its name, keywords in `dovecot-keywords`, UIDs in `dovecot-uidlist`. Files have LF, as Postfix and Dovecot write them;
what would not come back byte for byte that way is written with CRLF. Symbolic links and what is no plain file are not followed.
Limits: LARGEST octets a message, LARGEST_LIST a list of UIDs. Fails by: OSError of the root; a single file is `Unfit`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from dnsops.base import files
from mailsrv.archive.kept import LARGEST, Kept, Numbers, Unfit, crlf, escaped, lf, unescaped
from mailsrv.imap.grammar.cursor import Unreadable
from mailsrv.imap.grammar.names import from_utf7

LETTERS = {"P": "$Forwarded", "R": "\\Answered", "S": "\\Seen", "T": "\\Deleted", "D": "\\Draft", "F": "\\Flagged"}
KEYWORDS, UIDLIST, SUBSCRIPTIONS = "dovecot-keywords", "dovecot-uidlist", "subscriptions"
LARGEST_LIST = 256 << 20
MOST_KEYWORDS = 26
_MARKS = {flag.lower(): letter for letter, flag in LETTERS.items()}


def is_maildir(path: Path) -> bool:
    return (path / "cur").is_dir()


def folders(root: Path) -> Iterator[tuple[str, Path]]:
    """Every folder with its name, the INBOX first; a name that cannot be read stays as it is."""
    if is_maildir(root):
        yield "INBOX", root
    for path in sorted(root.iterdir()):
        if not path.is_dir() or path.is_symlink() or path.name in ("cur", "new", "tmp"):
            continue
        if path.name.startswith("."):
            if is_maildir(path):
                yield _name(path.name[1:]), path
        else:
            yield from _tree(path.name, path)


def _tree(name: str, path: Path) -> Iterator[tuple[str, Path]]:
    """Folders as directories."""
    if is_maildir(path):
        with suppress(Unreadable):
            name = from_utf7(name)
        yield name, path
    for below in sorted(path.iterdir()):
        if below.is_dir() and not below.is_symlink() and below.name not in ("cur", "new", "tmp"):
            yield from _tree(f"{name}/{below.name}", below)


def _name(text: str) -> str:
    try:
        return unescaped(text)
    except Unreadable:
        return text


def read(root: Path) -> Iterator[Kept | Unfit]:
    """All messages of all folders."""
    for name, path in folders(root):
        keywords, (_, uids) = _keywords(path), _uidlist(path)
        found = _by_date(path)
        if uids:  # those without come after all that have one
            found.sort(key=lambda one: uids.get(one[0].name.partition(":")[0], 1 << 32))
        for file, moment in found:
            yield _message(name, file, moment, keywords, uids.get(file.name.partition(":")[0], 0))


def numbers(root: Path) -> dict[str, Numbers]:
    """How Dovecot counted each folder, where it says so."""
    return {name: found for name, path in folders(root) if (found := _uidlist(path)[0])}


def subscriptions(root: Path) -> list[str]:
    """The folders that Dovecot shows."""
    try:
        lines = files.read_bounded(root / SUBSCRIPTIONS, 1 << 20).decode("utf-8", "replace").splitlines()
    except (OSError, ValueError):
        return []
    if lines and lines[0].startswith("V\t"):  # its second form parts the levels by tabs
        return [_name(line.replace(".", "\\2e").replace("\t", ".")) for line in lines[1:] if line]
    return [_name(line) for line in lines if line]


def _uidlist(folder: Path) -> tuple[Numbers | None, dict[str, int]]:
    """UIDVALIDITY and UIDNEXT, and the UID of each file by its name without flags; nothing of a list that is damaged."""
    try:
        return uidlist(files.read_bounded(folder / UIDLIST, LARGEST_LIST))
    except (OSError, ValueError):
        return None, {}


def uidlist(data: bytes) -> tuple[Numbers | None, dict[str, int]]:
    """Dovecot's list, of version 3 or 1; raises ValueError."""
    head, *lines = data.decode("utf-8", "surrogateescape").splitlines() or [""]
    version, *words = head.split()
    marked = {word[0]: int(word[1:]) for word in words if word[:1] in "VN" and word[1:].isdecimal() and len(word) < 12}
    if version == "1" and len(words) >= 2:
        marked = {"V": int(words[0]), "N": int(words[1])}
    if version not in ("1", "3") or set(marked) != {"V", "N"}:
        raise ValueError("a list of UIDs begins with its version, UIDVALIDITY and UIDNEXT")
    uids: dict[str, int] = {}
    for line in lines:
        uid, _, rest = line.partition(" ")
        name = rest.partition(":")[2] if version == "3" else rest
        if name and uid.isascii() and uid.isdecimal() and len(uid) < 11:
            uids[name.partition(":")[0]] = int(uid)
    return Numbers(marked["V"], max([marked["N"], *(uid + 1 for uid in uids.values())])), uids


def _by_date(folder: Path) -> list[tuple[Path, float]]:
    found = []
    for part in ("cur", "new"):
        if (folder / part).is_dir():
            with os.scandir(folder / part) as entries:
                found += [(Path(one.path), one.stat(follow_symlinks=False).st_mtime) for one in entries]
    return sorted(found, key=lambda one: (int(one[1]), one[0].name))


def _message(name: str, file: Path, moment: float, keywords: dict[str, str], uid: int) -> Kept | Unfit:
    try:
        content = _content(file)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        return Unfit(str(file), why or type(error).__name__, name)
    flags = frozenset[str]() if file.parent.name == "new" else _flags(file.name, keywords)
    return Kept(name, crlf(content), datetime.fromtimestamp(int(moment), UTC), flags, str(file), uid)


def _content(file: Path) -> bytes:
    handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as opened:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            raise ValueError("not a plain file")
        if about.st_size > LARGEST:
            raise ValueError(f"larger than {LARGEST >> 20} MiB")
        content = opened.read(LARGEST + 1)
    if content.startswith((b"\x1f\x8b", b"BZh", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ")):
        raise ValueError("compressed, as Dovecot's zlib plugin does: decompress it first")
    return content


def _flags(name: str, keywords: dict[str, str]) -> frozenset[str]:
    _, _, letters = name.rpartition(":2,")
    letters = letters.partition(",")[0] if letters != name else ""
    return frozenset(flag for letter in letters if (flag := LETTERS.get(letter) or keywords.get(letter)))


def _keywords(folder: Path) -> dict[str, str]:
    """Letters a to z and what they stand for."""
    try:
        text = files.read_bounded(folder / KEYWORDS, 65536).decode("utf-8", "replace")
    except (OSError, ValueError):
        return {}
    pairs = [line.split(None, 1) for line in text.splitlines()[:MOST_KEYWORDS]]
    known = {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and pair[0].isdecimal()}
    return {chr(97 + int(n)): word for n, word in known.items() if int(n) < MOST_KEYWORDS}


class Writer:
    """A new Maildir++ tree. `root` is there already, and empty."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._keywords: dict[str, list[str]] = {}
        self._numbers: dict[str, Numbers] = {}
        self._uids: dict[str, list[tuple[int, str]]] = {}
        self.folder("INBOX")

    def folder(self, mailbox: str, numbers: Numbers | None = None) -> Path:
        """The directory of a mailbox, made when it is first asked for. numbers: how it counts, for `dovecot-uidlist`."""
        if numbers:
            self._numbers[mailbox] = numbers
        path = self._root if mailbox == "INBOX" else self._root / f".{escaped(mailbox)}"
        if mailbox not in self._keywords:
            for part in ("cur", "new", "tmp"):
                (path / part).mkdir(mode=0o700, parents=True)
            if path != self._root:
                (path / "maildirfolder").touch(mode=0o600)
            self._keywords[mailbox] = []
        return path

    def add(self, kept: Kept, unique: int) -> None:
        """One message more; `unique` is its UID."""
        folder, moment = self.folder(kept.mailbox), int(kept.received.timestamp())
        content = lf(kept.content)
        content = kept.content if content is None else content
        name = f"{moment}.M{unique}.mailsrv,S={len(content)}"
        self._uids.setdefault(kept.mailbox, []).append((unique, name))
        draft = folder / "tmp" / name
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.utime(draft, (moment, moment))
        draft.rename(folder / "cur" / f"{name}:2,{self._letters(kept)}")

    def _letters(self, kept: Kept) -> str:
        """Of its flags; a keyword beyond the 26th of a mailbox has no letter."""
        known, letters = self._keywords[kept.mailbox], set[str]()
        for flag in sorted(kept.flags):
            if (mark := _MARKS.get(flag.lower())) is not None:
                letters.add(mark)
                continue
            if flag not in known and len(known) < MOST_KEYWORDS:
                known.append(flag)
            if flag in known:
                letters.add(chr(97 + known.index(flag)))
        return "".join(sorted(letters))

    def close(self) -> None:
        """Everything is on disk when this returns."""
        for mailbox, known in self._keywords.items():
            folder = self.folder(mailbox)
            if known:
                files.replace(folder / KEYWORDS, "".join(f"{n} {word}\n" for n, word in enumerate(known)).encode())
            if numbers := self._numbers.get(mailbox):
                head = f"3 V{numbers.uidvalidity} N{numbers.uidnext}\n"
                lines = [f"{uid} :{name}\n" for uid, name in self._uids.get(mailbox, ())]
                files.replace(folder / UIDLIST, (head + "".join(lines)).encode())
            files.sync_directory(folder / "cur")
            files.sync_directory(folder)
