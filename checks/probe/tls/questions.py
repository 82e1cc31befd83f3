"""The questions that one address is asked, each a few hellos, in the order in which `looking` tells them.

What the site's scanner would conclude goes into the plain fields, what only the wide client finds into `wide_*`.
Standards: RFC 5246, RFC 8446, RFC 5746 (renegotiation), RFC 7627 (EMS), RFC 3749 (DEFLATE); reference internet.nl 5.4.
Limits: the visitor's. Fails by: a fact that stays as it was, and a line of evidence.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from checks.facts import Hashes, Order, Version
from checks.judge.tls_order import questions
from checks.probe.tls import groups, suites
from checks.probe.tls.again import renegotiations
from checks.probe.tls.gathered import Gathered
from checks.probe.tls.hello import EMS, RENEGOTIATION, Offer
from checks.probe.tls.offers import CURVED, legacy, modern, wide
from checks.probe.tls.trust import Roots, distrust, named
from checks.probe.tls.visit import Answer, Visitor
from checks.probe.tls.whole import ECDSA, RSA, visit_13

_NEWEST_FIRST = (Version.TLS13, Version.TLS12, Version.TLS11, Version.TLS10, Version.SSL3)
MOST_LOST = 2  # visits without an answer to the hello: a third would not be kinder
NAMES = {
    Version.TLS13: "TLS 1.3",
    Version.TLS12: "TLS 1.2",
    Version.TLS11: "TLS 1.1",
    Version.TLS10: "TLS 1.0",
    Version.SSL3: "SSL 3",
    Version.SSL2: "SSL 2",
}


async def of_versions(visitor: Visitor, seen: Gathered) -> None:
    """Each version by itself; when the first visit finds no TLS at all, or two come to nothing, the others are not made."""
    lost = 0
    for version in _NEWEST_FIRST:
        answer = await visitor.ask(_usual(visitor.place.host, version))
        _note_version(seen, version, answer)
        lost += not answer.accepted and not answer.refused
        if not visitor.offered or lost == MOST_LOST:
            seen.why = "" if seen.versions else answer.why
            return
    if found := await visitor.ask_2():
        seen.versions.add(Version.SSL2)
        seen.suites[Version.SSL2] = found
        seen.say(f"SSL 2: accepted, {', '.join(found)}")
    seen.why = "" if seen.versions else "no version of TLS works with the site's client"


def _usual(host: str, version: Version) -> Offer:
    """The site's client: the modern library from TLS 1.2 on, the legacy one below."""
    return modern(host, version) if version >= Version.TLS12 else legacy(host, version)


def _note_version(seen: Gathered, version: Version, answer: Answer) -> None:
    if not answer.accepted:
        seen.say(f"{NAMES[version]}: {answer.why}")
        if "protocol_version" not in answer.why:  # said plainly, that is the end of it; otherwise it may be our offer
            seen.refused.add(version)
        return
    seen.versions.add(version)
    seen.clear_chains.append(answer.certificates)
    seen.say(f"{NAMES[version]}: accepted, {answer.suite}, {groups.NAMES.get(answer.group, 'no group')}")
    if version == Version.TLS12 and answer.hello:
        seen.ems = EMS in answer.hello.extensions


async def jobs_break(visitor: Visitor, seen: Gathered) -> bool:
    """Compression and renegotiation, both by the legacy client: where it finds no way in, the site's job breaks.

    With TLS 1.3 there the site excuses that: 1.3 has neither.
    """
    version = seen.below_13
    if version is None:
        seen.secure_renegotiation = True if seen.versions else None
        return not seen.versions
    answer = await visitor.ask(legacy(visitor.place.host, version, deflate=True))
    if answer.accepted and answer.hello:
        seen.compression = answer.hello.compression != 0
        seen.secure_renegotiation = RENEGOTIATION in answer.hello.extensions
        seen.client_renegotiations = await renegotiations(visitor, version)
        seen.say(f"renegotiation: {seen.client_renegotiations} of 11 attempts by the client worked")
        return False
    if Version.TLS13 not in seen.versions:
        seen.broken = f"the site's older client finds no way in: {answer.why}"
        return True
    seen.secure_renegotiation = True
    return False


async def of_suites(visitor: Visitor, seen: Gathered) -> None:
    """The highest version below 1.3: each chunk until the server refuses; at 1.3 only the one suite that is weak."""
    host = visitor.place.host
    if version := seen.below_13:
        found: list[Answer] = []
        if version == Version.TLS12:
            for chunk in suites.chunks(suites.MODERN):
                found += await _removing(visitor, chunk, lambda left: modern(host, Version.TLS12, left), seen)
        for chunk in suites.chunks(suites.LEGACY):
            found += await _removing(visitor, chunk, lambda left: legacy(host, version, left), seen)
        seen.suites[version] = tuple(answer.suite for answer in found)
        seen.clear_chains += [answer.certificates for answer in found if answer.certificates]
        seen.keys += [answer.exchange.key for answer in found if answer.exchange]
    if Version.TLS13 in seen.versions:
        answer = await visitor.ask(modern(host, Version.TLS13, (suites.CCM_8,)))
        seen.suites[Version.TLS13] = (answer.suite,) if answer.accepted else ()


async def _removing(
    visitor: Visitor, chunk: tuple[int, ...], offer: Callable[[tuple[int, ...]], Offer], seen: Gathered
) -> list[Answer]:
    """Offer all, take out what the server chose, again, until it refuses."""
    found: list[Answer] = []
    left = chunk
    while left:
        answer = await visitor.ask(offer(left))
        if not answer.accepted or answer.hello is None:
            if answer.hello and answer.hello.suite not in left and "not offered" in answer.why:
                seen.broken = answer.why
            elif not answer.refused:
                seen.say(f"suites: {answer.why}")
            break
        chosen = answer.hello.suite
        left = tuple(code for code in left if code != chosen)
        found.append(answer)
    return found


async def of_order(visitor: Visitor, seen: Gathered) -> None:
    """Each sufficient suite behind all phase-out ones; the first wrong choice is enough."""
    version = seen.below_13
    if version is None:
        return
    for offered in questions(seen.suites[version]):
        codes = tuple(suites.CODES[name] for name in offered)
        answer = await visitor.ask(modern(visitor.place.host, version, codes))
        seen.order.append(Order(offered, answer.suite if answer.accepted else ""))
        if seen.order[-1].chosen != offered[-1]:
            return


async def of_hashes(visitor: Visitor, seen: Gathered) -> None:
    """Only SHA-1, then only SHA-224: does the server sign its key exchange so?"""
    version = seen.below_13
    if version is None:
        return
    host = visitor.place.host
    sha1 = await visitor.ask(modern(host, version, signatures=groups.SHA1))
    sha224 = None if _signed(sha1, 2) else await visitor.ask(modern(host, version, signatures=groups.SHA224))
    seen.hashes = Hashes(True, _signed(sha1, 2), sha224 is not None and _signed(sha224, 3))


def _signed(answer: Answer, hashed: int) -> bool:
    return answer.accepted and answer.exchange is not None and answer.exchange.hashed == hashed


async def of_certificates(visitor: Visitor, seen: Gathered, roots: Roots, now: datetime) -> None:
    """The chain that an ordinary client gets, and others: of other suites, or of other signature algorithms."""
    host = visitor.place.host
    found: list[tuple[bytes, ...]] = []
    if Version.TLS13 in seen.versions:
        chain, seen.early_data = await visit_13(visitor)
        found = [chain] if seen.below_13 else [chain, *[(await visit_13(visitor, kind))[0] for kind in (RSA, ECDSA)]]
    chains = [chain for chain in dict.fromkeys((*found, *seen.clear_chains)) if chain]
    seen.chain, seen.wide_chains = (chains[0], tuple(chains[1:])) if chains else ((), ())
    seen.roots = tuple(roots.has(der) for der in seen.chain)
    seen.trust_why = distrust(seen.chain, host, roots, now)
    seen.name_matches = named(seen.chain, host)


async def beyond(visitor: Visitor, seen: Gathered) -> None:
    """What the site's clients do not offer: other versions with wide offers, all groups, the suites that they lack."""
    host = visitor.place.host
    seen.wide_versions = set(seen.versions)
    for version in _NEWEST_FIRST:
        if version in seen.refused and (answer := await visitor.ask(wide(host, version))).accepted:
            seen.wide_versions.add(version)
            seen.say(f"{NAMES[version]}: accepted from a wider client, {answer.suite}")
    if Version.TLS13 in seen.wide_versions:
        seen.wide_groups |= await _groups(visitor, Version.TLS13, groups.WIDE_13, ())
    below = max((version for version in seen.wide_versions if Version.SSL3 < version < Version.TLS13), default=None)
    if below:
        rest = tuple(code for code in groups.WIDE_CURVES if groups.NAMES[code] not in seen.wide_groups)
        seen.wide_groups |= await _groups(visitor, below, rest, CURVED)
        seen.wide_suites[below] = await _wide_suites(visitor, seen, below)
    seen.say(f"groups: {', '.join(sorted(seen.wide_groups)) or 'none'}")


async def _wide_suites(visitor: Visitor, seen: Gathered, version: Version) -> tuple[str, ...]:
    """Those that neither library of the site has; all, where the site gets none."""
    rest = suites.BEYOND if version in seen.suites else (*suites.MODERN, *suites.LEGACY, *suites.BEYOND)
    found = list(seen.suites.get(version, ()))
    for chunk in suites.chunks(rest):
        answers = await _removing(visitor, chunk, lambda left: wide(visitor.place.host, version, left), seen)
        found += [answer.suite for answer in answers]
    return tuple(dict.fromkeys(found))


async def _groups(visitor: Visitor, version: Version, offered: tuple[int, ...], codes: tuple[int, ...]) -> set[str]:
    """Every group that the server takes: all are offered, the chosen one is taken out, again."""
    found: set[str] = set()
    left = offered
    while left:
        answer = await visitor.ask(wide(visitor.place.host, version, codes, left))
        if not answer.accepted or answer.group not in left:
            break
        chosen = answer.group
        found.add(groups.NAMES[chosen])
        left = tuple(code for code in left if code != chosen)
    return found
