"""Names that lead back, lists that are asked, policies that are fetched from the Internet only."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from checks.facts import Addresses, Beyond, MailHost, Tls
from checks.probe import further
from checks.probe.book import Book
from checks.probe.received import received
from checks.probe.selectors import known
from dnsops.base.settings import Settings
from dnsops.dkim.keys import Keys
from mailsrv.message.digest import digest
from mailsrv.store import STORE
from mailsrv.store.door import Message, Place
from mailsrv.store.sqlite import SqliteStore
from tests.checks.probe.memory import Memory, Records

ADDRESS = "192.0.2.1"
POINTER = "1.2.0.192.in-addr.arpa"
HOST = MailHost(
    Addresses("mx.example.org", (ADDRESS,)), Tls("mx.example.org", ADDRESS, banner="220 MX.example.org \x1b[2J ESMTP")
)


def looked(records: Records, blocklists: tuple[str, ...] = ()) -> Beyond:
    async def story() -> Beyond:
        memory = Memory(records)
        world = replace(memory.world(), blocklists=blocklists)
        async with Book(memory) as book:
            return await further.look(book, "example.org", (HOST,), world)

    return asyncio.run(story())


@pytest.mark.parametrize(
    "pointers, forward, confirmed",
    [
        (("mx.example.org.",), (ADDRESS,), ("mx.example.org",)),
        (("mx.example.org.", "other.example.org."), (ADDRESS,), ("mx.example.org",)),
        (("mx.example.org.",), ("192.0.2.2",), ()),
        (("not a host.",), (), ()),
        ((), (), ()),
    ],
)
def test_names_that_lead_back(pointers: tuple[str, ...], forward: tuple[str, ...], confirmed: tuple[str, ...]) -> None:
    (found,) = looked({(POINTER, "PTR"): pointers, ("mx.example.org", "A"): forward}).reverse
    assert (found.address, found.confirmed, found.helo) == (ADDRESS, confirmed, "mx.example.org")


@pytest.mark.parametrize(
    "code, listed",
    [(("127.0.0.2",), True), ((), False), (("127.255.255.254",), None), (("198.51.100.1",), None)],
)
def test_a_blocklist_says_yes_no_or_nothing(code: tuple[str, ...], listed: bool | None) -> None:
    records = {("1.2.0.192.bl.example", "A"): code, ("1.2.0.192.bl.example", "TXT"): ("it\\027[2J spams",)}
    (found,) = looked(records, ("bl.example",)).listings
    assert (found.zone, found.listed) == ("bl.example", listed)
    assert "\x1b" not in found.text


def test_a_policy_in_our_own_network_is_not_fetched() -> None:
    records = {
        ("_mta-sts.example.org", "TXT"): ("v=STSv1; id=1",),
        ("mta-sts.example.org", "A"): ("127.0.0.1", "10.0.0.1", "169.254.169.254"),
    }
    policy = looked(records).sts_policy
    assert policy is not None
    assert (policy.body, policy.why) == (None, "mta-sts.example.org has no address that may be talked to")
    assert looked({}).sts_policy is None


def test_our_own_domains_sign_with_selectors_that_are_known(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {"hostname": "mx.example.org", "domains": ["example.org"], "state": {"directory": str(tmp_path)}}
    )
    selectors = known(("named",), settings)
    assert selectors("example.org") == ("named",)
    keys, now = Keys(tmp_path / "dkim"), datetime(2026, 1, 1, tzinfo=UTC)
    ring = keys.make_next("example.org", ("ed25519",), now)
    assert ring.next is not None
    first = ring.next.selectors[0].name
    assert selectors("example.org") == ("named", first)  # announced: nothing else will sign
    keys.promote("example.org", now)
    keys.make_next("example.org", ("ed25519",), now)
    assert selectors("example.org") == ("named", first)  # the next one's time has not come
    assert selectors("example.net") == ("named",)


def test_mail_in_our_store_names_selectors(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {
            "hostname": "mx.example.org",
            "domains": ["example.org"],
            "state": {"directory": str(tmp_path)},
            "accounts": [{"name": "u", "password_hash": "{PLAIN}x", "addresses": ["u@example.org"]}],
        }
    )

    async def story() -> tuple[str, ...]:
        assert (await received(settings))("example.net") == ()  # nobody made a store yet, and looking makes none
        assert list(tmp_path.iterdir()) == []
        store = SqliteStore(tmp_path / STORE)
        await store.account("u")
        for selector in ("old", "new"):
            mail = f"DKIM-Signature: v=1; d=example.net; s={selector}\r\nFrom: a@example.net\r\n\r\nhello\r\n".encode()
            at = datetime(2026, 1, 1 if selector == "old" else 2, tzinfo=UTC)
            await store.accept(Message(mail, digest(mail), at, (Place("u"),)))
        await store.close()
        return (await received(settings))("example.net")

    assert asyncio.run(story()) == ("new", "old")


def test_evidence_is_dated_and_short() -> None:
    (found,) = looked({(POINTER, "PTR"): tuple(f"mx{number}.example.org." for number in range(500))}).reverse
    assert found.evidence.at == datetime(2026, 1, 1, tzinfo=UTC)
    assert len(found.names) == further.MOST_NAMES
    assert len(found.evidence.lines) < 30
