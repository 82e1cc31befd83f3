"""How much of a report anything here reads and keeps, in one place; and the word for a report that cannot be read. Pure.

Standards: RFC 9990 3.1.3 (at most 100 signatures a row) and 8.1 (reports as an attack), RFC 8460 7 (the same for TLS reports).
"""

from __future__ import annotations

from dnsops.base.errors import Deliberate

INFLATED = 10 << 20  # bytes of one report, unpacked
PACKED = 10 << 20  # bytes of one attachment, its transfer encoding taken off
ENCODED = 15 << 20  # bytes of one attachment as it stands in the mail
ATTACHMENTS = 4  # of one mail that are looked into
ROWS = 100_000  # of one DMARC report
ELEMENTS = 1_000_000  # of one DMARC report: ten megabytes of real rows have half of them
RESULTS = 100  # signatures, SPF results, reasons of one row; errors of one report
DEPTH = 16  # elements inside one another; brackets inside one another
JSON = 1 << 20  # bytes of one TLS report; a big one of Google's has 20 KB
BRACKETS = 50_000  # arrays and objects of one TLS report
POLICIES = 1000  # of one TLS report
DETAILS = 10_000  # failures of one TLS report
STRINGS = 100  # lines or records of one policy
TEXT = 1000  # characters of any text; more is cut
LONGEST_TEXT = 64 << 10  # characters of an element: more is no report
COUNT = 10**12  # messages or sessions


class Unreadable(Deliberate):
    """This is no report that we can read; one sentence says why, without a word of the report's own."""


def shortened(text: str) -> str:
    """Text from elsewhere: on one line, cut, and such as can be written anywhere."""
    if len(text) <= TEXT and text.isprintable():
        return " ".join(text.split())
    return " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * TEXT]).split())[:TEXT]
