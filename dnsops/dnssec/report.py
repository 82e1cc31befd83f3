"""The zones' DNSSEC as a document for programs and a line each for people, and the exit status. Pure.

results[]   name security signed left_days ds[] keys[] servers[] findings[]      `left_days`: null without signatures
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dnsops.base.errors import Exit
from dnsops.dnssec.care import findings
from dnsops.dnssec.facts import Facts, View
from dnsops.dnssec.strength import of_ds, of_key
from dnsops.records.dnssec import Ds, Key
from dnsops.resolve.answer import Security

Json = dict[str, object]
DAY = 86400


def status(zones: Sequence[Facts], now: datetime) -> Exit:
    """Trouble is for a person; a zone that nobody could be asked about is for later."""
    if any(finding.trouble for facts in zones for finding in findings(facts, now)):
        return Exit.FINDINGS
    return Exit.LATER if any(facts.security is Security.FAILED for facts in zones) else Exit.OK


def document(zones: Sequence[Facts], now: datetime) -> Json:
    """The run as JSON values."""
    return {
        "schema": 1,
        "time": now.isoformat(timespec="seconds"),
        "status": int(status(zones, now)),
        "action": "none",
        "results": [_zone(facts, now) for facts in zones],
    }


def days_left(facts: Facts, now: datetime) -> float | None:
    """Until the first signature ends, negative when that has passed."""
    left = facts.left(now)
    return None if left is None else round(left.total_seconds() / DAY, 2)


def sentence(facts: Facts, now: datetime) -> str:
    """One line for a table."""
    left = days_left(facts, now)
    troubles = sum(finding.trouble for finding in findings(facts, now))
    parts = [
        f"{troubles} to look at" if troubles else "as it should be" if facts.signed else "not signed",
        ", ".join(sorted({of_key(key)[0] for key in facts.keys})),
        "" if left is None else f"signatures for {left:g} more days" if left > 0 else "signatures have ended",
    ]
    return "; ".join(part for part in parts if part)


def _zone(facts: Facts, now: datetime) -> Json:
    return {
        "name": facts.apex or ".",
        "security": facts.security.name.lower(),
        "why": facts.why,
        "signed": facts.signed,
        "left_days": days_left(facts, now),
        "ds": [_ds(ds) for ds in sorted(facts.ds)] if facts.ds is not None else None,
        "keys": [_key(key, facts) for key in sorted(facts.keys)],
        "servers": [_server(view) for view in facts.views],
        "findings": [{"what": one.what, "advice": one.advice, "trouble": one.trouble} for one in findings(facts, now)],
    }


def _ds(ds: Ds) -> Json:
    return {"tag": ds.tag, "algorithm": ds.algorithm, "digest": of_ds(ds)[0], "value": ds.digest.hex()}


def _key(key: Key, facts: Facts) -> Json:
    entered = any(ds.is_of(key, facts.apex) for ds in facts.ds or ())
    return {"tag": key.tag, "algorithm": of_key(key)[0], "flags": key.flags, "bits": key.bits, "ds": entered}


def _server(view: View) -> Json:
    return {"name": view.server.name, "address": view.server.address, "serial": view.serial, "error": view.why}
