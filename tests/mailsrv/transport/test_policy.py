"""What a hop may do without TLS."""

import asyncio

import pytest

from mailsrv.transport.host import Host
from mailsrv.transport.policy import OPPORTUNISTIC, PROVEN, Opportunistic, Policy


@pytest.mark.parametrize(
    "policy,plain",
    [(OPPORTUNISTIC, True), (PROVEN, False), (Policy(must_encrypt=True), False), (Policy(must_verify=True), False)],
)
def test_only_opportunism_may_be_plain(policy: Policy, plain: bool) -> None:
    assert policy.may_be_plain is plain


def test_without_dane_and_mta_sts_every_hop_is_opportunistic() -> None:
    assert asyncio.run(Opportunistic().policy("example.org", Host("mx1.example.org", ()), True)) == OPPORTUNISTIC
