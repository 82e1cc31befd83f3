"""What `mailsrv check dane` looks at on every port: not part of internet.nl's test, so in our column only. Pure.

Standards: RFC 6698, RFC 7671 and RFC 7672 (DANE), RFC 7671 8.1 (key rollover), RFC 6781 4.4 (lifetimes of signatures).
Fails by: nothing.
"""

from __future__ import annotations

from checks.catalogue.subtest import Level, Subtest
from checks.finding import Status

CATEGORY = "dane"


def _own(name: str, title: str, level: Level, meaning: str, standard: str, mend: str) -> Subtest:
    return Subtest(name, CATEGORY, "", title, level, Status.FAIL, Status.INFO, None, meaning, standard, mend)


PORTS: tuple[Subtest, ...] = (
    _own(
        "port_dane",
        "TLSA of a port",
        Level.RECOMMENDED,
        "The port has TLSA records, signed all the way from the root, and what every address of the host shows matches one of them. "
        "Where no record matches, a sender that verifies does not deliver; where there are none, nobody can verify.",
        "RFC 7671, RFC 7672 2 and 3",
        "`mailsrv tlsa reconcile --host HOST --port PORT --source ...` publishes what fits and keeps it so; run it by a timer.",
    ),
    _own(
        "port_rollover",
        "The next key is announced",
        Level.OPTIONAL,
        "Beside the record of the served key there is one more, of the key that comes next (or of the CA that issues it). Otherwise the "
        "day on which the certificate gets a new key is a day on which mail does not arrive.",
        "RFC 7671 8.1 and 8.4",
        "Announce the next key now: `mailsrv tlsa roll HOST`; it is served only when its record is seen everywhere. Or keep the key at "
        "renewal (certbot --reuse-key).",
    ),
    _own(
        "port_certificate",
        "Days that the certificate has left",
        Level.REQUIRED,
        "The certificate that the port shows is valid now and for some days more. Who verifies by DANE-EE (3 x x) does not look at the "
        "date; who reads mail, and who sends by MTA-STS, does.",
        "RFC 5280 4.1.2.5, RFC 7671 5.1",
        "Renew it: `mailsrv cert issue`, or look why your ACME client did not.",
    ),
)
_BY_ID = {one.id: one for one in PORTS}


def port_subtest(name: str) -> Subtest:
    """KeyError for one that is not here."""
    return _BY_ID[name]
