"""Who vouches for a message, as a far receiver sees it: SPF, DKIM, DMARC, the reverse name, lists, scanners. Pure.

Standards: RFC 7208, 6376 with 8301, 9989, 8601 3, 5782. Points: `checks.catalogue.letters`. Never fails.
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.deliverability.known import Known
from checks.deliverability.loss import judged, untold
from checks.finding import Finding
from mailsrv.auth.verdicts import Authentication, Dkim, Dmarc, Iprev, Result, Spf, Wish
from mailsrv.spam.hints import Hint, Says

UNSENT = "it is not known where the message is sent from: say --address, or score it where it arrived"
NOBODY = "nobody was asked"
SHORT, WEAK = 2048, 1024  # bits of an RSA key
READ = ("from", "to", "subject", "date")
SPAM = 5.0  # points at which scanners call it spam by default
LISTED = (Says.JUNK, Says.REFUSE)


def findings(known: Known) -> Iterator[Finding]:
    """All of them, in the order of the catalogue."""
    found = known.authentication
    if found is None:
        yield from (untold(name, NOBODY) for name in ("spf", "dkim", "dkim_key", "dmarc", "iprev"))
    else:
        yield spf(found.mail) if known.address else untold("spf", UNSENT)
        yield dkim(found, known)
        yield dkim_key(found.dkim)
        yield dmarc(found.dmarc, known)
        yield iprev(found.iprev) if known.address else untold("iprev", UNSENT)
    yield listed([hint for hint in known.hints if hint.source.startswith("dnsbl")], known)
    yield scanned([hint for hint in known.hints if not hint.source.startswith("dnsbl")], known)


def spf(found: Spf) -> Finding:
    said = f"{found.result.value} for {found.domain or 'no domain'}" + (f": {found.why}" if found.why else "")
    match found.result:
        case Result.PASS:
            return judged("spf", good=said)
        case Result.NONE | Result.NEUTRAL:
            return judged("spf", (7, said))
        case Result.TEMPERROR:
            return untold("spf", said)
    return judged("spf", (10 if found.result is Result.SOFTFAIL else 15, said))


def dkim(found: Authentication, known: Known) -> Finding:
    said = known.shown(*map(_signature, found.dkim))
    if not found.dkim:
        return judged("dkim", (15, "it bears no signature"))
    if any(one.result is Result.PASS for one in found.dkim):
        bad = [one for one in found.dkim if one.result not in (Result.PASS, Result.TEMPERROR)]
        return judged("dkim", *((2, f"beside one that holds: {_signature(one)}") for one in bad), evidence=said)
    if any(one.result is Result.TEMPERROR for one in found.dkim):
        return untold("dkim", "; ".join(map(_signature, found.dkim)))
    return judged("dkim", *((15, _signature(one)) for one in found.dkim), evidence=said)


def _signature(one: Dkim) -> str:
    key = f", {one.algorithm}" + (f" {one.bits} bits" if one.bits else "") if one.algorithm else ""
    return f"{one.result.value} for {one.domain or 'no domain'} ({one.selector}{key})" + (
        f": {one.why}" if one.why else ""
    )


def dkim_key(signatures: tuple[Dkim, ...]) -> Finding:
    """The best signature counts: receivers choose."""
    holding = [one for one in signatures if one.result is Result.PASS]
    if not holding:
        return untold("dkim_key", "no signature holds")
    flaws = min((list(_flaws(one)) for one in holding), key=lambda found: sum(cost for cost, _ in found))
    return judged("dkim_key", *flaws)


def _flaws(one: Dkim) -> Iterator[tuple[int, str]]:
    if one.algorithm.startswith("rsa") and one.bits and one.bits < SHORT:
        yield 3 if one.bits < WEAK else 1, f"the key of {one.selector}._domainkey.{one.domain} has only {one.bits} bits"
    if one.testing:
        yield 2, f"the key of {one.selector}._domainkey.{one.domain} says that it is being tested (t=y)"
    if uncovered := [name for name in READ if name not in one.fields]:
        yield 1, f"the signature of {one.domain} does not cover {', '.join(uncovered)}"


def dmarc(found: Dmarc, known: Known) -> Finding:
    said = f"{found.result.value} for {found.domain or 'no domain'}" + (f": {found.why}" if found.why else "")
    match found.result:
        case Result.PASS if found.wish is Wish.NONE:
            return judged("dmarc", (2, f"{said}; but the policy is none, which protects nobody"))
        case Result.PASS:
            return judged("dmarc", good=f"{said}; by {_by(found)}")
        case Result.NONE:
            return judged("dmarc", (10, f"{found.domain or 'From'} has no DMARC record"))
        case Result.TEMPERROR:
            return untold("dmarc", said)
    if not known.address and not known.authentication_signed:
        return untold("dmarc", "without a signature only SPF can prove it, and " + UNSENT)
    return judged("dmarc", (15, said))


def _by(found: Dmarc) -> str:
    return " and ".join(name for name, by in (("SPF", found.by_spf), ("DKIM", found.by_dkim)) if by) or "nothing"


def iprev(found: Iprev) -> Finding:
    said = (
        f"{found.result.value}" + (f" ({found.name})" if found.name else "") + (f": {found.why}" if found.why else "")
    )
    if found.result is Result.TEMPERROR:
        return untold("iprev", said)
    return judged("iprev", good=said) if found.result is Result.PASS else judged("iprev", (10, said))


def listed(hints: list[Hint], known: Known) -> Finding:
    if not hints:
        return untold("lists", "no list is configured (`checks.blocklists`, `spam.dnsbl`), or no address is known")
    evidence = known.shown(*(f"{hint.source}: {hint.says.value} {hint.why}".rstrip() for hint in hints))
    lost = [
        (20 if hint.says is Says.REFUSE else 10, f"{hint.source}: {hint.why}") for hint in hints if hint.says in LISTED
    ]
    silent = [
        hint.why for hint in hints if hint.says is Says.NOTHING and hint.why
    ]  # a list that has no entry gives no reason
    if not lost and len(silent) == len(hints):
        return untold("lists", "; ".join(silent))
    return judged("lists", *lost, good=f"on none of {len(hints) - len(silent)} lists that answered", evidence=evidence)


def scanned(hints: list[Hint], known: Known) -> Finding:
    """Each scanner's own points, as part of those at which it would call it spam."""
    told = [hint for hint in hints if hint.score is not None or hint.says in LISTED]
    if not told:
        return untold("scanners", "; ".join(hint.why for hint in hints if hint.why) or "no scanner is configured")
    lost = [(cost, f"{hint.source}: {hint.why or hint.says.value}") for hint in told if (cost := _cost(hint))]
    evidence = known.shown(*(f"{hint.source}: {hint.why}" for hint in hints))
    return judged("scanners", *lost, evidence=evidence)


def _cost(hint: Hint) -> int:
    if hint.says in LISTED:
        return 20
    return max(0, min(19, int(20 * (hint.score or 0.0) / SPAM)))
