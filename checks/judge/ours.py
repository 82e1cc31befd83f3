"""A domain of ours: each record that the configuration wishes, against the resolver and every authoritative server. Pure.

    missing, another in its place, forged         fail where mail depends on it, else a notice; one finding a record, with the record
    beside ours, and grave                        fail: mail or passwords go to somebody else
    a server says otherwise                       fail
    all as wanted                                 one good finding

Standards: those of each record (`mailsrv dns records` names them). Limits: MOST findings; the rest is counted. Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.catalogue import by_id
from checks.facts.beyond import Beyond
from checks.finding import Finding, Status
from dnsops.base.printable import printable
from dnsops.reconcile.zone_checks import TROUBLE, Check, Public, State, Stray, Unequal

MOST = 30
NEEDED = ("MX", "A", "AAAA", "TLSA", "PTR", "DS")  # and the TXT records of mail
OPTIONAL_LABELS = ("default._bimi.", "_ua-auto-config.")
APPLY = "or let `mailsrv dns apply` do it"


def findings(seen: Beyond) -> Iterator[Finding]:
    """Of a domain that is ours; none of a stranger's."""
    if seen.ours is None:
        if seen.ours_why:
            yield by_id("own_records").finding(
                Status.NOT_TESTED, "not-tested", worst=Status.NOT_TESTED, details=[printable(seen.ours_why)]
            )
        return
    wrong = [*_wrong(seen.ours)]
    yield from wrong[:MOST]
    if len(wrong) > MOST:
        yield _finding(Status.FAIL, "", f"and {len(wrong) - MOST} more", "`mailsrv dns verify` lists them all")
    if not wrong:
        yield by_id("own_records").finding(
            Status.GOOD, "good", details=[f"{len(seen.ours.checks)} records are as wanted"]
        )


def _wrong(public: Public) -> Iterator[Finding]:
    for check in public.checks:
        if check.state in TROUBLE:
            yield _not_there(check)
        elif check.state is State.FAILED:
            yield _finding(Status.INFO, _place(check), check.said or check.state.value, "look again in a while")
    yield from map(_stray, public.strays)
    yield from map(_unequal, public.unequal)


def _not_there(check: Check) -> Finding:
    there = f": {check.said}" if check.said else ""
    return _finding(
        Status.FAIL if _needed(check) else Status.NOTICE,
        _place(check),
        f"{check.state.value}{there}; {check.why}",
        _fix(check),
    )


def _fix(check: Check) -> str:
    """What to write, ready to be copied."""
    if check.state is State.BOGUS:
        return "look at the zone's DNSSEC: `mailsrv dns dnssec`"
    if check.theirs:
        return f"{check.advice}; it should say: {check.name}. {check.type} {check.text}"
    instead = f" instead of {check.said}" if check.state is State.OTHER and check.said else ""
    advice = f"; {check.advice}" if check.advice else ""
    return f"write {check.name}. {check.ttl} IN {check.type} {check.text}{instead}, {APPLY}{advice}"


def _needed(check: Check) -> bool:
    """Whether mail depends on it; what only helps mail programs does not count so much."""
    if check.type == "TXT":
        return not check.name.startswith(OPTIONAL_LABELS)
    return check.type in NEEDED


def _stray(stray: Stray) -> Finding:
    fix = f"remove {stray.name}. {stray.type} {stray.text}, or name it in the configuration when it is meant"
    status = Status.FAIL if stray.grave else Status.NOTICE
    return _finding(status, f"{stray.name} {stray.type}", f"also there: {stray.text}; {stray.why}", fix)


def _unequal(one: Unequal) -> Finding:
    fix = f"look at the zone transfer to {one.server}: NOTIFY, TSIG, firewall"
    return _finding(Status.FAIL, f"{one.name} {one.type}", f"{one.server} {one.why}, unlike the resolver", fix)


def _place(check: Check) -> str:
    return f"{check.name} {check.type}"


def _finding(status: Status, place: str, said: str, fix: str) -> Finding:
    return by_id("own_records").finding(status, "bad", host=place, details=[printable(said)], fix=printable(fix))
