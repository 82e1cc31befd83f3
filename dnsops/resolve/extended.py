"""Extended DNS errors: the registry's names, and which one a validator's sentence means. Pure.

Standard: RFC 8914 4. libunbound validates, but puts no EDE option into the packets it hands to a program; so the code is
found from the words of `why_bogus` (`REASONS`, first match wins), as unbound itself would have sent it.
"""

from __future__ import annotations

import re

NAMES = {
    0: "Other",
    1: "Unsupported DNSKEY Algorithm",
    2: "Unsupported DS Digest Type",
    3: "Stale Answer",
    4: "Forged Answer",
    5: "DNSSEC Indeterminate",
    6: "DNSSEC Bogus",
    7: "Signature Expired",
    8: "Signature Not Yet Valid",
    9: "DNSKEY Missing",
    10: "RRSIGs Missing",
    11: "No Zone Key Bit Set",
    12: "NSEC Missing",
    13: "Cached Error",
    14: "Not Ready",
    15: "Blocked",
    16: "Censored",
    17: "Filtered",
    18: "Prohibited",
    19: "Stale NXDOMAIN Answer",
    20: "Not Authoritative",
    21: "Not Supported",
    22: "No Reachable Authority",
    23: "Network Error",
    24: "Invalid Data",
}
BOGUS = 6
DNSSEC = frozenset({1, 2, 5, 6, 7, 8, 9, 10, 11, 12})  # with SERVFAIL: the data is there, its proof is not
REASONS = (
    ("signature expired", 7),
    ("signature before inception", 8),
    ("no signatures", 10),
    ("no dnskey", 9),
    ("could not fetch dnskey", 9),
)
_SERVERS = re.compile(r"from ([0-9a-fA-F.:]+(?: and [0-9a-fA-F.:]+)*)")
_PREFIX = re.compile(r"^validation failure <[^>]*>: ")


def name(code: int) -> str:
    return NAMES.get(code, "not in RFC 8914")


def of_reason(why_bogus: str) -> int:
    """The code for libunbound's words; what we do not recognise is plainly bogus."""
    words = why_bogus.lower()
    return next((code for phrase, code in REASONS if phrase in words), BOGUS)


def reason(why_bogus: str) -> str:
    """libunbound's words without the name and type, which the reader has already; each server named once."""
    return _SERVERS.sub(_once, _PREFIX.sub("", why_bogus))


def _once(match: re.Match[str]) -> str:
    return "from " + ", ".join(dict.fromkeys(match[1].split(" and ")))
