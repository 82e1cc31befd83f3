"""The JSON document of the newest way to set up an account (PACC), and the record that vouches for it. Pure.

    services(b'{"protocols": {"imap": {"host": "mx.example.org"}}}')   ->  (Service("imap", "mx.example.org", 993, "TLS"),)
    flaw(document, ("v=UAAC1; a=sha256; d=...",))                      ->  "" when the record has the document's hash

Standard: draft-ietf-mailmaint-pacc: each protocol has a host, at its usual port with TLS from the first byte; version -02 says smtp, -03
submit. Limits: LARGEST octets, MOST_RECORDS records; others as JSON has them. Fails by: `ForUser` for what is no such document.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress

from checks.facts.setup import IMPLICIT, Service
from checks.judge.setup_documents import LARGEST
from dnsops.base.errors import ForUser
from dnsops.records import names
from dnsops.records.txt.tags import Malformed
from dnsops.records.txt.uaac import Uaac

PROTOCOLS = {"imap": ("imap", 993), "pop3": ("pop3", 995), "smtp": ("smtp", 465), "submit": ("smtp", 465)}
MOST_RECORDS = 10
_ADVICE = "write it as draft-ietf-mailmaint-pacc says"


def services(document: bytes) -> tuple[Service, ...]:
    """What it names of mail."""
    if len(document) > LARGEST:
        raise ForUser(f"it is longer than {LARGEST} octets", "", _ADVICE)
    try:
        found = json.loads(document)
    except (ValueError, RecursionError):
        raise ForUser("it is not JSON", "", _ADVICE) from None
    protocols = found.get("protocols") if isinstance(found, dict) else None
    if not isinstance(protocols, dict):
        raise ForUser("it is JSON of another kind", "", _ADVICE)
    named = []
    for name, (kind, port) in PROTOCOLS.items():
        entry = protocols.get(name)
        host = entry.get("host") if isinstance(entry, dict) else None
        if isinstance(host, str):
            named.append(Service(kind, names.host(host[:1000]), port, IMPLICIT))
    return tuple(dict.fromkeys(named))


def flaw(document: bytes, records: Sequence[str]) -> str:
    """Why a program does not believe the document, or ""."""
    good = []
    for record in records[:MOST_RECORDS]:
        with suppress(Malformed):
            good.append(Uaac.parse(record))
    if not good:
        return "no record at _ua-auto-config vouches for it, so programs do not believe it"
    if not any(one.vouches(document) for one in good):
        return "the hash at _ua-auto-config is of another document, so programs do not believe it"
    return ""
