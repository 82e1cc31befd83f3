"""What a person should know about a zone's DNSSEC, while there is still time: one function for each subject. Pure.

    subject      trouble                                              only worth knowing
    verdict      resolvers refuse the zone                            it is not signed at all
    chain        keys without DS, DS without keys, none that fits     a DS of a key that is not there (yet)
    strength     algorithms, lengths and digests that are too old
    lifetimes    a signature that has ended, or ends soon; none
    servers      silent, behind, or with keys of their own
    hashing      NSEC3 with more than MOST_ITERATIONS                 with any at all
    pending                                                           CDS or CDNSKEY that the parent has not acted on

Standards: RFC 4035 5.2 (DS and DNSKEY), RFC 6840 5.11 (algorithms of the DS), RFC 6781 4.4 (how long signatures last),
RFC 1982 (serial numbers), RFC 9276 3.1 (NSEC3), RFC 7344 and RFC 8078 (CDS).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from dnsops.dnssec.facts import Cover, Facts, View
from dnsops.dnssec.strength import Strength, believed, of_ds, of_key
from dnsops.records.dnssec import ENTRY_POINT, SHA256, Ds, Key
from dnsops.resolve.answer import Security
from dnsops.rollover.look import Finding

# Who signs while answering gives a day or two: a third of that is as much as three days of a fortnight.
LEAST_LEFT = timedelta(days=3)
LEAST_SHARE = 3
MOST_ITERATIONS = 100
REGISTRAR = "at the registrar, or wherever the parent takes it from"


def findings(facts: Facts, now: datetime) -> tuple[Finding, ...]:
    """Everything, what matters most first."""
    return tuple(finding for subject in SUBJECTS for finding in subject(facts, now))


def verdict(facts: Facts, now: datetime) -> Iterator[Finding]:
    """What resolvers make of it now."""
    if facts.security is Security.BOGUS:
        yield Finding(
            f"resolvers that validate refuse the zone: {facts.why}", "see the next lines; its mail does not arrive"
        )
    for (name, kind), why in facts.refused:
        yield Finding(f"resolvers that validate refuse {name} {kind}: {why}", "sign the zone anew")
    if facts.why_no_servers:  # when nobody answers at all, it may be our own network
        yield Finding(facts.why_no_servers, "look at the delegation", facts.security is not Security.FAILED)
    if why := facts.why_no_parent or ("no server of the parent answers" if facts.parents and facts.ds is None else ""):
        yield Finding(f"the DS records are not known: {why}", "the next run asks again", trouble=False)
    if facts.heard and not facts.signed and not facts.ds:
        yield Finding("the zone is not signed", "sign it, or DANE does nothing for it", trouble=False)


def chain(facts: Facts, now: datetime) -> Iterator[Finding]:
    """The parent's DS and the zone's keys (RFC 4035 5.2)."""
    if facts.ds is None or not facts.heard:
        return
    if facts.signed and not facts.ds:
        yield Finding("the zone is signed, but its parent has no DS: nothing is proven", f"enter {_wanted(facts)}")
        return
    if facts.ds and not facts.signed:
        yield Finding(
            "the parent has a DS, but the zone has no DNSKEY: resolvers refuse it",
            f"sign it, or remove the DS {REGISTRAR}",
        )
        return
    yield from _parents_differ(facts)
    for view in facts.heard:
        yield from _entry(facts, view, now)
    for ds in sorted(facts.ds):
        if not any(ds.is_of(key, facts.apex) for key in facts.keys):
            yield Finding(f"DS {ds} is of no key that the zone has", "remove it, unless its key is yet to come", False)


def _entry(facts: Facts, view: View, now: datetime) -> Iterator[Finding]:
    """Whether one server's keys can be entered through the parent's DS."""
    trusted = [ds for ds in facts.ds or () if believed(ds)]
    if facts.ds and not trusted:
        yield Finding(
            "no DS at the parent is of a kind that resolvers know: nothing is proven", f"enter {_wanted(facts)}"
        )
        return
    doors = {key for key in view.keys for ds in trusted if key.signs and ds.is_of(key, facts.apex)}
    at = f"at {view.server}"
    if trusted and not doors:
        what = f"{at}: no DNSKEY fits the parent's DS ({_list(trusted)}): resolvers refuse the zone"
        yield Finding(what, f"enter {_wanted(facts)}")
        return
    cover = _cover(view, (facts.apex, "DNSKEY"))
    if doors and cover and not cover.by(frozenset(doors)):
        yield Finding(f"{at}: the keys are not signed by the key that the parent's DS names", "sign the zone anew")
    missing = sorted({ds.algorithm for ds in trusted} - {one.algorithm for one in cover.signatures} if cover else ())
    for algorithm in missing if doors else ():
        yield Finding(
            f"{at}: the parent has a DS of algorithm {algorithm}, but nothing is signed by it (RFC 6840 5.11)",
            "remove that DS, or sign with it too",
        )


def _parents_differ(facts: Facts) -> Iterator[Finding]:
    known = {found for _, found in facts.parents if found is not None}
    if len(known) > 1:
        yield Finding(
            "the parent's servers do not agree about the DS", "it is changing: the next run looks again", False
        )


def strength(facts: Facts, now: datetime) -> Iterator[Finding]:
    """Algorithms and lengths (RFC 8624)."""
    for key in sorted(facts.keys):
        name, worth = of_key(key)
        if worth is not Strength.GOOD:
            unknown = worth is Strength.UNKNOWN
            yield Finding(f"key {key.tag}: {name} {worth.value}", "roll over to ECDSAP256SHA256 (13)", not unknown)
    worths = {of_ds(ds)[1] for ds in facts.ds or ()}
    if worths and Strength.GOOD not in worths:
        names = ", ".join(sorted({of_ds(ds)[0] for ds in facts.ds or ()}))
        yield Finding(f"the DS has only {names}, which is too old", f"enter one with SHA-256 (2) {REGISTRAR}")


def lifetimes(facts: Facts, now: datetime) -> Iterator[Finding]:
    """Signatures that have ended, end soon, have not begun, or are missing (RFC 6781 4.4)."""
    for view in facts.heard:
        told: set[str] = set()
        for cover in view.covers if view.keys else ():
            finding = _lifetime(view, cover, now)
            # a zone is mostly signed in one go: one line for all that ends together
            kind = finding.what.partition(":")[2].partition("(")[0] if finding else ""
            if finding and kind not in told:
                told.add(kind)
                yield finding


def _lifetime(view: View, cover: Cover, now: datetime) -> Finding | None:
    at, advice = f"{cover} at {view.server}", "look at the signer: it has stopped, or its clock is wrong"
    if not cover.there:
        return None
    until = cover.until(now, view.keys)
    if until is None:
        return Finding(f"{at}: no signature by a key of the zone", "sign the zone anew")
    if until <= now:
        return Finding(f"{at}: its signature ended {_span(now - until)} ago (at {until:%Y-%m-%d %H:%M} UTC)", advice)
    if all(one.since(now) > now for one in cover.by(view.keys)):
        return Finding(f"{at}: its signature has not begun", advice)
    if until - now < min(LEAST_LEFT, cover.life(now) / LEAST_SHARE):
        return Finding(f"{at}: its signature ends in {_span(until - now)} (at {until:%Y-%m-%d %H:%M} UTC)", advice)
    return None


def servers(facts: Facts, now: datetime) -> Iterator[Finding]:
    """Each server says the same, and says it."""
    heard = {view.server.name for view in facts.heard}
    for view in facts.views:
        # an address that we have no route to means nothing, when its server was heard at another
        if not view.heard and not (view.unreachable and view.server.name in heard):
            yield Finding(f"{view.server} gives no answer: {view.why}", "resolvers lose time there, or see old records")
    serials = {view.serial for view in facts.heard if view.serial is not None}
    for view in facts.heard:
        if view.server.address in facts.lagging:
            what = f"{view.server} is behind: serial {view.serial}, while others have {_others(serials, view.serial)}"
            yield Finding(what, "look at its zone transfer: NOTIFY, TSIG, firewall")
    shown = {view.keys for view in facts.heard}
    if len(shown) > 1 and not facts.lagging:
        yield Finding("the servers do not show the same keys", "let all of them serve one signed zone")


def hashing(facts: Facts, now: datetime) -> Iterator[Finding]:
    """NSEC3 (RFC 9276 3.1)."""
    iterations = max((one.iterations for view in facts.heard for one in view.nsec3), default=0)
    if iterations:
        much = iterations > MOST_ITERATIONS
        effect = "resolvers take the zone for unsigned, or refuse it" if much else "it protects nothing and costs all"
        yield Finding(f"NSEC3 with {iterations} more iterations: {effect}", "set them to 0, without a salt", much)


def pending(facts: Facts, now: datetime) -> Iterator[Finding]:
    """What the zone asks of its parent (RFC 7344), and the parent has not done."""
    if facts.ds is None:
        return
    asked = {view.cds for view in facts.heard}
    if len(asked) > 1:
        yield Finding("the servers do not show the same CDS: a parent does not act on it", "", trouble=False)
    cds = frozenset().union(*asked)
    keys = {key for view in facts.heard for key in view.cdnskey if key.algorithm}
    cds |= {_sha256(key, facts.apex) for key in keys if not any(ds.is_of(key, facts.apex) for ds in facts.ds)}
    if any(ds.deletes for ds in cds):
        if facts.ds:
            yield Finding("the zone asks its parent to remove every DS (CDS 0 0 0 00)", "wait, then unsign", False)
    elif cds and {ds for ds in cds if ds.known} - facts.ds:
        since = "it acts on it by itself, or needs to be told: " + REGISTRAR
        yield Finding(f"the zone asks its parent for DS {_list(cds)}, which has not acted yet", since, trouble=False)


SUBJECTS: tuple[Callable[[Facts, datetime], Iterator[Finding]], ...] = (
    verdict,
    chain,
    strength,
    lifetimes,
    servers,
    hashing,
    pending,
)


def _wanted(facts: Facts) -> str:
    """The DS that the parent should have, for a person to copy."""
    entries = [key for key in sorted(facts.keys) if key.signs and key.flags & ENTRY_POINT] or sorted(facts.keys)
    texts = [_ds_text(key, facts.apex) for key in entries]
    return f"DS {' and '.join(texts)} {REGISTRAR}"


def _ds_text(key: Key, apex: str) -> str:
    ds = _sha256(key, apex)
    return f"{ds.tag} {ds.algorithm} {ds.kind} {ds.digest.hex().upper()}"


def _sha256(key: Key, apex: str) -> Ds:
    return Ds(key.tag, key.algorithm, SHA256, key.digest(apex, SHA256) or b"")


def _cover(view: View, place: tuple[str, str]) -> Cover | None:
    return next((cover for cover in view.covers if cover.place == place), None)


def _list(several: frozenset[Ds] | list[Ds]) -> str:
    return ", ".join(map(str, sorted(several)))


def _others(serials: set[int], own: int | None) -> str:
    return ", ".join(map(str, sorted(serials - {own})))


def _span(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours / 24:.1f} days" if hours >= 48 else f"{hours:.0f} h" if hours >= 2 else f"{hours * 60:.0f} min"
