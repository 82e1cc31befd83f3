"""The same on a real signed tree, by libunbound: SPF, DMARC and their temporary troubles."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from dnsops.base.flow import Flow
from dnsops.resolve import libunbound
from dnsops.resolve.answer import Answer, Question
from dnsops.resolve.validator import Validator
from mailsrv.auth.decide import Action, Rules, decide
from mailsrv.auth.story import Means, Origin, authenticate
from mailsrv.auth.verdicts import Arc, Authentication, Dkim, Result, Wish
from mailsrv.message.header import Header
from tests.lab.dnstree import DnsTree

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(libunbound.load() is None, reason="libunbound8 is not installed"),
]
RECORDS = {
    ("example.org", "TXT"): ['"v=spf1 ip4:192.0.2.0/24 exists:%{l}.spf.example.org -all"', '"' + "x" * 255 + '" "y"'],
    ("_dmarc.example.org", "TXT"): ['"v=DMARC1; p=reject; " "rua=mailto:d@example.org"'],
    ("a+b=c.spf.example.org", "A"): ["127.0.0.2"],
}


@pytest.fixture
def tree(dnstree: DnsTree) -> Iterator[DnsTree]:
    for (name, kind), texts in RECORDS.items():
        dnstree.replace(name, kind, *texts)
    yield dnstree
    dnstree.restore()


def unsigned(content: bytes, now: datetime, head: Header) -> Flow[Question, Answer, tuple[tuple[Dkim, ...], Arc]]:
    yield from ()
    return (), Arc(Result.NONE)


def origin(sender: str, author: str, address: str = "192.0.2.1") -> Authentication:
    async def story() -> Authentication:
        async with Validator() as resolver:
            content = f"From: {author}\r\n\r\nhello\r\n".encode()
            means = Means(resolver, unsigned, "mx.us.org")
            return await authenticate(content, Origin(address, "mail.test", sender), means, datetime.now(UTC))

    return asyncio.run(story())


@pytest.mark.parametrize(
    "sender,address,spf,dmarc,action",
    [
        ("a@example.org", "192.0.2.1", Result.PASS, Result.PASS, Action.ACCEPT),
        ("a@example.org", "203.0.113.1", Result.FAIL, Result.FAIL, Action.REFUSE),
        ("a+b=c@example.org", "203.0.113.1", Result.PASS, Result.PASS, Action.ACCEPT),  # a name no machine has
        ("a@expired.org", "192.0.2.1", Result.TEMPERROR, Result.FAIL, Action.REFUSE),
        ("a@sub.expired.org", "192.0.2.1", Result.TEMPERROR, Result.FAIL, Action.REFUSE),
    ],
)
def test_the_origin_of_mail_from_a_signed_domain(
    tree: DnsTree, sender: str, address: str, spf: Result, dmarc: Result, action: Action
) -> None:
    found = origin(sender, "ann@example.org", address)
    assert (found.mail.result, found.dmarc.result) == (spf, dmarc), found
    assert (found.dmarc.found, found.dmarc.wish, found.dmarc.reports) == (
        "example.org",
        Wish.REJECT,
        ("d@example.org",),
    )
    assert decide(found, [], Rules()).action is action


def test_s_dns_01_a_bogus_policy_is_never_absent(dnstree: DnsTree) -> None:
    found = origin("a@evil.test", "ann@expired.org")
    assert (found.dmarc.result, found.dmarc.found) == (Result.TEMPERROR, "")
    decision = decide(found, [], Rules())
    assert (decision.action, str(decision.reply and decision.reply.code)) == (Action.LATER, "451")
