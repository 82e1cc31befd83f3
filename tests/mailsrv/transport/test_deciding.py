"""The decision as a table: DANE before MTA-STS before what is offered, and the administrator before all."""

from __future__ import annotations

import pytest

from dnsops.records.tlsa import Tlsa
from dnsops.records.txt.mtasts import Mode, Sts
from mailsrv.transport.dane import Dane, NoDane
from mailsrv.transport.deciding import No, Rule, decide
from mailsrv.transport.found import NOTHING, Fault, Found
from mailsrv.transport.host import Host
from mailsrv.transport.outcome import PolicyType, Trouble
from mailsrv.transport.policy import Policy

HOST = Host("mx1.example.org", ("192.0.2.1",))
RECORD, STRANGE = Tlsa(3, 1, 1, bytes(32)), Tlsa(1, 1, 1, bytes(32))
DANE = Dane("mx1.example.org", (RECORD,), (RECORD,), ("mx1.example.org", "example.org"))
UNUSABLE = Dane("mx1.example.org", (), (STRANGE,), ("mx1.example.org",))
NONE = NoDane("mx1.example.org has no TLSA records")


def sts(mode: Mode, mx: str = "mx1.example.org") -> Found:
    return Found(Sts(mode, (mx,), 86400), "kept")


ENFORCE, TESTING, OFF = sts(Mode.ENFORCE), sts(Mode.TESTING), sts(Mode.NONE)
ELSEWHERE, TESTED_ELSEWHERE = sts(Mode.ENFORCE, "*.example.com"), sts(Mode.TESTING, "*.example.com")
DOWN = Found(None, "down", Fault(Trouble.STS_POLICY_FETCH_ERROR, "down"))
T, S, N = PolicyType.TLSA, PolicyType.STS, PolicyType.NONE


@pytest.mark.parametrize(
    "dane,found,name,encrypt,verify,soft,kind,trouble",
    [
        # RFC 7672 2.2
        (DANE, NOTHING, "dane", True, True, False, T, None),
        (UNUSABLE, NOTHING, "encrypt", True, False, False, T, Trouble.TLSA_INVALID),
        (NONE, NOTHING, "opportunistic", False, False, False, N, None),
        # RFC 8461 2: DANE is never overruled
        (DANE, ENFORCE, "dane", True, True, False, T, None),
        (DANE, ELSEWHERE, "dane", True, True, False, T, None),
        (DANE, OFF, "dane", True, True, False, T, None),
        # RFC 8461 5
        (NONE, ENFORCE, "mta-sts", True, True, False, S, None),
        (NONE, TESTING, "testing", True, True, True, S, None),
        (NONE, TESTED_ELSEWHERE, "testing", False, False, True, S, Trouble.VALIDATION_FAILURE),
        (NONE, OFF, "opportunistic", False, False, False, N, None),
        (NONE, DOWN, "opportunistic", False, False, False, S, Trouble.STS_POLICY_FETCH_ERROR),
        # records that say nothing do not stand in the way of a policy that does
        (UNUSABLE, ENFORCE, "mta-sts", True, True, False, S, None),
        (UNUSABLE, OFF, "encrypt", True, False, False, T, Trouble.TLSA_INVALID),
    ],
)
def test_what_the_domain_says(
    dane: Dane | NoDane, found: Found, name: str, encrypt: bool, verify: bool, soft: bool, kind: PolicyType, trouble: Trouble | None
) -> None:  # fmt: skip
    policy = decide(HOST, dane, found)
    assert isinstance(policy, Policy)
    assert (policy.name, policy.must_encrypt, policy.must_verify, policy.soft) == (name, encrypt, verify, soft)
    assert (policy.type, policy.trouble) == (kind, trouble)
    assert policy.may_be_plain is (soft or not encrypt)
    assert policy.why


def test_a_host_that_the_policy_does_not_list_gets_nothing() -> None:
    found = decide(HOST, NONE, ELSEWHERE)
    assert isinstance(found, No)
    assert found.why == "mx1.example.org is none of the hosts in the MTA-STS policy"
    assert (found.policy.type, found.policy.trouble) == (S, Trouble.VALIDATION_FAILURE)
    assert found.policy.mx_patterns == ("*.example.com",)


def test_what_the_report_quotes() -> None:
    """RFC 8460 4.4: records and lines as they are."""
    dane, policy = decide(HOST, DANE, NOTHING), decide(HOST, NONE, ENFORCE)
    assert isinstance(dane, Policy)
    assert isinstance(policy, Policy)
    assert (dane.strings, dane.server_name, dane.tlsa) == ((str(RECORD),), "mx1.example.org", (RECORD,))
    assert policy.strings == ("version: STSv1", "mode: enforce", "mx: mx1.example.org", "max_age: 86400")


@pytest.mark.parametrize(
    "rule,dane,found,name",
    [
        (Rule.OPPORTUNISTIC, DANE, ENFORCE, "opportunistic"),
        (Rule.OPPORTUNISTIC, NONE, ELSEWHERE, "opportunistic"),
        (Rule.DANE, DANE, NOTHING, "dane"),
        (Rule.DANE, NONE, ENFORCE, "No"),
        (Rule.DANE, UNUSABLE, NOTHING, "No"),
        (Rule.REQUIRE, DANE, NOTHING, "dane"),
        (Rule.REQUIRE, NONE, ENFORCE, "mta-sts"),
        (Rule.REQUIRE, NONE, TESTING, "mta-sts"),
        (Rule.REQUIRE, NONE, TESTED_ELSEWHERE, "No"),
        (Rule.REQUIRE, NONE, NOTHING, "No"),
        (Rule.REQUIRE, UNUSABLE, NOTHING, "No"),
        (Rule.REQUIRE, NONE, DOWN, "No"),
        (Rule.ENCRYPT, NONE, NOTHING, "encrypt"),
        (Rule.ENCRYPT, DANE, NOTHING, "dane"),
        (Rule.ENCRYPT, NONE, ENFORCE, "mta-sts"),
        (Rule.ENCRYPT, NONE, TESTING, "mta-sts"),
        (Rule.ENCRYPT, NONE, TESTED_ELSEWHERE, "encrypt"),
        (Rule.ENCRYPT, UNUSABLE, NOTHING, "encrypt"),
    ],
)
def test_what_the_administrator_says(rule: Rule, dane: Dane | NoDane, found: Found, name: str) -> None:
    policy = decide(HOST, dane, found, rule)
    assert (policy.name if isinstance(policy, Policy) else "No") == name
    if isinstance(policy, Policy):
        assert policy.may_be_plain is (rule is Rule.OPPORTUNISTIC)
        assert policy.soft is False
        assert policy.must_verify or rule in (Rule.OPPORTUNISTIC, Rule.ENCRYPT)
