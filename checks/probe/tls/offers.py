"""The two clients: as the site's scanner offers, and as wide as we can. Pure.

The scanner is sslyze with two OpenSSL libraries: 1.1.1 ("modern") for TLS 1.2 and 1.3, 1.0.2 ("legacy") for what is older and for
most suites of TLS 1.2. What they do not offer, the site does not see: a server with P-224 alone is "unreachable" there.
Standards: as `suites` and `groups`. Fails by: nothing.
"""

from __future__ import annotations

from checks.facts import Version
from checks.probe.tls import groups, suites
from checks.probe.tls.hello import Offer

CURVED = tuple(code for code in suites.USUAL_MODERN if "_ECDHE_" in suites.NAMES[code])
_WIDE_SUITES = (*suites.USUAL_MODERN, *(code for code in suites.USUAL_LEGACY if code not in suites.USUAL_MODERN))


def modern(name: str, version: Version, offered: tuple[int, ...] = (), signatures: tuple[int, ...] = ()) -> Offer:
    """As OpenSSL 1.1.1 does, without a key share: which group it is to be, the server says first (RFC 8446 4.2.8)."""
    usual = suites.THIRTEEN[1:3] + suites.THIRTEEN[:1] if version == Version.TLS13 else suites.USUAL_MODERN
    return Offer(version, offered or usual, groups.MODERN, signatures or groups.SIGNATURES_MODERN, name)


def legacy(name: str, version: Version, offered: tuple[int, ...] = (), deflate: bool = False) -> Offer:
    """As OpenSSL 1.0.2 does."""
    return Offer(
        version, offered or suites.USUAL_LEGACY, groups.LEGACY, groups.SIGNATURES_LEGACY, name, deflate=deflate
    )


def wide(name: str, version: Version, offered: tuple[int, ...] = (), curves: tuple[int, ...] = ()) -> Offer:
    """All groups and signature algorithms that there are."""
    if version == Version.TLS13:
        return Offer(version, offered or suites.THIRTEEN, curves or groups.WIDE_13, groups.SIGNATURES_WIDE, name)
    return Offer(version, offered or _WIDE_SUITES, curves or groups.WIDE_CURVES, groups.SIGNATURES_WIDE, name)
