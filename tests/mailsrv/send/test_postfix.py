"""A real Postfix takes our mail: found by the validating resolver, over TLS, as many messages and recipients as there are."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mailsrv.send.carrier import Carried, Carrier
from mailsrv.send.connections import Connections
from mailsrv.send.letter import Letter, Recipient
from mailsrv.send.route import Ours, Router
from mailsrv.send.verdict import Fate

if TYPE_CHECKING:
    from tests.lab.dnstree import DnsTree
    from tests.lab.pki import Pki
    from tests.lab.postfix import Receiver

SENDER = "a@us.example"


@pytest.fixture(scope="module")
def receiver(dnstree: DnsTree, lab: Path, pki: Pki) -> Iterator[Receiver]:
    from tests.conftest import layer
    from tests.lab.postfix import Receiver

    chain, key = pki.issue(["mx1.example.org"]).write(lab / "for-send", "mx1")
    with layer("Postfix, receiving our mail", Receiver(lab / "for-send", chain, key)) as started:
        yield started


def carried(
    letters: Sequence[Letter], *recipients: str, domain: str = "example.org", at_once: int = 1
) -> tuple[list[Carried], int]:
    """The letters, one after the other or several at once, and how many connections that took."""
    from dnsops.resolve.choice import resolver

    async def story() -> tuple[list[Carried], int]:
        async with resolver() as resolving:
            connections = Connections("sender.lab")
            carrier = Carrier(Router(Ours()), resolving, connections)
            gate = asyncio.Semaphore(at_once)

            async def one(letter: Letter) -> Carried:
                async def load() -> Letter:
                    return letter

                async with gate:
                    return await carrier.carry(domain, load, [Recipient(n, r) for n, r in enumerate(recipients)])

            async with asyncio.timeout(60):
                found = await asyncio.gather(*(one(letter) for letter in letters))
                await carrier.close()
            return found, connections.opened

    return asyncio.run(story())


def letter(number: int = 0, body: bytes = b"hello\r\n", options: tuple[str, ...] = ()) -> Letter:
    return Letter.of(SENDER, options, b"Message-ID: <m%d@us.example>\r\nSubject: x\r\n\r\n" % number + body)


def logged(receiver: Receiver, pattern: str, count: int = 1) -> list[str]:
    """Lines of its log, when there are as many."""
    from tests.lab.program import wait_until

    def lines() -> list[str]:
        return re.findall(pattern, receiver.log.read_text(errors="replace"))

    wait_until(lambda: len(lines()) >= count, f"{count} lines like {pattern}")
    return lines()


def test_a_message_arrives_over_tls(receiver: Receiver) -> None:
    (found,), _ = carried([letter(1)], "user1@example.org", "user2@example.org")
    assert [(v.fate, v.host, v.tls) for v in found.verdicts.values()] == [
        (Fate.DELIVERED, "mx1.example.org", "TLSv1.3")
    ] * 2
    assert logged(receiver, r"message-id=<m1@us.example>")
    assert logged(receiver, r"TLS connection established from")
    assert logged(receiver, r"to=<user[12]@example.org>.*status=sent", 2)


def test_dots_and_size_are_as_they_were(receiver: Receiver) -> None:
    """Postfix counts the bytes it has after unstuffing, and its own Received on top; two bodies of one size count the same."""
    dots, plain = b".\r\n..\r\n.x\r\n" * 1000, b"x\r\nxx\r\nxx\r\n" * 1000
    found, _ = carried([letter(2, dots), letter(3, plain)], "user1@example.org")
    assert {v.fate for one in found for v in one.verdicts.values()} == {Fate.DELIVERED}
    sizes = [logged(receiver, rf"(\w+): message-id=<m{n}@us.example>")[0] for n in (2, 3)]
    found_sizes = {logged(receiver, rf"{queue_id}: from=<{SENDER}>, size=(\d+)")[0] for queue_id in sizes}
    assert len(found_sizes) == 1


def test_many_messages_share_few_connections(receiver: Receiver) -> None:
    found, connections = carried([letter(100 + n) for n in range(60)], "user1@example.org", at_once=3)
    assert {v.fate for one in found for v in one.verdicts.values()} == {Fate.DELIVERED}
    assert connections <= 3
    assert len(set(logged(receiver, r"message-id=<m(1\d\d)@us.example>", 60))) == 60


def test_many_recipients_are_one_message(receiver: Receiver) -> None:
    (found,), _ = carried([letter(4)], *(f"user{n}@example.org" for n in range(100)))
    assert {v.fate for v in found.verdicts.values()} == {Fate.DELIVERED}
    queue_id = logged(receiver, r"(\w+): message-id=<m4@us.example>")[0]
    assert logged(receiver, rf"{queue_id}: from=<{SENDER}>, size=\d+, nrcpt=100")


def test_its_refusals_are_ours(receiver: Receiver) -> None:
    (found,), _ = carried([letter(5)], "user1@example.org", "user1@elsewhere.example")
    taken, refused = found.verdicts[0], found.verdicts[1]
    assert (taken.fate, refused.fate, refused.code) == (
        Fate.DELIVERED,
        Fate.LATER,
        "4.7.1",
    )  # 454: as Postfix 3.6 has it
    assert "Relay access denied" in refused.reply


@pytest.mark.parametrize(
    "domain,fate,code",
    [
        ("unsigned.org", Fate.DELIVERED, "2.0.0"),
        ("expired.org", Fate.LATER, "4.4.3"),  # P-28: bogus is never a bounce and never "no DNSSEC"
        ("nowhere.org", Fate.FAILED, "5.1.2"),
    ],
)
def test_what_the_dns_says(receiver: Receiver, domain: str, fate: Fate, code: str) -> None:
    (found,), _ = carried([letter(6)], f"user1@{domain}", domain=domain)
    assert [(v.fate, v.code) for v in found.verdicts.values()] == [(fate, code)]
