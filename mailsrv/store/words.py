"""Words as full-text search sees them: letters and digits, without case and accents. Pure.

The same as SQLite's tokenizer `unicode61 remove_diacritics 2`, as far as mail goes.
"""

from __future__ import annotations

import re
import unicodedata

FIELDS = ("subject", "sender", "to", "cc", "text")
LONGEST = 1000  # characters of what is searched for
MOST = 50  # words of it
_WORD = re.compile(r"[^\W_]+")


def terms(text: str) -> list[str]:
    """The words of a text, folded, in their order."""
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return _WORD.findall(text.lower())


def wanted(words: str) -> list[str]:
    """The words that are searched for, bounded."""
    return terms(words[:LONGEST])[:MOST]


def found(phrase: list[str], text: str) -> bool:
    """Whether the phrase stands in the text, its last word as the beginning of one."""
    there, *before = terms(text), *phrase[:-1]
    ends = (at for at, word in enumerate(there) if at >= len(before) and word.startswith(phrase[-1]))
    return any(there[at - len(before) : at] == before for at in ends)
