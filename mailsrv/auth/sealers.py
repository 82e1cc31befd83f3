"""What a trusted sealer of an ARC chain says that it saw: the results in its ARC-Authentication-Results, read for DMARC. Pure.

    i=1; mx.list.example; spf=pass smtp.mailfrom=a@b; dmarc=pass (p=reject) header.from=example.org   ->  {"example.org"}

Standards: RFC 8617 4.1.1 (the field), RFC 8601 2.2 (its grammar: comments and quoted strings hold nothing that counts).
Limits: LONGEST characters, MOST_RESULTS results. Fails by: nothing; what is not understood says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from dnsops.records import names
from mailsrv.auth.verdicts import Arc, Result, Seal

LONGEST = 16 * 1024
MOST_RESULTS = 100

_QUIET = re.compile(r'"(?:[^"\\]|\\.)*+"?|[()]|\\.|[^"()\\]++', re.DOTALL)
_DMARC = re.compile(r"\s*+dmarc\s*+(?:/\s*+1\s*+)?=\s*+pass(?=\s|\Z)", re.IGNORECASE)
_FROM = re.compile(r"(?<!\S)header\s*+\.\s*+from\s*+=\s*+([^\s;]++)", re.IGNORECASE)


def vouched(arc: Arc, domain: str, trusted: Collection[str]) -> str:
    """The trusted sealer who saw DMARC pass for this domain, or "".

    The chain must hold, and from its latest seal down to the one that says so all sealers must be trusted: each could have
    written whatever it liked about what was before it. `trusted`: domains; what is below one is trusted as well.
    """
    if arc.result is not Result.PASS:
        return ""
    for seal in reversed(arc.seals):
        if not any(names.under(seal.domain.lower(), one) for one in trusted):
            return ""
        if domain in _passed(seal):
            return seal.domain
    return ""


def _passed(seal: Seal) -> set[str]:
    """The author domains for which a seal says dmarc=pass."""
    results = _loud(seal.results[:LONGEST]).split(";", MOST_RESULTS)[:MOST_RESULTS]
    found = (_FROM.search(result) for result in results if _DMARC.match(result))
    return {one[1].lower().rpartition("@")[2].removesuffix(".") for one in found if one}


def _loud(text: str) -> str:
    """Without comments, and with nothing in its quoted strings."""
    return "".join(_pieces(text))


def _pieces(text: str) -> Iterator[str]:
    depth = 0
    for found in _QUIET.finditer(text):
        piece = found[0]
        if piece == "(":
            depth += 1
        elif piece == ")":
            depth = max(0, depth - 1)
            yield " "
        elif not depth:
            yield '""' if piece[0] in '"\\' else piece
