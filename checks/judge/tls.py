"""STARTTLS of one mail host: versions, suites, order, keys, hashes, renegotiation. Pure.

A host that the site's client could not make a handshake with is an error of starttls_exists, and nothing else is judged; the
strict column says what it really was (no STARTTLS offered: internet.nl has a word for that and never uses it).
Thresholds: checks.judge.thresholds. Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from checks.catalogue import by_id
from checks.catalogue.secure import TLS
from checks.facts.tls import Tls, Version
from checks.finding import Finding, Status
from checks.judge import thresholds, tls_order
from checks.judge.thresholds import Grade

FULL, NONE = 10, 0
_SHOWN = {Grade.INSUFFICIENT: (Status.FAIL, "bad", NONE), Grade.PHASE_OUT: (Status.NOTICE, "phase-out", FULL)}
_GOOD = (Status.GOOD, "good", FULL)
_BAD = (Status.FAIL, "bad", NONE)
NAMES = tuple(subtest.id for subtest in TLS)


def findings(tls: Tls) -> tuple[Finding, ...]:
    """All of `NAMES`, in their order."""
    if not tls.reachable:
        return (_unreachable(tls), *(by_id(name).untested() for name in NAMES[1:]))
    return (
        by_id("starttls_exists").finding(*_GOOD, host=tls.host, evidence=(tls.evidence,)),
        _versions(tls),
        _suites(tls),
        tls_order.finding(tls),
        _keys(tls),
        _hashes(tls),
        _compression(tls),
        _secure_renegotiation(tls),
        _client_renegotiation(tls),
        _master_secret(tls),
        _early_data(tls),
    )


def _unreachable(tls: Tls) -> Finding:
    verdict = "could-not-test" if tls.late else "other"
    strict, why = _really(tls)
    return by_id("starttls_exists").finding(
        Status.ERROR,
        verdict,
        NONE,
        override=True,
        host=tls.host,
        details=(f"{tls.host}: {tls.why or 'no handshake'}",),
        strict=strict,
        strict_details=(why,) if why else (),
        evidence=(tls.evidence,),
    )


def _really(tls: Tls) -> tuple[Status, str]:
    if tls.offered is False:
        return Status.FAIL, "it answers and does not offer STARTTLS: mail to it travels in the clear"
    if tls.wide_versions:
        return Status.FAIL, "it speaks TLS, but with nothing that common clients offer: " + _words(tls.wide_groups)
    return Status.ERROR, ""


def _versions(tls: Tls) -> Finding:
    old = _old(tls.versions)
    also = [] if old else _old(tls.wide_versions)
    return by_id("tls_version").finding(
        *(_BAD if old else _GOOD),
        host=tls.host,
        details=old,
        strict=Status.FAIL if also else None,
        strict_details=also,
    )


def _old(versions: Iterable[Version]) -> list[str]:
    return [f"{seen.name} is spoken" for seen in sorted(versions) if thresholds.version(seen) < Grade.SUFFICIENT]


def _suites(tls: Tls) -> Finding:
    accepted = list(dict.fromkeys(name for names in tls.suites.values() for name in names))
    status, verdict, points = _shown(map(thresholds.suite, accepted))
    wide = {name for names in tls.wide_suites.values() for name in names} - set(accepted)
    also = _shown(map(thresholds.suite, wide))[0]
    return by_id("tls_ciphers").finding(
        status,
        verdict,
        points,
        host=tls.host,
        details=_weak_suites(accepted),
        strict=also if also < status else None,
        strict_details=_weak_suites(wide) if also < status else (),
    )


def _weak_suites(names: Iterable[str]) -> list[str]:
    words = {Grade.INSUFFICIENT: "insufficient", Grade.PHASE_OUT: "to be phased out"}
    graded = ((name, thresholds.suite(name)) for name in names)
    return [f"{name}: {words[grade]}" for name, grade in graded if grade in words]


def _keys(tls: Tls) -> Finding:
    """The site sees no size of X25519 and X448 keys, and says `na` when it saw no size at all."""
    grades = [thresholds.key(key) for key in tls.keys]
    status, verdict, points = _shown(grades)
    if status is Status.GOOD and not any(key.size for key in tls.keys):
        verdict = "na"
    weak = {
        key.group or f"a finite-field group of {key.size} bits of its own": grade
        for key, grade in zip(tls.keys, grades, strict=True)
        if grade < Grade.SUFFICIENT
    }
    also = _shown(map(thresholds.group, tls.wide_groups))[0]
    return by_id("fs_params").finding(
        status,
        verdict,
        points,
        host=tls.host,
        details=list(weak),
        strict=also if also < status else None,
        strict_details=[name for name in sorted(tls.wide_groups) if thresholds.group(name) < Grade.SUFFICIENT]
        if also < status
        else (),
    )


def _hashes(tls: Tls) -> Finding:
    subtest = by_id("kex_hash_func")
    if tls.hashes.asked and tls.hashes.sha1:
        return subtest.finding(*_BAD, host=tls.host, details=("SHA-1 is accepted",))
    if tls.hashes.asked and tls.hashes.sha224:
        return subtest.finding(*_SHOWN[Grade.PHASE_OUT], host=tls.host, details=("SHA-224 is accepted",))
    return subtest.finding(*_GOOD, host=tls.host)


def _compression(tls: Tls) -> Finding:
    details = ("DEFLATE was negotiated",) if tls.compression else ()
    return by_id("tls_compression").finding(*(_BAD if tls.compression else _GOOD), host=tls.host, details=details)


def _secure_renegotiation(tls: Tls) -> Finding:
    good = tls.below_13 is None or tls.secure_renegotiation is True
    details = () if good else ("the extension of RFC 5746 is not known there",)
    return by_id("renegotiation_secure").finding(*(_GOOD if good else _BAD), host=tls.host, details=details)


def _client_renegotiation(tls: Tls) -> Finding:
    subtest, count = by_id("renegotiation_client"), tls.client_renegotiations
    if tls.below_13 is None or count == 0:
        return subtest.finding(Status.GOOD, "not-allowed", FULL, host=tls.host)
    details = (f"{count} renegotiations were allowed",)
    if count <= thresholds.MOST_RENEGOTIATIONS:
        return subtest.finding(Status.INFO, "allowed-with-low-limit", FULL, host=tls.host, details=details)
    return subtest.finding(
        Status.FAIL,
        "allowed-with-too-high-limit",
        NONE,
        host=tls.host,
        details=details,
        strict=Status.NOTICE,
        strict_details=("without limit it is a way to overload the server",),
    )


def _master_secret(tls: Tls) -> Finding:
    subtest = by_id("extended_master_secret")
    if Version.TLS12 not in tls.versions:
        return subtest.untested("na-no-tls-1-2", points=FULL)
    return subtest.finding(*(_GOOD if tls.ems else _BAD), host=tls.host)


def _early_data(tls: Tls) -> Finding:
    """The site does not look; the strict column says what was seen."""
    strict = {None: None, True: Status.FAIL, False: Status.GOOD}[tls.early_data]
    details = ("the server takes early data",) if tls.early_data else ()
    return by_id("zero_rtt").finding(Status.GOOD, "na", FULL, host=tls.host, strict=strict, strict_details=details)


def _shown(grades: Iterable[Grade]) -> tuple[Status, str, int]:
    return _SHOWN.get(min(grades, default=Grade.GOOD), _GOOD)


def _words(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing known"
