"""S-EGR-01 to 18, with our signature on: whatever is submitted, what leaves has CR LF only, ends once, and dkimpy verifies it.

The bodies are those that smuggle (S-SMTP-01 to 20), sent by a user who may send. Where one is not refused at submission, the
next host gets it whole: a line that is one dot stays one, and not an octet that was signed is another.
"""

from __future__ import annotations

import asyncio
import re
import smtplib
from collections.abc import Iterator
from datetime import UTC, datetime

import dkim
import pytest

from dnsops.dkim.keys import Keys
from tests.lab.mailserver import DOMAIN, MailServer, free_ports
from tests.lab.program import wait_until
from tests.mailsrv.send.sink import ALL, Sink, Taken

ALICE = f"alice@{DOMAIN}"
BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")
LINES = b"y" * 76 + b"\r\n"
# what stands between two lines, by the number of its case
ENDS = {
    1: b"\n.\n",
    2: b"\n.\r\n",
    3: b"\r\n.\n",
    4: b"\r.\r",
    5: b"\r\n.\r",
    6: b"\r.\r\n",
    7: b"\r.\n",
    8: b"\n.\r",
    9: b"\r\n\0.\r\n",
    10: b"\r\n.\0\r\n",
    11: b"\r\r\n.\r\r\n",
    12: b"\r\n.\r\r\n",
    13: b"\r\n. \r\n",
    14: b"\x0b.\x0b",
    15: b"\x0c.\x0c",
    16: "\x85.\x85".encode(),
    17: "\u2028.\u2028".encode(),
    18: b"\r\n..\r\n",
    19: LINES * 850 + b"\n.\n",
    20: b"L" * 100_000 + b"\n.\r\n",
}
LONE = (*range(1, 9), 11, 12, 19, 20)  # have a CR or an LF without the other
REFUSED = dict.fromkeys(LONE, 550) | dict.fromkeys((9, 10), 554)  # at submission; the others are mail like any other


@pytest.fixture(scope="module")
def sink_port() -> int:
    return free_ports(1)[0]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, sink_port: int) -> Iterator[MailServer]:
    """One that signs, and hands everything for others to the sink."""
    made = MailServer(tmp_path_factory.mktemp("serve"), queue={"next_hop": f"127.0.0.1:{sink_port}"})
    keys, now = Keys(made.state / "dkim"), datetime.now(UTC)
    keys.make_next(DOMAIN, ("rsa",), now)
    keys.promote(DOMAIN, now)
    with made as running:
        yield running


def published(server: MailServer, name: bytes) -> bytes | None:
    """What the DNS would say."""
    current = Keys(server.state / "dkim").ring(DOMAIN).current
    assert current
    texts = {f"{one.owner(DOMAIN)}.": one.text for one in current.selectors}
    found = texts.get(name.decode())
    return found.encode() if found else None


def holds(server: MailServer, content: bytes) -> bool:
    return bool(dkim.verify(content, dnsfunc=lambda name, timeout=5: published(server, name)))


def written(subject: str, body: bytes) -> bytes:
    return f"From: {ALICE}\r\nTo: x@example.net\r\nSubject: {subject}\r\n\r\n".encode() + body


def submitted(server: MailServer, stuffed: bytes) -> int:
    """The content as it stands on the wire, its end included; the reply to it."""
    with server.submission("alice") as client:
        begun(client)
        client.docmd("DATA")
        client.send(stuffed)
        code, _ = client.getreply()
        client.close()
    return code


def begun(client: smtplib.SMTP) -> None:
    client.docmd("MAIL", f"FROM:<{ALICE}>")
    client.docmd("RCPT", "TO:<x@example.net>")


def chunked(server: MailServer, content: bytes) -> int:
    """The content by BDAT, which knows no dots."""
    with server.submission("alice") as client:
        begun(client)
        client.send(b"BDAT %d LAST\r\n%s" % (len(content), content))
        code, _ = client.getreply()
        return code


def what_left(server: MailServer, port: int, how: object, content: bytes, offers: tuple[str, ...]) -> Taken | int:
    """What the next host got; or the reply by which it was refused."""
    events = len(server.events("send.relayed") + server.events("send.delivered") + server.events("send.failed"))

    def settled() -> bool:
        return (
            len(server.events("send.relayed") + server.events("send.delivered") + server.events("send.failed")) > events
        )

    async def story() -> Taken | int:
        async with Sink({}, offers, port=port) as sink:
            assert callable(how)
            code = await asyncio.to_thread(how, server, content)
            if code >= 400:
                return int(code)
            await asyncio.to_thread(wait_until, settled, "the queue to be done with it")
            return sink.messages[0] if sink.messages else 0

    return asyncio.run(story())


def sound(server: MailServer, left: Taken, content: bytes) -> None:
    """CR LF only, no NUL, one end, our signature on top, and below it what was submitted."""
    assert not BARE.search(left.raw)
    assert b"\0" not in left.raw
    assert (b"\r\n" + left.raw).count(b"\r\n.\r\n") == 1
    assert left.content.endswith(content)
    assert left.content.count(b"\r\nDKIM-Signature:") == 1
    assert holds(server, left.content)


@pytest.mark.parametrize("number", ENDS)
def test_s_egr_01_to_20_what_leaves_is_normal_and_its_signature_holds(
    server: MailServer, sink_port: int, number: int
) -> None:
    body = b"hello" + ENDS[number] + b"MAIL FROM:<x@y.test>\r\n"
    content = written(f"case {number}", body)
    left = what_left(server, sink_port, submitted, content + b".\r\n", ALL)
    if number in REFUSED:
        assert left == REFUSED[number]
        return
    assert isinstance(left, Taken)
    sound(server, left, content.replace(b"\r\n.", b"\r\n"))  # RFC 5321 4.5.2: a line's first dot is the sender's


@pytest.mark.parametrize(
    "body",
    [
        b".\r\n",
        b"..\r\n...\r\n",
        b".hidden\r\n.\r\n.\r\nMAIL FROM:<x@y.test>\r\n",
        b"no end of line",
        b"\r\n\r\n\r\n",
        b"",
        b"x" * 65_530 + b"\r\n.\r\n" + b"y" * 900 + b"\r\n",
        (b"." * 70 + b"\r\n") * 30_000,
    ],
    ids=["dot", "dots", "end inside", "no end", "blank", "empty", "at 64 KiB", "2 MB of dots"],
)
@pytest.mark.parametrize("offers", [ALL, ()], ids=["all", "nothing"])
def test_s_egr_18_dots_of_a_chunked_message_survive(
    server: MailServer, sink_port: int, body: bytes, offers: tuple[str, ...]
) -> None:
    """By BDAT any line may be a dot; the next host knows DATA only."""
    content = written("chunked", body)
    left = what_left(server, sink_port, chunked, content, tuple(o for o in offers if not o.startswith("SIZE")))
    assert isinstance(left, Taken)
    sound(server, left, content if content.endswith(b"\r\n") else content + b"\r\n")


@pytest.mark.parametrize("number", [16, 17])
def test_s_egr_16_17_eight_bits_to_a_host_that_takes_seven_come_back_unaltered(
    server: MailServer, sink_port: int, number: int
) -> None:
    """Re-coding would break the signature: the sender hears of it instead (RFC 6152 3)."""
    content = written("eight bits", b"hello" + ENDS[number] + b"\r\n")
    left = what_left(server, sink_port, submitted, content + b".\r\n", ("PIPELINING",))
    assert left == 0
    assert server.events("send.failed")[-1]["code"] == "5.6.3"


@pytest.mark.parametrize("number", [9, 10])
def test_s_egr_09_10_a_nul_never_leaves(server: MailServer, sink_port: int, number: int) -> None:
    content = written("NUL", b"hello" + ENDS[number])
    for how, end in ((submitted, b".\r\n"), (chunked, b"")):
        assert what_left(server, sink_port, how, content + end, ALL) == 554


@pytest.mark.parametrize("number", LONE)
def test_s_egr_bare_line_ends_by_bdat_are_refused_too(server: MailServer, sink_port: int, number: int) -> None:
    left = what_left(server, sink_port, chunked, written("lone", b"hello" + ENDS[number] + b"x\r\n"), ALL)
    assert left == 550


@pytest.mark.parametrize(
    "change", [(b"hello", b"hellO"), (b"Subject: seen", b"Subject: seem"), (b"\r\n.\r\n", b"\r\n")]
)
def test_s_egr_an_altered_octet_is_seen(server: MailServer, sink_port: int, change: tuple[bytes, bytes]) -> None:
    """That dkimpy's word means something here."""
    left = what_left(server, sink_port, chunked, written("seen", b"hello\r\n.\r\nbye\r\n"), ALL)
    assert isinstance(left, Taken)
    assert change[0] in left.content
    assert holds(server, left.content)
    assert not holds(server, left.content.replace(*change))
