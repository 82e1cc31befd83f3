"""Whether a server relays for strangers, and whether one message stays one. Pure.

    report = judge(facts)

Fails by: nothing; what could not be tried is not tested, and says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from checks.catalogue.ourselves import RELAY_CATEGORY, ourselves
from checks.facts.looked import Evidence
from checks.finding import Category, Finding, Report, Status, strict_verdict
from checks.relay.facts import Cut, Facts, Tried


def judge(facts: Facts) -> Report:
    """All of it."""
    found = tuple(findings(facts))
    return Report(facts.host, facts.now, 0, (), beyond=Category(RELAY_CATEGORY, found, strict_verdict(found)))


def findings(facts: Facts) -> Iterator[Finding]:
    """The same for another report."""
    yield relays(facts)
    yield _unknown(facts)
    yield _split(facts)
    yield _bare(facts)


def relays(facts: Facts) -> Finding:
    """relay_open by itself: what `check health` asks every few minutes."""
    answered = [one for one in facts.tried if one.code]
    if facts.why or not answered:
        return _finding(facts, "open", Status.NOT_TESTED, [facts.why or "the server answers nothing"])
    takes_all = facts.unknown is not None and facts.unknown.taken
    certain = [one for one in answered if one.taken and not (one.trick.local and takes_all)]
    if certain:
        told = [f"{one.trick.name}: RCPT TO:{one.trick.rcpt.decode()} is taken ({one.said})" for one in certain]
        return _finding(facts, "open", Status.FAIL, told)
    if doubtful := [one.trick.name for one in answered if one.taken]:
        told = [f"it takes every local part, so that these say nothing: {', '.join(doubtful)}"]
        return _finding(facts, "open", Status.NOTICE, told)
    refused = [one for one in answered if _refused(one)]
    unclear = list(_unclear(facts))
    if 2 * len(refused) < len(facts.tried):
        return _finding(facts, "open", Status.NOT_TESTED, ["not known, for it did not say no to relaying", *unclear])
    return _finding(facts, "open", Status.GOOD, [f"{len(refused)} ways were refused", *unclear])


def _refused(one: Tried) -> bool:
    """For what it asked; put off (greylisted, too many) or turned away unheard says nothing about relaying."""
    # defer_unauth_destination, which is Postfix's default, says 454 4.7.1 Relay access denied
    denied = one.code == 454 and "relay" in one.said.lower()
    return (one.code // 100 == 5 or denied) and not one.outside


def _unclear(facts: Facts) -> Iterator[str]:
    """Ways whose answer says nothing about relaying, by what it is instead."""
    kinds = {
        "put off (greylisted, or too many)": [one for one in facts.tried if one.code // 100 == 4 and not _refused(one)],
        "turned away at EHLO, before anything was asked": [one for one in facts.tried if one.code and one.outside],
        "it hung up": [one for one in facts.tried if not one.code],
    }
    for kind, some in kinds.items():
        if some:
            yield f"{len(some)} ways: {kind}" + (f": {some[0].said}" if some[0].said else "")


def _unknown(facts: Facts) -> Finding:
    one = facts.unknown
    if one is None or not one.code:
        return _finding(facts, "unknown", Status.NOT_TESTED, [facts.why or "it was not answered"])
    if one.taken:
        told = "an address that nobody has is taken: unless all mail of the domain goes to one mailbox, it comes back to whom it never came from"
        return _finding(facts, "unknown", Status.NOTICE, [told])
    return _finding(facts, "unknown", Status.GOOD, [one.said])


def _split(facts: Facts) -> Finding:
    sent = [cut for cut in facts.cuts if cut.replies]
    if not sent:
        why = facts.why or facts.untold or next((cut.why for cut in facts.cuts if cut.why), "no message was sent")
        return _finding(facts, "smuggling", Status.NOT_TESTED, [why])
    if split := [cut for cut in sent if cut.split]:
        return _finding(facts, "smuggling", Status.FAIL, [_told(cut) for cut in split])
    left = [f"{cut.ending.name}: {cut.why}" for cut in facts.cuts if not cut.replies]
    return _finding(facts, "smuggling", Status.GOOD, [f"{len(sent)} endings inside a message, each one answer", *left])


def _told(cut: Cut) -> str:
    came = ", and the message inside came by itself" if cut.arrived else ""
    return f"{cut.ending.name} ends the data: it answered {' '.join(map(str, cut.replies))}{came}"


def _bare(facts: Facts) -> Finding:
    sent = [cut for cut in facts.cuts if cut.replies and cut.ending.bare]
    if not sent:
        return _finding(facts, "bare", Status.NOT_TESTED, [facts.why or facts.untold or "no message was sent"])
    if taken := [cut.ending.name for cut in sent if cut.taken]:
        return _finding(facts, "bare", Status.INFO, [f"messages with these are taken: {', '.join(taken)}"])
    return _finding(facts, "bare", Status.GOOD, ["each such message is refused"])


def _finding(facts: Facts, name: str, status: Status, details: Sequence[str]) -> Finding:
    verdict = {Status.GOOD: "good", Status.NOT_TESTED: "not-tested"}.get(status, "bad")
    shown = [Evidence(facts.lines, facts.now)] if facts.lines and name in ("open", "smuggling") else []
    return ourselves(f"relay_{name}").finding(status, verdict, details=details, strict=status, evidence=shown)
