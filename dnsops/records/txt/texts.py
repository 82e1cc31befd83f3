"""The texts of TXT records: each record's character strings joined, only those wanted, however many stand there. Pure.

Standards: RFC 1035 3.3.14; RFC 7208 3.3, 6376 3.6.2.2 and 9989 4.5 (strings are joined without anything between them).
Limits: `most` texts are returned; how long each may be is for the reader of its kind to say.
Fails by: nothing; octets beyond ASCII become the character of the same number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dnsops.records import rdata
from dnsops.records.rdata import Rdata

MOST = 64


def texts(items: Iterable[Rdata], wanted: Callable[[str], object] = bool, most: int = MOST) -> list[str]:
    """The texts for which `wanted` holds, in the order of their octets, at most `most` of them."""
    found = sorted(text for text in map(text_of, items) if wanted(text))
    return found[:most]


def text_of(item: Rdata) -> str:
    """One record's text."""
    written = str(item)
    if '" "' not in written and "\\" not in written and written[:1] == '"':
        return written[1:-1]  # nearly all there are: one string without escapes
    return b"".join(rdata.strings(item)).decode("latin-1")
