"""Which subcommands are installed: the entry points of the group `mailsrv.commands`, of every distribution on the path.

Read from `*.dist-info/entry_points.txt` (PyPA's entry points specification) rather than by importlib.metadata, whose import
alone costs as much as click's. Fails by: leaving out what cannot be read.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

GROUP = "mailsrv.commands"
LARGEST = 1 << 16


@dataclass(frozen=True)
class Entry:
    """`name = module:attribute`."""

    name: str
    module: str
    attribute: str

    def load(self) -> object:
        return getattr(importlib.import_module(self.module), self.attribute)


def entries(path: Iterable[str] = tuple(sys.path)) -> list[Entry]:
    """All of them; of two with one name the first on the path counts, as with modules."""
    found: dict[str, Entry] = {}
    for folder in path:
        for file in sorted(Path(folder or ".").glob("*.dist-info/entry_points.txt")):
            with suppress(OSError, UnicodeDecodeError):
                for entry in read(file.read_text(encoding="utf-8")[:LARGEST]):
                    found.setdefault(entry.name, entry)
    return list(found.values())


def read(text: str, group: str = GROUP) -> Iterator[Entry]:
    """The entries of one group in an entry_points.txt."""
    inside = False
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            inside = line == f"[{group}]"
        elif inside and "=" in line and not line.startswith(("#", ";")):
            name, _, place = line.partition("=")
            module, _, attribute = place.partition("[")[0].strip().partition(":")
            yield Entry(name.strip(), module.strip(), attribute.strip())
