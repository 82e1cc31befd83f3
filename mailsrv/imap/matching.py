"""LIST's patterns (RFC 9051 6.3.9): `*` stands for anything, `%` for anything within one level. Pure.

All places in the pattern at once, so that no pattern takes longer than its length times the name's.
"""

from __future__ import annotations

import re

from mailsrv.imap.grammar.names import SEPARATOR

SEVERAL = re.compile(r"[*%]*\*[*%]*")
SEVERAL_IN_LEVEL = re.compile(r"%+")
LONGEST = 1000


class Pattern:
    """One pattern, ready to match."""

    __slots__ = ("_plain", "text")

    def __init__(self, text: str) -> None:
        first, slash, rest = text.partition(SEPARATOR)
        text = ("INBOX" if first.upper() == "INBOX" else first) + slash + rest
        self.text = SEVERAL_IN_LEVEL.sub("%", SEVERAL.sub("*", text))
        self._plain = "*" not in self.text and "%" not in self.text

    def __call__(self, name: str) -> bool:
        if self._plain:
            return name == self.text
        if self.text in ("*", "%"):
            return self.text == "*" or SEPARATOR not in name
        return self._walk(name)

    def _walk(self, name: str) -> bool:
        text = self.text
        places = self._beyond_wildcards({0})
        for character in name:
            stepped = set()
            for at in places:
                if at == len(text):
                    continue
                if text[at] == "*" or (text[at] == "%" and character != SEPARATOR):
                    stepped.add(at)
                elif text[at] == character:
                    stepped.add(at + 1)
            places = self._beyond_wildcards(stepped)
            if not places:
                return False
        return len(text) in places

    def _beyond_wildcards(self, places: set[int]) -> set[int]:
        """A wildcard may also stand for nothing; two never stand side by side, but for `*` beside `%`, which is one `*`."""
        beyond = {at + 1 for at in places if at < len(self.text) and self.text[at] in "*%"}
        return places | beyond
