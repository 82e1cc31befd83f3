"""The subtests of addresses and routes. Pure.

Standards: RFC 8200 (IPv6), RFC 3901 (DNS over both families), RFC 6811 and 9582 (route origins). Fails by: nothing.
"""

from __future__ import annotations

from checks.catalogue.subtest import Level, Subtest
from checks.finding import Status

_REQUIRED, _FAIL, _NOTICE = Level.REQUIRED, Status.FAIL, Status.NOTICE

IPV6 = (
    Subtest(
        "ns_aaaa",
        "ipv6",
        "mail_ipv6_ns_address",
        "Name servers have IPv6 addresses",
        _REQUIRED,
        _FAIL,
        _FAIL,
        None,
        "At least two name servers of the domain have an IPv6 address, so that a resolver without IPv4 can find the domain even "
        "when one of them is down.",
        "RFC 3901, RFC 8200",
        "Give at least two of the domain's name servers an AAAA record; with a DNS provider, choose one whose name servers have it.",
    ),
    Subtest(
        "ns_reach",
        "ipv6",
        "mail_ipv6_ns_reach",
        "Name servers answer over IPv6",
        _REQUIRED,
        _FAIL,
        _FAIL,
        10,
        "Every IPv6 address of every name server answers a question on port 53, by UDP and, when cut, by TCP.",
        "RFC 3901, RFC 7766",
        "Let the name server listen on its IPv6 address and open port 53, UDP and TCP, in the firewall; or remove the dead AAAA.",
    ),
    Subtest(
        "mx_aaaa",
        "ipv6",
        "mail_ipv6_mx_address",
        "Mail servers have IPv6 addresses",
        _REQUIRED,
        _FAIL,
        _NOTICE,
        None,
        "Every mail server of the domain has an IPv6 address, so that senders without IPv4 can deliver.",
        "RFC 5321 5.2, RFC 8200",
        "Add an AAAA record for every MX host. A domain that gets no mail: publish `MX 0 .` alone (RFC 7505).",
    ),
    Subtest(
        "mx_reach",
        "ipv6",
        "mail_ipv6_mx_reach",
        "Mail servers take connections over IPv6",
        _REQUIRED,
        _FAIL,
        _NOTICE,
        10,
        "Every IPv6 address of every mail server accepts a connection to port 25.",
        "RFC 5321 5.2",
        "Let the mail server listen on its IPv6 address and open port 25 in the firewall; or remove the dead AAAA.",
    ),
)

_WHOSE = {
    "mail": ("mail_rpki", "mail_rpki", "mail servers"),
    "ns": ("mail_ns_rpki", "ns_rpki", "name servers"),
    "mx_ns": ("mail_mx_ns_rpki", "mail_mx_ns_rpki", "name servers of the mail servers' domains"),
}


def _exists(api: str, name: str, whose: str) -> Subtest:
    return Subtest(
        f"{name}_exists",
        "rpki",
        f"{api}_exists",
        f"Route authorisations exist: {whose}",
        _REQUIRED,
        _FAIL,
        _FAIL,
        5,
        f"For the network of every address of the {whose} there is a signed statement (ROA) of who may announce it.",
        "RFC 6480, RFC 9582",
        "Ask the network's holder (hosting provider) to publish ROAs at the regional registry for the prefixes that it announces.",
    )


def _valid(api: str, name: str, whose: str) -> Subtest:
    return Subtest(
        f"{name}_valid",
        "rpki",
        f"{api}_valid",
        f"Routes are valid: {whose}",
        _REQUIRED,
        _FAIL,
        _FAIL,
        10,
        f"The routes by which the {whose} are reached are announced by whom the ROAs name, and not more finely than they allow.",
        "RFC 6811, RFC 9319",
        "Ask the network's holder to make ROA and announcement agree: origin AS, prefix, and longest length.",
    )


RPKI = tuple(subtest for whose in _WHOSE.values() for subtest in (_exists(*whose), _valid(*whose)))
