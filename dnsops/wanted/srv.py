"""Where mail programs find our services, and that others are not there at all. Pure.

Standards: RFC 6186 3 (the labels, and `.` for a service that is not offered), RFC 8314 5.1 (TLS from the first byte first),
RFC 8620 2.2 (_jmap), RFC 6764 3 (_caldavs, _carddavs), RFC 2782 (SRV).
"""

from __future__ import annotations

from collections.abc import Iterator

from dnsops.records import rdata
from dnsops.wanted.door import Wish
from dnsops.wanted.house import House
from dnsops.wanted.making import wish

# label, the priority among its like (lower is taken first), standard
MAIL = (
    ("submissions", 0, "RFC 8314 5.1"),
    ("submission", 10, "RFC 6186 3.1"),
    ("imaps", 0, "RFC 6186 3.2"),
    ("imap", 10, "RFC 6186 3.2"),
    ("pop3s", 0, "RFC 6186 3.3"),
    ("pop3", 10, "RFC 6186 3.3"),
)
WEB = {"jmap": "RFC 8620 2.2", "caldavs": "RFC 6764 3", "carddavs": "RFC 6764 3"}
WEIGHT = 1
HTTPS = 443
NOWHERE = "0 0 0 ."


def wishes(house: House) -> Iterator[Wish]:
    """One for each service of mail, and for those of the web that somebody serves at the host."""
    for domain in house.domains if house.records.client_setup else ():
        for label, priority, standard in MAIL:
            yield _mail(house, domain, label, priority, standard)
        for label in house.records.web_services:
            content = f"0 {WEIGHT} {HTTPS} {house.target}"
            why = f"programs find {label} at our host (records.web_services)"
            yield wish(house, f"_{label}._tcp.{domain}", rdata.parse("SRV", content), why, WEB[label])


def _mail(house: House, domain: str, label: str, priority: int, standard: str) -> Wish:
    owner, port = f"_{label}._tcp.{domain}", house.port_of(label)
    if port is None:
        why = f"{label} is not offered, so that no program tries"
        return wish(house, owner, rdata.parse("SRV", NOWHERE), why, standard, alone=True)
    data = rdata.parse("SRV", f"{priority} {WEIGHT} {port} {house.target}")
    first = "" if priority == 0 else "; those that begin with TLS are to be preferred"
    return wish(house, owner, data, f"mail programs find {label} here{first}", standard)
