"""The cases that are promised, and that each has a test of its name: the catalogue of attacks, as far as trusted mail goes.

A test is of a case when its name says so: `test_s_dns_08_...` is S-DNS-08, `test_s_egr_16_17_...` is two of them, and
`test_s_egr_01_to_20_...` all from one to the other. Who meets us badly has a name instead of a number: `test_evil_...`.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
NUMBERED = re.compile(r"test_s_([a-z]+)_(\d\d)((?:_\d\d(?!\d))*)(?:_to_(\d\d))?(?!\d)")
NAMED = re.compile(r"test_evil_(\w+)")

AUTHENTICATION = {
    "S-AUTHN-01": "SPF: too many terms, void look-ups, loops, macros of 10 kB, ptr",
    "S-AUTHN-02": "DKIM: 2000 signatures",
    "S-AUTHN-03": "DKIM: l= and an appended body",
    "S-AUTHN-04": "DKIM: another Subject above the signed one",
    "S-AUTHN-05": "DKIM: keys that are weak, huge, odd, revoked, for testing",
    "S-AUTHN-06": "DKIM: signatures that are expired, of the future, for others, without From, for a public suffix",
    "S-AUTHN-07": "ARC: more than 50 sets, gaps, duplicates, pass at the first",
    "S-AUTHN-08": "DMARC: public suffixes, two records, 10 kB, From with two, none, a group, a homograph",
    "S-AUTHN-09": "Authentication-Results in our name that are not ours",
    "S-AUTHN-10": "DMARC reports: without consent, in circles, to a thousand, too large",
    "S-AUTHN-11": "reports that come in: bombs, archives in archives, a million rows, entities, strangers'",
}
LEAVING = {f"S-EGR-{number:02d}": "what leaves is normal, and signed as it leaves" for number in range(1, 19)}
POLICIES = {
    "S-STS-01": "a redirect",
    "S-STS-02": "64 KiB and more",
    "S-STS-03": "a body that drips",
    "S-STS-04": "a certificate that is expired, self-signed, another's; plain http",
    "S-STS-05": "odd policies; another mode under a new id, another body under the same",
    "S-STS-06": "the policy of another name than the address's",
    "S-STS-07": "the DNS lost while a policy is kept",
}
NAMES = {
    "S-DNS-01": "bogus, SERVFAIL, silence: later, never absent",
    "S-DNS-02": "an AD bit from elsewhere",
    "S-DNS-03": "keys and signatures that cost",
    "S-DNS-04": "aliases and referrals without end",
    "S-DNS-05": "explosions of texts",
    "S-DNS-06": "TLSA: a thousand, unknown kinds, none usable",
    "S-DNS-07": "mail hosts with impossible names",
    "S-DNS-08": "forged, cut, oversized, with junk",
    "S-DNS-12": "reverse names: malformed, hostile, a thousand",
}
BOUNCING = {
    "S-BAK-01": "an unknown user",
    "S-BAK-02": "a full mailbox",
    "S-BAK-03": "a refusal by rule",
    "S-BAK-04": "answers to lists, to nobody, to forged senders",
    "S-BAK-05": "a notice about a notice",
}
PEERS = {
    "remote_endless_reply": "220- for ever",
    "remote_a_line_of_ten_megabytes": "as a reply",
    "remote_yes_to_everything": "and 554 at the dot",
    "remote_250_to_data": "instead of 354",
    "remote_a_yes_ahead_of_the_dot": "354 and 250 at once",
    "remote_closed_before_250": "after the dot",
    "remote_4xx_for_ever": "until we give up",
    "remote_words_for_the_sender": "that would be commands elsewhere",
    "remote_words_between_starttls_and_tls": "injected in the clear",
    "remote_another_ehlo_inside_tls": "than outside",
    "remote_a_tls_alert_at_our_sni": "unrecognized_name",
    "remote_a_certificate_that_changes": "between connections",
    "remote_mx_that_points_at_ourselves": "127.0.0.1, our own address",
    "remote_null_mx": "RFC 7505",
    "remote_a_thousand_mx": "of one domain",
    "remote_cname_at_mx": "RFC 2181 10.3",
    "remote_cname_loop_at_mx": "round and round",
    "downgrade_is_refused": "where the key is published",
    "downgrade_works_where_nothing_is_published": "and the log says so",
    "downgrade_left_off": "mail goes through him, and he reads nothing",
}
SHOWING = {
    "S-TLS-01": "a key that everybody may read",
    "S-TLS-02": "a key that is not the certificate's",
    "S-TLS-04": "a name that nobody here has",
    "S-TLS-05": "old TLS, weak ciphers",
    "S-TLS-06": "data before the handshake is over",
}
ISSUING = {
    "S-ACME-01": "rate limits, nonces refused, orders that fail, CAA",
    "S-ACME-02": "killed with challenges out, stale ones, delegated ones, two at one name",
    "S-ACME-03": "another authority, another key, another name, another chain, odd windows",
}
CASES = AUTHENTICATION | LEAVING | POLICIES | NAMES | BOUNCING | SHOWING | ISSUING


@cache
def names() -> list[str]:
    """Of all test functions."""
    found = [
        re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE) for path in TESTS.rglob("test_*.py")
    ]
    return [name for names in found for name in names]


def cases(name: str) -> set[str]:
    """The numbered cases that a test is of."""
    found = NUMBERED.match(name)
    if found is None:
        return set()
    room, first, more, last = found.groups()
    numbers = {int(first), *map(int, more.split("_")[1:])}
    if last:
        numbers |= set(range(max(numbers), int(last) + 1))
    return {f"S-{room.upper()}-{number:02d}" for number in numbers}


@pytest.mark.parametrize(
    "name, expected",
    [
        ("test_s_authn_04_a_field_put_above", {"S-AUTHN-04"}),
        ("test_s_authn_05_512_bits_prove_nothing", {"S-AUTHN-05"}),
        ("test_s_egr_16_17_eight_bits", {"S-EGR-16", "S-EGR-17"}),
        ("test_s_egr_01_to_03_what_leaves", {"S-EGR-01", "S-EGR-02", "S-EGR-03"}),
        ("test_s_egr_an_altered_octet", set()),
        ("test_something_else", set()),
    ],
)
def test_a_name_says_which_cases_it_is_of(name: str, expected: set[str]) -> None:
    assert cases(name) == expected


@pytest.mark.parametrize("case", CASES)
def test_a_promised_case_has_a_test_of_its_name(case: str) -> None:
    assert any(case in cases(name) for name in names()), f"{case}, {CASES[case]}: no test"


@pytest.mark.parametrize("peer", PEERS)
def test_a_bad_peer_has_a_test_of_its_name(peer: str) -> None:
    told = [found[1] for name in names() if (found := NAMED.match(name))]
    assert any(one.startswith(peer) for one in told), f"{peer}, {PEERS[peer]}: no test"


def test_no_test_is_of_a_case_that_nobody_promised() -> None:
    """A slip in a number would leave the true one to another test."""
    rooms = {case.rsplit("-", 1)[0] for case in CASES}
    strange = {
        case for name in names() for case in cases(name) if case.rsplit("-", 1)[0] in rooms and case not in CASES
    }
    assert strange <= {"S-EGR-19", "S-EGR-20"}, "these two belong to S-SMTP, and go the same way out"
    named = [found[1] for name in names() if (found := NAMED.match(name))]
    assert [one for one in named if not one.startswith(tuple(PEERS))] == []
