"""TXT records of which a name has one: which kind a text is, and whether a stranger's serves the purpose of ours. Pure.

Standards: RFC 7208 4.5 (SPF), RFC 9989 4.7 (DMARC), RFC 8461 3.1 (MTA-STS), RFC 8460 3 (TLS-RPT).
Fails by: values; what cannot be read serves no purpose.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from dnsops.base.errors import ForUser
from dnsops.records.rdata import Record, strings
from dnsops.records.txt.dmarc import REQUESTS, Policy
from dnsops.records.txt.spf import MOST_LOOKUPS, Mechanism, Spf
from dnsops.records.txt.tlsrpt import TlsRpt
from dnsops.wanted.door import Family

# (a stranger's SPF record, ours, the name) -> the one record; `ForUser` when a person must decide
Merge = Callable[[str, str, str], str]

_VERSION = re.compile(r"v[ \t]*=[ \t]*([A-Za-z0-9]{1,20})(?=[ \t;]|\Z)", re.IGNORECASE)
_FAMILIES = {family.value.partition("=")[2].lower(): family for family in Family if family is not Family.NONE}

ADVICE = {
    Family.SPF: "a domain has one SPF record (RFC 7208 3.2): make it one",
    Family.DMARC: "remove it, or write it into records.dmarc",
    Family.MTA_STS: "its id is of a policy that we do not serve: remove it, or set records.mta_sts",
    Family.TLS_RPT: "remove it, or set records.reports_to",
    Family.UAAC: "remove it: it is the digest of a document that we do not serve",
}


def text_of(record: Record) -> str:
    """A TXT record's text, its strings joined; octets that are no ASCII stand as they would in a zone file."""
    return b"".join(strings(record.data)).decode("ascii", "backslashreplace")


def family_of(record: Record) -> Family:
    """Which kind it is, NONE for all other texts and types."""
    if record.type != "TXT":
        return Family.NONE
    found = _VERSION.match(text_of(record)[:80])
    return _FAMILIES.get(found[1].lower(), Family.NONE) if found else Family.NONE


def served(family: Family, theirs: str, ours: str) -> bool:
    """Whether a stranger's record does what ours would."""
    judge = _JUDGES.get(family)
    try:
        return judge is not None and judge(theirs, ours)
    except ForUser:
        return False


def joined(theirs: str, ours: str, name: str) -> str:
    """The plainest `Merge`: a stranger's SPF record with the terms of ours; itself when it says all of them."""
    other, mine = Spf.parse(theirs), Spf.parse(ours)
    terms = [term for term in mine.terms if isinstance(term, Mechanism) and term.name != "all"]
    if not terms and other.terms != mine.terms:
        raise ForUser("the name shall send no mail, and a stranger's record says otherwise")
    both = other.joined(terms)
    if both.lookups > MOST_LOOKUPS:
        raise ForUser(f"with ours it would cost {both.lookups} look-ups, and {MOST_LOOKUPS} are the most")
    return theirs if both == other else str(both)


def _as_strict(theirs: str, ours: str) -> bool:
    """DMARC: it asks for no less."""
    mine, other = Policy.parse(ours), Policy.parse(theirs)
    strict = [REQUESTS.index(one.request(below=False, there=True)) for one in (other, mine)]
    return strict[0] >= strict[1]


def _reports(theirs: str, ours: str) -> bool:
    """TLS-RPT: reports go somewhere."""
    return bool(TlsRpt.parse(theirs).usable)


def _any(theirs: str, ours: str) -> bool:
    return True


_JUDGES: dict[Family, Callable[[str, str], bool]] = {
    Family.DMARC: _as_strict,
    Family.TLS_RPT: _reports,
    Family.BIMI: _any,
}
