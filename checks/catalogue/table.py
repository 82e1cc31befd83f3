"""All subtests in the order in which they are shown: the site's 38, and ours beyond them. Pure."""

from __future__ import annotations

from checks.catalogue.further import BEYOND
from checks.catalogue.names import AUTH, DNSSEC
from checks.catalogue.paths import IPV6, RPKI
from checks.catalogue.secure import TLS
from checks.catalogue.subtest import Subtest
from checks.catalogue.trusted import CERTIFICATES

SUBTESTS: tuple[Subtest, ...] = (*IPV6, *DNSSEC, *AUTH, *TLS, *CERTIFICATES, *RPKI)
EVERYTHING: tuple[Subtest, ...] = (*SUBTESTS, *BEYOND)
_BY_ID = {subtest.id: subtest for subtest in EVERYTHING}


def by_id(name: str) -> Subtest:
    """KeyError for one that is not in the table."""
    return _BY_ID[name]


def in_category(name: str) -> tuple[Subtest, ...]:
    """In their order."""
    return tuple(subtest for subtest in EVERYTHING if subtest.category == name)
