"""What `mailsrv tlsa show` prints: the look at each place as tables and as JSON. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dnsops.base.errors import Exit
from dnsops.certs.chain import matches
from dnsops.reconcile.report import server
from dnsops.reconcile.target import Place
from dnsops.records.tlsa import USAGES, Tlsa, flaw
from dnsops.resolve.answer import Security
from dnsops.rollover.look import Port, Shown, tlsa_only

Table = tuple[str, tuple[str, ...], list[tuple[str, ...]]]
Json = dict[str, object]


def status(places: Sequence[Place]) -> Exit:
    """Nothing to verify against is no fault; a port that no record matches is; an answer that is none is for later."""
    answers = [port.answer.security for place in places for port in place.look.ports]
    if any(not good(port, shown, place) for place in places for port in place.look.ports for shown in port.shown):
        return Exit.FINDINGS
    if Security.BOGUS in answers or Security.FAILED in answers:
        return Exit.LATER
    return Exit.OK


def good(port: Port, shown: Shown, place: Place) -> bool:
    """Whether a sender that verifies would deliver to this address."""
    usable = [record for record in place.look.present if flaw(record) is None]
    return not usable or shown.unroutable or bool(matched(shown, usable))


def matched(shown: Shown, records: Sequence[Tlsa]) -> list[Tlsa]:
    return [record for record in sorted(records) if shown.chain and matches(record, shown.chain)]


def tables(places: Sequence[Place]) -> Iterator[Table]:
    """For people: the records, who says them, and what the ports show."""
    for place in places:
        look = place.look
        security = sorted({port.answer.security.value for port in look.ports})
        yield (
            f"{look.place} TLSA: {', '.join(security)}{_ways(place)}",
            ("record", "meaning", "matches"),
            [(record.short, meaning(record), _who(record, look.ports)) for record in sorted(look.present)]
            or [("none", "", "")],
        )
        yield (
            "name servers",
            ("server", "says", "ttl"),
            [
                (
                    str(t.server),
                    t.why or ", ".join(r.short for r in sorted(tlsa_only(t.items or ()))) or "nothing",
                    str(t.ttl),
                )
                for t in look.consensus.told
            ],
        )
        yield (
            "ports",
            ("port", "address", "shows"),
            [
                (str(port), shown.address, _face(shown, sorted(look.present)))
                for port in look.ports
                for shown in port.shown
            ],
        )


def _ways(place: Place) -> str:
    """How names led to this place, and what went wrong."""
    notes = []
    for port in place.look.ports:
        answer = port.answer
        if answer.wildcard:
            notes.append(f"{answer.name} comes from the wildcard {answer.wildcard}")
        elif answer.place != answer.name:
            notes.append(f"{answer.name} is an alias for it")
        if answer.why:
            notes.append(answer.why)
    return "".join(f"; {note}" for note in notes)


def meaning(record: Tlsa) -> str:
    problem = flaw(record)
    return f"{USAGES.get(record.usage, 'unknown')}{f', unusable: {problem}' if problem else ''}"


def _who(record: Tlsa, ports: Sequence[Port]) -> str:
    found = [f"{port} [{s.address}]" for port in ports for s in port.shown if s.chain and matches(record, s.chain)]
    return ", ".join(found) or "no port"


def _face(shown: Shown, present: Sequence[Tlsa]) -> str:
    if shown.chain is None:
        return shown.error
    hits = matched(shown, present)
    names = ", ".join(shown.chain.names[:3])
    until = f"{shown.chain.not_after:%Y-%m-%d}"
    return f"a certificate for {names} until {until}: " + (f"matches {hits[0].short}" if hits else "NO RECORD MATCHES")


def document(places: Sequence[Place]) -> Json:
    """For programs."""
    return {
        "schema": 1,
        "status": int(status(places)),
        "results": [
            {
                "name": place.look.place,
                "zone": place.zone,
                "records": [str(record) for record in sorted(place.look.present)],
                "ports": [_port(port, place) for port in place.look.ports],
                "servers": [server(told) for told in place.look.consensus.told],
            }
            for place in places
        ],
    }


def _port(port: Port, place: Place) -> Json:
    answer = port.answer
    return {
        "host": port.host,
        "port": port.port,
        "owner": answer.name,
        "security": answer.security.name.lower(),
        "why": answer.why,
        "wildcard": answer.wildcard,
        "shown": [
            {
                "address": shown.address,
                "error": shown.error,
                "names": list(shown.chain.names) if shown.chain else [],
                "not_after": shown.chain.not_after.isoformat() if shown.chain else None,
                "matches": [str(record) for record in matched(shown, sorted(place.look.present))],
            }
            for shown in port.shown
        ],
    }
