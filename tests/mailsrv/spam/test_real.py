"""Debian's rspamd, SpamAssassin and ClamAV, asked by us."""

from __future__ import annotations

import asyncio

import pytest

from dnsops.base.log import Log
from dnsops.resolve.memory import MemoryDns
from mailsrv.spam.hints import Hint, Says
from mailsrv.spam.mail import Mail
from mailsrv.spam.place import parse, parse_web
from mailsrv.spam.scanning import Panel, Scanning
from mailsrv.spam.spamd import Thresholds
from tests.lab.scanners import GTUBE, WORM, ClamAv, Rspamd, SpamAssassin

HEAD = b"From: a@b.example\r\nTo: c@d.example\r\nSubject: x\r\nDate: Thu, 1 Jan 2026 12:00:00 +0000\r\nMessage-ID: <1@b.example>\r\n\r\n"


def ask(panel: Panel, body: bytes, **more: str) -> tuple[Hint, ...]:
    mail = Mail("192.0.2.9", "mx.b.example", "", "a@b.example", ("c@d.example",), content=HEAD + body, **more)
    return asyncio.run(Scanning(panel, MemoryDns({}), Log()).of_message(mail))


@pytest.mark.parametrize("first, says", [("X", Says.REFUSE), ("Y", Says.JUNK), ("Z", Says.JUNK), ("-", Says.NOTHING)])
def test_rspamd_says_what_it_would_do(rspamd: Rspamd, first: str, says: Says) -> None:
    (hint,) = ask(Panel(rspamd=parse_web(rspamd.url)), (first + GTUBE[1:]).encode() + b"\r\n")
    assert (hint.source, hint.says) == ("rspamd", says)
    assert hint.score is not None
    assert hint.why.startswith("no action" if says is Says.NOTHING else ("reject", "add header", "rewrite subject"))


def test_rspamd_is_told_who_sent_it_and_nothing_can_be_slipped_in(rspamd: Rspamd) -> None:
    sender, helo = "a\r\nX@b.example", "h\0\n" + "x" * 2000
    mail = Mail(
        "192.0.2.9", helo, "\x7f", sender, ("ä@d.example",) * 300, account="me", id="q1", content=HEAD + b"hello\r\n"
    )
    (hint,) = asyncio.run(Scanning(Panel(rspamd=parse_web(rspamd.url)), MemoryDns({}), Log()).of_message(mail))
    assert hint.says is Says.NOTHING
    log = (rspamd.home / "log").read_text(errors="replace")
    assert "qid: <q1>, ip: 192.0.2.9, user: me, from: <aX@b.example>" in log
    assert "user: me" in log


def test_spamassassin_gives_points(spamassassin: SpamAssassin) -> None:
    panel = Panel(spamd=parse(spamassassin.place), thresholds=Thresholds(None, 500.0), deadline=30)
    (spam,) = ask(panel, GTUBE.encode() + b"\r\n", account="user1")
    (ham,) = ask(panel, b"Shall we meet at noon?\r\n")
    assert (spam.says, ham.says) == (Says.REFUSE, Says.NOTHING)
    assert spam.score is not None
    assert spam.score >= 1000
    assert "GTUBE" in spam.why


def test_clamav_finds_what_it_knows(clamav: ClamAv) -> None:
    for place in (clamav.socket, clamav.port):
        panel = Panel(clamd=parse(place))
        assert ask(panel, b"x" * 100_000 + WORM)[0] == Hint(
            "clamav", Says.REFUSE, "the message holds the virus Lab.Worm.UNOFFICIAL"
        )
        assert ask(panel, WORM[::-1])[0].says is Says.JUNK
        assert ask(panel, b"nothing")[0] == Hint("clamav", Says.NOTHING, "no virus found")


def test_clamav_is_not_waited_for_with_what_is_too_large_for_it(clamav: ClamAv) -> None:
    for place in (clamav.socket, clamav.port):
        (hint,) = ask(Panel(clamd=parse(place), later=True), b"y" * (4 << 20) + WORM)
        assert hint == Hint("clamav", Says.NOTHING, "the message is larger than clamd looks at")


def test_all_are_asked_together(rspamd: Rspamd, spamassassin: SpamAssassin, clamav: ClamAv) -> None:
    panel = Panel((), parse_web(rspamd.url), parse(spamassassin.place), parse(clamav.socket), deadline=30)
    assert [(hint.source, hint.says) for hint in ask(panel, GTUBE.encode() + b"\r\n" + WORM)] == [
        ("rspamd", Says.REFUSE),
        ("spamassassin", Says.JUNK),
        ("clamav", Says.REFUSE),
    ]
